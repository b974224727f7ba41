package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// QLinearConv is Conv on integers: x, x_scale, x_zero_point, w, w_scale,
// w_zero_point, y_scale, y_zero_point and an optional Int32 bias in units of
// x_scale·w_scale. The weight's parameters may be one for each filter.
type QLinearConv struct {
	AutoPad     string `attr:"auto_pad,default=NOTSET"`
	Dilations   []int  `attr:"dilations"`
	Group       int    `attr:"group,default=1"`
	KernelShape []int  `attr:"kernel_shape"`
	Pads        []int  `attr:"pads"`
	Strides     []int  `attr:"strides"`
}

// Name returns "QLinearConv".
func (o *QLinearConv) Name() string { return "QLinearConv" }

func (o *QLinearConv) form() qform {
	c := New[Conv]()
	c.AutoPad, c.Dilations, c.Group, c.KernelShape, c.Pads, c.Strides = o.AutoPad, o.Dilations, o.Group, o.KernelShape, o.Pads, o.Strides
	return qform{inner: c, in: []qoperand{quantizedAt(0, 1), quantizedAt(3, 0), biasAt(8)}, scale: 6, zero: 7}
}

// Infer returns the places of the windows.
func (o *QLinearConv) Infer(in []Fact, _ int) ([]Fact, error) { return o.form().infer(in, 8, 9) }

// Eval convolves; see Quantized for the arithmetic.
func (o *QLinearConv) Eval(in []Datum) ([]Datum, error) { return evalForm(o, in, o.form()) }

// ConvInteger is Conv of integers minus their zero points, in Int32: x, w,
// x_zero_point, w_zero_point; the weight's may be one for each filter.
type ConvInteger struct {
	AutoPad     string `attr:"auto_pad,default=NOTSET"`
	Dilations   []int  `attr:"dilations"`
	Group       int    `attr:"group,default=1"`
	KernelShape []int  `attr:"kernel_shape"`
	Pads        []int  `attr:"pads"`
	Strides     []int  `attr:"strides"`
}

// Name returns "ConvInteger".
func (o *ConvInteger) Name() string { return "ConvInteger" }

func (o *ConvInteger) conv() *Conv {
	c := New[Conv]()
	c.AutoPad, c.Dilations, c.Group, c.KernelShape, c.Pads, c.Strides = o.AutoPad, o.Dilations, o.Group, o.KernelShape, o.Pads, o.Strides
	return c
}

// Infer returns the places of the windows.
func (o *ConvInteger) Infer(in []Fact, _ int) ([]Fact, error) { return inferIntegers(o.conv(), in) }

// inferIntegers infers an operator on two integer operands with optional zero
// points, whose result is Int32.
func inferIntegers(inner Op, in []Fact) ([]Fact, error) {
	if err := need(in, 2, 4); err != nil {
		return nil, err
	}
	for i, f := range in {
		if f.Type != dtype.Invalid && (!f.Type.IsInteger() || f.Type.Bits() > 8) {
			return nil, fmt.Errorf("input %d of type %v, want integers of at most 8 bits", i, f.Type)
		}
		if v := in[i%2].Type; i >= 2 && f.Present() && f.Type != dtype.Invalid && v != dtype.Invalid && f.Type != v {
			return nil, fmt.Errorf("input %d of type %v with a zero point of %v", i-2, v, f.Type)
		}
	}
	out, err := inner.Infer([]Fact{TensorFact(dtype.Float32, in[0].Shape), TensorFact(dtype.Float32, in[1].Shape)}, 1)
	if err != nil {
		return nil, err
	}
	out[0].Type = dtype.Int32
	return out[:1], nil
}

// centering returns parameters of scale 1 with the zero points of t: one, or
// one for each index of the axis.
func centering(v, zero *tensor.Tensor, axis int) (affine.Params, error) {
	n := 1
	if zero != nil {
		n = zero.Len()
	}
	ones := make([]float32, n)
	for i := range ones {
		ones[i] = 1
	}
	p, err := paramsOf(v.Type(), v.Rank(), tensor.FromSlice(ones, n), vector(zero), axis, 0)
	if err != nil {
		return p, err
	}
	return p, p.Validate(v.Shape())
}

// Eval convolves.
func (o *ConvInteger) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	x, w := arg(in, 0), arg(in, 1)
	g, err := o.conv().Geometry(x.Shape(), w.Shape())
	if err != nil {
		return nil, err
	}
	px, err := centering(x, arg(in, 2), 1)
	if err != nil {
		return nil, err
	}
	pw, err := centering(w, arg(in, 3), 0)
	if err != nil {
		return nil, err
	}
	acc, err := convolveInts(x, w, px, pw, g)
	if err != nil {
		return nil, err
	}
	return Of(tensor.FromSlice(acc, g.Shape()...)), nil
}
