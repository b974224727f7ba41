package convert

import (
	"math"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/exact"
)

// Integer lists the integer element types.
type Integer interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

// Number lists the element types that Go converts.
type Number interface {
	Integer | float32 | float64
}

// Quantized lists the types of quantized elements; narrower ones stand in
// int8 and uint8.
type Quantized interface {
	int8 | uint8 | int16 | uint16
}

// limits returns the least and the greatest T.
func limits[T Integer]() (lo, hi T) {
	if hi = ^T(0); hi > 0 {
		return 0, hi
	}
	lo = T(1) << (8*unsafe.Sizeof(hi) - 1)
	return lo, ^lo
}

// Int returns x truncated toward zero, clamped to the range of I; 0 for NaN.
func Int[I Integer, F float32 | float64](x F) I {
	lo, hi := limits[I]()
	switch d := math.Trunc(float64(x)); {
	case d != d:
		return 0
	case d <= float64(lo):
		return lo
	case d >= float64(hi):
		return hi
	default:
		return I(d)
	}
}

// Ints stores src truncated and clamped as by Int.
func Ints[I Integer, F float32 | float64](dst []I, src []F) { each(dst, src, Int[I, F]) }

// Wrapped stores src truncated toward zero and clamped to an int64, of which the
// low bits stay; 0 for NaN.
func Wrapped[I Integer, F float32 | float64](dst []I, src []F) {
	each(dst, src, func(v F) I { return I(Int[int64](v)) })
}

// Truths stores 1 for what is not 0, NaN included, else 0.
func Truths[T Number](dst []uint8, src []T) {
	each(dst, src, func(v T) uint8 {
		if v != 0 {
			return 1
		}
		return 0
	})
}

// Grid is an integer grid: real = scale * (q - ZeroPoint), QMin <= q <= QMax,
// all three within 16 bits.
type Grid struct {
	ZeroPoint, QMin, QMax int32
}

// GridOf returns the grid over the whole range of T.
func GridOf[T Quantized](zeroPoint int32) Grid {
	lo, hi := limits[T]()
	return Grid{zeroPoint, int32(lo), int32(hi)}
}

// bounds returns the grid's ends relative to the zero point.
func (g Grid) bounds() (lo, hi float32) {
	return float32(g.QMin - g.ZeroPoint), float32(g.QMax - g.ZeroPoint)
}

// snap clamps v between the whole numbers lo and hi, |lo|, |hi| < 2^22, and
// rounds it half to even; a NaN gives lo.
func snap(v, lo, hi float32) int32 {
	const magic = 0x1.8p23
	if !(v > lo) {
		v = lo
	}
	if v > hi {
		v = hi
	}
	return int32((v + magic) - magic)
}

// Quantize stores round(x[i]/scale) + ZeroPoint, clamped; the quotient is
// rounded to float32, then half to even. A NaN gives QMin.
func Quantize[T Quantized](dst []T, x []float32, scale float32, g Grid) {
	lo, hi := g.bounds()
	dst = dst[:len(x)]
	done := quantizeSpans(dst, x, scale, lo, hi, g.ZeroPoint)
	dst = dst[done:]
	for i, v := range x[done:] {
		dst[i] = T(snap(v/scale, lo, hi) + g.ZeroPoint)
	}
}

// QuantizeAway is Quantize with halves away from zero, as TensorFlow Lite rounds.
func QuantizeAway[T Quantized](dst []T, x []float32, scale float32, g Grid) {
	lo, hi := g.bounds()
	dst = dst[:len(x)]
	done := quantizeAwaySpans(dst, x, scale, lo, hi, g.ZeroPoint)
	dst = dst[done:]
	for i, v := range x[done:] {
		v /= scale
		if v = float32(math.Trunc(float64(v + float32(math.Copysign(belowHalf, float64(v)))))); !(v > lo) {
			v = lo
		}
		dst[i] = T(int32(min(v, hi)) + g.ZeroPoint)
	}
}

// belowHalf is next below a half: with a half, what is next below one would
// become one.
const belowHalf = 0x1.fffffep-2

// QuantizeColumns is Quantize of rows as long as grids, with a scale and a
// grid per column.
func QuantizeColumns[T Quantized](dst []T, x, scales []float32, grids []Grid) {
	scales = scales[:len(grids)]
	for len(x) > 0 {
		row, out := x[:len(grids)], dst[:len(grids)]
		for i, v := range row {
			lo, hi := grids[i].bounds()
			out[i] = T(snap(v/scales[i], lo, hi) + grids[i].ZeroPoint)
		}
		x, dst = x[len(grids):], dst[len(grids):]
	}
}

