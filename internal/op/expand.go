package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Expand broadcasts its data with the shape in its second input, in both
// directions.
type Expand struct{}

// Name returns "Expand".
func (o *Expand) Name() string { return "Expand" }

// Infer broadcasts the shapes.
func (o *Expand) Infer(in []Fact, _ int) ([]Fact, error) {
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
	x := in[0].Shape
	if x == nil || want.n < 0 {
		return []Fact{TensorFact(in[0].Type, nil)}, nil
	}
	target := append(Shape{}, want.vals...)
	if want.vals == nil {
		target = OfRank(want.n)
	}
	if err := checkDims(target); err != nil {
		return nil, err
	}
	shape, err := Broadcast(x, target)
	if err != nil {
		return nil, err
	}
	out := TensorFact(in[0].Type, shape)
	if vals, ok := values(in[0]); ok && len(shape) == 1 {
		n, known := shape[0].Int()
		if known && n <= maxValues && (len(vals) == 1 || len(vals) == n) {
			out.Values = make([]Dim, n)
			for i := range out.Values {
				out.Values[i] = vals[min(i, len(vals)-1)]
			}
		}
	}
	return []Fact{out}, nil
}

// checkDims refuses negative numbers in a shape that a file gives.
func checkDims(s Shape) error {
	for _, d := range s {
		if n, ok := d.Int(); ok && n < 0 {
			return fmt.Errorf("shape %v has dimension %d", s, n)
		}
	}
	return nil
}

// Eval repeats the data; one repeated element stays one in memory.
func (o *Expand) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	t, err := expanded(in[0].Tensor, out[0].Shape)
	return Of(t), err
}

// expanded broadcasts x to a shape that it broadcasts to.
func expanded(x *tensor.Tensor, to Shape) (*tensor.Tensor, error) {
	shape, ok := to.Ints()
	if !ok || len(shape) < x.Rank() {
		return nil, fmt.Errorf("cannot expand %v to %v", x, to)
	}
	if x.Len() == 1 && splats(x.Type()) {
		n, ok := tensor.Count(shape)
		if size := x.Type().Size(n); ok && size >= 0 && int64(size) <= maxBytes {
			return tensor.Splat(x.Type(), shape, x.Bytes()), nil
		}
	}
	c, err := canvasOf(x.Type(), shape...)
	if err != nil {
		return nil, err
	}
	from := make([]int, len(shape))
	for i, s := range tensor.Strides(x.Shape()) {
		if x.Shape()[i] != 1 {
			from[len(shape)-x.Rank()+i] = s
		}
	}
	c.draw(x, 0, 0, lanesOf(shape, from)...)
	return c.done(), nil
}

// splats reports whether one element of a type can stand for a whole tensor.
func splats(t dtype.Type) bool { return t.Bits() >= 8 }

// Quantization says that the data is moved.
func (o *Expand) Quantization() Facts { return moving() }

// Tile repeats its data along each axis as often as its second input says.
type Tile struct{}

// Name returns "Tile".
func (o *Tile) Name() string { return "Tile" }

// Infer multiplies the dimensions.
func (o *Tile) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	reps, err := listAt(in, 1, "repeats")
	if err != nil {
		return nil, err
	}
	x := in[0].Shape
	if x == nil {
		return []Fact{TensorFact(in[0].Type, nil)}, nil
	}
	if reps.n >= 0 && reps.n != len(x) {
		return nil, fmt.Errorf("%d repeats for data of shape %v", reps.n, x)
	}
	if err := checkDims(reps.vals); err != nil {
		return nil, fmt.Errorf("repeats: %w", err)
	}
	out := OfRank(len(x))
	for i, r := range reps.vals {
		if out[i], err = product(x[i], r); err != nil {
			return nil, err
		}
	}
	return []Fact{TensorFact(in[0].Type, out)}, nil
}

// product multiplies dimensions, of which numbers must not overflow.
func product(a, b Dim) (Dim, error) {
	n, nok := a.Int()
	m, mok := b.Int()
	if _, ok := tensor.Count([]int{n, m}); nok && mok && !ok {
		return Unknown, fmt.Errorf("a dimension of %d times %d", n, m)
	}
	return a.Mul(b), nil
}

// Eval repeats the data.
func (o *Tile) Eval(in []Datum) ([]Datum, error) {
	c, err := prepareCanvas(o, in)
	if err != nil {
		return nil, err
	}
	x := in[0].Tensor
	from, to := tensor.Strides(x.Shape()), tensor.Strides(c.shape)
	var lanes []lane
	for i, d := range x.Shape() {
		if c.len() == 0 {
			break
		}
		lanes = append(lanes, lane{n: c.shape[i] / d, to: d * to[i]}, lane{n: d, to: to[i], from: from[i]})
	}
	if c.len() > 0 {
		c.draw(x, 0, 0, lanes...)
	}
	return Of(c.done()), nil
}

// Quantization says that the data is moved.
func (o *Tile) Quantization() Facts { return moving() }
