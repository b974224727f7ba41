//go:build !noasm

package gemm

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/cpu"
)

var variants = []variant{{"i8mm", cpu.I8MM}, {"dotprod", cpu.DotProd}, {"neon", cpu.NEON}, {"generic", cpu.Generic}}

// shifts says that there are kernels which multiply A less 128, and need the
// terms for that.
const shifts = true

// kernel is one of the assembly kernels.
type kernel uint8

const (
	floats4 kernel = iota
	bytesDot
	bytesMatrix
)

// width is the number of columns that a kernel computes.
func (kernel) width() int { return lanes }

// masks reports whether a kernel writes no columns but those of C.
func (kernel) masks() bool { return false }

// cuts reports whether a kernel cuts rows into blocks itself.
func (kernel) cuts() bool { return false }

// narrow returns the kernel for what is left of the columns.
func (k kernel) narrow(int) kernel { return k }

// mostRows is the greatest number of rows of a block.
const mostRows = 4

func floats(c, other []float32, ldc int, a []float32, r *Rows, m int, panel []float32, width, cols int, bias []float32, e *FloatEnd) {
	if !cpu.Has(cpu.NEON) {
		floatsGeneric(c, other, ldc, a, r, m, panel, width, cols, bias, e)
		return
	}
	x := floatCall(c, other, ldc, a, r, panel, width, bias, e)
	x.panel(floats4, m, mostRows, cols, 4)
}

// apart reports whether products writes sums, for which it has no fixed-point end.
func (e *ByteEnd) apart() bool { return e.fixed != nil && cpu.Has(cpu.DotProd) }

func products(c []byte, ldc int, a []uint8, r *Rows, m int, panel []int8, width, cols int, e *ByteEnd, j int) {
	if !cpu.Has(cpu.DotProd) {
		bytesGeneric(c, ldc, a, r, m, panel, width, cols, e, j)
		return
	}
	x := byteCall(c, ldc, a, r, panel, width, e, j)
	if m > 1 && cpu.Has(cpu.I8MM) { // it computes two rows even where there is one
		x.panel(bytesMatrix, m, mostRows, cols, e.written())
		return
	}
	x.bias = unsafe.Pointer(&e.shifted[j])
	x.panel(bytesDot, m, mostRows, cols, e.written())
}

// launch runs a kernel, by name so that the call stays on the stack.
func (k kernel) launch(c *call) {
	switch k {
	case bytesDot:
		bytesDotProd(c)
	case bytesMatrix:
		bytesI8MM(c)
	default:
		floatsNEON(c)
	}
}

//go:noescape
func bytesDotProd(c *call)

//go:noescape
func bytesI8MM(c *call)

//go:noescape
func floatsNEON(c *call)
