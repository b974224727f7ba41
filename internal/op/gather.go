package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// Gather takes the slices of its data that the indices name along Axis.
// Negative indices count from the end.
type Gather struct {
	Axis int `attr:"axis,default=0"`
}

// Name returns "Gather".
func (o *Gather) Name() string { return "Gather" }

// Infer puts the indices' shape in the place of the axis, and looks up values
// of shapes.
func (o *Gather) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	x, idx := in[0].Shape, in[1].Shape
	if err := wantIndices(in[1]); err != nil {
		return nil, err
	}
	if x == nil {
		return []Fact{TensorFact(in[0].Type, nil)}, nil
	}
	axis, err := Axis(o.Axis, len(x))
	if err != nil {
		return nil, err
	}
	if idx == nil {
		return []Fact{TensorFact(in[0].Type, nil)}, nil
	}
	out := append(append(x[:axis].Clone(), idx...), x[axis+1:]...)
	res := TensorFact(in[0].Type, out)
	vals, ok := values(in[0])
	at, known := values(in[1])
	if !ok || !known || len(x) != 1 || len(out) > 1 {
		return []Fact{res}, nil
	}
	res.Values = make([]Dim, len(at))
	for i, d := range at {
		res.Values[i] = Unknown
		n, ok := d.Int()
		if !ok {
			continue
		}
		if n < -len(vals) || n >= len(vals) {
			return nil, fmt.Errorf("index %d is outside an axis of %d", n, len(vals))
		}
		if n < 0 {
			n += len(vals)
		}
		res.Values[i] = vals[n]
	}
	return []Fact{res}, nil
}

// Eval copies the slices.
func (o *Gather) Eval(in []Datum) ([]Datum, error) {
	c, err := prepareCanvas(o, in)
	if err != nil {
		return nil, err
	}
	x := in[0].Tensor
	axis, err := Axis(o.Axis, x.Rank())
	if err != nil {
		return nil, err
	}
	at, err := indices(in[1].Tensor, x.Shape()[axis])
	if err != nil {
		return nil, err
	}
	n := inner(x.Shape(), axis+1)
	c.draw(x, 0, 0,
		lane{n: inner(x.Shape()[:axis], 0), to: len(at) * n, from: x.Shape()[axis] * n},
		lane{n: len(at), to: n, fromAt: scaled(at, n)},
		lane{n: n, to: 1, from: 1})
	return Of(c.done()), nil
}

// Quantization says that the data is moved.
func (o *Gather) Quantization() Facts { return moving() }

// wantIndices checks the type of an index input.
func wantIndices(f Fact) error {
	if f.Type != 0 && !f.Type.IsInteger() {
		return fmt.Errorf("indices of type %v, want integers", f.Type)
	}
	return nil
}

// GatherElements takes, for each element of the indices, the element of the
// data at the same place but for Axis, where the index stands.
type GatherElements struct {
	Axis int `attr:"axis,default=0"`
}

// Name returns "GatherElements".
func (o *GatherElements) Name() string { return "GatherElements" }

// Infer gives the indices' shape.
func (o *GatherElements) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	if err := sameRankIndices(in[0].Shape, in[1], o.Axis); err != nil {
		return nil, err
	}
	return []Fact{TensorFact(in[0].Type, in[1].Shape)}, nil
}

// sameRankIndices checks the indices of GatherElements and ScatterElements:
// the data's rank, and no dimension but the axis larger than the data's.
func sameRankIndices(x Shape, idx Fact, axis int) error {
	if err := wantIndices(idx); err != nil {
		return err
	}
	if x == nil || idx.Shape == nil {
		return nil
	}
	if len(x) != len(idx.Shape) {
		return fmt.Errorf("indices of shape %v for data of shape %v", idx.Shape, x)
	}
	axis, err := Axis(axis, len(x))
	if err != nil {
		return err
	}
	for i, d := range idx.Shape {
		n, ok := d.Int()
		if m, known := x[i].Int(); i != axis && ok && known && n > m {
			return fmt.Errorf("indices of shape %v reach beyond data of shape %v", idx.Shape, x)
		}
	}
	return nil
}

