package runtime

import (
	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// What an element of a row operator costs, in multiply-adds.
const (
	costSoftmax = 32
	costNorm    = 8
)

// rowsOf returns the number and the length of the rows of a shape from an axis
// on, and false without any element.
func rowsOf(shape []int, axis int) (count, length int, ok bool) {
	if axis < 0 {
		axis += len(shape)
	}
	if axis < 0 || axis > len(shape) {
		return 0, 0, false
	}
	count, _ = tensor.Count(shape[:axis])
	length, _ = tensor.Count(shape[axis:])
	return count, length, count > 0 && length > 0
}

// dispatchSoftmax runs softmax along the last axis.
func (pl *plan) dispatchSoftmax(s *step, o *op.Softmax) {
	x := &pl.values[s.in[0]]
	if x.typ != dtype.Float32 || o.Axis != -1 && o.Axis != len(x.shape)-1 {
		return
	}
	rows, n, ok := rowsOf(x.shape, -1)
	if !ok || !pl.place(s, 0) {
		return
	}
	s.share(rows, rows*n*costSoftmax, func(f *frame, s *step, _, lo, hi int) {
		dst, src := tensor.Data[float32](f.out(s)), tensor.Data[float32](f.vals[s.in[0]])
		reduce.SoftmaxRows(dst[lo*n:hi*n], src[lo*n:hi*n], n)
	})
}

// dispatchQuantizedSoftmax runs softmax along the last axis on real numbers,
// row by row.
func (pl *plan) dispatchQuantizedSoftmax(s *step, q *op.Quantized, o *op.Softmax) {
	x := &pl.values[s.in[0]]
	if x.shape == nil || q.Clamp != nil || q.Round != affine.RoundHalfEven || o.Axis != -1 && o.Axis != len(x.shape)-1 {
		return
	}
	in, fits := latticeOf(q.In[0])
	out, fit := latticeOf(q.Out[0])
	rows, n, ok := rowsOf(x.shape, -1)
	if !fits || !fit || !ok || !pl.place(s, 0) {
		return
	}
	block := max(1, tileLen/4/n) * n // short rows are converted together
	pl.scratch = max(pl.scratch, 4*block*pl.p.threads)
	s.share(rows, rows*n*costSoftmax, func(f *frame, s *step, slot, from, to int) {
		x, y, mem := f.vals[s.in[0]].Bytes()[from*n:to*n], f.out(s).Bytes()[from*n:to*n], f.floats(slot, block)
		for len(x) > 0 {
			part := mem[:min(block, len(x))]
			in.load(part, x[:len(part)])
			reduce.SoftmaxRows(part, part, n)
			out.store(y[:len(part)], part)
			x, y = x[len(part):], y[len(part):]
		}
	})
}

// dispatchNorm runs layer and RMS normalization whose factors are one row, and
// whose statistics nobody asks for.
func (pl *plan) dispatchNorm(s *step, axis int, epsilon float32, stash dtype.Type, centered bool) {
	x := &pl.values[s.in[0]]
	if x.typ != dtype.Float32 || stash != dtype.Float32 {
		return
	}
	for _, o := range s.out[1:] {
		if o >= 0 {
			return
		}
	}
	rows, n, ok := rowsOf(x.shape, axis)
	if !ok {
		return
	}
	if axis < 0 {
		axis += len(x.shape)
	}
	// Factors must be of one row: what lies before its axes is 1.
	factor := func(i int) bool {
		v := &pl.values[s.in[i]]
		d := v.dims()
		count, _ := tensor.Count(d)
		lead, _ := tensor.Count(d[:max(0, len(d)-len(x.shape)+axis)])
		return v.typ == dtype.Float32 && len(d) > 0 && count == n && lead == 1
	}
	shifted := len(s.in) > 2 && s.in[2] >= 0
	if !factor(1) || shifted && !factor(2) || !pl.place(s, 0) {
		return
	}
	s.share(rows, rows*n*costNorm, func(f *frame, s *step, _, lo, hi int) {
		dst, src, scale := tensor.Data[float32](f.out(s)), tensor.Data[float32](f.vals[s.in[0]]), tensor.Data[float32](f.vals[s.in[1]])
		var shift []float32
		if shifted {
			shift = tensor.Data[float32](f.vals[s.in[2]])
		}
		for i := lo; i < hi; i++ {
			if centered {
				reduce.LayerNorm(dst[i*n:(i+1)*n], src[i*n:(i+1)*n], scale, shift, epsilon)
			} else {
				reduce.RMSNorm(dst[i*n:(i+1)*n], src[i*n:(i+1)*n], scale, epsilon)
			}
		}
	})
}
