package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// evalCompare computes a broadcast predicate of two operands of one type.
func evalCompare(o Op, in []Datum, f32 func(a, b float32) bool, f64 func(a, b float64) bool, i64 func(a, b int64) bool) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	shape, _ := out[0].Shape.Ints()
	typ := arg(in, 0).Type()
	if typ == dtype.String {
		return nil, fmt.Errorf("strings are not compared")
	}
	a, err := Convert(arg(in, 0), native(typ))
	if err != nil {
		return nil, err
	}
	b, err := Convert(arg(in, 1), native(typ))
	if err != nil {
		return nil, err
	}
	y := tensor.New(dtype.Bool, shape...)
	dst := tensor.Data[bool](y)
	switch native(typ) {
	case dtype.Float32:
		predicate(dst, shape, a, b, tensor.Data[float32], f32)
	case dtype.Float64:
		predicate(dst, shape, a, b, tensor.Data[float64], f64)
	default:
		predicate(dst, shape, a, b, func(t *tensor.Tensor) []int64 { v, _ := tensor.Ints(t); return v }, i64)
	}
	return Of(y), nil
}

func predicate[T any](dst []bool, shape []int, a, b *tensor.Tensor, data func(*tensor.Tensor) []T, f func(a, b T) bool) {
	as, _ := eltwise.BroadcastStrides(a.Shape(), shape)
	bs, _ := eltwise.BroadcastStrides(b.Shape(), shape)
	eltwise.Broadcast(dst, shape, data(a), as, data(b), bs, func(dst []bool, a, b []T) { eltwise.Zip(dst, a, b, f) })
}

// Not negates Bool.
type Not struct{}

// Name returns "Not".
func (*Not) Name() string { return "Not" }

// Infer returns the operand's shape.
func (*Not) Infer(in []Fact, _ int) ([]Fact, error) { return inferUnary(in, 1) }

// Eval computes every element.
func (o *Not) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	x := arg(in, 0)
	if x.Type() != dtype.Bool {
		return nil, fmt.Errorf("%v, want bool", x.Type())
	}
	y := tensor.New(dtype.Bool, x.Shape()...)
	eltwise.Map(tensor.Data[bool](y), tensor.Data[bool](x), func(b bool) bool { return !b })
	return Of(y), nil
}

// BitwiseNot inverts every bit.
type BitwiseNot struct{}

// Name returns "BitwiseNot".
func (*BitwiseNot) Name() string { return "BitwiseNot" }

// Infer returns the operand's type and shape.
func (*BitwiseNot) Infer(in []Fact, _ int) ([]Fact, error) { return inferUnary(in, 1) }

// Eval computes every element.
func (o *BitwiseNot) Eval(in []Datum) ([]Datum, error) {
	return evalNumeric(o, in, numeric{i64: func(x int64) int64 { return ^x }})
}

// IsNaN tells which elements are NaN.
type IsNaN struct{}

// Name returns "IsNaN".
func (*IsNaN) Name() string { return "IsNaN" }

// Infer returns Bool of the operand's shape.
func (*IsNaN) Infer(in []Fact, _ int) ([]Fact, error) { return inferTest(in) }

func inferTest(in []Fact) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	return []Fact{TensorFact(dtype.Bool, in[0].Shape.Clone())}, nil
}

// Eval tests every element.
func (o *IsNaN) Eval(in []Datum) ([]Datum, error) {
	return evalTest(o, in, func(x float64) bool { return x != x })
}

func evalTest(o Op, in []Datum, f func(float64) bool) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	x, err := Convert(arg(in, 0), dtype.Float64)
	if err != nil {
		return nil, err
	}
	y := tensor.New(dtype.Bool, x.Shape()...)
	eltwise.Map(tensor.Data[bool](y), tensor.Data[float64](x), f)
	return Of(y), nil
}

// IsInf tells which elements are infinite, of the signs asked for.
type IsInf struct {
	Negative bool `attr:"detect_negative,default=1"`
	Positive bool `attr:"detect_positive,default=1"`
}

// Name returns "IsInf".
func (*IsInf) Name() string { return "IsInf" }

// Infer returns Bool of the operand's shape.
func (*IsInf) Infer(in []Fact, _ int) ([]Fact, error) { return inferTest(in) }

// Eval tests every element.
func (o *IsInf) Eval(in []Datum) ([]Datum, error) {
	return evalTest(o, in, func(x float64) bool {
		return x == x && x-x != 0 && (x > 0 && o.Positive || x < 0 && o.Negative)
	})
}

// Where takes from the second operand where the first holds, else from the
// third.
type Where struct{}

// Name returns "Where".
func (*Where) Name() string { return "Where" }

