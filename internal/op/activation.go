package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Relu computes max(x, 0).
type Relu struct{}

// Name returns "Relu".
func (*Relu) Name() string { return "Relu" }

// Infer returns the operand's type and shape.
func (*Relu) Infer(in []Fact, _ int) ([]Fact, error) { return inferUnary(in, 1) }

// Eval computes every element.
func (o *Relu) Eval(in []Datum) ([]Datum, error) {
	return evalNumeric(o, in, numeric{
		func(x float32) float32 { return max(x, 0) },
		func(x float64) float64 { return max(x, 0) },
		func(x int64) int64 { return max(x, 0) },
	})
}

// Quantization: a limit from below.
func (*Relu) Quantization() Facts {
	f := elementwise(&Interval{0, math.Inf(1)})
	f.Clamp = f.Range
	return f
}

// Clip limits x to [min, max], the optional second and third operands.
type Clip struct{}

// Name returns "Clip".
func (*Clip) Name() string { return "Clip" }

// Infer returns the first operand's type and shape.
func (*Clip) Infer(in []Fact, _ int) ([]Fact, error) { return inferUnary(in, 3) }

// Eval computes every element: min(max(x, lo), hi).
func (o *Clip) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	x := arg(in, 0)
	bound := func(i int) (*tensor.Tensor, error) {
		b := arg(in, i)
		if b == nil {
			return nil, nil
		}
		if b.Len() != 1 || b.Type() != x.Type() {
			return nil, fmt.Errorf("bound %v of a %v", b, x)
		}
		return Convert(b, native(b.Type()))
	}
	lo, err := bound(1)
	if err != nil {
		return nil, err
	}
	hi, err := bound(2)
	if err != nil {
		return nil, err
	}
	return inNative(x, func(x *tensor.Tensor) (*tensor.Tensor, error) {
		out := tensor.New(x.Type(), x.Shape()...)
		switch x.Type() {
		case dtype.Float32:
			clip[float32](out, x, lo, hi)
		case dtype.Float64:
			clip[float64](out, x, lo, hi)
		case dtype.Int8:
			clip[int8](out, x, lo, hi)
		case dtype.Int16:
			clip[int16](out, x, lo, hi)
		case dtype.Int32:
			clip[int32](out, x, lo, hi)
		case dtype.Int64:
			clip[int64](out, x, lo, hi)
		case dtype.Uint8:
			clip[uint8](out, x, lo, hi)
		case dtype.Uint16:
			clip[uint16](out, x, lo, hi)
		case dtype.Uint32:
			clip[uint32](out, x, lo, hi)
		case dtype.Uint64:
			clip[uint64](out, x, lo, hi)
		default:
			return nil, fmt.Errorf("%v cannot be limited", x.Type())
		}
		return out, nil
	})
}

func clip[T number](out, x, lo, hi *tensor.Tensor) {
	dst := tensor.Data[T](out)
	copy(dst, tensor.Data[T](x))
	if lo != nil {
		l := tensor.Data[T](lo)[0]
		for i, v := range dst {
			dst[i] = max(v, l)
		}
	}
	if hi != nil {
		h := tensor.Data[T](hi)[0]
		for i, v := range dst {
			dst[i] = min(v, h)
		}
	}
}

// inNative runs f on x in the type it is computed in, and converts back.
func inNative(x *tensor.Tensor, f func(*tensor.Tensor) (*tensor.Tensor, error)) ([]Datum, error) {
	n, err := Convert(x, native(x.Type()))
	if err != nil {
		return nil, err
	}
	y, err := f(n)
	if err != nil {
		return nil, err
	}
	y, err = Convert(y, x.Type())
	return Of(y), err
}

// Quantization: a limit whose bounds are operands.
func (*Clip) Quantization() Facts { return elementwise(nil) }

// LeakyRelu computes x, or alpha·x below 0.
type LeakyRelu struct {
	Alpha float32 `attr:"alpha,default=0.01"`
}

// Name returns "LeakyRelu".
func (*LeakyRelu) Name() string { return "LeakyRelu" }

// Infer returns the operand's type and shape.
func (*LeakyRelu) Infer(in []Fact, _ int) ([]Fact, error) { return inferUnary(in, 1) }

// Eval computes every element.
func (o *LeakyRelu) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, func(x float32) float32 { return eltwise.LeakyRelu(x, o.Alpha) })
}

// Quantization: an elementwise function.
func (*LeakyRelu) Quantization() Facts { return elementwise(nil) }

// PRelu computes x, or slope·x below 0, the slope broadcasting to x.
type PRelu struct{}

// Name returns "PRelu".
func (*PRelu) Name() string { return "PRelu" }

// Infer returns the first operand's type and shape.
func (*PRelu) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	return []Fact{TensorFact(in[0].Type, in[0].Shape.Clone())}, nil
}

// Eval computes every element.
func (o *PRelu) Eval(in []Datum) ([]Datum, error) {
	return evalBinary(o, in, binary{
		f32: func(dst, a, b []float32) { eltwise.Zip(dst, a, b, prelu[float32]) },
		f64: func(dst, a, b []float64) { eltwise.Zip(dst, a, b, prelu[float64]) },
		i64: func(dst, a, b []int64) { eltwise.Zip(dst, a, b, prelu[int64]) },
	})
}

func prelu[T float32 | float64 | int64](x, slope T) T {
	if x < 0 {
		return x * slope
	}
	return x
}

// Quantization: the slope is an activation like the input.
func (*PRelu) Quantization() Facts { return NoFacts() }

