//go:build noasm || (!amd64 && !arm64)

package eltwise

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"generic", cpu.Generic}}

func spans(function, []float32, []float32, float32) int { return 0 }

func clampSpans(_, _ []float32, _, _ float32) int { return 0 }

func arith[T Number](operation, []T, []T, []T) int { return 0 }
