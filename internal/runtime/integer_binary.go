package runtime

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// limits returns the integers that a region's result is limited to.
func limits(q *op.Quantized) (lo, hi int32) {
	least, most := q.Out[0].Type.Range()
	if q.Clamp != nil {
		least, most = q.Out[0].Bounds(q.Clamp.Lo, q.Clamp.Hi)
	}
	return int32(least), int32(most)
}

// oneByteType reports whether both operands of a step have the result's type.
func (pl *plan) oneByteType(s *step, q *op.Quantized) bool {
	a, b := &pl.values[s.in[0]], &pl.values[s.in[1]]
	return a.shape != nil && a.typ == q.Out[0].Type && b.typ == q.Out[0].Type
}

// dispatchQuantizedAdd adds tensors of one shape and type.
func (pl *plan) dispatchQuantizedAdd(s *step, q *op.Quantized) {
	a, b := &pl.values[s.in[0]], &pl.values[s.in[1]]
	if !pl.oneByteType(s, q) || !slices.Equal(a.shape, b.shape) || !pl.place(s, 0) {
		return
	}
	sum := affine.SumOf(q.In[0], q.In[1], q.Out[0])
	lo, hi := limits(q)
	pl.overwrite(s, 0)
	n, _ := tensor.Count(a.shape)
	s.share(n, n, func(f *frame, s *step, _, from, to int) {
		x, y, out := f.vals[s.in[0]], f.vals[s.in[1]], f.out(s)
		if out.Type() == dtype.Int8 {
			convert.Sum(tensor.Data[int8](out)[from:to], tensor.Data[int8](x)[from:to], tensor.Data[int8](y)[from:to], sum.A, sum.B, sum.C, lo, hi)
		} else {
			convert.Sum(out.Bytes()[from:to], x.Bytes()[from:to], y.Bytes()[from:to], sum.A, sum.B, sum.C, lo, hi)
		}
	})
}

// dispatchQuantizedMul multiplies tensors of one type: of one shape, or the
// second with one element for each run of elements of the first, as the gate
// of a channel.
func (pl *plan) dispatchQuantizedMul(s *step, q *op.Quantized) {
	a, b := &pl.values[s.in[0]], &pl.values[s.in[1]]
	if !pl.oneByteType(s, q) || len(a.shape) != len(b.shape) {
		return
	}
	lead := 0
	for lead < len(a.shape) && a.shape[lead] == b.shape[lead] {
		lead++
	}
	run := 1
	for i, d := range b.shape[lead:] {
		if d != 1 {
			return
		}
		run *= a.shape[lead+i]
	}
	if !pl.place(s, 0) {
		return
	}
	rows := 1
	for _, d := range a.shape[:lead] {
		rows *= d
	}
	p := factors{za: int32(q.In[0].Zero(0)), zb: int32(q.In[1].Zero(0)), m: affine.MulFactor(q.In[0], q.In[1], q.Out[0]), c: float32(q.Out[0].Zero(0))}
	p.lo, p.hi = limits(q)
	s.share(rows, rows*run, func(f *frame, s *step, _, from, to int) {
		x, y, out := f.vals[s.in[0]], f.vals[s.in[1]], f.out(s)
		if out.Type() == dtype.Int8 {
			multiplyRows(p, tensor.Data[int8](out), tensor.Data[int8](x), tensor.Data[int8](y), from, to, run)
		} else {
			multiplyRows(p, out.Bytes(), x.Bytes(), y.Bytes(), from, to, run)
		}
	})
}

// factors are the parameters of a product of two grids on a third.
type factors struct {
	za, zb int32
	m, c   float32
	lo, hi int32
}

// multiplyRows multiplies rows from to to of run elements, each by one element
// of b.
func multiplyRows[T int8 | uint8](p factors, dst, a, b []T, from, to, run int) {
	if run == 1 {
		convert.Product(dst[from:to], a[from:to], b[from:to], p.za, p.zb, p.m, p.c, p.lo, p.hi)
		return
	}
	var gate [512]T
	for r := from; r < to; r++ {
		for i := range gate[:min(run, len(gate))] {
			gate[i] = b[r]
		}
		for at := r * run; at < (r+1)*run; at += len(gate) {
			n := min(len(gate), (r+1)*run-at)
			convert.Product(dst[at:at+n], a[at:at+n], gate[:n], p.za, p.zb, p.m, p.c, p.lo, p.hi)
		}
	}
}