// Dequantize stores (q[i] - zeroPoint) * scale. The difference is taken in
// int32 and rounded to float32 before the product.
func Dequantize[T Quantized | int32](dst []float32, q []T, scale float32, zeroPoint int32) {
	done := dequantizeSpans(dst[:len(q)], q, scale, zeroPoint)
	dst, q = dst[done:len(q)], q[done:]
	for i, v := range q {
		dst[i] = float32(float32(int32(v)-zeroPoint) * scale)
	}
}

// DequantizeColumns is Dequantize of rows as long as scales, with a scale and
// a zero point per column; nil zero points are all 0.
func DequantizeColumns[T Quantized | int32](dst []float32, q []T, scales []float32, zeroPoints []int32) {
	if zeroPoints == nil {
		zeroPoints = make([]int32, len(scales))
	}
	zeroPoints = zeroPoints[:len(scales)]
	for len(q) > 0 {
		row, out := q[:len(scales)], dst[:len(scales)]
		for i, v := range row {
			out[i] = float32(float32(int32(v)-zeroPoints[i]) * scales[i])
		}
		q, dst = q[len(scales):], dst[len(scales):]
	}
}

// Requantize stores round(float32(acc[i]) * multiplier) + ZeroPoint, clamped:
// ONNX arithmetic, the product rounded to float32, then half to even.
func Requantize[T Quantized](dst []T, acc []int32, multiplier float32, g Grid) {
	lo, hi := g.bounds()
	dst = dst[:len(acc)]
	done := requantizeSpans(dst, acc, multiplier, lo, hi, g.ZeroPoint)
	dst = dst[done:]
	for i, v := range acc[done:] {
		dst[i] = T(snap(float32(float32(v)*multiplier), lo, hi) + g.ZeroPoint)
	}
}

// RequantizeRows is Requantize with a multiplier per row of equal length.
func RequantizeRows[T Quantized](dst []T, acc []int32, multipliers []float32, g Grid) {
	if len(multipliers) == 0 {
		return
	}
	n := len(acc) / len(multipliers)
	for i, m := range multipliers {
		Requantize(dst[i*n:(i+1)*n], acc[i*n:(i+1)*n], m, g)
	}
}

// RequantizeColumns is Requantize of rows as long as multipliers, with a
// multiplier per column.
func RequantizeColumns[T Quantized](dst []T, acc []int32, multipliers []float32, g Grid) {
	lo, hi := g.bounds()
	n := len(multipliers)
	for len(acc) > 0 {
		row, out := acc[:n], dst[:n]
		for i, v := range row {
			out[i] = T(snap(float32(float32(v)*multipliers[i]), lo, hi) + g.ZeroPoint)
		}
		acc, dst = acc[n:], dst[n:]
	}
}

// Sum stores the rounded fma(a[i], fa, fma(b[i], fb, c)), clamped between the
// whole numbers lo and hi: the sum of two grids on a third, whose zero point is
// in c. dst may be a or b.
func Sum[T int8 | uint8](dst, a, b []T, fa, fb, c float32, lo, hi int32) {
	dst, b = dst[:len(a)], b[:len(a)]
	done := sumSpans(dst, a, b, fa, fb, c, float32(lo), float32(hi))
	dst, b = dst[done:], b[done:]
	for i, v := range a[done:] {
		dst[i] = T(snap(exact.FMA32(float32(v), fa, exact.FMA32(float32(b[i]), fb, c)), float32(lo), float32(hi)))
	}
}

// Product stores the rounded (a[i] - za)·(b[i] - zb)·m + c, every step rounded
// to float32, clamped between the whole numbers lo and hi: the product of two
// grids on a third, whose zero point is c. dst may be a or b.
func Product[T int8 | uint8](dst, a, b []T, za, zb int32, m, c float32, lo, hi int32) {
	dst, b = dst[:len(a)], b[:len(a)]
	done := productSpans(dst, a, b, za, zb, m, c, float32(lo), float32(hi))
	dst, b = dst[done:], b[done:]
	for i, v := range a[done:] {
		p := float32(float32(int32(v)-za) * float32(int32(b[i])-zb))
		dst[i] = T(snap(float32(p*m)+c, float32(lo), float32(hi)))
	}
}
