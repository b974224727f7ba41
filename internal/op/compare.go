package op

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// relation is how a number stands to another; it is unordered with a NaN.
type relation uint8

const (
	unordered relation = iota
	less
	equal
	greater
)

func orderOf[T number](a, b T) relation {
	switch {
	case a < b:
		return less
	case a > b:
		return greater
	case a == b:
		return equal
	}
	return unordered
}

// evalCompare tells where the relation of two broadcast operands holds.
func evalCompare(o Op, in []Datum, holds func(relation) bool) ([]Datum, error) {
	_, shape, err := prepareSized(o, in)
	if err != nil {
		return nil, err
	}
	typ := native(arg(in, 0).Type())
	a, err := Convert(arg(in, 0), typ)
	if err != nil {
		return nil, err
	}
	b, err := Convert(arg(in, 1), typ)
	if err != nil {
		return nil, err
	}
	y := tensor.New(dtype.Bool, shape...)
	switch typ {
	case dtype.Float32:
		compare(y, a, b, tensor.Data[float32], holds)
	case dtype.Float64:
		compare(y, a, b, tensor.Data[float64], holds)
	case dtype.Uint64:
		compare(y, a, b, tensor.Data[uint64], holds)
	default:
		compare(y, a, b, integers, holds)
	}
	return Of(y), nil
}

func compare[T number](y, a, b *tensor.Tensor, data func(*tensor.Tensor) []T, holds func(relation) bool) {
	as, _ := eltwise.BroadcastStrides(a.Shape(), y.Shape())
	bs, _ := eltwise.BroadcastStrides(b.Shape(), y.Shape())
	eltwise.Broadcast(tensor.Data[bool](y), y.Shape(), data(a), as, data(b), bs, func(dst []bool, a, b []T) {
		eltwise.Zip(dst, a, b, func(x, y T) bool { return holds(orderOf(x, y)) })
	})
}

// isComparable are the types that have an order.
func isComparable(t dtype.Type) bool { return isNumber(t) || isBool(t) }

// Equal tells where the operands are equal.
type Equal struct{}

// Name returns "Equal".
func (*Equal) Name() string { return "Equal" }

// Infer returns Bool of the broadcast shape, and which elements of shape
// tensors are equal as far as it is known.
func (*Equal) Infer(in []Fact, _ int) ([]Fact, error) {
	out, err := inferBinary(in, dtype.Bool, func(t dtype.Type) bool { return isComparable(t) || isText(t) })
	if err != nil || in[0].Type != dtype.Int64 && in[0].Type != dtype.Int32 {
		return out, err
	}
	out[0].Values = follow(func(v []Dim) Dim {
		n, nok := v[0].Int()
		m, mok := v[1].Int()
		switch {
		case v[0].Same(v[1]):
			return Size(1)
		case nok && mok, nok && n < 0 && v[1].isSize(), mok && m < 0 && v[0].isSize():
			return Size(0)
		}
		return Unknown
	}, in...)
	return out, nil
}

// isSize reports whether d is a sum of products of sizes and so not negative.
func (d Dim) isSize() bool {
	if d.IsUnknown() {
		return false
	}
	for _, c := range d.poly() {
		if c < 0 {
			return false
		}
	}
	return true
}

// Eval compares every element.
func (o *Equal) Eval(in []Datum) ([]Datum, error) {
	if x := arg(in, 0); x != nil && isText(x.Type()) {
		return evalTexts(o, in, func(dst []bool, a, b []string) {
			eltwise.Zip(dst, a, b, func(x, y string) bool { return x == y })
		})
	}
	return evalCompare(o, in, func(c relation) bool { return c == equal })
}

// Greater tells where the first operand is greater than the second.
type Greater struct{}

// Name returns "Greater".
func (*Greater) Name() string { return "Greater" }

// Infer returns Bool of the broadcast shape.
func (*Greater) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferBinary(in, dtype.Bool, isNumber)
}

// Eval compares every element.
func (o *Greater) Eval(in []Datum) ([]Datum, error) {
	return evalCompare(o, in, func(c relation) bool { return c == greater })
}

// Less tells where the first operand is less than the second.
type Less struct{}

// Name returns "Less".
func (*Less) Name() string { return "Less" }

// Infer returns Bool of the broadcast shape.
func (*Less) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferBinary(in, dtype.Bool, isNumber)
}

// Eval compares every element.
func (o *Less) Eval(in []Datum) ([]Datum, error) {
	return evalCompare(o, in, func(c relation) bool { return c == less })
}

// GreaterOrEqual tells where the first operand is greater than or equal to the second.
type GreaterOrEqual struct{}

// Name returns "GreaterOrEqual".
func (*GreaterOrEqual) Name() string { return "GreaterOrEqual" }

// Infer returns Bool of the broadcast shape.
func (*GreaterOrEqual) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferBinary(in, dtype.Bool, isNumber)
}

// Eval compares every element.
func (o *GreaterOrEqual) Eval(in []Datum) ([]Datum, error) {
	return evalCompare(o, in, func(c relation) bool { return c >= equal })
}

// LessOrEqual tells where the first operand is less than or equal to the second.
type LessOrEqual struct{}

// Name returns "LessOrEqual".
func (*LessOrEqual) Name() string { return "LessOrEqual" }

// Infer returns Bool of the broadcast shape.
func (*LessOrEqual) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferBinary(in, dtype.Bool, isNumber)
}

// Eval compares every element.
func (o *LessOrEqual) Eval(in []Datum) ([]Datum, error) {
	return evalCompare(o, in, func(c relation) bool { return c == less || c == equal })
}
