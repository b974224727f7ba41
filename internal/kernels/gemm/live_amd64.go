//go:build !noasm

package gemm

import "github.com/octavo-ml/octavo/internal/cpu"

// strip packs groups ≥ 1 of rows.
func strip(dst, src []byte, groups, step, stride int, flip uint8) {
	if !cpu.Has(cpu.AVX2) {
		stripGeneric(dst, src, groups, step, stride, flip)
		return
	}
	_, _ = dst[(groups-1)*stride+lanes*Group-1], src[(Group*groups-1)*step+lanes-1]
	stripAVX2(&dst[0], &src[0], groups, step, stride, flip)
}

// stripAVX2 is stripGeneric for groups ≥ 1.
//
//go:noescape
func stripAVX2(dst, src *uint8, groups, step, stride int, flip uint8)
