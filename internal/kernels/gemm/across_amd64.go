//go:build !noasm

package gemm

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/cpu"
)

// acrossCall is what a kernel gets; assembly knows its fields by name. It
// computes blocks of some vectors of rows.
type acrossCall struct {
	a                unsafe.Pointer
	at               *int32
	k                int
	b                unsafe.Pointer
	c                unsafe.Pointer
	ldc              int // in bytes
	bias             unsafe.Pointer
	least, most, tie float32
	vectors, blocks  int
}

// HasAcross reports whether there is code for FloatsAcross.
func HasAcross() bool { return cpu.Has(cpu.AVX2) }

// most vectors of rows that kernels of 1, 2, 4 and 8 columns take at once.
var (
	acrossMost512 = [...]int{1: 8, 2: 8, 4: 6, 8: 3}
	acrossMost2   = [...]int{1: 8, 2: 5, 4: 3}
)

func across(c []float32, ldc int, a []float32, r *Across, n int, panel []float32, cols int, e *FloatEnd) {
	if !cpu.Has(cpu.AVX2) {
		acrossGeneric(c, ldc, a, r, n, panel, cols, e)
		return
	}
	width, widest, most := 8, 4, acrossMost2[:]
	if cpu.Has(cpu.AVX512) {
		width, widest, most = lanes, 8, acrossMost512[:]
	}
	x := acrossCall{at: &r.At[0], k: len(r.At), ldc: 4 * ldc, least: e.least, most: e.most, tie: e.tie}
	for j := 0; j < cols; {
		m := widest
		for m > cols-j {
			m /= 2
		}
		x.b, x.bias = unsafe.Pointer(&panel[j]), unsafe.Pointer(&e.bias[j])
		vectors := (n + width - 1) / width
		count := (vectors + most[m] - 1) / most[m]
		perBlock := m * most[m] * width * x.k
		for done := 0; done < vectors; {
			// The blocks that are left are of nearly one size, the greater ones first.
			left := vectors - done
			x.vectors = (left + count - 1) / count
			x.blocks = left - (x.vectors-1)*count
			x.blocks = min(x.blocks, max(1, work/perBlock))
			x.a, x.c = unsafe.Pointer(&a[done*width]), unsafe.Pointer(&c[j*ldc+done*width])
			done += x.vectors * x.blocks
			count -= x.blocks
			x.launch(m, width)
		}
		j += m
	}
}

func (x *acrossCall) launch(m, width int) {
	switch {
	case width == 8 && m == 1:
		across1AVX2(x)
	case width == 8 && m == 2:
		across2AVX2(x)
	case width == 8:
		across4AVX2(x)
	case m == 1:
		across1AVX512(x)
	case m == 2:
		across2AVX512(x)
	case m == 4:
		across4AVX512(x)
	default:
		across8AVX512(x)
	}
}

//go:noescape
func across1AVX2(x *acrossCall)

//go:noescape
func across2AVX2(x *acrossCall)

//go:noescape
func across4AVX2(x *acrossCall)

//go:noescape
func across1AVX512(x *acrossCall)

//go:noescape
func across2AVX512(x *acrossCall)

//go:noescape
func across4AVX512(x *acrossCall)

//go:noescape
func across8AVX512(x *acrossCall)
