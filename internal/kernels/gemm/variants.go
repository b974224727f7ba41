package gemm

import (
	"github.com/octavo-ml/octavo/internal/cpu"
	"github.com/octavo-ml/octavo/internal/exact"
)

// variant is one implementation of the tile: tile, whole, finish.apply and
// addInts run the first whose level may be used. Tests and benchmarks run every
// row of the table; each equals its generic twin to the bit. Dispatch calls
// functions by name, as a call through a pointer would move tiles to the heap.
type variant struct {
	name  string
	level cpu.Level
}

// tileGeneric is the twin that defines the bits. It keeps a column in
// registers and writes FMA32's common case out.
func tileGeneric(t *Tile, k int, a, b []float32) {
	a, b = a[:MR*k], b[:NR*k]
	for c := range NR {
		s0, s1, s2, s3 := t[c], t[NR+c], t[2*NR+c], t[3*NR+c]
		for p := range k {
			x, y := (*[MR]float32)(a[p*MR:]), b[p*NR+c]
			w0, w1, w2, w3 := exact.Wide(x[0], y, s0), exact.Wide(x[1], y, s1), exact.Wide(x[2], y, s2), exact.Wide(x[3], y, s3)
			if exact.Hard(w0) || exact.Hard(w1) || exact.Hard(w2) || exact.Hard(w3) {
				s0, s1 = exact.FMA32(x[0], y, s0), exact.FMA32(x[1], y, s1)
				s2, s3 = exact.FMA32(x[2], y, s2), exact.FMA32(x[3], y, s3)
				continue
			}
			s0, s1, s2, s3 = float32(w0), float32(w1), float32(w2), float32(w3)
		}
		t[c], t[NR+c], t[2*NR+c], t[3*NR+c] = s0, s1, s2, s3
	}
}

// wholeGeneric is tileGeneric where nothing is rounded.
func wholeGeneric(t *Tile, k int, a, b []float32) {
	a, b = a[:MR*k], b[:NR*k]
	for c := range NR {
		s0, s1, s2, s3 := t[c], t[NR+c], t[2*NR+c], t[3*NR+c]
		for p := range k {
			x, y := (*[MR]float32)(a[p*MR:]), b[p*NR+c]
			s0 += float32(x[0] * y)
			s1 += float32(x[1] * y)
			s2 += float32(x[2] * y)
			s3 += float32(x[3] * y)
		}
		t[c], t[NR+c], t[2*NR+c], t[3*NR+c] = s0, s1, s2, s3
	}
}

func finishGeneric(t *Tile, f *finish) {
	for r, row := range f.row {
		for c, col := range f.col {
			v := t[r*NR+c] + row
			v += col
			t[r*NR+c] = min(max(v, f.lo), f.hi)
		}
	}
}

func addIntsGeneric(sums *[MR * NR]int32, t *Tile) {
	for i, v := range t {
		sums[i] += int32(v)
	}
}
