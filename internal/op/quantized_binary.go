package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// add adds integers.
func (o *Quantized) add(in []Datum, shape []int) (*tensor.Tensor, error) {
	return o.binary(in, shape, 0, 0, affine.SumOf(o.In[0], o.In[1], o.Out[0]).Of)
}

// mul multiplies integers.
func (o *Quantized) mul(in []Datum, shape []int) (*tensor.Tensor, error) {
	m, zero := affine.MulFactor(o.In[0], o.In[1], o.Out[0]), float32(o.Out[0].Zero(0))
	return o.binary(in, shape, o.In[0].Zero(0), o.In[1].Zero(0), func(a, b float32) float32 { return float32(float32(a*b)*m) + zero })
}

// binary broadcasts integers minus za and zb and rounds and limits what f makes
// of them.
func (o *Quantized) binary(in []Datum, shape []int, za, zb int64, f func(a, b float32) float32) (*tensor.Tensor, error) {
	a, b := arg(in, 0), arg(in, 1)
	sa, ok := eltwise.BroadcastStrides(a.Shape(), shape)
	sb, fits := eltwise.BroadcastStrides(b.Shape(), shape)
	if !ok || !fits {
		return nil, fmt.Errorf("shapes %v and %v do not broadcast to %v", a.Shape(), b.Shape(), shape)
	}
	n, _ := tensor.Count(shape)
	lo, hi := o.bounds()
	out := make([]int64, n)
	eltwise.Broadcast(out, shape, centered(a, za), sa, centered(b, zb), sb, func(dst []int64, a, b []float32) {
		for i := range dst {
			v := float64(f(a[min(i, len(a)-1)], b[min(i, len(b)-1)]))
			dst[i] = int64(math.RoundToEven(max(float64(lo), min(float64(hi), v))))
		}
	})
	return tensor.FromInts(o.Out[0].Type, out, shape...), nil
}

// centered returns integers minus zero as real numbers.
func centered(t *tensor.Tensor, zero int64) []float32 {
	v, _ := tensor.Ints(t)
	out := make([]float32, len(v))
	for i, q := range v {
		out[i] = float32(q - zero)
	}
	return out
}

// bounds returns the integers that an integer result is limited to.
func (o *Quantized) bounds() (qmin, qmax int64) {
	if o.Clamp == nil {
		return o.Out[0].Type.Range()
	}
	return o.Out[0].Bounds(o.Clamp.Lo, o.Clamp.Hi)
}