// Infer returns the broadcast shape, and the values of shape tensors.
func (*Where) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 3, 3); err != nil {
		return nil, err
	}
	typ, err := sameType(in[1], in[2])
	if err != nil {
		return nil, err
	}
	shape, err := Broadcast(in[0].Shape, in[1].Shape, in[2].Shape)
	if err != nil {
		return nil, err
	}
	out := TensorFact(typ, shape)
	c, cok := values(in[0])
	a, aok := values(in[1])
	b, bok := values(in[2])
	if cok && aok && bok && typ.IsInteger() && len(c) == len(a) && len(a) == len(b) {
		for i := range c {
			switch n, ok := c[i].Int(); {
			case !ok:
				out.Values = append(out.Values, Unknown)
			case n != 0:
				out.Values = append(out.Values, a[i])
			default:
				out.Values = append(out.Values, b[i])
			}
		}
	}
	return []Fact{out}, nil
}

// Eval chooses every element, of any type.
func (o *Where) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	if arg(in, 0).Type() != dtype.Bool {
		return nil, fmt.Errorf("condition of type %v, want bool", arg(in, 0).Type())
	}
	shape, _ := out[0].Shape.Ints()
	y := tensor.New(arg(in, 1).Type(), shape...)
	switch y.Type().Bits() {
	case 8:
		choose[uint8](y, in)
	case 16:
		choose[uint16](y, in)
	case 32:
		choose[uint32](y, in)
	case 64:
		choose[uint64](y, in)
	default:
		return nil, fmt.Errorf("%v elements are not chosen", y.Type())
	}
	return Of(y), nil
}

func choose[T tensor.Element](y *tensor.Tensor, in []Datum) {
	c, a, b := arg(in, 0), arg(in, 1), arg(in, 2)
	cs, _ := eltwise.BroadcastStrides(c.Shape(), y.Shape())
	as, _ := eltwise.BroadcastStrides(a.Shape(), y.Shape())
	bs, _ := eltwise.BroadcastStrides(b.Shape(), y.Shape())
	eltwise.Where(tensor.Data[T](y), y.Shape(), tensor.Data[bool](c), cs, tensor.Data[T](a), as, tensor.Data[T](b), bs)
}

// Quantization: both choices are activations.
func (*Where) Quantization() Facts {
	f := NoFacts()
	f.Data = []int{1, 2}
	return f
}

// Equal tells where the first operand is equal.
type Equal struct{}

// Name returns "Equal".
func (*Equal) Name() string { return "Equal" }

// Infer returns Bool of the broadcast shape.
func (*Equal) Infer(in []Fact, _ int) ([]Fact, error) { return inferBinary(in, dtype.Bool) }

// Eval compares every element.
func (o *Equal) Eval(in []Datum) ([]Datum, error) {
	return evalCompare(o, in, func(a, b float32) bool { return a == b }, func(a, b float64) bool { return a == b }, func(a, b int64) bool { return a == b })
}

// Greater tells where the first operand is greater than the second.
type Greater struct{}

// Name returns "Greater".
func (*Greater) Name() string { return "Greater" }

// Infer returns Bool of the broadcast shape.
func (*Greater) Infer(in []Fact, _ int) ([]Fact, error) { return inferBinary(in, dtype.Bool) }

// Eval compares every element.
func (o *Greater) Eval(in []Datum) ([]Datum, error) {
	return evalCompare(o, in, func(a, b float32) bool { return a > b }, func(a, b float64) bool { return a > b }, func(a, b int64) bool { return a > b })
}

// Less tells where the first operand is less than the second.
type Less struct{}

// Name returns "Less".
func (*Less) Name() string { return "Less" }

// Infer returns Bool of the broadcast shape.
func (*Less) Infer(in []Fact, _ int) ([]Fact, error) { return inferBinary(in, dtype.Bool) }

// Eval compares every element.
func (o *Less) Eval(in []Datum) ([]Datum, error) {
	return evalCompare(o, in, func(a, b float32) bool { return a < b }, func(a, b float64) bool { return a < b }, func(a, b int64) bool { return a < b })
}

// GreaterOrEqual tells where the first operand is greater than or equal to the second.
type GreaterOrEqual struct{}

// Name returns "GreaterOrEqual".
func (*GreaterOrEqual) Name() string { return "GreaterOrEqual" }

// Infer returns Bool of the broadcast shape.
func (*GreaterOrEqual) Infer(in []Fact, _ int) ([]Fact, error) { return inferBinary(in, dtype.Bool) }

