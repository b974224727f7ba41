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

// sumRows stores what the leading elements of m rows of bytes, which begin at
// row[i], add up to, and returns how many elements of each it took.
func sumRows(sums *[maxRows]int32, a []byte, row []int32, m, k int) int {
	const span = 32
	if k < span || !cpu.Has(cpu.AVX2) {
		return 0
	}
	row = row[:m]
	for _, r := range row {
		_ = a[r:][:k]
	}
	sumRowsAVX2(sums, &a[0], &row[0], m, k/span)
	return k / span * span
}

//go:noescape
func sumRowsAVX2(sums *[maxRows]int32, a *byte, row *int32, m, steps int)

// weigh is weighGeneric for as many columns as it says.
func (l *LiveEnd) weigh(e *ByteEnd, zero uint8, scale float32, lo, hi int) int {
	n := hi - lo
	if n == 0 || !cpu.Has(cpu.AVX2) {
		return 0
	}
	bias, multiplier, sums, units := e.bias[lo:hi], e.multiplier[lo:hi], l.sums[lo:hi], l.units[lo:hi]
	weighAVX2(&bias[0], &sums[0], &multiplier[0], &units[0], n/lanes, -int32(zero), scale)
	return n
}

// weighAVX2 stores sums times zero and units times scale, steps vectors of 16 of
// them.
//
//go:noescape
func weighAVX2(bias, sums *int32, multiplier, units *float32, steps int, zero int32, scale float32)
