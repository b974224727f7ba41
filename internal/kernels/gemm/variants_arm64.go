//go:build !noasm

package gemm

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{
	{"neon", cpu.NEON, tileNEONSlices, tileNEONSlices, finishNEON, addIntsNEON},
	generic,
}

func tileNEONSlices(t *Tile, k int, a, b []float32) {
	_, _ = a[MR*k-1], b[NR*k-1]
	tileNEON(t, &a[0], &b[0], k)
}

// tileNEON is tileGeneric for k ≥ 1.
//
//go:noescape
func tileNEON(t *Tile, a, b *float32, k int)

// finishNEON is finishGeneric for bounds that are not NaN.
//
//go:noescape
func finishNEON(t *Tile, f *finish)

// addIntsNEON is addIntsGeneric.
//
//go:noescape
func addIntsNEON(sums *[MR * NR]int32, t *Tile)