// ThresholdedRelu computes x where it exceeds alpha, else 0.
type ThresholdedRelu struct {
	Alpha float32 `attr:"alpha,default=1"`
}

// Name returns "ThresholdedRelu".
func (*ThresholdedRelu) Name() string { return "ThresholdedRelu" }

// Infer returns the operand's type and shape.
func (*ThresholdedRelu) Infer(in []Fact, _ int) ([]Fact, error) { return inferUnary(in, 1) }

// Eval computes every element.
func (o *ThresholdedRelu) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, func(x float32) float32 {
		if x > o.Alpha {
			return x
		}
		return 0
	})
}

// HardSigmoid computes max(0, min(1, alpha·x+beta)).
type HardSigmoid struct {
	Alpha float32 `attr:"alpha,default=0.2"`
	Beta  float32 `attr:"beta,default=0.5"`
}

// Name returns "HardSigmoid".
func (*HardSigmoid) Name() string { return "HardSigmoid" }

// Infer returns the operand's type and shape.
func (*HardSigmoid) Infer(in []Fact, _ int) ([]Fact, error) { return inferUnary(in, 1) }

// Eval computes every element.
func (o *HardSigmoid) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, func(x float32) float32 { return eltwise.HardSigmoid(x, o.Alpha, o.Beta) })
}

// Quantization: an elementwise function with values in [0, 1].
func (*HardSigmoid) Quantization() Facts { return elementwise(&Interval{0, 1}) }

// Elu computes x, or alpha·(e^x−1) below 0.
type Elu struct {
	Alpha float32 `attr:"alpha,default=1"`
}

// Name returns "Elu".
func (*Elu) Name() string { return "Elu" }

// Infer returns the operand's type and shape.
func (*Elu) Infer(in []Fact, _ int) ([]Fact, error) { return inferUnary(in, 1) }

// Eval computes every element.
func (o *Elu) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, func(x float32) float32 { return eltwise.Elu(x, o.Alpha) })
}

// Quantization: an elementwise function.
func (*Elu) Quantization() Facts { return elementwise(nil) }

// Selu computes gamma·x, or gamma·alpha·(e^x−1) below 0.
type Selu struct {
	Alpha float32 `attr:"alpha,default=1.67326319217681884765625"`
	Gamma float32 `attr:"gamma,default=1.05070102214813232421875"`
}

// Name returns "Selu".
func (*Selu) Name() string { return "Selu" }

// Infer returns the operand's type and shape.
func (*Selu) Infer(in []Fact, _ int) ([]Fact, error) { return inferUnary(in, 1) }

// Eval computes every element.
func (o *Selu) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, func(x float32) float32 { return eltwise.Selu(x, o.Alpha, o.Gamma) })
}

// Celu computes max(0, x) + min(0, alpha·(e^(x/alpha)−1)).
type Celu struct {
	Alpha float32 `attr:"alpha,default=1"`
}

// Name returns "Celu".
func (*Celu) Name() string { return "Celu" }

// Infer returns the operand's type and shape.
func (*Celu) Infer(in []Fact, _ int) ([]Fact, error) { return inferUnary(in, 1) }

// Eval computes every element.
func (o *Celu) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, func(x float32) float32 { return eltwise.Celu(x, o.Alpha) })
}

// Gelu computes x·Φ(x), exactly or by the tanh approximation.
type Gelu struct {
	Approximate string `attr:"approximate,default=none"`
}

// Name returns "Gelu".
func (*Gelu) Name() string { return "Gelu" }

// Infer returns the operand's type and shape.
func (*Gelu) Infer(in []Fact, _ int) ([]Fact, error) { return inferUnary(in, 1) }

func (o *Gelu) fn() func(float32) float32 {
	if o.Approximate == "tanh" {
		return eltwise.GeluTanh
	}
	return eltwise.Gelu
}

// Eval computes every element.
func (o *Gelu) Eval(in []Datum) ([]Datum, error) { return evalUnary(o, in, o.fn()) }

// Quantization: an elementwise function.
func (*Gelu) Quantization() Facts { return elementwise(nil) }

// Swish computes x·sigmoid(alpha·x).
type Swish struct {
	Alpha float32 `attr:"alpha,default=1"`
}

// Name returns "Swish".
func (*Swish) Name() string { return "Swish" }

// Infer returns the operand's type and shape.
func (*Swish) Infer(in []Fact, _ int) ([]Fact, error) { return inferUnary(in, 1) }

// Eval computes every element.
func (o *Swish) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, func(x float32) float32 { return eltwise.Swish(x, o.Alpha) })
}

// Quantization: an elementwise function.
func (*Swish) Quantization() Facts { return elementwise(nil) }

// Shrink moves values beyond lambd towards 0 by bias and sets the rest to 0.
type Shrink struct {
	Lambd float32 `attr:"lambd,default=0.5"`
	Bias  float32 `attr:"bias,default=0"`
}

// Name returns "Shrink".
func (*Shrink) Name() string { return "Shrink" }

// Infer returns the operand's type and shape.
func (*Shrink) Infer(in []Fact, _ int) ([]Fact, error) { return inferUnary(in, 1) }

// Eval computes every element.
func (o *Shrink) Eval(in []Datum) ([]Datum, error) {
	return evalUnary(o, in, func(x float32) float32 {
		switch {
		case x < -o.Lambd:
			return x + o.Bias
		case x > o.Lambd:
			return x - o.Bias
		}
		return 0
	})
}
