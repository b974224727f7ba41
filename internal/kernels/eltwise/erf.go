package eltwise

import "math"

// Erf64 returns the error function with a relative error below 1e-10.
func Erf64(x float64) float64 { return math.Copysign(erf(math.Abs(x)), x) }

// Erfc returns 1 - Erf(x), accurate in the right tail.
func Erfc(x float32) float32 { return float32(erfc(float64(x))) }

// erf returns the error function of a >= 0.
func erf(a float64) float64 {
	if a <= 1 {
		return float64(a * horner(erfCoef[:], a*a))
	}
	return 1 - erfcTail(a)
}

// erfc returns the complementary error function with a relative error below
// 1e-10.
func erfc(x float64) float64 {
	a := math.Abs(x)
	if a <= 1 {
		return 1 - float64(x*horner(erfCoef[:], a*a))
	}
	y := erfcTail(a)
	if x < 0 {
		return 2 - y
	}
	return y
}

// erfcTail returns erfc(a) for a >= 1; zero where no float32 can tell.
func erfcTail(a float64) float64 {
	if a > 14 {
		return 0
	}
	t := 1 / (a + 2)
	return float64(exp(-float64(a*a)) * float64(t*horner(erfcCoef[:], t)))
}
