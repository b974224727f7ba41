package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// fixedConv convolves integers, or does the transposed of it.
func (o *Quantized) fixedConv(g Geometry, in []Datum) (*tensor.Tensor, error) {
	w, p := arg(in, 1), o.In[1]
	if g.Transposed {
		w, p = forward(w, p, g)
	}
	acc, err := byHalves(arg(in, 0), o.In[0], func(x *tensor.Tensor, px affine.Params) ([]int32, error) {
		return convolveInts(x, w, px, p, g)
	})
	if err != nil {
		return nil, err
	}
	return o.rescale(acc, g.Shape(), g.Layout.Channel(len(g.In)+2), arg(in, 2))
}

// forward returns the weight [C, M/g, k…] of a transposed convolution, and its
// parameters, as [M, C/g, k…].
func forward(w *tensor.Tensor, p affine.Params, g Geometry) (*tensor.Tensor, affine.Params) {
	taps, cg, mg := g.Taps(), g.Channels/g.Group, g.Filters/g.Group
	src, _ := tensor.Ints(w)
	out := make([]int64, len(src))
	for m := range g.Filters {
		for c := range cg {
			from := ((m/mg*cg+c)*mg + m%mg) * taps
			copy(out[(m*cg+c)*taps:][:taps], src[from:][:taps])
		}
	}
	p.Axis = 0
	return tensor.FromInts(w.Type(), out, append([]int{g.Filters, cg}, g.Kernel...)...), p
}

// byHalves returns what product makes of x in 64 bits. Elements of 16 bits are
// multiplied as 256 times their upper byte plus their lower one.
func byHalves(x *tensor.Tensor, p affine.Params, product func(*tensor.Tensor, affine.Params) ([]int32, error)) ([]int64, error) {
	if x.Type() != dtype.Int16 {
		acc, err := product(x, p)
		return widened(acc), err
	}
	if p.Zero(0) != 0 {
		return nil, fmt.Errorf("int16 with zero point %d, want 0", p.Zero(0))
	}
	v := tensor.Data[int16](x)
	upper, lower := make([]int8, len(v)), make([]uint8, len(v))
	for i, q := range v {
		upper[i], lower[i] = int8(q>>8), uint8(q)
	}
	hi, err := product(tensor.FromSlice(upper, x.Shape()...), affine.PerTensor(dtype.Int8, 1, 0))
	if err != nil {
		return nil, err
	}
	lo, err := product(tensor.FromSlice(lower, x.Shape()...), affine.PerTensor(dtype.Uint8, 1, 0))
	if err != nil {
		return nil, err
	}
	acc := widened(lo)
	for i, h := range hi {
		acc[i] += 256 * int64(h)
	}
	return acc, nil
}

func widened(v []int32) []int64 {
	out := make([]int64, len(v))
	for i, x := range v {
		out[i] = int64(x)
	}
	return out
}

// rescale adds the bias, one element a channel, to accumulators and takes them
// to the result.
func (o *Quantized) rescale(acc []int64, shape []int, axis int, bias *tensor.Tensor) (*tensor.Tensor, error) {
	channels, step := shape[axis], inner(shape, axis+1)
	var add []int64
	if bias != nil {
		if add, _ = tensor.Ints(bias); len(add) != channels {
			return nil, fmt.Errorf("a bias of shape %v for %d channels", bias.Shape(), channels)
		}
	}
	r := o.Rescaler()
	for i := range acc {
		c := i / step % channels
		if add != nil {
			acc[i] += add[c]
		}
		acc[i] = int64(r.Of(acc[i], c))
	}
	return tensor.FromInts(o.Out[0].Type, acc, shape...), nil
}

// fixedGemm multiplies activations with a weight.
func (o *Quantized) fixedGemm(g *Gemm, in []Datum, shape []int) (*tensor.Tensor, error) {
	b, p := arg(in, 1), o.In[1]
	w, err := centeredFloats(b, p)
	if err != nil {
		return nil, err
	}
	mb := matrix[float32]{w, b.Shape()[1], 1}
	if g.TransB {
		mb = mb.transposed()
	}
	m, n, k := shape[0], shape[1], arg(in, 0).Shape()[1]
	acc, err := byHalves(arg(in, 0), o.In[0], func(a *tensor.Tensor, pa affine.Params) ([]int32, error) {
		x, err := centeredFloats(a, pa)
		c := make([]int32, m*n)
		if err == nil && len(c) > 0 {
			multiplyExact(c, n, m, n, k, matrix[float32]{x, k, 1}, mb)
		}
		return c, err
	})
	if err != nil {
		return nil, err
	}
	return o.rescale(acc, shape, 1, arg(in, 2))
}

// fixedMatMul multiplies two activations.
func (o *Quantized) fixedMatMul(in []Datum, shape []int) (*tensor.Tensor, error) {
	b, pb := arg(in, 1), o.In[1]
	var acc []int64
	var err error
	if b.Type() == dtype.Int16 {
		acc, err = multiplyWide(arg(in, 0), b)
	} else {
		var sums []int32
		sums, err = multiplyInts(arg(in, 0), b, o.In[0], pb, shape)
		acc = widened(sums)
	}
	if err != nil {
		return nil, err
	}
	if len(shape) == 0 {
		shape = []int{1}
		t, err := o.rescale(acc, shape, 0, nil)
		if err != nil {
			return nil, err
		}
		return t.Reshape()
	}
	return o.rescale(acc, shape, len(shape)-1, nil)
}

// multiplyWide returns the matrix product of two tensors of int16.
func multiplyWide(a, b *tensor.Tensor) ([]int64, error) {
	va, vb := tensor.Data[int16](a), tensor.Data[int16](b)
	wide := func(v []int16, s []int) *tensor.Tensor {
		out := make([]int64, len(v))
		for i, q := range v {
			out[i] = int64(q)
		}
		return tensor.FromSlice(out, s...)
	}
	out, err := New[MatMul]().Eval(Of(wide(va, a.Shape()), wide(vb, b.Shape())))
	if err != nil {
		return nil, err
	}
	return tensor.Data[int64](out[0].Tensor), nil
}
