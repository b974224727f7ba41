//go:build !noasm

package gemm

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{
	{"avx2", cpu.AVX2, tileAVX2Slices, tileAVX2Slices, finishAVX2, addIntsAVX2},
	generic,
}

func tileAVX2Slices(t *Tile, k int, a, b []float32) {
	_, _ = a[MR*k-1], b[NR*k-1]
	tileAVX2(t, &a[0], &b[0], k)
}

// tileAVX2 is tileGeneric for k ≥ 1.
//
//go:noescape
func tileAVX2(t *Tile, a, b *float32, k int)

// finishAVX2 is finishGeneric for bounds that are not NaN.
//
//go:noescape
func finishAVX2(t *Tile, f *finish)

// addIntsAVX2 is addIntsGeneric.
//
//go:noescape
func addIntsAVX2(sums *[MR * NR]int32, t *Tile)
