package gemm

import (
	"github.com/octavo-ml/octavo/internal/cpu"
	"github.com/octavo-ml/octavo/internal/exact"
)

// variant is one implementation of a tile. The first row whose level may be
// used is run; tests and benchmarks read the whole table.
type variant struct {
	name  string
	level cpu.Level
	tile  func(t *Tile, k int, a, b []float32)
}

func active() *variant {
	for i := range variants {
		if cpu.Has(variants[i].level) {
			return &variants[i]
		}
	}
	panic("gemm: no variant") // the twin needs nothing
}

// f32Generic is the twin that defines the bits.
func f32Generic(t *Tile, k int, a, b []float32) {
	clear(t[:])
	for p := range k {
		x, y := a[p*MR:p*MR+MR:p*MR+MR], b[p*NR:p*NR+NR:p*NR+NR]
		for r, xr := range x {
			row := t[r*NR : r*NR+NR : r*NR+NR]
			for c, yc := range y {
				row[c] = exact.FMA32(xr, yc, row[c])
			}
		}
	}
}
