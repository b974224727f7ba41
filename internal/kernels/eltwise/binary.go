package eltwise

import "math"

// Integer lists the integer element types.
type Integer interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

// Number lists the element types with arithmetic.
type Number interface {
	Integer | float32 | float64
}

// Map stores fn(x[i]) in dst[i]; dst may be x.
func Map[T, U any](dst []U, x []T, fn func(T) U) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = fn(v)
	}
}

// Zip stores fn(a[i], b[i]) in dst[i] for the rarer functions. An operand of length 1 stands for its
// element repeated, here and in the other loops of two operands; dst may be
// an operand.
func Zip[A, B, U any](dst []U, a []A, b []B, fn func(A, B) U) {
	switch {
	case len(b) == 1:
		s := b[0]
		if len(a) == 1 {
			fill(dst, fn(a[0], s))
			return
		}
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = fn(a[i], s)
		}
	case len(a) == 1:
		s := a[0]
		b = b[:len(dst)]
		for i := range dst {
			dst[i] = fn(s, b[i])
		}
	default:
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = fn(a[i], b[i])
		}
	}
}

func fill[T any](dst []T, v T) {
	for i := range dst {
		dst[i] = v
	}
}

func quo[T Integer](x, y T) T {
	if y == 0 {
		return 0
	}
	return x / y
}

// RemInt returns the remainder of truncated division, with the sign of x
// (C's %, ONNX Mod with fmod=1); 0 where y is 0.
func RemInt[T Integer](x, y T) T {
	if y == 0 {
		return 0
	}
	return x % y
}

// ModInt returns the remainder of floored division, with the sign of y
// (Python's %, ONNX Mod with fmod=0); 0 where y is 0.
func ModInt[T Integer](x, y T) T {
	r := RemInt(x, y)
	if r != 0 && (r < 0) != (y < 0) {
		r += y
	}
	return r
}

// Fmod returns the exact remainder of truncated division, with the sign of x
// (C's fmod). The remainder of floats is always representable.
func Fmod[T float32 | float64](x, y T) T { return T(math.Mod(float64(x), float64(y))) }

// ModFloat returns the remainder with the sign of y (Python's %).
func ModFloat[T float32 | float64](x, y T) T {
	r := Fmod(x, y)
	if r == 0 {
		return T(math.Copysign(0, float64(y)))
	}
	if (r < 0) != (y < 0) {
		r += y
	}
	return r
}
