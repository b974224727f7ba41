package eltwise

import "math"

// Gelu64 returns x*Phi(x), Phi the normal distribution function, with a
// relative error below 1e-10.
func Gelu64(x float64) float64 { return 0.5 * x * erfc(-x*math.Sqrt2/2) }

// GeluTanh64 returns 0.5x(1 + tanh(sqrt(2/pi)(x + 0.044715x^3))) with a
// relative error below 1e-10.
func GeluTanh64(x float64) float64 {
	const twoRootTwoOverPi = 1.5957691216057308
	u := x + float64(0.044715*x*x*x)
	return x / (1 + exp(-twoRootTwoOverPi*u))
}

// Swish64 returns x*Sigmoid64(alpha*x).
func Swish64(x, alpha float64) float64 { return x / (1 + exp(-x*alpha)) }

// Mish returns x*tanh(Softplus(x)).
func Mish(x float32) float32 {
	d := float64(x)
	e := exp(min(d, 60))
	n := float64(e * (e + 2))
	return float32(d * (n / (n + 2)))
}

// Elu returns x from 0 on and alpha(e^x - 1) below.
func Elu(x, alpha float32) float32 {
	if x < 0 {
		return float32(float64(alpha) * expm1(float64(x)))
	}
	return x
}

// Celu returns max(0, x) + min(0, alpha(e^(x/alpha) - 1)).
func Celu(x, alpha float32) float32 {
	a := float64(alpha)
	return max(0, x) + float32(min(0, a*expm1(float64(x)/a)))
}

// Selu returns gamma*x above 0 and gamma*alpha(e^x - 1) elsewhere.
func Selu(x, alpha, gamma float32) float32 {
	g := float64(gamma)
	if x > 0 {
		return gamma * x
	}
	return float32(g * float64(alpha) * expm1(float64(x)))
}

// Softsign returns x/(1 + |x|), rounded once.
func Softsign(x float32) float32 {
	d := float64(x)
	return float32(d / (1 + math.Abs(d)))
}

// LeakyRelu returns x from 0 on and alpha*x below.
func LeakyRelu(x, alpha float32) float32 {
	if x < 0 {
		return alpha * x
	}
	return x
}

// HardSigmoid returns max(0, min(1, alpha*x + beta)), each step rounded to
// float32.
func HardSigmoid(x, alpha, beta float32) float32 {
	return max(0, min(1, float32(alpha*x)+beta))
}

// HardSwish returns x*HardSigmoid(x, 1/6, 1/2), each step rounded to float32.
func HardSwish(x float32) float32 {
	return x * HardSigmoid(x, 1.0/6, 0.5)
}
