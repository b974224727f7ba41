//go:build !noasm

package gemm

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"avx2", cpu.AVX2}, {"generic", cpu.Generic}}

// tile adds the products of k ≥ 1 groups to t.
func tile(t *Tile, k int, a, b []float32) {
	if !cpu.Has(cpu.AVX2) {
		tileGeneric(t, k, a, b)
		return
	}
	_, _ = a[MR*k-1], b[NR*k-1]
	tileAVX2(t, &a[0], &b[0], k)
}

// whole is tile for integers, of which no sum reaches 2²⁴.
func whole(t *Tile, k int, a, b []float32) {
	if !cpu.Has(cpu.AVX2) {
		wholeGeneric(t, k, a, b)
		return
	}
	tile(t, k, a, b)
}

// finish applies an epilogue to t.
func (f *finish) apply(t *Tile) {
	if !cpu.Has(cpu.AVX2) {
		finishGeneric(t, f)
		return
	}
	finishAVX2(t, f)
}

// addInts adds t, which holds integers, to sums.
func addInts(sums *[MR * NR]int32, t *Tile) {
	if !cpu.Has(cpu.AVX2) {
		addIntsGeneric(sums, t)
		return
	}
	addIntsAVX2(sums, t)
}

// tileAVX2 is tileGeneric for k ≥ 1.
//
//go:noescape
func tileAVX2(t *Tile, a, b *float32, k int)

// finishAVX2 is finishGeneric.
//
//go:noescape
func finishAVX2(t *Tile, f *finish)

// addIntsAVX2 is addIntsGeneric.
//
//go:noescape
func addIntsAVX2(sums *[MR * NR]int32, t *Tile)
