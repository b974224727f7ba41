//go:build noasm || (!amd64 && !arm64)

package gemm

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"generic", cpu.Generic}}

func tile(t *Tile, k int, a, b []float32) { tileGeneric(t, k, a, b) }

func whole(t *Tile, k int, a, b []float32) { wholeGeneric(t, k, a, b) }

func (f *finish) apply(t *Tile) { finishGeneric(t, f) }

func addInts(sums *[MR * NR]int32, t *Tile) { addIntsGeneric(sums, t) }
