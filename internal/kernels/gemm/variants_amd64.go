//go:build !noasm

package gemm

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"vnni", cpu.VNNI}, {"avx512", cpu.AVX512}, {"avx2", cpu.AVX2}, {"generic", cpu.Generic}}

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

// hasTiles reports whether there is a kernel for several panels of A at a time.
func hasTiles() bool { return cpu.Has(cpu.AVX512) }

// tiles adds the products of k ≥ 1 groups to t; panels of A lie step elements
// apart.
func tiles(t *[Panels]Tile, k int, a []float32, step int, b []float32) {
	_, _ = a[(Panels-1)*step+MR*k-1], b[NR*k-1]
	tilesAVX512(t, &a[0], &b[0], k, 4*step)
}

// hasStore reports whether there is a kernel that requantizes a tile.
func hasStore() bool { return cpu.Has(cpu.AVX512) }

// storeTile requantizes a whole tile into rows of dst that lie ldc apart.
func storeTile(dst []uint8, ldc int, sums *[MR * NR]int32, p *store) {
	_ = dst[(MR-1)*ldc+NR-1]
	storeAVX512(&dst[0], ldc, sums, p)
}

// HasDot reports whether products of bytes are faster by MultiplyBytes than by
// MultiplyInt. Both are exact.
func HasDot() bool { return cpu.Has(cpu.VNNI) }

// dot adds the products of groups ≥ 1 to sums.
func dot(sums *[MR * NR]int32, groups int, a []int8, b []uint8) {
	if !cpu.Has(cpu.VNNI) {
		dotGeneric(sums, groups, a, b)
		return
	}
	_, _ = a[MR*Group*groups-1], b[NR*Group*groups-1]
	dotVNNI(sums, &a[0], &b[0], groups)
}

// interleave packs groups ≥ 1 of rows that lie step apart.
func interleave(dst, src []uint8, groups, step int, flip uint8) {
	if !cpu.Has(cpu.AVX2) {
		interleaveGeneric(dst, src, groups, step, flip)
		return
	}
	_, _ = dst[NR*Group*groups-1], src[(Group*groups-1)*step+NR-1]
	interleaveAVX2(&dst[0], &src[0], groups, step, flip)
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

// interleaveAVX2 is interleaveGeneric for groups ≥ 1.
//
//go:noescape
func interleaveAVX2(dst, src *uint8, groups, step int, flip uint8)

// dotVNNI is dotGeneric for groups ≥ 1.
//
//go:noescape
func dotVNNI(sums *[MR * NR]int32, a *int8, b *uint8, groups int)

// tilesAVX512 is tileGeneric of each panel of A, which lie stride bytes apart,
// for k ≥ 1.
//
//go:noescape
func tilesAVX512(t *[Panels]Tile, a, b *float32, k, stride int)

// storeAVX512 is the general case of StoreBytes for a whole tile.
//
//go:noescape
func storeAVX512(dst *uint8, ldc int, sums *[MR * NR]int32, p *store)
