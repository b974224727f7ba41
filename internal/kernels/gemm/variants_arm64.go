//go:build !noasm

package gemm

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{
	{"neon", cpu.NEON, func(t *Tile, k int, a, b []float32) { f32NEON(t, &a[0], &b[0], k) }},
	{"generic", cpu.Generic, f32Generic},
}

// f32NEON is f32Generic for k ≥ 1.
//
//go:noescape
func f32NEON(t *Tile, a, b *float32, k int)
