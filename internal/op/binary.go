package op

import (
	"fmt"
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// inferBinary is Infer of operators of two broadcast operands of one accepted
// type; out is the result's type, Invalid for the operands'.
func inferBinary(in []Fact, out dtype.Type, ok func(dtype.Type) bool) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	return inferBroadcast(in, out, ok)
}

// inferBroadcast is inferBinary for any number of operands.
func inferBroadcast(in []Fact, out dtype.Type, ok func(dtype.Type) bool) ([]Fact, error) {
	if err := accept(ok, in...); err != nil {
		return nil, err
	}
	typ, err := sameType(in...)
	if err != nil {
		return nil, err
	}
	shapes := make([]Shape, len(in))
	for i, f := range in {
		shapes[i] = f.Shape
	}
	shape, err := Broadcast(shapes...)
	if err != nil {
		return nil, err
	}
	if out == dtype.Invalid {
		out = typ
	}
	return []Fact{TensorFact(out, shape)}, nil
}

// follow returns f of the elements of broadcast shape tensors, nil where not
// all of them are followed.
func follow(f func(v []Dim) Dim, in ...Fact) []Dim {
	lists, n := make([][]Dim, len(in)), 1
	for i := range in {
		v, ok := values(in[i])
		if !ok || len(v) == 0 {
			return nil
		}
		lists[i], n = v, max(n, len(v))
	}
	out, at := make([]Dim, n), make([]Dim, len(in))
	for k := range out {
		for i, l := range lists {
			switch len(l) {
			case 1:
				at[i] = l[0]
			case n:
				at[i] = l[k]
			default:
				return nil
			}
		}
		out[k] = f(at)
	}
	return out
}

// held returns the elements of a shape tensor of the given type. Only the types
// that shapes have are followed, and no number that the type cannot hold, for
// it wraps.
func held(v []Dim, typ dtype.Type) []Dim {
	if v == nil || typ != dtype.Int64 && typ != dtype.Int32 {
		return nil
	}
	out := slices.Clone(v)
	for i, d := range out {
		if n, ok := d.Int(); ok && typ == dtype.Int32 && (n < math.MinInt32 || n > math.MaxInt32) {
			out[i] = Unknown
		}
	}
	return out
}

// inferArithmetic is inferBinary of numbers that also follows the elements of
// shape tensors.
func inferArithmetic(in []Fact, f func(a, b Dim) Dim) ([]Fact, error) {
	out, err := inferBinary(in, dtype.Invalid, isNumber)
	if err == nil {
		out[0].Values = held(follow(func(v []Dim) Dim { return f(v[0], v[1]) }, in...), out[0].Type)
	}
	return out, err
}

// binary is a loop over two operands by element type; nil where the operator
// does not take the type. i64 serves all integers and Bool, and wraps, but
// Uint64 where u64 is given.
type binary struct {
	f32 func(dst, a, b []float32)
	f64 func(dst, a, b []float64)
	i64 func(dst, a, b []int64)
	u64 func(dst, a, b []uint64)
}

// sized returns the dimensions of an inferred output, which must be known and
// possible.
func sized(out Fact) ([]int, error) {
	shape, ok := out.Shape.Ints()
	if !ok {
		return nil, fmt.Errorf("output shape %v is not known", out.Shape)
	}
	// Integers are computed 8 bytes wide.
	if n, ok := tensor.Count(shape); !ok || int64(n) > maxBytes/8 {
		return nil, fmt.Errorf("output %v%v is too large", out.Type, shape)
	}
	return shape, nil
}

// prepareSized is prepare for operators of one output, whose dimensions it
// returns too.
func prepareSized(o Op, in []Datum) (Fact, []int, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return Fact{}, nil, err
	}
	shape, err := sized(out[0])
	return out[0], shape, err
}

// evalBinary computes a broadcast function of two operands of one type.
func evalBinary(o Op, in []Datum, fn binary) ([]Datum, error) {
	out, shape, err := prepareSized(o, in)
	if err != nil {
		return nil, err
	}
	typ := out.Type
	a, err := Convert(arg(in, 0), native(typ))
	if err != nil {
		return nil, err
	}
	b, err := Convert(arg(in, 1), native(typ))
	if err != nil {
		return nil, err
	}
	y, err := fn.eval(shape, a, b)
	if err != nil {
		return nil, err
	}
	y, err = Convert(y, typ)
	return Of(y), err
}

// eval runs the loop for operands of one native type.
func (fn binary) eval(shape []int, a, b *tensor.Tensor) (*tensor.Tensor, error) {
	switch typ := a.Type(); {
	case typ == dtype.Float32 && fn.f32 != nil:
		return broadcast(shape, a, b, tensor.Data[float32], fn.f32), nil
	case typ == dtype.Float64 && fn.f64 != nil:
		return broadcast(shape, a, b, tensor.Data[float64], fn.f64), nil
	case typ == dtype.Uint64 && fn.u64 != nil:
		return broadcast(shape, a, b, tensor.Data[uint64], fn.u64), nil
	case (typ.IsInteger() || typ == dtype.Bool) && fn.i64 != nil:
		y := broadcast(shape, a, b, integers, fn.i64)
		return tensor.FromInts(typ, tensor.Data[int64](y), shape...), nil
	}
	return nil, fmt.Errorf("operands of type %v are not possible", a.Type())
}

func broadcast[T tensor.Element](shape []int, a, b *tensor.Tensor, data func(*tensor.Tensor) []T, loop func(dst, a, b []T)) *tensor.Tensor {
	n, _ := tensor.Count(shape)
	dst := make([]T, n)
	as, _ := eltwise.BroadcastStrides(a.Shape(), shape)
	bs, _ := eltwise.BroadcastStrides(b.Shape(), shape)
	eltwise.Broadcast(dst, shape, data(a), as, data(b), bs, loop)
	return tensor.FromSlice(dst, shape...)
}

// zip makes a loop of a function of two elements.
func zip[T number](f func(x, y T) T) func(dst, a, b []T) {
	return func(dst, a, b []T) { eltwise.Zip(dst, a, b, f) }
}

// activations are the facts of an operator whose operands are all activations.
func activations() Facts { return NoFacts() }