// Eval compares every element.
func (o *GreaterOrEqual) Eval(in []Datum) ([]Datum, error) {
	return evalCompare(o, in, func(a, b float32) bool { return a >= b }, func(a, b float64) bool { return a >= b }, func(a, b int64) bool { return a >= b })
}

// LessOrEqual tells where the first operand is less than or equal to the second.
type LessOrEqual struct{}

// Name returns "LessOrEqual".
func (*LessOrEqual) Name() string { return "LessOrEqual" }

// Infer returns Bool of the broadcast shape.
func (*LessOrEqual) Infer(in []Fact, _ int) ([]Fact, error) { return inferBinary(in, dtype.Bool) }

// Eval compares every element.
func (o *LessOrEqual) Eval(in []Datum) ([]Datum, error) {
	return evalCompare(o, in, func(a, b float32) bool { return a <= b }, func(a, b float64) bool { return a <= b }, func(a, b int64) bool { return a <= b })
}

// And computes whether both hold of two broadcast operands.
type And struct{}

// Name returns "And".
func (*And) Name() string { return "And" }

// Infer returns the broadcast shape.
func (*And) Infer(in []Fact, _ int) ([]Fact, error) { return inferBinary(in, dtype.Invalid) }

// Eval computes every element.
func (o *And) Eval(in []Datum) ([]Datum, error) {
	return evalBinary(o, in, binary{i64: func(dst, a, b []int64) {
		eltwise.Zip(dst, a, b, func(x, y int64) int64 { return x & y })
	}})
}

// Or computes whether one holds of two broadcast operands.
type Or struct{}

// Name returns "Or".
func (*Or) Name() string { return "Or" }

// Infer returns the broadcast shape.
func (*Or) Infer(in []Fact, _ int) ([]Fact, error) { return inferBinary(in, dtype.Invalid) }

// Eval computes every element.
func (o *Or) Eval(in []Datum) ([]Datum, error) {
	return evalBinary(o, in, binary{i64: func(dst, a, b []int64) {
		eltwise.Zip(dst, a, b, func(x, y int64) int64 { return x | y })
	}})
}

// Xor computes whether exactly one holds of two broadcast operands.
type Xor struct{}

// Name returns "Xor".
func (*Xor) Name() string { return "Xor" }

// Infer returns the broadcast shape.
func (*Xor) Infer(in []Fact, _ int) ([]Fact, error) { return inferBinary(in, dtype.Invalid) }

// Eval computes every element.
func (o *Xor) Eval(in []Datum) ([]Datum, error) {
	return evalBinary(o, in, binary{i64: func(dst, a, b []int64) {
		eltwise.Zip(dst, a, b, func(x, y int64) int64 { return x ^ y })
	}})
}

// BitwiseAnd computes the common bits of two broadcast operands.
type BitwiseAnd struct{}

// Name returns "BitwiseAnd".
func (*BitwiseAnd) Name() string { return "BitwiseAnd" }

// Infer returns the broadcast shape.
func (*BitwiseAnd) Infer(in []Fact, _ int) ([]Fact, error) { return inferBinary(in, dtype.Invalid) }

// Eval computes every element.
func (o *BitwiseAnd) Eval(in []Datum) ([]Datum, error) {
	return evalBinary(o, in, binary{i64: func(dst, a, b []int64) {
		eltwise.Zip(dst, a, b, func(x, y int64) int64 { return x & y })
	}})
}

// BitwiseOr computes the bits of either of two broadcast operands.
type BitwiseOr struct{}

// Name returns "BitwiseOr".
func (*BitwiseOr) Name() string { return "BitwiseOr" }

// Infer returns the broadcast shape.
func (*BitwiseOr) Infer(in []Fact, _ int) ([]Fact, error) { return inferBinary(in, dtype.Invalid) }

// Eval computes every element.
func (o *BitwiseOr) Eval(in []Datum) ([]Datum, error) {
	return evalBinary(o, in, binary{i64: func(dst, a, b []int64) {
		eltwise.Zip(dst, a, b, func(x, y int64) int64 { return x | y })
	}})
}

// BitwiseXor computes the bits that differ of two broadcast operands.
type BitwiseXor struct{}

// Name returns "BitwiseXor".
func (*BitwiseXor) Name() string { return "BitwiseXor" }

// Infer returns the broadcast shape.
func (*BitwiseXor) Infer(in []Fact, _ int) ([]Fact, error) { return inferBinary(in, dtype.Invalid) }

// Eval computes every element.
func (o *BitwiseXor) Eval(in []Datum) ([]Datum, error) {
	return evalBinary(o, in, binary{i64: func(dst, a, b []int64) {
		eltwise.Zip(dst, a, b, func(x, y int64) int64 { return x ^ y })
	}})
}
