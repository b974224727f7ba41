package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// ConvIntegerToFloat is to ConvInteger what MatMulIntegerToFloat is to
// MatMulInteger: x, w, x_scale, w_scale (one, or one a filter), x_zero_point,
// w_zero_point. The sums are multiplied by x_scale·w_scale. The data lies as
// Layout says.
type ConvIntegerToFloat struct {
	AutoPad     string `attr:"auto_pad,default=NOTSET"`
	Dilations   []int  `attr:"dilations"`
	Group       int    `attr:"group,default=1"`
	KernelShape []int  `attr:"kernel_shape"`
	Pads        []int  `attr:"pads"`
	Strides     []int  `attr:"strides"`
	Layout      Layout `attr:".layout"`
}

// Name returns "ConvIntegerToFloat".
func (o *ConvIntegerToFloat) Name() string { return "ConvIntegerToFloat" }

// Conv returns the convolution of real numbers.
func (o *ConvIntegerToFloat) Conv() *Conv {
	c := New[Conv]()
	c.AutoPad, c.Dilations, c.Group, c.KernelShape, c.Pads, c.Strides, c.Layout = o.AutoPad, o.Dilations, o.Group, o.KernelShape, o.Pads, o.Strides, o.Layout
	return c
}

// Infer returns the places of the windows.
func (o *ConvIntegerToFloat) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 4, 6); err != nil {
		return nil, err
	}
	out, err := inferIntegers(o.Conv(), []Fact{in[0], in[1], input(in, 4), input(in, 5)})
	if err != nil {
		return nil, err
	}
	for i, f := range in[2:4] {
		if f.Type != dtype.Float32 && f.Type != dtype.Invalid {
			return nil, fmt.Errorf("scale %d of type %v, want float32", i, f.Type)
		}
	}
	out[0].Type = dtype.Float32
	return out, nil
}

// Eval convolves.
func (o *ConvIntegerToFloat) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	x, w, a, b := arg(in, 0), arg(in, 1), arg(in, 2), arg(in, 3)
	g, err := o.Conv().Geometry(x.Shape(), w.Shape())
	if err != nil {
		return nil, err
	}
	if a.Len() != 1 || b.Len() != 1 && b.Len() != g.Filters {
		return nil, fmt.Errorf("scales of shapes %v and %v for %d filters", a.Shape(), b.Shape(), g.Filters)
	}
	axis := g.Layout.Channel(len(g.In) + 2)
	px, err := centering(x, arg(in, 4), axis)
	if err != nil {
		return nil, err
	}
	pw, err := centering(w, arg(in, 5), 0)
	if err != nil {
		return nil, err
	}
	acc, err := convolveInts(x, w, px, pw, g)
	if err != nil {
		return nil, err
	}
	return Of(affine.Rescale(acc, g.Shape(), axis, affine.Units(tensor.Data[float32](a)[0], tensor.Data[float32](b)))), nil
}