// elementOffsets returns for each index the offset of the data element that
// GatherElements and ScatterElements mean.
func elementOffsets(idx *tensor.Tensor, data []int, axis int) ([]int, error) {
	axis, err := Axis(axis, len(data))
	if err != nil {
		return nil, err
	}
	at, err := indices(idx, data[axis])
	if err != nil {
		return nil, err
	}
	shape, strides := idx.Shape(), tensor.Strides(data)
	place := make([]int, len(shape))
	base := 0 // the offset of place without the axis
	for i := range at {
		at[i] = base + at[i]*strides[axis]
		for ax := len(shape) - 1; ax >= 0; ax-- {
			step := strides[ax]
			if ax == axis {
				step = 0
			}
			place[ax]++
			base += step
			if place[ax] < shape[ax] {
				break
			}
			base -= step * shape[ax]
			place[ax] = 0
		}
	}
	return at, nil
}

// Eval looks the elements up.
func (o *GatherElements) Eval(in []Datum) ([]Datum, error) {
	c, err := prepareCanvas(o, in)
	if err != nil {
		return nil, err
	}
	at, err := elementOffsets(in[1].Tensor, in[0].Tensor.Shape(), o.Axis)
	if err != nil {
		return nil, err
	}
	c.draw(in[0].Tensor, 0, 0, lane{n: len(at), to: 1, fromAt: at})
	return Of(c.done()), nil
}

// Quantization says that the data is moved.
func (o *GatherElements) Quantization() Facts { return moving() }

// GatherND takes the slices of its data that the last axis of the indices
// addresses; the first BatchDims axes of both run side by side.
type GatherND struct {
	BatchDims int `attr:"batch_dims,default=0"`
}

// Name returns "GatherND".
func (o *GatherND) Name() string { return "GatherND" }

// Infer joins the indices' leading shape and the shape of a slice.
func (o *GatherND) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	if err := wantIndices(in[1]); err != nil {
		return nil, err
	}
	x, idx, b := in[0].Shape, in[1].Shape, o.BatchDims
	if x == nil || idx == nil {
		return []Fact{TensorFact(in[0].Type, nil)}, nil
	}
	if len(x) == 0 || len(idx) == 0 || b < 0 || b >= min(len(x), len(idx)) {
		return nil, fmt.Errorf("batch_dims %d for data %v and indices %v", b, x, idx)
	}
	if _, err := Merge(x[:b], idx[:b]); err != nil {
		return nil, err
	}
	k, ok := idx[len(idx)-1].Int()
	if !ok {
		return []Fact{TensorFact(in[0].Type, nil)}, nil
	}
	if k < 1 || k > len(x)-b {
		return nil, fmt.Errorf("indices of %d axes for data %v and batch_dims %d", k, x, b)
	}
	out := append(idx[:len(idx)-1].Clone(), x[b+k:]...)
	return []Fact{TensorFact(in[0].Type, out)}, nil
}

// tupleOffsets returns, for each tuple on the last axis of idx, the offset of
// the slice of data it addresses, and a slice's number of elements.
func tupleOffsets(idx *tensor.Tensor, data []int, batch int) (at []int, slice int, err error) {
	vals, ok := tensor.Ints(idx)
	if !ok {
		return nil, 0, fmt.Errorf("indices of type %v, want integers", idx.Type())
	}
	shape := idx.Shape()
	k := shape[len(shape)-1]
	if k == 0 || len(vals) == 0 {
		return nil, 0, nil
	}
	slice = inner(data, batch+k)
	strides := tensor.Strides(data)
	at = make([]int, len(vals)/k)
	batches := inner(data[:batch], 0)
	for i := range at {
		if batch > 0 {
			at[i] = i / (len(at) / batches) * strides[batch-1]
		}
		for j, v := range vals[i*k : (i+1)*k] {
			n := int64(data[batch+j])
			if v < -n || v >= n {
				return nil, 0, fmt.Errorf("index %d is outside an axis of %d", v, n)
			}
			if v < 0 {
				v += n
			}
			at[i] += int(v) * strides[batch+j]
		}
	}
	return at, slice, nil
}

// Eval copies the slices.
func (o *GatherND) Eval(in []Datum) ([]Datum, error) {
	c, err := prepareCanvas(o, in)
	if err != nil {
		return nil, err
	}
	at, n, err := tupleOffsets(in[1].Tensor, in[0].Tensor.Shape(), o.BatchDims)
	if err != nil {
		return nil, err
	}
	c.draw(in[0].Tensor, 0, 0, lane{n: len(at), to: n, fromAt: at}, lane{n: n, to: 1, from: 1})
	return Of(c.done()), nil
}

// Quantization says that the data is moved.
func (o *GatherND) Quantization() Facts { return moving() }
