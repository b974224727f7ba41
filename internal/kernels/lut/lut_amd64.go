//go:build !noasm

package lut

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"vbmi", cpu.AVX512}, {"avx2", cpu.AVX2}, {"generic", cpu.Generic}}

// applySpans looks up the leading elements, as many as the processor's
// instructions take, and returns their number.
func applySpans(dst, src []byte, table *[256]byte) int {
	const step = 64
	switch {
	case len(src) == 0:
		return 0
	case cpu.VBMI():
		applyVBMI(&dst[0], &src[0], table, len(src))
		return len(src)
	case cpu.Has(cpu.AVX2) && len(src) >= step:
		applyAVX2(&dst[0], &src[0], table, len(src)/step)
		return len(src) / step * step
	}
	return 0
}

//go:noescape
func applyVBMI(dst, src *byte, table *[256]byte, n int)

//go:noescape
func applyAVX2(dst, src *byte, table *[256]byte, steps int)
