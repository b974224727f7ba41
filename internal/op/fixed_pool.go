package op

import (
	"fmt"
	mathbits "math/bits"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// fixedAveragePool averages integers as they are.
func (o *Quantized) fixedAveragePool(a *AveragePool, in []Datum, shape []int) (*tensor.Tensor, error) {
	x := arg(in, 0)
	g, err := a.Geometry(x.Shape())
	if err != nil {
		return nil, err
	}
	v, _ := tensor.Ints(x)
	lo, hi := o.FixedLimits()
	from, to := plane{g.Channels, inner(g.In, 0), g.Layout}, plane{g.Channels, g.Places(), g.Layout}
	n, _ := tensor.Count(shape)
	out := make([]int64, n)
	empty := false
	g.eachWindow(func(place int, at []int) {
		if len(at) == 0 {
			empty = true
			return
		}
		for b := range g.Batch {
			for c := range g.Channels {
				base, step := from.at(b, c, 0), from.step()
				var s int64
				for _, p := range at {
					s += v[base+p*step]
				}
				out[to.at(b, c, place)] = min(max(AverageOf(s, int64(len(at))), lo), hi)
			}
		}
	})
	if empty {
		return nil, fmt.Errorf("a window of data of shape %v holds nothing to average", x.Shape())
	}
	return tensor.FromInts(o.Out[0].Type, out, shape...), nil
}

// AverageOf returns sum/n rounded half away from zero.
func AverageOf(sum, n int64) int64 {
	if sum > 0 {
		return (sum + n/2) / n
	}
	return (sum - n/2) / n
}

// fixedMean sums integers over axes, or averages them.
func (o *Quantized) fixedMean(r reduction, in []Datum, shape []int, mean bool) (*tensor.Tensor, error) {
	x := arg(in, 0)
	axes, _, err := r.axes(factsOf(in))
	if err != nil {
		return nil, err
	}
	v, _ := tensor.Ints(x)
	sums, err := evalReduce(o.Inner, r,
		append(Of(tensor.FromSlice(v, x.Shape()...)), in[1:]...), reducers{i64: sumOf[int64]})
	if err != nil {
		return nil, err
	}
	n := 1
	for _, a := range axes {
		n *= x.Shape()[a]
	}
	f := o.MeanFactor(n, mean)
	lo, hi := o.FixedLimits()
	zx, zy := o.In[0].Zero(0), int32(o.Out[0].Zero(0))
	acc := tensor.Data[int64](sums[0].Tensor)
	out := make([]int64, len(acc))
	for i, s := range acc {
		out[i] = limited(f.Of(int32(s-zx*int64(n))), zy, int32(lo), int32(hi))
	}
	return tensor.FromInts(o.Out[0].Type, out, shape...), nil
}

// MeanFactor returns what the sum of n integers without their zero points is
// multiplied with, for a mean or for a sum.
func (o *Quantized) MeanFactor(n int, mean bool) affine.Fixed {
	f := affine.FixedOf(float64(o.In[0].Scale[0]) / float64(o.Out[0].Scale[0]))
	if mean && n > 0 {
		e := max(0, min(mathbits.Len64(uint64(n))-1, 32, 31+f.Shift))
		f.M = int32(int64(f.M) << e / int64(n))
		f.Shift -= e
	}
	return f
}
