package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// inferUnary is Infer of operators whose output has the type and shape of
// their only operand.
func inferUnary(in []Fact) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	return []Fact{TensorFact(in[0].Type, in[0].Shape.Clone())}, nil
}

// inferOf is inferUnary for operands of the accepted types.
func inferOf(in []Fact, ok func(dtype.Type) bool) ([]Fact, error) {
	out, err := inferUnary(in)
	if err != nil {
		return nil, err
	}
	return out, accept(ok, in[0])
}

// accept checks the element types of operands, where they are known.
func accept(ok func(dtype.Type) bool, in ...Fact) error {
	for _, f := range in {
		if f.Type != dtype.Invalid && !ok(f.Type) {
			return fmt.Errorf("operands of type %v are not possible", f.Type)
		}
	}
	return nil
}

func isNumber(t dtype.Type) bool   { return t.IsFloat() || t.IsInteger() }
func isBool(t dtype.Type) bool     { return t == dtype.Bool }
func isUnsigned(t dtype.Type) bool { return t.Class() == dtype.Unsigned }

// elementwise are the facts of a function of each element alone.
func elementwise(r *Interval) Facts {
	f := NoFacts()
	f.Data, f.Elementwise, f.Range = []int{0}, true, r
	return f
}

// evalUnary maps the elements of the first operand; types other than float32
// are computed in float32 and rounded once.
func evalUnary(o Op, in []Datum, fn func(float32) float32) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	x := arg(in, 0)
	f, err := Convert(x, dtype.Float32)
	if err != nil {
		return nil, err
	}
	out := tensor.New(dtype.Float32, x.Shape()...)
	if loop, ok := UnaryLoop(o); ok {
		loop(tensor.Data[float32](out), tensor.Data[float32](f))
	} else {
		eltwise.Map(tensor.Data[float32](out), tensor.Data[float32](f), fn)
	}
	y, err := Convert(out, x.Type())
	return Of(y), err
}

// UnaryLoop returns UnaryFunc, and Swish, as a loop over elements; dst may be x.
func UnaryLoop(o Op) (func(dst, x []float32), bool) {
	switch o := o.(type) {
	case *Relu:
		return func(dst, x []float32) { eltwise.ClampAll(dst, x, 0, float32(math.Inf(1))) }, true
	case *Sigmoid:
		return eltwise.SigmoidAll, true
	case *Tanh:
		return eltwise.TanhAll, true
	case *Erf:
		return eltwise.ErfAll, true
	case *Exp:
		return func(dst, x []float32) { eltwise.ExpAll(dst, x, 0) }, true
	case *Swish:
		return func(dst, x []float32) { eltwise.SwishAll(dst, x, o.Alpha) }, true
	case *HardSigmoid:
		return func(dst, x []float32) { eltwise.HardSigmoidAll(dst, x, o.Alpha, o.Beta) }, true
	case *HardSwish:
		return eltwise.HardSwishAll, true
	case *Gelu:
		if o.Approximate == "tanh" {
			return eltwise.GeluTanhAll, true
		}
		return eltwise.GeluAll, true
	}
	fn, ok := UnaryFunc(o)
	return func(dst, x []float32) { eltwise.Map(dst, x, fn) }, ok
}

// UnaryFunc returns the float32 function of an elementwise operator of one
// operand, and false for other operators. Clip and other operators with more
// operands are not among them.
func UnaryFunc(o Op) (func(float32) float32, bool) {
	switch o := o.(type) {
	case *Relu:
		return func(x float32) float32 { return max(x, 0) }, true
	case *Sigmoid:
		return eltwise.Sigmoid, true
	case *Tanh:
		return eltwise.Tanh, true
	case *HardSwish:
		return eltwise.HardSwish, true
	case *Erf:
		return eltwise.Erf, true
	case *Exp:
		return eltwise.Exp, true
	case *Log:
		return eltwise.Log, true
	case *Sqrt:
		return eltwise.Sqrt, true
	case *Gelu:
		return o.fn(), true
	case *LeakyRelu:
		return func(x float32) float32 { return eltwise.LeakyRelu(x, o.Alpha) }, true
	case *HardSigmoid:
		return func(x float32) float32 { return eltwise.HardSigmoid(x, o.Alpha, o.Beta) }, true
	}
	return nil, false
}

