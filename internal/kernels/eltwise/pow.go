package eltwise

import "math"

// Pow returns x^y with the special cases of C (ISO C, annex F.10.4.4). Powers
// that a float32 holds are exact; y = 2 equals x*x and, but for C's two
// exceptions, y = 1/2 equals Sqrt.
func Pow(x, y float32) float32 {
	switch {
	case y == 0 || x == 1:
		return 1
	case x != x || y != y:
		return nan()
	case y == 2:
		return x * x
	case x == 0:
		return powZero(x, y)
	case isInf(x):
		return 1 / powZero(1/x, y)
	case isInf(y):
		a := math.Abs(float64(x))
		switch {
		case a == 1:
			return 1
		case a > 1 == (y > 0):
			return inf(1)
		}
		return 0
	case y == 0.5 && x > 0:
		return Sqrt(x)
	}
	whole, isOdd := parity(y)
	if x < 0 && !whole {
		return nan()
	}
	p := float32(exp(float64(y) * log(math.Abs(float64(x)))))
	if x < 0 && isOdd {
		return -p
	}
	return p
}

// powZero returns x^y for x = ±0 and y neither 0 nor NaN.
func powZero(x, y float32) float32 {
	_, isOdd := parity(y)
	if !isOdd {
		x = 0
	}
	if y < 0 {
		return 1 / x
	}
	return x
}

// parity reports whether y is an integer, and an odd one.
func parity(y float32) (whole, isOdd bool) {
	d := float64(y)
	if isInf(y) || math.Trunc(d) != d {
		return false, false
	}
	half := d / 2
	return true, math.Trunc(half) != half
}

// PowInt returns x^y in wrapping integer arithmetic. A negative y gives the
// truncated reciprocal, and 0 where there is none.
func PowInt[T Integer](x, y T) T {
	if y < 0 {
		switch {
		case x == 1:
			return 1
		case x < 0 && x+1 == 0:
			if y&1 != 0 {
				return x
			}
			return 1
		}
		return 0
	}
	p := T(1)
	for ; y != 0; y >>= 1 {
		if y&1 != 0 {
			p *= x
		}
		x *= x
	}
	return p
}
