//go:build !noasm

package gemm

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/cpu"
)

// rowCall is what the kernels of one row get; assembly knows its fields by name.
type rowCall struct {
	a, b, c       unsafe.Pointer
	before, after unsafe.Pointer
	sums, units   unsafe.Pointer
	steps         int // of k, or groups of it
	panels        int
	zero          int32 // what sums are multiplied with
	scale         float32
}

// whole returns how many panels from lo on, below hi, have all columns, and how many
// of them one call may take.
func (p *Row) whole(lo, hi int) (n, atOnce int) {
	return max(0, min(hi, p.n/Width)-lo), max(1, work/(p.k*Width))
}

func (p *Row) rowCall(c, before, after []float32, j int) rowCall {
	return rowCall{c: unsafe.Pointer(&c[j]), before: unsafe.Pointer(&before[j]), after: unsafe.Pointer(&after[j])}
}

// floats computes panels from lo on, below hi, and returns how many it was.
func (p *Row) floats(c, before, after, a, packed []float32, lo, hi int) int {
	n, some := p.whole(lo, hi)
	if n == 0 || !cpu.Has(cpu.AVX512) {
		return 0
	}
	panel := p.k * Width
	_ = packed[:(lo+n)*panel]
	for i := lo; i < lo+n; i += some {
		x := p.rowCall(c, before, after, i*Width)
		x.a, x.b, x.steps, x.panels = unsafe.Pointer(&a[0]), unsafe.Pointer(&packed[i*panel]), p.k, min(some, lo+n-i)
		floatRowAVX512(&x)
	}
	return n
}

// bytes is floats for bytes.
func (p *Row) bytes(c, before, after []float32, a []byte, packed []int8, l *LiveEnd, zero uint8, scale float32, lo, hi int) int {
	n, some := p.whole(lo, hi)
	if n == 0 || !cpu.Has(cpu.VNNI) {
		return 0
	}
	panel := Groups(p.k) * Group * Width
	_, _, _ = packed[:(lo+n)*panel], l.sums[:p.n], l.units[:p.n]
	for i := lo; i < lo+n; i += some {
		x := p.rowCall(c, before, after, i*Width)
		x.a, x.b, x.steps, x.panels = unsafe.Pointer(&a[0]), unsafe.Pointer(&packed[i*panel]), Groups(p.k), min(some, lo+n-i)
		x.sums, x.units, x.zero, x.scale = unsafe.Pointer(&l.sums[i*Width]), unsafe.Pointer(&l.units[i*Width]), -int32(zero), scale
		byteRowVNNI(&x)
	}
	return n
}

//go:noescape
func floatRowAVX512(c *rowCall)

//go:noescape
func byteRowVNNI(c *rowCall)
