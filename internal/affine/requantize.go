package affine

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/exact"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Units returns what 1 in an accumulator of input times weight stands for: in·w
// for each weight scale, in float32.
func Units(in float32, weight []float32) []float32 {
	u := make([]float32, len(weight))
	for i, w := range weight {
		u[i] = in * w
	}
	return u
}

// Multipliers returns the factors that take accumulators of the given units to
// an output: unit divided by out, in float32.
func Multipliers(units []float32, out float32) []float32 {
	m := make([]float32, len(units))
	for i, u := range units {
		m[i] = u / out
	}
	return m
}

// Bounds returns the integers of the ends of a real interval under p, which is
// per tensor: limiting integers to them equals limiting the real numbers
// first, because quantizing is monotone. Infinite ends give the type's own.
func (p Params) Bounds(lo, hi float64) (qmin, qmax int64) { return p.bounds(lo, hi, RoundHalfEven) }

func (p Params) bounds(lo, hi float64, r Rounding) (qmin, qmax int64) {
	first, last := p.Type.Range()
	at := func(x float64) int64 {
		v := round(float64(float32(x)/p.Scale[0]), r) + float64(p.Zero(0))
		return int64(max(float64(first), min(float64(last), v)))
	}
	return at(lo), at(hi)
}

// Requantize takes accumulators to the integers of out, which is per tensor:
// round(float32(acc)·multiplier) half to even, plus the zero point, clamped to
// [qmin, qmax]. There is one multiplier, or one for each index of the axis.
func Requantize(acc []int32, shape []int, axis int, multipliers []float32, out Params, qmin, qmax int64) (*tensor.Tensor, error) {
	if err := out.Validate(shape); err != nil {
		return nil, err
	}
	g := convert.Grid{ZeroPoint: int32(out.Zero(0)), QMin: int32(qmin), QMax: int32(qmax)}
	switch {
	case out.Type == dtype.Int8:
		return requantizeAs[int8](acc, shape, axis, multipliers, g), nil
	case out.Type == dtype.Uint8:
		return requantizeAs[uint8](acc, shape, axis, multipliers, g), nil
	case out.Type == dtype.Int16:
		return requantizeAs[int16](acc, shape, axis, multipliers, g), nil
	case out.Type == dtype.Uint16:
		return requantizeAs[uint16](acc, shape, axis, multipliers, g), nil
	}
	return nil, fmt.Errorf("affine: no requantization to %v", out.Type)
}

// perAxis describes multipliers as parameters, to walk the elements.
func perAxis(multipliers []float32, axis int) Params {
	return Params{Scale: multipliers, Axis: axis}
}

func requantizeAs[T convert.Quantized](acc []int32, shape []int, axis int, multipliers []float32, g convert.Grid) *tensor.Tensor {
	out := make([]T, len(acc))
	perAxis(multipliers, axis).each(shape, func(lo, hi, k, n int) {
		if n == 1 {
			convert.Requantize(out[lo:hi], acc[lo:hi], multipliers[k], g)
		} else {
			convert.RequantizeColumns(out[lo:hi], acc[lo:hi], multipliers[k:k+n], g)
		}
	})
	return sliceTensor(out, shape)
}

func sliceTensor[T convert.Quantized](v []T, shape []int) *tensor.Tensor {
	switch v := any(v).(type) {
	case []int8:
		return tensor.FromSlice(v, shape...)
	case []uint8:
		return tensor.FromSlice(v, shape...)
	case []int16:
		return tensor.FromSlice(v, shape...)
	case []uint16:
		return tensor.FromSlice(v, shape...)
	}
	panic("affine: not a quantized type")
}

// Rescale takes accumulators to real numbers: float32(acc)·multiplier.
func Rescale(acc []int32, shape []int, axis int, multipliers []float32) *tensor.Tensor {
	out := make([]float32, len(acc))
	perAxis(multipliers, axis).each(shape, func(lo, hi, k, n int) {
		if n == 1 {
			convert.Dequantize(out[lo:hi], acc[lo:hi], multipliers[k], 0)
		} else {
			convert.DequantizeColumns(out[lo:hi], acc[lo:hi], multipliers[k:k+n], nil)
		}
	})
	return tensor.FromSlice(out, shape...)
}

// Sum adds integers of two tensors into those of a third: fma(a, A, fma(b, B,
// C)), the steps of ONNX Runtime's QLinearAdd, is to be rounded half to even
// and clamped.
type Sum struct{ A, B, C float32 }

// SumOf returns the factors for operands a and b and the result y, all per
// tensor.
func SumOf(a, b, y Params) Sum {
	s := Sum{A: a.Scale[0] / y.Scale[0], B: b.Scale[0] / y.Scale[0]}
	s.C = float32(y.Zero(0)) - exact.FMA32(float32(a.Zero(0)), s.A, float32(s.B*float32(b.Zero(0))))
	return s
}

// Of returns the sum of two integers before rounding.
func (s Sum) Of(a, b float32) float32 { return exact.FMA32(a, s.A, exact.FMA32(b, s.B, s.C)) }

// MulFactor returns the factor of a product of integers of a and b minus their
// zero points. The integer of y is round(factor·product + zero point), every
// step in float32, half to even, clamped: ONNX Runtime's QLinearMul.
func MulFactor(a, b, y Params) float32 { return float32(a.Scale[0]*b.Scale[0]) / y.Scale[0] }
