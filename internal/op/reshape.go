package op

import (
	"fmt"
	"slices"
)

// Reshape gives its data the shape in its second input: -1 stands for what is
// left over, 0 for the input's dimension at that place, unless AllowZero.
type Reshape struct {
	AllowZero bool `attr:"allowzero,default=0"`
}

// Name returns "Reshape".
func (o *Reshape) Name() string { return "Reshape" }

// Infer resolves the wanted shape, the one left over by division of symbolic
// products.
func (o *Reshape) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	want, err := listAt(in, 1, "shape")
	if err != nil {
		return nil, err
	}
	if want.n > maxRank {
		return nil, fmt.Errorf("shape of %d dimensions", want.n)
	}
	switch {
	case want.vals == nil && want.n < 0:
		return []Fact{TensorFact(in[0].Type, nil)}, nil
	case want.vals == nil && want.n > 0:
		return []Fact{TensorFact(in[0].Type, OfRank(want.n))}, nil
	}
	shape, err := o.resolve(in[0].Shape, want.vals)
	if err != nil {
		return nil, err
	}
	return []Fact{reshaped(in[0], shape)}, nil
}

// resolve returns the output's shape for an input of shape x.
func (o *Reshape) resolve(x Shape, want []Dim) (Shape, error) {
	out := make(Shape, len(want))
	left := x.Clone() // input dimensions not yet found in the output
	rest := Known()   // output dimensions not found in the input
	auto, open := -1, false
	take := func(d Dim) {
		if i := slices.IndexFunc(left, d.Same); i >= 0 {
			left = slices.Delete(left, i, i+1)
		} else {
			rest = append(rest, d)
		}
	}
	var copied []int
	for i, d := range want {
		n, number := d.Int()
		switch {
		case d.IsUnknown():
			open = true
		case d.Is(0) && !o.AllowZero:
			if x != nil && i >= len(x) {
				return nil, fmt.Errorf("shape %v copies dimension %d of %v", Shape(want), i, x)
			}
			d = Unknown
			if x != nil {
				d = x[i]
				copied = append(copied, i)
			}
		case d.Is(-1):
			if auto >= 0 {
				return nil, fmt.Errorf("shape %v leaves two dimensions open", Shape(want))
			}
			auto, d = i, Unknown
		case number && n < 0:
			return nil, fmt.Errorf("shape %v has dimension %d", Shape(want), n)
		default:
			take(d)
		}
		out[i] = d
	}
	if x == nil || open {
		return out, nil
	}
	// Copied dimensions cancel by place, so that unknown ones do as well; one
	// that another entry has taken by value cancels that value's twin instead.
	for _, i := range copied {
		if j := slices.IndexFunc(left, func(d Dim) bool { return d == x[i] }); j >= 0 {
			left = slices.Delete(left, j, j+1)
		} else {
			rest = append(rest, x[i])
		}
	}
	total, others := left.Count(), rest.Count()
	if auto < 0 {
		a, aok := x.Count().Int()
		b, bok := out.Count().Int()
		if aok && bok && a != b {
			return nil, fmt.Errorf("cannot reshape %v to %v", x, out)
		}
		return out, nil
	}
	a, aok := total.Int()
	b, bok := others.Int()
	if aok && bok && (b == 0 || a%b != 0) {
		return nil, fmt.Errorf("cannot reshape %v to %v", x, Shape(want))
	}
	out[auto] = total.Div(others)
	return out, nil
}

// Eval returns the data under the new shape.
func (o *Reshape) Eval(in []Datum) ([]Datum, error) { return evalReshaped(o, in) }

// Quantization says that the data is moved.
func (o *Reshape) Quantization() Facts { return moving() }

// reshaped is the fact of x under another shape.
func reshaped(x Fact, shape Shape) Fact {
	out := TensorFact(x.Type, shape)
	if shape != nil && len(shape) <= 1 {
		out.Values, _ = values(x)
	}
	return out
}

// evalReshaped evaluates an operator that only changes the shape of operand 0.
func evalReshaped(o Op, in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	shape, ok := out[0].Shape.Ints()
	if !ok {
		return nil, fmt.Errorf("output shape %v is not known", out[0].Shape)
	}
	t, err := in[0].Tensor.Reshape(shape...)
	return Of(t), err
}

// Flatten makes a matrix: the dimensions before Axis, times those from it on.
type Flatten struct {
	Axis int `attr:"axis,default=1"`
}

// Name returns "Flatten".
func (o *Flatten) Name() string { return "Flatten" }

// Infer multiplies the dimensions.
func (o *Flatten) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	x := in[0].Shape
	if x == nil {
		return []Fact{TensorFact(in[0].Type, OfRank(2))}, nil
	}
	axis := o.Axis
	if axis != len(x) {
		var err error
		if axis, err = Axis(axis, max(len(x), 1)); err != nil {
			return nil, err
		}
	}
	return []Fact{TensorFact(in[0].Type, Shape{x[:axis].Count(), x[axis:].Count()})}, nil
}

// Eval returns the data as a matrix.
func (o *Flatten) Eval(in []Datum) ([]Datum, error) { return evalReshaped(o, in) }

// Quantization says that the data is moved.
func (o *Flatten) Quantization() Facts { return moving() }
