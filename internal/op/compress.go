package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Compress keeps the slices along Axis, or without it the elements of the flat
// data, for which its second input, a list of Bool, is true. A short list
// drops the rest.
type Compress struct {
	Axis Opt[int] `attr:"axis"`
}

// Name returns "Compress".
func (o *Compress) Name() string { return "Compress" }

// Infer knows all but the kept dimension.
func (o *Compress) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	if f := in[1]; f.Type != dtype.Bool && f.Type != dtype.Invalid || f.Shape != nil && len(f.Shape) != 1 {
		return nil, fmt.Errorf("condition %v%v, want a list of bool", f.Type, f.Shape)
	}
	if !o.Axis.Set {
		return []Fact{TensorFact(in[0].Type, OfRank(1))}, nil
	}
	out := in[0].Shape.Clone()
	if out != nil {
		axis, err := Axis(o.Axis.Value, len(out))
		if err != nil {
			return nil, err
		}
		out[axis] = Unknown
	}
	return []Fact{TensorFact(in[0].Type, out)}, nil
}

// Eval copies what is kept.
func (o *Compress) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	x, axis, err := alongOrFlat(in[0].Tensor, o.Axis)
	if err != nil {
		return nil, err
	}
	keep := offsets(tensor.Data[uint8](in[1].Tensor))
	for _, k := range keep {
		if k >= x.Shape()[axis] {
			return nil, fmt.Errorf("the condition names slice %d of %d", k, x.Shape()[axis])
		}
	}
	t, err := taken(x, axis, keep)
	return Of(t), err
}

// alongOrFlat returns x and the axis, or without one x as a list and its only
// axis.
func alongOrFlat(x *tensor.Tensor, axis Opt[int]) (*tensor.Tensor, int, error) {
	if !axis.Set {
		flat, err := x.Reshape(x.Len())
		return flat, 0, err
	}
	a, err := Axis(axis.Value, x.Rank())
	return x, a, err
}

// taken returns the slices of x along an axis that idx names, which must lie
// inside.
func taken(x *tensor.Tensor, axis int, idx []int) (*tensor.Tensor, error) {
	shape := append([]int{}, x.Shape()...)
	shape[axis] = len(idx)
	c, err := canvasOf(x.Type(), shape...)
	if err != nil {
		return nil, err
	}
	n := inner(shape, axis+1)
	c.draw(x, 0, 0,
		lane{n: inner(shape[:axis], 0), to: len(idx) * n, from: x.Shape()[axis] * n},
		lane{n: len(idx), to: n, fromAt: scaled(idx, n)},
		lane{n: n, to: 1, from: 1})
	return c.done(), nil
}

// Quantization says that the data is moved.
func (o *Compress) Quantization() Facts { return moving() }
