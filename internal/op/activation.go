package op

import (
	"fmt"
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Relu computes max(x, 0).
type Relu struct{}

// Name returns "Relu".
func (*Relu) Name() string { return "Relu" }

// Infer returns the operand's type and shape.
func (*Relu) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, isNumber) }

// Eval computes every element.
func (o *Relu) Eval(in []Datum) ([]Datum, error) {
	return evalNumeric(o, in, numeric{
		func(x float32) float32 { return max(x, 0) },
		func(x float64) float64 { return max(x, 0) },
		func(x int64) int64 { return max(x, 0) },
		identity[uint64],
	})
}

// Quantization: a limit from below.
func (*Relu) Quantization() Facts {
	f := elementwise(&Interval{0, math.Inf(1)})
	f.Clamp = f.Range
	return channelwise(f)
}

// Clip limits x to [min, max], the optional second and third operands.
type Clip struct{}

// Name returns "Clip".
func (*Clip) Name() string { return "Clip" }

// Infer returns the first operand's type and shape.
func (*Clip) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 3); err != nil {
		return nil, err
	}
	if err := accept(isNumber, in...); err != nil {
		return nil, err
	}
	typ, err := sameType(in...)
	if err != nil {
		return nil, err
	}
	for _, bound := range in[1:] {
		if n, ok := bound.Shape.Count().Int(); ok && n != 1 {
			return nil, fmt.Errorf("bound of shape %v, want one number", bound.Shape)
		}
	}
	return []Fact{TensorFact(typ, in[0].Shape.Clone())}, nil
}

// Eval computes every element: min(max(x, lo), hi).
func (o *Clip) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	var bounds [2]*tensor.Tensor
	for i := range bounds {
		b := arg(in, i+1)
		if b == nil {
			continue
		}
		var err error
		if bounds[i], err = Convert(b, native(b.Type())); err != nil {
			return nil, err
		}
	}
	return inNative(arg(in, 0), func(x *tensor.Tensor) (*tensor.Tensor, error) {
		switch x.Type() {
		case dtype.Float32:
			return clip(x, bounds, tensor.Data[float32]), nil
		case dtype.Float64:
			return clip(x, bounds, tensor.Data[float64]), nil
		case dtype.Uint64:
			return clip(x, bounds, tensor.Data[uint64]), nil
		}
		return tensor.FromInts(x.Type(), tensor.Data[int64](clip(x, bounds, integers)), x.Shape()...), nil
	})
}

func clip[T number](x *tensor.Tensor, bounds [2]*tensor.Tensor, data func(*tensor.Tensor) []T) *tensor.Tensor {
	dst := slices.Clone(data(x))
	if bounds[0] != nil {
		lo := data(bounds[0])
		eltwise.Max(dst, dst, lo)
	}
	if bounds[1] != nil {
		hi := data(bounds[1])
		eltwise.Min(dst, dst, hi)
	}
	return tensor.FromSlice(dst, x.Shape()...)
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
func (*Clip) Quantization() Facts {
	f := elementwise(nil)
	f.Bounds = true
	return f
}

// LeakyRelu computes x, or alpha·x below 0.
type LeakyRelu struct {
	Alpha float32 `attr:"alpha,default=0.01"`
}

// Name returns "LeakyRelu".
func (*LeakyRelu) Name() string { return "LeakyRelu" }

// Infer returns the operand's type and shape.
func (*LeakyRelu) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *LeakyRelu) Eval(in []Datum) ([]Datum, error) {
	return evalReal(o, in, func(x float32) float32 { return eltwise.LeakyRelu(x, o.Alpha) },
		func(x float64) float64 { return prelu(x, float64(o.Alpha)) })
}

// Quantization: an elementwise function.
func (*LeakyRelu) Quantization() Facts { return channelwise(elementwise(nil)) }

// PRelu computes x, or slope·x below 0, the slope broadcasting to x.
type PRelu struct{}

// Name returns "PRelu".
func (*PRelu) Name() string { return "PRelu" }

// Infer returns the first operand's type and shape.
func (*PRelu) Infer(in []Fact, _ int) ([]Fact, error) {
	out, err := inferBinary(in, dtype.Invalid, isNumber)
	if err != nil {
		return nil, err
	}
	x, slope := in[0].Shape, in[1].Shape
	if x == nil {
		return []Fact{{Type: out[0].Type}}, nil
	}
	if len(slope) > len(x) {
		return nil, fmt.Errorf("slope %v of more dimensions than %v", slope, x)
	}
	for i, d := range slope {
		if n, ok := d.Int(); ok && n != 1 && x[len(x)-len(slope)+i].Is(1) {
			return nil, fmt.Errorf("slope %v does not broadcast to %v", slope, x)
		}
	}
	out[0].Shape = x.Clone()
	return out, nil
}

