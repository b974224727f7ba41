package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// NonZero lists where its input is not zero: one row for each axis, one column
// for each element found, in row-major order.
type NonZero struct{}

// Name returns "NonZero".
func (o *NonZero) Name() string { return "NonZero" }

// Infer knows the rank alone.
func (o *NonZero) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	if in[0].Shape == nil {
		return []Fact{TensorFact(dtype.Int64, OfRank(2))}, nil
	}
	return []Fact{TensorFact(dtype.Int64, Shape{Size(len(in[0].Shape)), Unknown})}, nil
}

// Eval returns the coordinates.
func (o *NonZero) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	x := in[0].Tensor
	at, err := nonZeros(x)
	if err != nil {
		return nil, err
	}
	out := tensor.New(dtype.Int64, x.Rank(), len(at))
	d := tensor.Data[int64](out)
	for ax, step := range tensor.Strides(x.Shape()) {
		n := x.Shape()[ax]
		for i, a := range at {
			d[ax*len(at)+i] = int64(a / step % n)
		}
	}
	return Of(out), nil
}

// nonZeros returns the offsets of the elements that are not zero.
func nonZeros(x *tensor.Tensor) ([]int, error) {
	switch typ := x.Type(); typ {
	case dtype.String:
		var out []int
		for i, s := range x.Strings() {
			if s != "" {
				out = append(out, i)
			}
		}
		return out, nil
	case dtype.Float32:
		return offsets(tensor.Data[float32](x)), nil
	case dtype.Float64:
		return offsets(tensor.Data[float64](x)), nil
	case dtype.Complex64:
		return offsets(tensor.Data[complex64](x)), nil
	case dtype.Complex128:
		return offsets(tensor.Data[complex128](x)), nil
	default:
		if v, ok := tensor.Ints(x); ok {
			return offsets(v), nil
		}
		if !typ.IsFloat() {
			return nil, fmt.Errorf("zero of type %v", typ)
		}
		w, err := Convert(x, dtype.Float32)
		if err != nil {
			return nil, err
		}
		return offsets(tensor.Data[float32](w)), nil
	}
}

func offsets[T comparable](d []T) []int {
	var out []int
	var zero T
	for i, v := range d {
		if v != zero {
			out = append(out, i)
		}
	}
	return out
}
