//go:build noasm || (!amd64 && !arm64)

package gemm

var variants = []variant{generic}
