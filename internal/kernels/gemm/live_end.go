package gemm

import "github.com/octavo-ml/octavo/internal/kernels/eltwise"

// LiveEnd makes the epilogues of products with a packed matrix whose
// activations get their scale and zero point in each run: results are
// float32(sum)·(scale·unit) with one unit a column.
type LiveEnd struct {
	sums  []int32 // of B's columns
	units []float32
	n     int
}

// NewLiveEnd returns the epilogues of the n columns of m; units are one for
// all columns or one for each.
func NewLiveEnd(m Matrix, packed []int8, units []float32) *LiveEnd {
	l := &LiveEnd{sums: make([]int32, padded(m.Columns)), units: make([]float32, m.Columns), n: m.Columns}
	m.Sums(l.sums, packed)
	for i := range l.units {
		l.units[i] = units[i%len(units)]
	}
	return l
}

// End returns an epilogue that Set can fill.
func (l *LiveEnd) End() *ByteEnd {
	n := len(l.sums)
	e := &ByteEnd{bias: make([]int32, n), multiplier: make([]float32, n), float: true}
	if shifts {
		e.shifted = make([]int32, n)
	}
	return e
}

// Set makes e, of End, the epilogue for activations whose uint8 have a zero
// point, and for their scale. It allocates nothing.
func (l *LiveEnd) Set(e *ByteEnd, zero uint8, scale float32) {
	copy(e.bias, l.sums)
	e.weigh(zero)
	by := [1]float32{scale}
	eltwise.Mul(e.multiplier[:l.n], l.units, by[:])
}
