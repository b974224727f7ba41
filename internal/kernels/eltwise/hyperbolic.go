package eltwise

import "math"

// Sinh returns the hyperbolic sine.
func Sinh(x float32) float32 {
	e := expm1(math.Abs(float64(x)))
	return odd(0.5*(e+e/(e+1)), x)
}

// Cosh returns the hyperbolic cosine.
func Cosh(x float32) float32 {
	e := exp(math.Abs(float64(x)))
	return float32(0.5 * (e + 1/e))
}

// Asinh returns the inverse hyperbolic sine.
func Asinh(x float32) float32 {
	if isInf(x) || x != x {
		return x
	}
	a := math.Abs(float64(x))
	q := float64(a * a)
	return odd(log1p(a+q/(1+math.Sqrt(1+q))), x)
}

// Acosh returns the inverse hyperbolic cosine; NaN below 1.
func Acosh(x float32) float32 {
	switch {
	case !(x >= 1):
		return nan()
	case isInf(x):
		return x
	}
	t := float64(x) - 1
	return float32(log1p(t + math.Sqrt(float64(2*t)+float64(t*t))))
}

// Atanh returns the inverse hyperbolic tangent: ±Inf at ±1, NaN beyond.
func Atanh(x float32) float32 {
	a := math.Abs(float64(x))
	switch {
	case !(a <= 1):
		return nan()
	case a == 1:
		return inf(x)
	}
	return odd(0.5*log1p(float64(2*a)/(1-a)), x)
}
