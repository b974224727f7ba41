package affine

import (
	"fmt"
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// BiasParams returns the parameters of an Int32 bias that is added to the
// accumulator of an input and a weight: scale inScale·weight·factor, in
// float32 steps, zero points 0. A factor of 0 counts as 1: the bias itself is
// then to be zeros.
func BiasParams(inScale float32, weight Params, factor float64) Params {
	p := Params{Type: dtype.Int32, Scale: slices.Clone(weight.Scale)}
	if factor == 0 {
		factor = 1
	}
	for i, w := range p.Scale {
		p.Scale[i] = float32(inScale*w) * float32(factor)
	}
	return p
}

// QuantizeBias quantizes a bias of one dimension with BiasParams.
func QuantizeBias(bias *tensor.Tensor, inScale float32, weight Params, factor float64) (*tensor.Tensor, Params, error) {
	p := BiasParams(inScale, weight, factor)
	if factor == 0 {
		return tensor.New(dtype.Int32, bias.Shape()...), p, nil
	}
	q, err := Quantize(bias, p, RoundHalfEven)
	return q, p, err
}

// biasMargin keeps rounding from carrying a bias over the edge of int32.
const biasMargin = 1.0001

// FitBias returns the parameters of a weight with those scales enlarged for
// which the bias would not fit into int32 (ONNX Runtime since 1.20.1). Weights
// with zero points or of more or fewer than 8 or 16 bits are left alone.
func FitBias(weight Params, inScale float32, bias *tensor.Tensor) Params {
	b, err := floats(bias)
	if err != nil || len(b) == 0 || weight.Type != dtype.Int8 && weight.Type != dtype.Int16 || !weight.Symmetric() {
		return weight
	}
	if !weight.IsPerTensor() && len(b) != len(weight.Scale) {
		return weight
	}
	weight.Scale = slices.Clone(weight.Scale)
	for i, w := range weight.Scale {
		most := math.Abs(float64(b[i]))
		if weight.IsPerTensor() {
			for _, v := range b {
				most = math.Max(most, math.Abs(float64(v)))
			}
		}
		least := biasMargin * (2 * most) / (math.MaxInt32 - (math.MinInt32 + 1))
		if have := float64(inScale) * float64(w); have < least && have > 0 {
			weight.Scale[i] = float32(float64(w) * (least / have))
		}
	}
	return weight
}

// AccumulatorBias returns factor·bias as integers in the units of the
// accumulators it is added to: one unit, or one for each element. An Int32 bias
// whose scale, times factor, is the unit is returned as it is; any other, and a
// float bias (zero Params), is divided by the unit in float64 and rounded half
// to even.
func AccumulatorBias(bias *tensor.Tensor, p Params, factor float64, units []float32) ([]int32, error) {
	n := bias.Len()
	if len(units) != 1 && len(units) != n {
		return nil, fmt.Errorf("affine: a bias of %d elements for %d channels", n, len(units))
	}
	unit := func(i int) float32 { return units[i%len(units)] }
	out := make([]int32, n)
	if !p.Present() {
		x, err := floats(bias)
		if err != nil {
			return nil, err
		}
		for i, v := range x {
			out[i] = convert.Int[int32](math.RoundToEven(factor * float64(v) / float64(unit(i))))
		}
		return out, nil
	}
	if bias.Type() != dtype.Int32 || p.Type != dtype.Int32 {
		return nil, fmt.Errorf("affine: a bias of %v, want int32", bias.Type())
	}
	if err := p.Validate(bias.Shape()); err != nil {
		return nil, err
	}
	q := tensor.Data[int32](bias)
	p.eachElement(bias.Shape(), func(i, k int) {
		if p.Zero(k) == 0 && float32(factor)*p.Scale[k] == unit(i) {
			out[i] = q[i]
			return
		}
		real := factor * float64(p.Scale[k]) * float64(int64(q[i])-p.Zero(k))
		out[i] = convert.Int[int32](math.RoundToEven(real / float64(unit(i))))
	})
	return out, nil
}
