package runtime

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// dispatchReduce runs sums and extremes over neighbouring axes.
func (pl *plan) dispatchReduce(s *step, noop bool) {
	x := &pl.values[s.in[0]]
	if x.shape == nil || pl.values[s.out[0]].shape == nil {
		return
	}
	first, count, ok := pl.reducedAxes(s, noop)
	if !ok {
		return
	}
	n, _ := tensor.Count(x.shape[first : first+count])
	stride, _ := tensor.Count(x.shape[first+count:])
	all, _ := tensor.Count(x.shape)
	if all == 0 {
		return
	}
	var work part
	switch o := s.node.Op.(type) {
	case *op.ReduceSum:
		switch x.typ {
		case dtype.Float32:
			work = reduction(n, stride, reduce.SumStrided)
		case dtype.Int64:
			work = reduction(n, stride, sumInts)
		}
	case *op.ReduceMax:
		if x.typ == dtype.Float32 {
			work = reduction(n, stride, reduce.MaxStrided[float32])
		}
	case *op.ReduceMin:
		if x.typ == dtype.Float32 {
			work = reduction(n, stride, reduce.MinStrided[float32])
		}
	default:
		panic("runtime: no reduction: " + o.Name())
	}
	if work != nil && pl.place(s, 0) {
		s.share(all/n, all, work)
	}
}

// reducedAxes returns the axes of a reduction as the first of them and their
// count, false where they are not neighbours or not known.
func (pl *plan) reducedAxes(s *step, noop bool) (first, count int, ok bool) {
	rank := len(pl.values[s.in[0]].shape)
	var list []int64
	if len(s.in) > 1 && s.in[1] >= 0 {
		c := pl.constant(s, 1)
		if c == nil {
			return 0, 0, false
		}
		list, _ = tensor.Ints(c)
		list = slices.Clone(list)
	}
	if len(list) == 0 {
		return 0, rank, rank > 0 && !noop
	}
	for i, a := range list {
		if a < 0 {
			list[i] += int64(rank)
		}
	}
	slices.Sort(list)
	for i, a := range list {
		if a != list[0]+int64(i) {
			return 0, 0, false
		}
	}
	first, count = int(list[0]), len(list)
	return first, count, first >= 0 && first+count <= rank
}

// reduction reduces groups of n elements that lie stride apart.
func reduction[T tensor.Element](n, stride int, f func(x []T, n, stride int) T) part {
	return func(fr *frame, s *step, _, lo, hi int) {
		y, x := tensor.Data[T](fr.out(s)), tensor.Data[T](fr.vals[s.in[0]])
		for i := lo; i < hi; i++ {
			y[i] = f(x[i/stride*stride*n+i%stride:], n, stride)
		}
	}
}

func sumInts(x []int64, n, stride int) int64 {
	var sum int64
	for i := range n {
		sum += x[i*stride]
	}
	return sum
}
