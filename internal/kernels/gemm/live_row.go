package gemm

import (
	"math"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
)

// Row is the plan of products of one row with a packed k×n matrix, which is read
// once at the speed of the memory that it lies in: what a step of a recurrent
// network does. It does not change.
type Row struct {
	k, n int
	rows *Rows
	end  *FloatEnd
	none []float32 // −0, which added changes nothing
}

// NewRow returns the plan for matrices packed as Plain(k, n, …).
func NewRow(k, n int) *Row {
	p := &Row{k: k, n: n, rows: RowsOf(1, k), end: NewFloatEnd(n, nil, false, 0, 0), none: make([]float32, padded(n))}
	for i := range p.none {
		p.none[i] = float32(math.Copysign(0, -1))
	}
	return p
}

// Panels is the number of panels of Width columns.
func (p *Row) Panels() int { return (p.n + Width - 1) / Width }

// Floats writes panels lo to hi of the product to c, which has n elements, as
// before and after have; these may be nil:
//
//	acc := float32(0)
//	for i := range k {
//		acc = fma(a[i], B[i,j], acc)
//	}
//	c[j] = acc + before[j] + after[j]
func (p *Row) Floats(c, before, after, a, packed []float32, lo, hi int) {
	_, _ = c[:p.n], a[:p.k]
	lo += p.floats(c, p.addend(before), p.addend(after), a, packed, lo, hi)
	m := Plain(p.k, p.n, p.n, 1)
	for ; lo < hi; lo++ {
		j := lo * Width
		cols := min(Width, p.n-j)
		var bias [Width]float32
		copy(bias[:], p.addend(before)[j:j+cols])
		panel := packed[lo*m.FloatPanel():]
		floats(c[j:j+cols], p.addend(after)[j:j+cols], p.n, a, p.rows, 1, panel, padded(cols), cols, bias[:padded(cols)], p.end)
	}
}

// Bytes is Floats for bytes whose real numbers are (a − zero)·scale, and B's
// units of a column: sums are exact, and of them float32(sum)·(unit·scale) is
// taken. l belongs to the packed matrix; columns of e, of its End, are set. Up to
// three bytes behind a's last are read.
func (p *Row) Bytes(c, before, after []float32, a []byte, packed []int8, l *LiveEnd, e *ByteEnd, zero uint8, scale float32, lo, hi int) {
	_, _ = c[:p.n], a[:Group*Groups(p.k)]
	lo += p.bytes(c, p.addend(before), p.addend(after), a, packed, l, zero, scale, lo, hi)
	if lo == hi {
		return
	}
	first, last := lo*Width, min(hi*Width, p.n)
	l.Set(e, zero, scale, first, last)
	m := Plain(p.k, p.n, p.n, 1)
	for ; lo < hi; lo++ {
		j := lo * Width
		cols := min(Width, p.n-j)
		out := unsafe.Slice((*byte)(unsafe.Pointer(&c[j])), 4*cols)
		Bytes(out, p.n, a, p.rows, 1, packed[lo*m.BytePanel():], j, cols, e)
	}
	for _, add := range [][]float32{before, after} {
		if add != nil {
			eltwise.Add(c[first:last], c[first:last], add[first:last])
		}
	}
}

// addend returns s, or what changes nothing.
func (p *Row) addend(s []float32) []float32 {
	if s == nil {
		return p.none
	}
	return s[:p.n]
}
