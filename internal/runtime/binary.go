package runtime

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// floats calls loop for the elements lo to hi of dst, run by run. An operand
// that stands still is handed over as one element.
func (l *lanes) floats(dst, a, b []float32, lo, hi int, loop func(dst, a, b []float32)) {
	for i := lo; i < hi; {
		o, left := l.at(i)
		n := min(left, hi-i)
		loop(dst[i:i+n], a[o[0]:o[0]+1+l.step[0]*(n-1)], b[o[1]:o[1]+1+l.step[1]*(n-1)])
		i += n
	}
}

// dispatchBinary runs broadcast arithmetic into the arena.
func (pl *plan) dispatchBinary(s *step) {
	out := &pl.values[s.out[0]]
	if out.typ != dtype.Float32 {
		return
	}
	l, ok := pl.lanesOf(s, 2)
	if !ok || !pl.place(s, 0) {
		return
	}
	var loop func(dst, a, b []float32)
	switch s.node.Op.(type) {
	case *op.Add:
		loop = eltwise.Add[float32]
	case *op.Sub:
		loop = eltwise.Sub[float32]
	case *op.Mul:
		loop = eltwise.Mul[float32]
	default:
		loop = eltwise.Div[float32]
	}
	switch a, b := pl.values[s.in[0]].dims(), pl.values[s.in[1]].dims(); {
	case slices.Equal(a, out.shape):
		pl.overwrite(s, 0)
	case slices.Equal(b, out.shape):
		pl.overwrite(s, 1)
	}
	const each = 8 // what an element costs, in multiply-adds
	ca, cb := pl.constFloats(s, 0), pl.constFloats(s, 1)
	s.share(l.all, each*l.all, func(f *frame, s *step, _, lo, hi int) {
		x, y := ca, cb
		if x == nil {
			x = tensor.Data[float32](f.vals[s.in[0]])
		}
		if y == nil {
			y = tensor.Data[float32](f.vals[s.in[1]])
		}
		l.floats(tensor.Data[float32](f.out(s)), x, y, lo, hi, loop)
	})
}

// constFloats returns the elements of a constant operand, nil of others.
func (pl *plan) constFloats(s *step, i int) []float32 {
	if c := pl.constant(s, i); c != nil {
		return tensor.Data[float32](c)
	}
	return nil
}