// number is an element type that arithmetic is defined on.
type number interface {
	float32 | float64 | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

// native returns the type in which t is computed: its own, or float32 for the
// narrow floats.
func native(t dtype.Type) dtype.Type {
	if t.IsFloat() && t != dtype.Float64 {
		return dtype.Float32
	}
	return t
}

// numeric is a function of each element by element type; nil where the
// operator does not take the type. i64 serves all integers, and wraps, but
// Uint64 where u64 is given.
type numeric struct {
	f32 func(float32) float32
	f64 func(float64) float64
	i64 func(int64) int64
	u64 func(uint64) uint64
}

// evalReal maps floating-point elements, Float64 in its own arithmetic.
func evalReal(o Op, in []Datum, f32 func(float32) float32, f64 func(float64) float64) ([]Datum, error) {
	return evalNumeric(o, in, numeric{f32: f32, f64: f64})
}

// evalNumeric maps elements of any numeric type.
func evalNumeric(o Op, in []Datum, fn numeric) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	x := arg(in, 0)
	switch typ := x.Type(); {
	case typ == dtype.Float64 && fn.f64 != nil:
		return Of(mapTo(x, tensor.Data[float64], fn.f64)), nil
	case typ.IsFloat() && fn.f32 != nil:
		return evalUnary(o, in, fn.f32)
	case typ == dtype.Uint64 && fn.u64 != nil:
		return Of(mapTo(x, tensor.Data[uint64], fn.u64)), nil
	case typ.IsInteger() && fn.i64 != nil:
		return Of(tensor.FromInts(typ, integers(mapTo(x, integers, fn.i64)), x.Shape()...)), nil
	}
	return nil, fmt.Errorf("operands of type %v are not possible", x.Type())
}

func mapTo[T tensor.Element](x *tensor.Tensor, data func(*tensor.Tensor) []T, f func(T) T) *tensor.Tensor {
	dst := make([]T, x.Len())
	eltwise.Map(dst, data(x), f)
	return tensor.FromSlice(dst, x.Shape()...)
}

// integers returns the elements of an integer or Bool tensor.
func integers(t *tensor.Tensor) []int64 {
	v, _ := tensor.Ints(t)
	return v
}

func identity[T any](x T) T { return x }

// Abs computes |x| of any numeric type.
type Abs struct{}

// Name returns "Abs".
func (*Abs) Name() string { return "Abs" }

// Infer returns the operand's type and shape.
func (*Abs) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, isNumber) }

// Eval computes every element.
func (o *Abs) Eval(in []Datum) ([]Datum, error) {
	return evalNumeric(o, in, numeric{
		func(x float32) float32 { return abs(x) },
		func(x float64) float64 { return abs(x) },
		func(x int64) int64 { return max(x, -x) },
		identity[uint64],
	})
}

func abs[T float32 | float64](x T) T {
	if x < 0 {
		return -x
	}
	return x + 0 // −0 becomes 0
}

// Neg computes −x of any signed type.
type Neg struct{}

// Name returns "Neg".
func (*Neg) Name() string { return "Neg" }

// Infer returns the operand's type and shape, and the negated values of a
// shape tensor.
func (*Neg) Infer(in []Fact, _ int) ([]Fact, error) {
	out, err := inferOf(in, isNumber)
	if err != nil {
		return nil, err
	}
	if v, ok := values(in[0]); ok {
		neg := make([]Dim, len(v))
		for i, d := range v {
			neg[i] = Size(0).Sub(d)
		}
		out[0].Values = held(neg, out[0].Type)
	}
	return out, nil
}

// Eval computes every element.
func (o *Neg) Eval(in []Datum) ([]Datum, error) {
	return evalNumeric(o, in, numeric{
		func(x float32) float32 { return -x },
		func(x float64) float64 { return -x },
		func(x int64) int64 { return -x },
		nil,
	})
}

// Sign gives −1, 0 or 1.
type Sign struct{}

// Name returns "Sign".
func (*Sign) Name() string { return "Sign" }

// Infer returns the operand's type and shape.
func (*Sign) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, isNumber) }

// Eval computes every element.
func (o *Sign) Eval(in []Datum) ([]Datum, error) {
	return evalNumeric(o, in, numeric{sign[float32], sign[float64], sign[int64], sign[uint64]})
}

func sign[T float32 | float64 | int64 | uint64](x T) T {
	var zero, one T = 0, 1
	switch {
	case x > 0:
		return one
	case x < 0:
		return zero - one
	}
	return x
}
