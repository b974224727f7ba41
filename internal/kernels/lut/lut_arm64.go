//go:build !noasm

package lut

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"neon", cpu.NEON}, {"generic", cpu.Generic}}

// applySpans looks up the leading elements, as many as the processor's
// instructions take, and returns their number.
func applySpans(dst, src []byte, table *[256]byte) int {
	const step = 32
	if len(src) < step || !cpu.Has(cpu.NEON) {
		return 0
	}
	applyNEON(&dst[0], &src[0], table, len(src)/step)
	return len(src) / step * step
}

//go:noescape
func applyNEON(dst, src *byte, table *[256]byte, steps int)
