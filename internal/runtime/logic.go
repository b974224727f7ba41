package runtime

import (
	"cmp"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// costChoice is what an element of a comparison or choice costs, in
// multiply-adds.
const costChoice = 8

// dispatchWhere chooses between two operands.
func (pl *plan) dispatchWhere(s *step) {
	var choose func(l *lanes) part
	switch pl.values[s.out[0]].typ.Bits() {
	case 8:
		choose = choice[uint8]
	case 16:
		choose = choice[uint16]
	case 32:
		choose = choice[uint32]
	case 64:
		choose = choice[uint64]
	}
	if l, ok := pl.lanesOf(s, 3); ok && choose != nil && pl.place(s, 0) {
		s.share(l.all, costChoice*l.all, choose(&l))
	}
}

// lanesOf returns the broadcast of the n operands of a step, false where a shape
// is not known.
func (pl *plan) lanesOf(s *step, n int) (lanes, bool) {
	if len(s.in) != n || pl.values[s.out[0]].shape == nil {
		return lanes{}, false
	}
	var shapes [mostOperands][]int
	for i, v := range s.in {
		if v < 0 || pl.values[v].dims() == nil {
			return lanes{}, false
		}
		shapes[i] = pl.values[v].dims()
	}
	return lanesOf(pl.values[s.out[0]].shape, shapes[:n]...)
}

func choice[T tensor.Element](l *lanes) part {
	return func(f *frame, s *step, _, lo, hi int) {
		y, c := tensor.Data[T](f.out(s)), tensor.Data[bool](f.vals[s.in[0]])
		a, b := tensor.Data[T](f.vals[s.in[1]]), tensor.Data[T](f.vals[s.in[2]])
		for i := lo; i < hi; {
			o, n := l.at(i)
			run := y[i:min(i+n, hi)]
			for j := range run {
				if c[o[0]] {
					run[j] = a[o[1]]
				} else {
					run[j] = b[o[2]]
				}
				for k, step := range l.step {
					o[k] += step
				}
			}
			i += len(run)
		}
	}
}

// dispatchCompare compares two operands.
func (pl *plan) dispatchCompare(s *step) {
	a, b := s.in[0], s.in[1]
	if a < 0 || b < 0 || pl.values[a].typ != pl.values[b].typ {
		return
	}
	holds := comparisons[s.node.Op.Name()]
	var work func(l *lanes, holds [3]bool) part
	switch pl.values[a].typ {
	case dtype.Float32:
		work = comparison[float32]
	case dtype.Int64:
		work = comparison[int64]
	case dtype.Int32:
		work = comparison[int32]
	case dtype.Bool, dtype.Uint8:
		work = comparison[uint8]
	case dtype.Int8:
		work = comparison[int8]
	}
	if l, ok := pl.lanesOf(s, 2); ok && work != nil && pl.place(s, 0) {
		s.share(l.all, costChoice*l.all, work(&l, holds))
	}
}

// comparisons tell where each operator holds: of a less, an equal and a greater
// first operand. None holds with a NaN.
var comparisons = map[string][3]bool{
	"Less": {true, false, false}, "LessOrEqual": {true, true, false}, "Equal": {false, true, false},
	"GreaterOrEqual": {false, true, true}, "Greater": {false, false, true},
}

func comparison[T interface {
	tensor.Element
	cmp.Ordered
}](l *lanes, holds [3]bool) part {
	return func(f *frame, s *step, _, lo, hi int) {
		y := tensor.Data[bool](f.out(s))
		a, b := tensor.Data[T](f.vals[s.in[0]]), tensor.Data[T](f.vals[s.in[1]])
		for i := lo; i < hi; {
			o, n := l.at(i)
			run := y[i:min(i+n, hi)]
			for j := range run {
				p, q := a[o[0]+j*l.step[0]], b[o[1]+j*l.step[1]]
				run[j] = p < q && holds[0] || p == q && holds[1] || p > q && holds[2]
			}
			i += len(run)
		}
	}
}

// dispatchTruth runs And and Or.
func (pl *plan) dispatchTruth(s *step, both bool) {
	l, ok := pl.lanesOf(s, 2)
	if !ok || !pl.place(s, 0) {
		return
	}
	s.share(l.all, costChoice*l.all, func(f *frame, s *step, _, lo, hi int) {
		y := tensor.Data[bool](f.out(s))
		a, b := tensor.Data[bool](f.vals[s.in[0]]), tensor.Data[bool](f.vals[s.in[1]])
		for i := lo; i < hi; {
			o, n := l.at(i)
			run := y[i:min(i+n, hi)]
			for j := range run {
				p, q := a[o[0]+j*l.step[0]], b[o[1]+j*l.step[1]]
				run[j] = p && q || !both && (p || q)
			}
			i += len(run)
		}
	})
}

// dispatchEach runs a function of one element, from one type to another.
func dispatchEach[T, U tensor.Element](pl *plan, s *step, each func(T) U) {
	n, ok := tensor.Count(pl.values[s.in[0]].dims())
	if pl.values[s.in[0]].dims() == nil || !ok || !pl.place(s, 0) {
		return
	}
	s.share(n, costChoice*n, func(f *frame, s *step, _, lo, hi int) {
		eltwise.Map(tensor.Data[U](f.out(s))[lo:hi], tensor.Data[T](f.vals[s.in[0]])[lo:hi], each)
	})
}

// dispatchTest runs Not and IsNaN.
func (pl *plan) dispatchTest(s *step) {
	switch s.node.Op.(type) {
	case *op.Not:
		dispatchEach(pl, s, func(x bool) bool { return !x })
	case *op.IsNaN:
		if pl.values[s.in[0]].typ == dtype.Float32 {
			dispatchEach(pl, s, func(x float32) bool { return x != x })
		}
	}
}
