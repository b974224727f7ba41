package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// CenterCropPad cuts or zero-pads its data evenly on both sides to the shape in
// its second input, which is that of Axes (default: all). An odd element goes
// at the end.
type CenterCropPad struct {
	Axes []int `attr:"axes"`
}

// Name returns "CenterCropPad".
func (o *CenterCropPad) Name() string { return "CenterCropPad" }

// Infer puts the wanted dimensions in their places.
func (o *CenterCropPad) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	want, err := listAt(in, 1, "shape")
	if err != nil {
		return nil, err
	}
	x := in[0].Shape
	if x == nil {
		return []Fact{TensorFact(in[0].Type, nil)}, nil
	}
	axes := allAxes(len(x))
	if o.Axes != nil {
		if axes, err = axesOf(o.Axes, len(x)); err != nil {
			return nil, err
		}
	}
	if want.n >= 0 && want.n != len(axes) {
		return nil, fmt.Errorf("a shape of %d for %d axes", want.n, len(axes))
	}
	if err := checkDims(want.vals); err != nil {
		return nil, err
	}
	out := x.Clone()
	for i, a := range axes {
		out[a] = Unknown
		if want.vals != nil {
			out[a] = want.vals[i]
		}
	}
	return []Fact{TensorFact(in[0].Type, out)}, nil
}

// Eval copies the middle.
func (o *CenterCropPad) Eval(in []Datum) ([]Datum, error) {
	c, err := prepareCanvas(o, in)
	if err != nil {
		return nil, err
	}
	x := in[0].Tensor
	to, from := 0, 0
	lanes := lanesOf(c.shape, tensor.Strides(x.Shape()))
	for i, d := range x.Shape() {
		l := &lanes[i]
		if l.n > d {
			to += (l.n - d) / 2 * l.to
			l.n = d
		} else {
			from += (d - l.n) / 2 * l.from
		}
	}
	c.draw(x, to, from, lanes...)
	return Of(c.done()), nil
}

// Quantization says that the data is moved and zeros inserted.
func (o *CenterCropPad) Quantization() Facts { return moving() }
