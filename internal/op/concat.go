package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// Concat joins tensors of equal shape, but for Axis, along it.
type Concat struct {
	Axis int `attr:"axis,required"`
}

// Name returns "Concat".
func (o *Concat) Name() string { return "Concat" }

// Infer adds up the dimensions of the axis and merges what the inputs tell of
// the others.
func (o *Concat) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, -1); err != nil {
		return nil, err
	}
	typ, err := sameType(in...)
	if err != nil {
		return nil, err
	}
	var out Shape
	sum, axis := Size(0), 0
	for i, f := range in {
		if !f.Present() {
			return nil, fmt.Errorf("input %d is missing", i)
		}
		if f.Shape == nil {
			sum = Unknown
			continue
		}
		if axis, err = Axis(o.Axis, len(f.Shape)); err != nil {
			return nil, err
		}
		s := f.Shape.Clone()
		sum = sum.Add(s[axis])
		s[axis] = Unknown
		if out, err = Merge(out, s); err != nil {
			return nil, fmt.Errorf("input %d: %w", i, err)
		}
	}
	if out != nil {
		out[axis] = sum
	}
	res := TensorFact(typ, out)
	if len(out) == 1 {
		res.Values = joined(in)
	}
	return []Fact{res}, nil
}

// joined returns the values of vectors one after another, nil unless every
// length and at least one value is known.
func joined(in []Fact) []Dim {
	var out []Dim
	some := false
	for _, f := range in {
		v, ok := values(f)
		if !ok {
			n, known := f.Shape.Count().Int()
			if !known || n > maxValues {
				return nil
			}
			v = OfRank(n)
		}
		some = some || ok
		if out = append(out, v...); len(out) > maxValues {
			return nil
		}
	}
	if !some {
		return nil
	}
	return out
}

// Eval returns the inputs joined.
func (o *Concat) Eval(in []Datum) ([]Datum, error) {
	c, err := prepareCanvas(o, in)
	if err != nil {
		return nil, err
	}
	axis, err := Axis(o.Axis, len(c.shape))
	if err != nil {
		return nil, err
	}
	to, step, outer := 0, inner(c.shape, axis), inner(c.shape[:axis], 0)
	for _, d := range in {
		n := inner(d.Tensor.Shape(), axis)
		c.draw(d.Tensor, to, 0, lane{n: outer, to: step, from: n}, lane{n: n, to: 1, from: 1})
		to += n
	}
	return Of(c.done()), nil
}

// Quantization says that every input is an activation.
func (o *Concat) Quantization() Facts { return NoFacts() }

// parts cuts x along an axis into pieces of the given sizes, which add up to
// the dimension.
func parts(x *tensor.Tensor, axis int, sizes []int) ([]*tensor.Tensor, error) {
	out := make([]*tensor.Tensor, len(sizes))
	row, outer := inner(x.Shape(), axis+1), inner(x.Shape()[:axis], 0)
	lo := 0
	for i, n := range sizes {
		if outer == 1 && axis == 0 {
			out[i] = x.Slice(lo, lo+n)
			lo += n
			continue
		}
		shape := append([]int{}, x.Shape()...)
		shape[axis] = n
		c, err := canvasOf(x.Type(), shape...)
		if err != nil {
			return nil, err
		}
		c.draw(x, 0, lo*row, lane{n: outer, to: n * row, from: x.Shape()[axis] * row}, lane{n: n * row, to: 1, from: 1})
		out[i] = c.done()
		lo += n
	}
	return out, nil
}
