//go:build noasm || (!amd64 && !arm64)

package fused

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"generic", cpu.Generic}}

func floats([]float32, int, *Block) bool { return false }

func bytes([]byte, int, *Block, *Grid) bool { return false }

func geluBytes([]byte, int, *Block, *Grid) bool { return false }

func levels([]byte, int, []float32, int, int, int, []float32, float32, *Grid) bool { return false }

func (p *Softmax) rows(*Scores) bool { return false }

func (p *Probabilities) rows() bool { return false }
