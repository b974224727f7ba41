package op

import (
	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Operators that TensorFlow Lite has in one, and the graph in two. They stand in
// a Quantized alone, where the two would round twice.

// ReciprocalSqrt is Reciprocal(Sqrt(x)).
type ReciprocalSqrt struct{}

// Name returns "ReciprocalSqrt".
func (*ReciprocalSqrt) Name() string { return "ReciprocalSqrt" }

// Infer returns the operand's type and shape.
func (*ReciprocalSqrt) Infer(in []Fact, outs int) ([]Fact, error) { return New[Sqrt]().Infer(in, outs) }

// Eval computes one after the other.
func (*ReciprocalSqrt) Eval(in []Datum) ([]Datum, error) {
	y, err := New[Sqrt]().Eval(in)
	if err != nil {
		return nil, err
	}
	return New[Reciprocal]().Eval(y)
}

// Quantization says that each element is computed alone.
func (*ReciprocalSqrt) Quantization() Facts { return New[Sqrt]().Quantization() }

// SquaredDifference is (a − b)².
type SquaredDifference struct{}

// Name returns "SquaredDifference".
func (*SquaredDifference) Name() string { return "SquaredDifference" }

// Infer broadcasts.
func (*SquaredDifference) Infer(in []Fact, outs int) ([]Fact, error) {
	return New[Sub]().Infer(in, outs)
}

// Eval computes one after the other.
func (*SquaredDifference) Eval(in []Datum) ([]Datum, error) {
	d, err := New[Sub]().Eval(in)
	if err != nil {
		return nil, err
	}
	return New[Mul]().Eval([]Datum{d[0], d[0]})
}

// productFactor is what each of n steps of a product is multiplied with.
func (o *Quantized) productFactor(n int) affine.Fixed {
	root := eltwise.Exp64(eltwise.Log64(float64(o.Out[0].Scale[0])) / float64(max(n, 1)))
	return affine.FixedOf(float64(o.In[0].Scale[0]) / root)
}

// fixedProduct multiplies integers over axes, rescaling after each step.
func (o *Quantized) fixedProduct(r reduction, in []Datum, shape []int) (*tensor.Tensor, error) {
	x := arg(in, 0)
	axes, _, err := r.axes(factsOf(in))
	if err != nil {
		return nil, err
	}
	n := 1
	for _, a := range axes {
		n *= x.Shape()[a]
	}
	f, zero := o.productFactor(n), o.In[0].Zero(0)
	v, _ := tensor.Ints(x)
	product := func(x []int64, n, stride int) int64 {
		var acc int64 = 1
		for i := range n {
			k := x[i*stride] - zero
			if i == 0 {
				acc = k
				continue
			}
			acc = int64(f.OfWide(acc * k))
		}
		return acc
	}
	all, err := evalReduce(o.Inner, r, append(Of(tensor.FromSlice(v, x.Shape()...)), in[1:]...), reducers{i64: product})
	if err != nil {
		return nil, err
	}
	lo, hi := o.FixedLimits()
	out := tensor.Data[int64](all[0].Tensor)
	for i, acc := range out {
		out[i] = limited(f.OfWide(acc), int32(o.Out[0].Zero(0)), int32(lo), int32(hi))
	}
	return tensor.FromInts(o.Out[0].Type, out, shape...), nil
}
