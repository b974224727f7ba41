package runtime

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// runs is a broadcast of two operands as runs of n elements, in which each
// operand advances or stands still; the axes outside of the runs have the
// strides a and b.
type runs struct {
	n, all       int // elements of a run, and of the result
	stepA, stepB int // 1 or 0
	dims, a, b   []int
}

// runsOf returns the longest runs in which operands of shapes a and b make up
// shape, and false where they do not broadcast.
func runsOf(shape, a, b []int) (runs, bool) {
	sa, aok := eltwise.BroadcastStrides(a, shape)
	sb, bok := eltwise.BroadcastStrides(b, shape)
	all, fits := tensor.Count(shape)
	if !aok || !bok || !fits {
		return runs{}, false
	}
	r := runs{n: 1, all: all}
	// From the inside out; axes that both operands cross evenly become one.
	for d := len(shape) - 1; d >= 0; d-- {
		k := len(r.dims)
		switch {
		case shape[d] == 1:
		case k > 0 && r.a[k-1]*r.dims[k-1] == sa[d] && r.b[k-1]*r.dims[k-1] == sb[d]:
			r.dims[k-1] *= shape[d]
		default:
			r.dims, r.a, r.b = append(r.dims, shape[d]), append(r.a, sa[d]), append(r.b, sb[d])
		}
	}
	if len(r.dims) > 0 {
		r.n, r.stepA, r.stepB = r.dims[0], r.a[0], r.b[0]
		r.dims, r.a, r.b = r.dims[1:], r.a[1:], r.b[1:]
	}
	return r, true
}

// do calls loop for the elements lo to hi of dst, run by run. An operand that
// stands still is handed over as one element.
func (r *runs) do(dst, a, b []float32, lo, hi int, loop func(dst, a, b []float32)) {
	for at := lo; at < hi; {
		row, in := at/r.n, at%r.n
		count := min(r.n-in, hi-at)
		ia, ib := in*r.stepA, in*r.stepB
		for d, n := range r.dims {
			i := row % n
			row /= n
			ia, ib = ia+i*r.a[d], ib+i*r.b[d]
		}
		loop(dst[at:at+count], a[ia:ia+1+r.stepA*(count-1)], b[ib:ib+1+r.stepB*(count-1)])
		at += count
	}
}

// dispatchBinary runs broadcast arithmetic into the arena.
func (pl *plan) dispatchBinary(s *step) {
	out := &pl.values[s.out[0]]
	if out.typ != dtype.Float32 || out.shape == nil {
		return
	}
	a, b := pl.values[s.in[0]].dims(), pl.values[s.in[1]].dims()
	if a == nil || b == nil {
		return
	}
	r, ok := runsOf(out.shape, a, b)
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
	switch {
	case slices.Equal(a, out.shape):
		pl.overwrite(s, 0)
	case slices.Equal(b, out.shape):
		pl.overwrite(s, 1)
	}
	const each = 8 // what an element costs, in multiply-adds
	ca, cb := pl.constFloats(s, 0), pl.constFloats(s, 1)
	s.share(r.all, each*r.all, func(f *frame, s *step, _, lo, hi int) {
		x, y := ca, cb
		if x == nil {
			x = tensor.Data[float32](f.vals[s.in[0]])
		}
		if y == nil {
			y = tensor.Data[float32](f.vals[s.in[1]])
		}
		r.do(tensor.Data[float32](f.out(s)), x, y, lo, hi, loop)
	})
}

// constFloats returns the elements of a constant operand, nil of others.
func (pl *plan) constFloats(s *step, i int) []float32 {
	if c := pl.constant(s, i); c != nil {
		return tensor.Data[float32](c)
	}
	return nil
}
