//go:build !noasm

package gemm

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"dotprod", cpu.DotProd}, {"neon", cpu.NEON}, {"generic", cpu.Generic}}

// tile adds the products of k ≥ 1 groups to t.
func tile(t *Tile, k int, a, b []float32) {
	if !cpu.Has(cpu.NEON) {
		tileGeneric(t, k, a, b)
		return
	}
	_, _ = a[MR*k-1], b[NR*k-1]
	tileNEON(t, &a[0], &b[0], k)
}

// whole is tile for integers, of which no sum reaches 2²⁴.
func whole(t *Tile, k int, a, b []float32) {
	if !cpu.Has(cpu.NEON) {
		wholeGeneric(t, k, a, b)
		return
	}
	tile(t, k, a, b)
}

// finish applies an epilogue to t.
func (f *finish) apply(t *Tile) {
	if !cpu.Has(cpu.NEON) {
		finishGeneric(t, f)
		return
	}
	finishNEON(t, f)
}

// addInts adds t, which holds integers, to sums.
func addInts(sums *[MR * NR]int32, t *Tile) {
	if !cpu.Has(cpu.NEON) {
		addIntsGeneric(sums, t)
		return
	}
	addIntsNEON(sums, t)
}

// tileNEON is tileGeneric for k ≥ 1.
//
//go:noescape
func tileNEON(t *Tile, a, b *float32, k int)

// finishNEON is finishGeneric.
//
//go:noescape
func finishNEON(t *Tile, f *finish)

// addIntsNEON is addIntsGeneric.
//
//go:noescape
func addIntsNEON(sums *[MR * NR]int32, t *Tile)
