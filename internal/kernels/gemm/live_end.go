package gemm

// LiveEnd makes the epilogues of products with a packed matrix whose
// activations get their scale and zero point in each run: results are
// float32(sum)·(scale·unit) with one unit a column.
type LiveEnd struct {
	sums  []int32 // of B's columns
	units []float32
}

// NewLiveEnd returns the epilogues of the n columns of m; units are one for
// all columns or one for each.
func NewLiveEnd(m Matrix, packed []int8, units []float32) *LiveEnd {
	l := &LiveEnd{sums: make([]int32, padded(m.Columns)), units: make([]float32, padded(m.Columns))}
	m.Sums(l.sums, packed)
	for i := range m.Columns {
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

// Set makes columns lo to hi of e, of End, the epilogue for activations whose
// uint8 have a zero point, and for their scale. lo is a multiple of 16, and so is
// hi unless it is the number of columns. Different goroutines may set different
// columns.
func (l *LiveEnd) Set(e *ByteEnd, zero uint8, scale float32, lo, hi int) {
	hi = padded(hi)
	n := l.weigh(e, zero, scale, lo, hi)
	l.weighGeneric(e, zero, scale, lo+n, hi)
}

// weighGeneric sets columns lo to hi.
func (l *LiveEnd) weighGeneric(e *ByteEnd, zero uint8, scale float32, lo, hi int) {
	if lo == hi {
		return
	}
	units, multipliers := l.units[lo:hi], e.multiplier[lo:hi]
	for i, u := range units {
		multipliers[i] = u * scale
	}
	bias := e.bias[lo:hi]
	for i, sum := range l.sums[lo:hi] {
		bias[i] = -int32(zero) * sum
	}
	if e.shifted == nil {
		return
	}
	shifted := e.shifted[lo:hi]
	for i, sum := range l.sums[lo:hi] {
		shifted[i] = (128 - int32(zero)) * sum
	}
}
