//go:build !noasm

package gemm

import "github.com/octavo-ml/octavo/internal/cpu"

// kernel is one of the assembly kernels.
type kernel uint8

const floats4 kernel = 0

// width is the number of columns that a kernel computes.
func (kernel) width() int { return lanes }

// masks reports whether a kernel writes no columns but those of C.
func (kernel) masks() bool { return false }

const mostFloats4 = 4

func floats(c, other []float32, ldc int, a []float32, r *Rows, m int, panel []float32, width, cols int, bias []float32, e *FloatEnd) {
	if !cpu.Has(cpu.NEON) {
		floatsGeneric(c, other, ldc, a, r, m, panel, width, cols, bias, e)
		return
	}
	x := floatCall(c, other, ldc, a, r, panel, width, bias, e)
	x.panel(floats4, m, mostFloats4, cols, 4)
}

func products(c []byte, ldc int, a []uint8, r *Rows, m int, panel []int8, width, cols int, e *ByteEnd, j int) {
	bytesGeneric(c, ldc, a, r, m, panel, width, cols, e, j)
}

// launch runs a kernel, by name so that the call stays on the stack.
func (kernel) launch(c *call) { floatsNEON(c) }

//go:noescape
func floatsNEON(c *call)
