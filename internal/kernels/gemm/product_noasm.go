//go:build noasm || (!amd64 && !arm64)

package gemm

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"generic", cpu.Generic}}

// shifts says whether kernels multiply A less 128.
const shifts = false

func floats(c, other []float32, ldc int, a []float32, r *Rows, m int, panel []float32, width, cols int, bias []float32, e *FloatEnd) {
	floatsGeneric(c, other, ldc, a, r, m, panel, width, cols, bias, e)
}

// apart reports whether products writes sums, for which it has no fixed-point end.
func (e *ByteEnd) apart() bool { return false }

func products(c []byte, ldc int, a []uint8, r *Rows, m int, panel []int8, width, cols int, e *ByteEnd, j int) {
	bytesGeneric(c, ldc, a, r, m, panel, width, cols, e, j)
}
