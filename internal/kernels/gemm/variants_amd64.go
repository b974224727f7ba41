//go:build !noasm

package gemm

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{
	{"avx2", cpu.AVX2, func(t *Tile, k int, a, b []float32) { f32AVX2(t, &a[0], &b[0], k) }},
	{"generic", cpu.Generic, f32Generic},
}

// f32AVX2 is f32Generic for k ≥ 1.
//
//go:noescape
func f32AVX2(t *Tile, a, b *float32, k int)
