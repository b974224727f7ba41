package op

import (
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
)

// The operators of one floating-point operand without attributes.

// Floor computes x rounded down.
type Floor struct{}

// Name returns "Floor".
func (*Floor) Name() string { return "Floor" }

// Infer returns the operand's type and shape.
func (*Floor) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Floor) Eval(in []Datum) ([]Datum, error) {
	return evalReal(o, in, func(x float32) float32 { return float32(math.Floor(float64(x))) }, math.Floor)
}

// Ceil computes x rounded up.
type Ceil struct{}

// Name returns "Ceil".
func (*Ceil) Name() string { return "Ceil" }

// Infer returns the operand's type and shape.
func (*Ceil) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Ceil) Eval(in []Datum) ([]Datum, error) {
	return evalReal(o, in, func(x float32) float32 { return float32(math.Ceil(float64(x))) }, math.Ceil)
}

// Round computes x rounded half to even.
type Round struct{}

// Name returns "Round".
func (*Round) Name() string { return "Round" }

// Infer returns the operand's type and shape.
func (*Round) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Round) Eval(in []Datum) ([]Datum, error) {
	return evalReal(o, in, func(x float32) float32 { return float32(math.RoundToEven(float64(x))) }, math.RoundToEven)
}

// Sqrt computes the square root of x.
type Sqrt struct{}

// Name returns "Sqrt".
func (*Sqrt) Name() string { return "Sqrt" }

// Infer returns the operand's type and shape.
func (*Sqrt) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Sqrt) Eval(in []Datum) ([]Datum, error) {
	return evalReal(o, in, eltwise.Sqrt, math.Sqrt)
}

// Quantization: an elementwise function.
func (*Sqrt) Quantization() Facts { return elementwise(nil) }

// Exp computes e to the power of x.
type Exp struct{}

// Name returns "Exp".
func (*Exp) Name() string { return "Exp" }

// Infer returns the operand's type and shape.
func (*Exp) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Exp) Eval(in []Datum) ([]Datum, error) {
	return evalReal(o, in, eltwise.Exp, eltwise.Exp64)
}

// Quantization: an elementwise function.
func (*Exp) Quantization() Facts { return elementwise(nil) }

// Log computes the natural logarithm of x.
type Log struct{}

// Name returns "Log".
func (*Log) Name() string { return "Log" }

// Infer returns the operand's type and shape.
func (*Log) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Log) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, eltwise.Log)
}

// Erf computes the error function of x.
type Erf struct{}

// Name returns "Erf".
func (*Erf) Name() string { return "Erf" }

// Infer returns the operand's type and shape.
func (*Erf) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Erf) Eval(in []Datum) ([]Datum, error) {
	return evalReal(o, in, eltwise.Erf, eltwise.Erf64)
}

// Quantization: an elementwise function.
func (*Erf) Quantization() Facts { return elementwise(&Interval{-1, 1}) }

// Reciprocal computes 1/x.
type Reciprocal struct{}

// Name returns "Reciprocal".
func (*Reciprocal) Name() string { return "Reciprocal" }

// Infer returns the operand's type and shape.
func (*Reciprocal) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Reciprocal) Eval(in []Datum) ([]Datum, error) {
	return evalReal(o, in, reciprocal[float32], reciprocal[float64])
}

// Quantization: an elementwise function.
func (*Reciprocal) Quantization() Facts { return elementwise(nil) }

func reciprocal[T float32 | float64](x T) T { return 1 / x }

// Sin computes the sine of x.
type Sin struct{}

// Name returns "Sin".
func (*Sin) Name() string { return "Sin" }

// Infer returns the operand's type and shape.
func (*Sin) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Sin) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, eltwise.Sin)
}

// Cos computes the cosine of x.
type Cos struct{}

// Name returns "Cos".
func (*Cos) Name() string { return "Cos" }

// Infer returns the operand's type and shape.
func (*Cos) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Cos) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, eltwise.Cos)
}

// Tan computes the tangent of x.
type Tan struct{}

// Name returns "Tan".
func (*Tan) Name() string { return "Tan" }

// Infer returns the operand's type and shape.
func (*Tan) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Tan) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, eltwise.Tan)
}

// Asin computes the inverse sine of x.
type Asin struct{}

// Name returns "Asin".
func (*Asin) Name() string { return "Asin" }

// Infer returns the operand's type and shape.
func (*Asin) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Asin) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, eltwise.Asin)
}

// Acos computes the inverse cosine of x.
type Acos struct{}

// Name returns "Acos".
func (*Acos) Name() string { return "Acos" }

// Infer returns the operand's type and shape.
func (*Acos) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Acos) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, eltwise.Acos)
}

