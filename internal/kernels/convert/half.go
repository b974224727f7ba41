package convert

import "math"

// F16ToF32 returns the value of an IEEE binary16. A NaN becomes a quiet one.
func F16ToF32(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp, man := uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exp {
	case 0:
		// Subnormal: man * 2^-24, exact in float32.
		return math.Float32frombits(math.Float32bits(float32(man)*0x1p-24) | sign)
	case 31:
		if man != 0 {
			man |= 0x200
		}
		return math.Float32frombits(sign | 0x7f800000 | man<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | man<<13)
}

// F32ToF16 returns the nearest IEEE binary16, an infinity beyond the range. A
// NaN stays a (quiet) NaN.
func F32ToF16(x float32) uint16 {
	b := math.Float32bits(x)
	sign, a := uint16(b>>16&0x8000), b&0x7fffffff
	switch {
	case a > 0x7f800000:
		return sign | 0x7e00 | uint16(a>>13&0x3ff)
	case a >= 0x47800000:
		return sign | 0x7c00
	case a >= 0x38800000:
		// Normal: rebias, then round off 13 bits; a carry runs into the exponent.
		a -= 112 << 23
		return sign | uint16((a+0xfff+a>>13&1)>>13)
	}
	// Adding 1/2 leaves the multiple of 2^-24, rounded by the hardware, in the
	// low bits.
	return sign | uint16(math.Float32bits(math.Float32frombits(a)+0.5)-0x3f000000)
}

// BF16ToF32 returns the value of a bfloat16.
func BF16ToF32(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// F32ToBF16 returns the nearest bfloat16. A NaN stays a (quiet) NaN.
func F32ToBF16(x float32) uint16 {
	b := math.Float32bits(x)
	if x != x {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// RoundToOdd returns x as a float32 whose last bit is set wherever x is not
// representable. A narrower float made from the result by one of this
// package's conversions is rounded as if directly from x.
func RoundToOdd(x float64) float32 {
	y := float32(x)
	d := float64(y)
	if d == x || x != x {
		return y
	}
	if math.Abs(d) > math.Abs(x) {
		y = math.Float32frombits(math.Float32bits(y) - 1)
	}
	return math.Float32frombits(math.Float32bits(y) | 1)
}

// DecodeF16 stores the values of src.
func DecodeF16(dst []float32, src []uint16) {
	done := decodeSpans(dst[:len(src)], src, true)
	each(dst[done:], src[done:], F16ToF32)
}

// EncodeF16 stores src rounded to binary16.
func EncodeF16(dst []uint16, src []float32) {
	done := encodeSpans(dst[:len(src)], src, true)
	each(dst[done:], src[done:], F32ToF16)
}

// DecodeBF16 stores the values of src.
func DecodeBF16(dst []float32, src []uint16) {
	done := decodeSpans(dst[:len(src)], src, false)
	each(dst[done:], src[done:], BF16ToF32)
}

// EncodeBF16 stores src rounded to bfloat16.
func EncodeBF16(dst []uint16, src []float32) {
	done := encodeSpans(dst[:len(src)], src, false)
	each(dst[done:], src[done:], F32ToBF16)
}

// Numbers stores src converted by Go's rules: floats round to the nearest,
// integers wrap. Where a float becomes an integer use [Ints].
func Numbers[U, T Number](dst []U, src []T) {
	each(dst, src, func(v T) U { return U(v) })
}

func each[T, U any](dst []U, src []T, fn func(T) U) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = fn(v)
	}
}
