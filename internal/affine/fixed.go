package affine

import (
	"math"
	mathbits "math/bits"
)

// Fixed is a real factor as TensorFlow Lite has it: M·2^(Shift−31) with M in
// [2³⁰, 2³¹), or 0. Its functions are those of TensorFlow Lite's reference
// kernels in the build with two roundings (kernels/internal/common.cc,
// quantization_util.cc, and gemmlowp's fixedpoint.h).
type Fixed struct {
	M     int32
	Shift int
}

// maxFixedShift is beyond every shift that leaves something of an int32.
const maxFixedShift = 31

// FixedOf returns x ≥ 0 as a Fixed: M = round(f·2³¹) half away from zero, where
// x = f·2^Shift and f is in [½, 1). Factors below 2⁻³² become 0; those that no
// kernel can use, which only broken scales give, the largest one.
func FixedOf(x float64) Fixed {
	switch {
	case !(x > 0):
		return Fixed{}
	case math.IsInf(x, 1):
		return Fixed{math.MaxInt32, maxFixedShift}
	}
	f, shift := math.Frexp(x)
	m := int64(math.Round(f * (1 << 31)))
	if m == 1<<31 {
		m, shift = 1<<30, shift+1
	}
	switch {
	case shift < -31:
		return Fixed{}
	case shift > maxFixedShift:
		return Fixed{math.MaxInt32, maxFixedShift}
	}
	return Fixed{int32(m), shift}
}

// Of returns x·f: x·2^Shift where Shift > 0, which wraps, then HighMul, then
// RoundingShift where Shift < 0. Each of the two rounds.
func (f Fixed) Of(x int32) int32 {
	if f.Shift > 0 {
		return HighMul(x<<f.Shift, f.M)
	}
	return RoundingShift(HighMul(x, f.M), -f.Shift)
}

// OfWide returns x·f for the 64-bit accumulators of 16-bit activations: the
// factor is rounded to 15 bits, and the product once, halves up.
func (f Fixed) OfWide(x int64) int32 {
	m := int64(math.MaxInt16)
	if f.M < 0x7fff0000 {
		m = (int64(f.M) + 1<<15) >> 16
	}
	n := 15 - f.Shift
	if n <= 0 {
		return int32(x * m << -n)
	}
	return int32((x*m + 1<<(n-1)) >> n)
}

// HighMul returns a·b/2³¹ rounded to the nearest, halves towards +∞; −1 times −1
// saturates. ("SaturatingRoundingDoublingHighMul": numbers with 31 fractional
// bits are multiplied.)
func HighMul(a, b int32) int32 {
	if a == math.MinInt32 && b == math.MinInt32 {
		return math.MaxInt32
	}
	// The reference adds ½, or ½ less 2⁻³¹ to negative products, and truncates;
	// for those that is the floor with ½ added.
	return int32((int64(a)*int64(b) + 1<<30) >> 31)
}

// RoundingShift returns x/2ⁿ rounded half away from zero, for n of 0 to 31
// ("RoundingDivideByPOT").
func RoundingShift(x int32, n int) int32 {
	mask := int32(1)<<n - 1
	threshold := mask >> 1
	if x < 0 {
		threshold++
	}
	y := x >> n
	if x&mask > threshold {
		y++
	}
	return y
}

// SaturatingShift returns x·2ⁿ, limited to int32, for n of 0 to 31.
func SaturatingShift(x int32, n int) int32 {
	return int32(max(math.MinInt32, min(math.MaxInt32, int64(x)<<n)))
}

// FixedBounds is [Params.Bounds] with halves rounded away from zero, as
// TensorFlow Lite limits by a fused activation.
func (p Params) FixedBounds(lo, hi float64) (qmin, qmax int64) {
	return p.bounds(lo, hi, RoundHalfAway)
}

// InverseRoot returns 1/√x for x > 0, and what the reference has for 0, which is
// 1: five steps of Newton's method from 1, on numbers with 28 fractional bits
// (TensorFlow Lite's GetInvSqrtQuantizedMultiplierExp). M may have any
// magnitude.
func InverseRoot(x int32) Fixed {
	if x <= 1 {
		return Fixed{math.MaxInt32, 0}
	}
	right := 11
	for x >= 1<<29 {
		x /= 4
		right++
	}
	pairs := (mathbits.LeadingZeros32(uint32(x))-1)/2 - 1
	right -= pairs
	x <<= 2 * pairs
	const threeHalves, halfRootTwo = 1<<28 + 1<<27, 1518500250
	half := RoundingShift(x>>1, 1)
	y := int32(1 << 28)
	for range 5 {
		cube := SaturatingShift(HighMul(HighMul(y, y), y), 6)
		y = SaturatingShift(HighMul(threeHalves, y)-HighMul(half, cube), 3)
	}
	y = HighMul(y, halfRootTwo)
	if right < 0 {
		y, right = y<<-right, 0
	}
	return Fixed{y, -right}
}

// Times returns f·2ⁿ.
func (f Fixed) Times(n int) Fixed { return Fixed{f.M, max(-31, min(maxFixedShift, f.Shift+n))} }
