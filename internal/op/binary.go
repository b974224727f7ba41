package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// inferBinary is Infer of operators of two broadcast operands of one type; out
// is the result's type, Invalid for the operands'.
func inferBinary(in []Fact, out dtype.Type) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	typ, err := sameType(in...)
	if err != nil {
		return nil, err
	}
	shape, err := Broadcast(in[0].Shape, in[1].Shape)
	if err != nil {
		return nil, err
	}
	if out == dtype.Invalid {
		out = typ
	}
	return []Fact{TensorFact(out, shape)}, nil
}

// inferArithmetic is inferBinary that also follows the values of shape
// tensors.
func inferArithmetic(in []Fact, f func(a, b Dim) Dim) ([]Fact, error) {
	out, err := inferBinary(in, dtype.Invalid)
	if err != nil || !out[0].Type.IsInteger() {
		return out, err
	}
	a, aok := values(in[0])
	b, bok := values(in[1])
	if !aok || !bok || len(in[0].Shape) > 1 || len(in[1].Shape) > 1 {
		return out, nil
	}
	n := max(len(a), len(b))
	if len(a) != n && len(a) != 1 || len(b) != n && len(b) != 1 {
		return out, nil
	}
	for i := range n {
		out[0].Values = append(out[0].Values, f(a[i%len(a)], b[i%len(b)]))
	}
	return out, nil
}

// binary holds a function for each class of element types.
type binary struct {
	f32 func(dst, a, b []float32)
	f64 func(dst, a, b []float64)
	i64 func(dst, a, b []int64)
}

// evalBinary computes a broadcast function of two operands of one type.
func evalBinary(o Op, in []Datum, fn binary) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	shape, ok := out[0].Shape.Ints()
	if _, fits := tensor.Count(shape); !ok || !fits {
		return nil, fmt.Errorf("shape %v is not possible", out[0].Shape)
	}
	typ := arg(in, 0).Type()
	a, err := Convert(arg(in, 0), native(typ))
	if err != nil {
		return nil, err
	}
	b, err := Convert(arg(in, 1), native(typ))
	if err != nil {
		return nil, err
	}
	var y *tensor.Tensor
	switch {
	case a.Type() == dtype.Float32 && fn.f32 != nil:
		y = broadcast(shape, a, b, tensor.Data[float32], fn.f32)
	case a.Type() == dtype.Float64 && fn.f64 != nil:
		y = broadcast(shape, a, b, tensor.Data[float64], fn.f64)
	case (typ.IsInteger() || typ == dtype.Bool) && fn.i64 != nil:
		wide := func(t *tensor.Tensor) []int64 { v, _ := tensor.Ints(t); return v }
		y = broadcast(shape, a, b, wide, fn.i64)
		ints := tensor.Data[int64](y)
		return Of(tensor.FromInts(typ, ints, shape...)), nil
	default:
		return nil, fmt.Errorf("%v operands are not computed", typ)
	}
	y, err = Convert(y, typ)
	return Of(y), err
}

func broadcast[T tensor.Element](shape []int, a, b *tensor.Tensor, data func(*tensor.Tensor) []T, loop func(dst, a, b []T)) *tensor.Tensor {
	n, _ := tensor.Count(shape)
	dst := make([]T, n)
	as, _ := eltwise.BroadcastStrides(a.Shape(), shape)
	bs, _ := eltwise.BroadcastStrides(b.Shape(), shape)
	eltwise.Broadcast(dst, shape, data(a), as, data(b), bs, loop)
	return tensor.FromSlice(dst, shape...)
}

// activations are the facts of an operator whose operands are all activations.
func activations() Facts { return NoFacts() }
