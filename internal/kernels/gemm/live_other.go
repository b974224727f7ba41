//go:build noasm || !amd64

package gemm

func strip(dst, src []byte, groups, step, stride int, flip uint8) {
	stripGeneric(dst, src, groups, step, stride, flip)
}