// Eval computes every element.
func (o *PRelu) Eval(in []Datum) ([]Datum, error) {
	return evalBinary(o, in, binary{
		f32: func(dst, a, b []float32) { eltwise.Zip(dst, a, b, prelu[float32]) },
		f64: func(dst, a, b []float64) { eltwise.Zip(dst, a, b, prelu[float64]) },
		i64: func(dst, a, b []int64) { eltwise.Zip(dst, a, b, prelu[int64]) },
		u64: func(dst, a, _ []uint64) { eltwise.Map(dst, a, identity) },
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
func (*ThresholdedRelu) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferOf(in, dtype.Type.IsFloat)
}

// Eval computes every element.
func (o *ThresholdedRelu) Eval(in []Datum) ([]Datum, error) {
	return evalReal(o, in, func(x float32) float32 { return above(x, o.Alpha) }, func(x float64) float64 { return above(x, float64(o.Alpha)) })
}

// above returns x where it is greater than the limit, else 0.
func above[T float32 | float64](x, limit T) T {
	if x > limit {
		return x
	}
	return 0
}

// HardSigmoid computes max(0, min(1, alpha·x+beta)).
type HardSigmoid struct {
	Alpha float32 `attr:"alpha,default=0.2"`
	Beta  float32 `attr:"beta,default=0.5"`
}

// Name returns "HardSigmoid".
func (*HardSigmoid) Name() string { return "HardSigmoid" }

// Infer returns the operand's type and shape.
func (*HardSigmoid) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *HardSigmoid) Eval(in []Datum) ([]Datum, error) {
	return evalReal(o, in, func(x float32) float32 { return eltwise.HardSigmoid(x, o.Alpha, o.Beta) },
		func(x float64) float64 { return hardSigmoid64(x, float64(o.Alpha), float64(o.Beta)) })
}

func hardSigmoid64(x, alpha, beta float64) float64 {
	return max(0, min(1, float64(x*alpha)+beta))
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
func (*Elu) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

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
func (*Selu) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

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
func (*Celu) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

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
func (o *Gelu) Infer(in []Fact, _ int) ([]Fact, error) {
	if !slices.Contains([]string{"", "none", "tanh"}, o.Approximate) {
		return nil, fmt.Errorf("approximate %q, want none or tanh", o.Approximate)
	}
	return inferOf(in, dtype.Type.IsFloat)
}

func (o *Gelu) fn() func(float32) float32 {
	if o.Approximate == "tanh" {
		return eltwise.GeluTanh
	}
	return eltwise.Gelu
}

// Eval computes every element.
func (o *Gelu) Eval(in []Datum) ([]Datum, error) {
	if o.Approximate == "tanh" {
		return evalReal(o, in, eltwise.GeluTanh, eltwise.GeluTanh64)
	}
	return evalReal(o, in, eltwise.Gelu, eltwise.Gelu64)
}

// Quantization: an elementwise function.
func (*Gelu) Quantization() Facts { return elementwise(nil) }

// Swish computes x·sigmoid(alpha·x).
type Swish struct {
	Alpha float32 `attr:"alpha,default=1"`
}

// Name returns "Swish".
func (*Swish) Name() string { return "Swish" }

// Infer returns the operand's type and shape.
func (*Swish) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Swish) Eval(in []Datum) ([]Datum, error) {
	return evalReal(o, in, func(x float32) float32 { return eltwise.Swish(x, o.Alpha) },
		func(x float64) float64 { return eltwise.Swish64(x, float64(o.Alpha)) })
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
func (*Shrink) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, isNumber) }

// Eval computes every element.
func (o *Shrink) Eval(in []Datum) ([]Datum, error) {
	whole := func(x float64) float64 { return shrink(x, float64(o.Lambd), float64(o.Bias)) }
	return evalNumeric(o, in, numeric{
		func(x float32) float32 { return shrink(x, o.Lambd, o.Bias) },
		whole,
		func(x int64) int64 { return toInt(whole(float64(x))) },
		func(x uint64) uint64 { return uint64(toInt(whole(float64(x)))) },
	})
}

func shrink[T float32 | float64](x, lambd, bias T) T {
	switch {
	case x < -lambd:
		return x + bias
	case x > lambd:
		return x - bias
	}
	return 0
}
