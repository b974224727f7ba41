package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// inferUnary is Infer of operators whose output has the type and shape of
// their first operand; extra optional operands may follow.
func inferUnary(in []Fact, most int) ([]Fact, error) {
	if err := need(in, 1, most); err != nil {
		return nil, err
	}
	return []Fact{TensorFact(in[0].Type, in[0].Shape.Clone())}, nil
}

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
	if !x.Type().IsFloat() {
		return nil, fmt.Errorf("%v is no floating-point type", x.Type())
	}
	f, err := Convert(x, dtype.Float32)
	if err != nil {
		return nil, err
	}
	out := tensor.New(dtype.Float32, x.Shape()...)
	eltwise.Map(tensor.Data[float32](out), tensor.Data[float32](f), fn)
	y, err := Convert(out, x.Type())
	return Of(y), err
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

// numeric runs one of the functions by element type. Each gets typed slices.
type numeric struct {
	f32 func(float32) float32
	f64 func(float64) float64
	i64 func(int64) int64 // for the integer types; wraps
}

// evalNumeric maps elements of any numeric type.
func evalNumeric(o Op, in []Datum, fn numeric) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	x := arg(in, 0)
	switch {
	case x.Type() == dtype.Float64:
		out := tensor.New(dtype.Float64, x.Shape()...)
		eltwise.Map(tensor.Data[float64](out), tensor.Data[float64](x), fn.f64)
		return Of(out), nil
	case x.Type().IsFloat():
		return evalUnary(o, in, fn.f32)
	}
	ints, ok := tensor.Ints(x)
	if !ok || !x.Type().IsInteger() {
		return nil, fmt.Errorf("%v is no numeric type", x.Type())
	}
	res := make([]int64, len(ints))
	for i, v := range ints {
		res[i] = fn.i64(v)
	}
	return Of(tensor.FromInts(x.Type(), res, x.Shape()...)), nil
}

// Abs computes |x| of any numeric type.
type Abs struct{}

// Name returns "Abs".
func (*Abs) Name() string { return "Abs" }

// Infer returns the operand's type and shape.
func (*Abs) Infer(in []Fact, _ int) ([]Fact, error) { return inferUnary(in, 1) }

// Eval computes every element.
func (o *Abs) Eval(in []Datum) ([]Datum, error) {
	return evalNumeric(o, in, numeric{
		func(x float32) float32 { return abs(x) },
		func(x float64) float64 { return abs(x) },
		func(x int64) int64 { return max(x, -x) },
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
	out, err := inferUnary(in, 1)
	if err == nil {
		if v, ok := values(in[0]); ok {
			for _, d := range v {
				out[0].Values = append(out[0].Values, Size(0).Sub(d))
			}
		}
	}
	return out, err
}

// Eval computes every element.
func (o *Neg) Eval(in []Datum) ([]Datum, error) {
	return evalNumeric(o, in, numeric{
		func(x float32) float32 { return -x },
		func(x float64) float64 { return -x },
		func(x int64) int64 { return -x },
	})
}

// Sign gives −1, 0 or 1.
type Sign struct{}

// Name returns "Sign".
func (*Sign) Name() string { return "Sign" }

// Infer returns the operand's type and shape.
func (*Sign) Infer(in []Fact, _ int) ([]Fact, error) { return inferUnary(in, 1) }

// Eval computes every element.
func (o *Sign) Eval(in []Datum) ([]Datum, error) {
	return evalNumeric(o, in, numeric{sign[float32], sign[float64], sign[int64]})
}

func sign[T float32 | float64 | int64](x T) T {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}
