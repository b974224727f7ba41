package op

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Not negates Bool.
type Not struct{}

// Name returns "Not".
func (*Not) Name() string { return "Not" }

// Infer returns the operand's shape.
func (*Not) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, isBool) }

// Eval computes every element.
func (o *Not) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	x := arg(in, 0)
	y := tensor.New(dtype.Bool, x.Shape()...)
	eltwise.Map(tensor.Data[bool](y), tensor.Data[bool](x), func(b bool) bool { return !b })
	return Of(y), nil
}

// BitwiseNot inverts every bit.
type BitwiseNot struct{}

// Name returns "BitwiseNot".
func (*BitwiseNot) Name() string { return "BitwiseNot" }

// Infer returns the operand's type and shape.
func (*BitwiseNot) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferOf(in, dtype.Type.IsInteger)
}

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
	out, err := inferOf(in, dtype.Type.IsFloat)
	if err == nil {
		out[0].Type = dtype.Bool
	}
	return out, err
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

// And tells whether both hold of two broadcast operands.
type And struct{}

// Name returns "And".
func (*And) Name() string { return "And" }

// Infer returns the broadcast shape.
func (*And) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferBinary(in, dtype.Bool, isBool)
}

// Eval computes every element.
func (o *And) Eval(in []Datum) ([]Datum, error) {
	return evalBinary(o, in, binary{i64: zip(func(x, y int64) int64 { return x & y })})
}

// Or tells whether one holds of two broadcast operands.
type Or struct{}

// Name returns "Or".
func (*Or) Name() string { return "Or" }

// Infer returns the broadcast shape.
func (*Or) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferBinary(in, dtype.Bool, isBool)
}

// Eval computes every element.
func (o *Or) Eval(in []Datum) ([]Datum, error) {
	return evalBinary(o, in, binary{i64: zip(func(x, y int64) int64 { return x | y })})
}

// Xor tells whether exactly one holds of two broadcast operands.
type Xor struct{}

// Name returns "Xor".
func (*Xor) Name() string { return "Xor" }

// Infer returns the broadcast shape.
func (*Xor) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferBinary(in, dtype.Bool, isBool)
}

// Eval computes every element.
func (o *Xor) Eval(in []Datum) ([]Datum, error) {
	return evalBinary(o, in, binary{i64: zip(func(x, y int64) int64 { return x ^ y })})
}

// BitwiseAnd computes the common bits of two broadcast operands.
type BitwiseAnd struct{}

// Name returns "BitwiseAnd".
func (*BitwiseAnd) Name() string { return "BitwiseAnd" }

// Infer returns the broadcast shape.
func (*BitwiseAnd) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferBinary(in, dtype.Invalid, dtype.Type.IsInteger)
}

// Eval computes every element.
func (o *BitwiseAnd) Eval(in []Datum) ([]Datum, error) {
	return evalBinary(o, in, binary{i64: zip(func(x, y int64) int64 { return x & y })})
}

// BitwiseOr computes the bits of either of two broadcast operands.
type BitwiseOr struct{}

// Name returns "BitwiseOr".
func (*BitwiseOr) Name() string { return "BitwiseOr" }

// Infer returns the broadcast shape.
func (*BitwiseOr) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferBinary(in, dtype.Invalid, dtype.Type.IsInteger)
}

// Eval computes every element.
func (o *BitwiseOr) Eval(in []Datum) ([]Datum, error) {
	return evalBinary(o, in, binary{i64: zip(func(x, y int64) int64 { return x | y })})
}

// BitwiseXor computes the bits that differ of two broadcast operands.
type BitwiseXor struct{}

// Name returns "BitwiseXor".
func (*BitwiseXor) Name() string { return "BitwiseXor" }

// Infer returns the broadcast shape.
func (*BitwiseXor) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferBinary(in, dtype.Invalid, dtype.Type.IsInteger)
}

// Eval computes every element.
func (o *BitwiseXor) Eval(in []Datum) ([]Datum, error) {
	return evalBinary(o, in, binary{i64: zip(func(x, y int64) int64 { return x ^ y })})
}
