package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// compute evaluates an operator and returns its first output; nil is an absent
// operand.
func compute(e Evaluator, in ...*tensor.Tensor) (*tensor.Tensor, error) {
	out, err := e.Eval(Of(in...))
	if err != nil {
		return nil, err
	}
	return out[0].Tensor, nil
}

// needOnly checks that there are at least min and at most max inputs, and that
// those listed are present.
func needOnly(in []Fact, min, max int, present ...int) error {
	if len(in) < min || len(in) > max {
		return ArityError(fmt.Sprintf("got %d inputs, want %s", len(in), span(min, max)))
	}
	for _, i := range present {
		if !in[i].Present() {
			return ArityError(fmt.Sprintf("input %d is missing", i))
		}
	}
	return nil
}

// addAll adds the operands that are present from left to right.
func addAll(x *tensor.Tensor, more ...*tensor.Tensor) (*tensor.Tensor, error) {
	for _, t := range more {
		if t == nil {
			continue
		}
		var err error
		if x, err = compute(&Add{}, x, t); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// lastDim returns the last dimension, Unknown where it is not known.
func lastDim(s Shape) Dim {
	if len(s) == 0 {
		return Unknown
	}
	return s[len(s)-1]
}

// inferBiased checks data of rank 1 or more and a bias for its last axis.
func inferBiased(in []Fact, min, max int) ([]Fact, error) {
	if err := need(in, min, max); err != nil {
		return nil, err
	}
	typ, err := wantFloats(in...)
	if err != nil {
		return nil, err
	}
	x := in[0].Shape
	if x != nil && len(x) == 0 {
		return nil, fmt.Errorf("a scalar, want data with an axis for the bias")
	}
	return []Fact{TensorFact(typ, x.Clone())}, wantLength(input(in, 1), "bias", lastDim(x))
}

// evalBiased is f(x + bias).
func evalBiased(o Op, in []Datum, f Evaluator) ([]Datum, error) {
	return evalWide(o, in, 1, true, func(in []Datum, _ []Fact) ([]Datum, error) {
		x, err := addAll(arg(in, 0), arg(in, 1))
		if err != nil {
			return nil, err
		}
		y, err := compute(f, x)
		return Of(y), err
	})
}

// FastGelu is Gelu by its tanh approximation of X plus an optional bias [last
// axis of X] (ONNX Runtime, com.microsoft).
type FastGelu struct{}

// Name returns "FastGelu".
func (*FastGelu) Name() string { return "FastGelu" }

// Infer returns X's type and shape.
func (*FastGelu) Infer(in []Fact, _ int) ([]Fact, error) { return inferBiased(in, 1, 2) }

// Eval adds the bias, rounds, and computes every element.
func (o *FastGelu) Eval(in []Datum) ([]Datum, error) {
	return evalBiased(o, in, &Gelu{Approximate: "tanh"})
}

// Quantization says that X is data and the bias, which is added before the
// function, is not.
func (*FastGelu) Quantization() Facts { return dataOnly() }

// BiasGelu is Gelu by erf of A plus a bias B [last axis of A] (ONNX Runtime,
// com.microsoft).
type BiasGelu struct{}

// Name returns "BiasGelu".
func (*BiasGelu) Name() string { return "BiasGelu" }

// Infer returns A's type and shape.
func (*BiasGelu) Infer(in []Fact, _ int) ([]Fact, error) { return inferBiased(in, 2, 2) }

// Eval adds the bias, rounds, and computes every element.
func (o *BiasGelu) Eval(in []Datum) ([]Datum, error) { return evalBiased(o, in, New[Gelu]()) }

// Quantization says that A is data.
func (*BiasGelu) Quantization() Facts { return dataOnly() }

// QuickGelu is x·sigmoid(alpha·x), which the standard calls Swish (ONNX
// Runtime, com.microsoft).
type QuickGelu struct {
	Alpha float32 `attr:"alpha,default=1.702"`
}

// Name returns "QuickGelu".
func (*QuickGelu) Name() string { return "QuickGelu" }

// Infer returns the operand's type and shape.
func (*QuickGelu) Infer(in []Fact, _ int) ([]Fact, error) { return (&Swish{}).Infer(in, 1) }

// Eval computes every element.
func (o *QuickGelu) Eval(in []Datum) ([]Datum, error) {
	s := New[Swish]()
	s.Alpha = o.Alpha
	return s.Eval(in)
}

// Quantization: an elementwise function.
func (*QuickGelu) Quantization() Facts { return elementwise(nil) }

// BiasSplitGelu adds a bias [D] to X [..., D] and multiplies the first half of
// the last axis by Gelu, by erf, of the second (ONNX Runtime, com.microsoft).
type BiasSplitGelu struct{}

// Name returns "BiasSplitGelu".
func (*BiasSplitGelu) Name() string { return "BiasSplitGelu" }

// Infer halves the last axis.
func (*BiasSplitGelu) Infer(in []Fact, _ int) ([]Fact, error) {
	out, err := inferBiased(in, 2, 2)
	if err != nil || out[0].Shape == nil {
		return out, err
	}
	s := out[0].Shape
	d := lastDim(s)
	if n, ok := d.Int(); ok && n%2 != 0 {
		return nil, fmt.Errorf("last axis of %d, want an even number", n)
	}
	s[len(s)-1] = d.Div(Size(2))
	return out, nil
}

// Eval adds the bias, and multiplies the halves.
func (o *BiasSplitGelu) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 1, true, func(in []Datum, _ []Fact) ([]Datum, error) {
		x, err := addAll(arg(in, 0), arg(in, 1))
		if err != nil {
			return nil, err
		}
		half := x.Shape()[x.Rank()-1] / 2
		halves, err := parts(x, x.Rank()-1, []int{half, half})
		if err != nil {
			return nil, err
		}
		gate, err := compute(New[Gelu](), halves[1])
		if err != nil {
			return nil, err
		}
		y, err := compute(&Mul{}, halves[0], gate)
		return Of(y), err
	})
}

// Quantization says that X is data.
func (*BiasSplitGelu) Quantization() Facts { return dataOnly() }
