package eltwise

import "math"

// Exp64 returns e^x with a relative error below 1e-11.
func Exp64(x float64) float64 { return exp(x) }

// Exp2 returns 2^x.
func Exp2(x float32) float32 {
	// The fraction is cut off before the multiplication by ln2, so that whole
	// x give exact powers.
	d := min(max(float64(x), -1023), 1024)
	t := d + roundMagic
	scale := math.Float64frombits((math.Float64bits(t) + 1023) << 52)
	r := float64((d - (t - roundMagic)) * ln2)
	return float32(scale * (1 + float64(r*horner(expCoef[:], r))))
}

// Expm1 returns e^x - 1, accurate near zero.
func Expm1(x float32) float32 { return odd(expm1(float64(x)), x) }

// Log returns the natural logarithm: -Inf at zero, NaN below.
func Log(x float32) float32 { return logOf(x, 1) }

// Log2 returns the binary logarithm.
func Log2(x float32) float32 { return logOf(x, log2e) }

// Log10 returns the decimal logarithm.
func Log10(x float32) float32 { return logOf(x, 0.4342944819032518) }

func logOf(x float32, factor float64) float32 {
	switch {
	case !(x >= 0):
		return nan()
	case x == 0:
		return inf(-1)
	case isInf(x):
		return x
	}
	return float32(log(float64(x)) * factor)
}

// Log64 returns the natural logarithm in float64, for figures in decibels and
// nats that must not depend on the machine; its relative error stays below
// 1e-14.
func Log64(x float64) float64 {
	switch {
	case !(x >= 0):
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	case math.IsInf(x, 1):
		return x
	case x < 0x1p-1022:
		return log(float64(x*0x1p52)) - 52*ln2
	}
	return log(x)
}

// Log1p returns the natural logarithm of 1 + x, accurate near zero.
func Log1p(x float32) float32 {
	switch {
	case !(x >= -1):
		return nan()
	case x == -1:
		return inf(-1)
	case x == 0 || isInf(x):
		return x
	}
	return float32(log1p(float64(x)))
}

// Sqrt returns the IEEE square root.
func Sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// Tanh64 returns the hyperbolic tangent with a relative error below 1e-11.
func Tanh64(x float64) float64 {
	e := expm1(min(max(float64(2*x), -60), 60))
	return math.Copysign(e/(e+2), x)
}

// Sigmoid64 returns 1/(1 + e^-x) with a relative error below 1e-11.
func Sigmoid64(x float64) float64 { return 1 / (1 + exp(-x)) }

// Softplus returns ln(1 + e^x).
func Softplus(x float32) float32 {
	d := float64(x)
	if d != d {
		return x
	}
	return float32(max(d, 0) + log1p(exp(-math.Abs(d))))
}