// Atan computes the inverse tangent of x.
type Atan struct{}

// Name returns "Atan".
func (*Atan) Name() string { return "Atan" }

// Infer returns the operand's type and shape.
func (*Atan) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Atan) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, eltwise.Atan)
}

// Sinh computes the hyperbolic sine of x.
type Sinh struct{}

// Name returns "Sinh".
func (*Sinh) Name() string { return "Sinh" }

// Infer returns the operand's type and shape.
func (*Sinh) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Sinh) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, eltwise.Sinh)
}

// Cosh computes the hyperbolic cosine of x.
type Cosh struct{}

// Name returns "Cosh".
func (*Cosh) Name() string { return "Cosh" }

// Infer returns the operand's type and shape.
func (*Cosh) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Cosh) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, eltwise.Cosh)
}

// Asinh computes the inverse hyperbolic sine of x.
type Asinh struct{}

// Name returns "Asinh".
func (*Asinh) Name() string { return "Asinh" }

// Infer returns the operand's type and shape.
func (*Asinh) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Asinh) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, eltwise.Asinh)
}

// Acosh computes the inverse hyperbolic cosine of x.
type Acosh struct{}

// Name returns "Acosh".
func (*Acosh) Name() string { return "Acosh" }

// Infer returns the operand's type and shape.
func (*Acosh) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Acosh) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, eltwise.Acosh)
}

// Atanh computes the inverse hyperbolic tangent of x.
type Atanh struct{}

// Name returns "Atanh".
func (*Atanh) Name() string { return "Atanh" }

// Infer returns the operand's type and shape.
func (*Atanh) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Atanh) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, eltwise.Atanh)
}

// Softsign computes x/(1+|x|).
type Softsign struct{}

// Name returns "Softsign".
func (*Softsign) Name() string { return "Softsign" }

// Infer returns the operand's type and shape.
func (*Softsign) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Softsign) Eval(in []Datum) ([]Datum, error) {
	return evalReal(o, in, eltwise.Softsign, func(x float64) float64 { return x / (1 + math.Abs(x)) })
}

// Quantization: an elementwise function.
func (*Softsign) Quantization() Facts { return elementwise(&Interval{-1, 1}) }

// Softplus computes log(1+e^x).
type Softplus struct{}

// Name returns "Softplus".
func (*Softplus) Name() string { return "Softplus" }

// Infer returns the operand's type and shape.
func (*Softplus) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Softplus) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, eltwise.Softplus)
}

// Quantization: an elementwise function.
func (*Softplus) Quantization() Facts { return elementwise(nil) }

// Sigmoid computes 1/(1+e^-x).
type Sigmoid struct{}

// Name returns "Sigmoid".
func (*Sigmoid) Name() string { return "Sigmoid" }

// Infer returns the operand's type and shape.
func (*Sigmoid) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Sigmoid) Eval(in []Datum) ([]Datum, error) {
	return evalReal(o, in, eltwise.Sigmoid, eltwise.Sigmoid64)
}

// Quantization: an elementwise function.
func (*Sigmoid) Quantization() Facts { return elementwise(&Interval{0, 1}) }

// Tanh computes the hyperbolic tangent of x.
type Tanh struct{}

// Name returns "Tanh".
func (*Tanh) Name() string { return "Tanh" }

// Infer returns the operand's type and shape.
func (*Tanh) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Tanh) Eval(in []Datum) ([]Datum, error) {
	return evalReal(o, in, eltwise.Tanh, eltwise.Tanh64)
}

// Quantization: an elementwise function.
func (*Tanh) Quantization() Facts { return elementwise(&Interval{-1, 1}) }

// HardSwish computes x·max(0, min(1, x/6+0.5)).
type HardSwish struct{}

// Name returns "HardSwish".
func (*HardSwish) Name() string { return "HardSwish" }

// Infer returns the operand's type and shape.
func (*HardSwish) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *HardSwish) Eval(in []Datum) ([]Datum, error) {
	return evalReal(o, in, eltwise.HardSwish, func(x float64) float64 { return x * hardSigmoid64(x, 1.0/6, 0.5) })
}

// Quantization: an elementwise function.
func (*HardSwish) Quantization() Facts { return elementwise(nil) }

// Mish computes x·tanh(softplus(x)).
type Mish struct{}

// Name returns "Mish".
func (*Mish) Name() string { return "Mish" }

// Infer returns the operand's type and shape.
func (*Mish) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Mish) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, eltwise.Mish)
}

// Quantization: an elementwise function.
func (*Mish) Quantization() Facts { return elementwise(nil) }
