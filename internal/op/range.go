package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Range counts from start (first input) towards limit (second), which it does
// not reach, in steps of delta (third): element i is start + i·delta.
type Range struct{}

// Name returns "Range".
func (o *Range) Name() string { return "Range" }

// Infer counts the elements where the inputs are known.
func (o *Range) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 3, 3); err != nil {
		return nil, err
	}
	typ, err := sameType(in...)
	if err != nil {
		return nil, err
	}
	for _, f := range in {
		if n, ok := f.Shape.Count().Int(); ok && n != 1 {
			return nil, fmt.Errorf("inputs must be scalars, got shape %v", f.Shape)
		}
	}
	out := TensorFact(typ, OfRank(1))
	if in[0].Const != nil && in[1].Const != nil && in[2].Const != nil {
		n, err := rangeCount(in[0].Const, in[1].Const, in[2].Const)
		if err != nil {
			return nil, err
		}
		out.Shape = Known(n)
	}
	var d [3]Dim
	for i := range d {
		v, ok := values(in[i])
		if !ok || len(v) != 1 {
			return []Fact{out}, nil
		}
		d[i] = v[0]
	}
	step, ok := d[2].Int()
	if !ok || !typ.IsInteger() {
		return []Fact{out}, nil
	}
	if step == 0 {
		return nil, fmt.Errorf("a step of 0")
	}
	if _, known := out.Shape.Ints(); !known {
		// Symbols stand for sizes: the range is taken not to be empty.
		if n := d[1].Sub(d[0]).CeilDiv(d[2]); step > 0 {
			out.Shape = Shape{n}
		}
		if n, ok := out.Shape[0].Int(); ok && n < 0 {
			out.Shape = Known(0)
		}
	}
	if n, ok := out.Shape[0].Int(); ok && n <= maxValues {
		out.Values = make([]Dim, n)
		for i := range out.Values {
			out.Values[i] = d[0].Add(Size(i).Mul(d[2]))
		}
	}
	return []Fact{out}, nil
}

// rangeCount returns the number of elements: ceil((limit−start)/delta), not
// below 0.
func rangeCount(start, limit, delta *tensor.Tensor) (int, error) {
	if start.Len() != 1 || limit.Len() != 1 || delta.Len() != 1 {
		return 0, fmt.Errorf("inputs must be scalars")
	}
	if a, ok := tensor.Ints(start); ok {
		b, _ := tensor.Ints(limit)
		d, _ := tensor.Ints(delta)
		s, e, step := a[0], b[0], uint64(d[0])
		switch {
		case step == 0:
			return 0, fmt.Errorf("a step of 0")
		case d[0] < 0:
			s, e, step = e, s, -step
		}
		if e <= s {
			return 0, nil
		}
		n := 1 + (uint64(e)-uint64(s)-1)/step
		if n > math.MaxInt>>8 {
			return 0, fmt.Errorf("a range of %d elements", n)
		}
		return int(n), nil
	}
	w, err := realScalars(start, limit, delta)
	if err != nil {
		return 0, err
	}
	if w[2] == 0 {
		return 0, fmt.Errorf("a step of 0")
	}
	length := w[1] - w[0]
	if start.Type() != dtype.Float64 {
		length = float64(float32(length))
	}
	n := math.Ceil(length / w[2])
	if !(n < math.MaxInt>>8) {
		return 0, fmt.Errorf("a range of %g elements", n)
	}
	return int(max(n, 0)), nil
}

// realScalars reads single elements of a floating-point type.
func realScalars(ts ...*tensor.Tensor) ([]float64, error) {
	out := make([]float64, len(ts))
	for i, t := range ts {
		if !t.Type().IsFloat() && !t.Type().IsInteger() {
			return nil, fmt.Errorf("a number of type %v", t.Type())
		}
		w, err := Convert(t, dtype.Float64)
		if err != nil {
			return nil, err
		}
		out[i] = tensor.Data[float64](w)[0]
	}
	return out, nil
}

// Eval returns the numbers.
func (o *Range) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	start, delta, typ := in[0].Tensor, in[2].Tensor, in[0].Tensor.Type()
	c, err := newCanvas(TensorFact(typ, out[0].Shape))
	if err != nil {
		return nil, err
	}
	if a, ok := tensor.Ints(start); ok {
		d, _ := tensor.Ints(delta)
		vals := make([]int64, c.len())
		for i := range vals {
			vals[i] = a[0] + int64(i)*d[0]
		}
		return Of(tensor.FromInts(typ, vals, c.shape...)), nil
	}
	if typ == dtype.Float64 {
		count(tensor.Data[float64](c.t), tensor.Data[float64](start)[0], tensor.Data[float64](delta)[0])
		return Of(c.t), nil
	}
	return throughFloat32(typ, []*tensor.Tensor{start, delta}, func(w []*tensor.Tensor) ([]Datum, error) {
		y := tensor.New(dtype.Float32, c.shape...)
		count(tensor.Data[float32](y), tensor.Data[float32](w[0])[0], tensor.Data[float32](w[1])[0])
		return Of(y), nil
	})
}

func count[T float32 | float64](dst []T, start, delta T) {
	for i := range dst {
		dst[i] = start + T(T(i)*delta)
	}
}

// throughFloat32 runs f on inputs widened to float32, and rounds its outputs
// once to typ.
func throughFloat32(typ dtype.Type, in []*tensor.Tensor, f func([]*tensor.Tensor) ([]Datum, error)) ([]Datum, error) {
	wide := make([]*tensor.Tensor, len(in))
	for i, t := range in {
		w, err := Convert(t, dtype.Float32)
		if err != nil {
			return nil, err
		}
		wide[i] = w
	}
	out, err := f(wide)
	if err != nil {
		return nil, err
	}
	for i, d := range out {
		if d.Tensor.Type() != dtype.Float32 {
			continue
		}
		if out[i].Tensor, err = Convert(d.Tensor, typ); err != nil {
			return nil, err
		}
	}
	return out, nil
}
