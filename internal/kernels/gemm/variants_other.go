//go:build noasm || !amd64

package gemm

func hasTiles() bool { return false }

func tiles(*[Panels]Tile, int, []float32, int, []float32) {
	panic("gemm: no kernel for several panels")
}

func hasStore() bool { return false }

func storeTile([]uint8, int, *[MR * NR]int32, *store) { panic("gemm: no kernel for storing") }

// HasDot reports whether products of bytes are faster by MultiplyBytes than by
// MultiplyInt. Both are exact.
func HasDot() bool { return false }

func dot(sums *[MR * NR]int32, groups int, a []int8, b []uint8) { dotGeneric(sums, groups, a, b) }

func interleave(dst, src []uint8, groups, step int, flip uint8) {
	interleaveGeneric(dst, src, groups, step, flip)
}
