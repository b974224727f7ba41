//go:build !noasm

package dwconv

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/cpu"
)

var variants = []variant{{"neon", cpu.NEON}, {"generic", cpu.Generic}}

// chain is chainGeneric.
func chain(dst, x []float32, off []int, w []float32, f *finish) {
	if !cpu.Has(cpu.NEON) {
		chainGeneric(dst, x, off, w, f)
		return
	}
	_ = x[slices.Max(off)+len(dst)-1] // variants read exactly this far
	chainNEON(&dst[0], &x[0], &off[0], &w[0], len(off), len(dst)/width, f)
}

// chainNEON is chainGeneric for taps, tiles ≥ 1.
//
//go:noescape
func chainNEON(dst, x *float32, off *int, w *float32, taps, tiles int, f *finish)
