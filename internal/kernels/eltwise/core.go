package eltwise

import "math"

const (
	log2e = 1.4426950408889634
	ln2   = 0.6931471805599453
	// roundMagic added to |v| < 2^51 leaves v rounded half to even in the low
	// bits of the sum.
	roundMagic = 0x1.8p52
	// Arguments of exp are cut where 2^k, as the exponent field is filled
	// without a check, has just become zero and infinite.
	expMin, expMax = -709.2, 710
)

// horner returns the sum of c[i]*x^i.
func horner(c []float64, x float64) float64 {
	p := c[len(c)-1]
	for i := len(c) - 2; i >= 0; i-- {
		p = float64(p*x) + c[i]
	}
	return p
}

// expParts returns 2^k and e^r - 1 where x = k*ln2 + r, |r| <= ln2/2. A NaN
// comes out in the second result.
func expParts(x float64) (scale, em1 float64) {
	x = min(max(x, expMin), expMax)
	t := float64(x*log2e) + roundMagic
	k := t - roundMagic
	r := x - float64(k*ln2)
	scale = math.Float64frombits((math.Float64bits(t) + 1023) << 52)
	return scale, float64(r * horner(expCoef[:], r))
}

// exp returns e^x with a relative error below 1e-11.
func exp(x float64) float64 {
	scale, em1 := expParts(x)
	return float64(scale * (1 + em1))
}

// expm1 returns e^x - 1 with a relative error below 1e-11, for x above 700 some
// number that no float32 holds. The sign of a zero is lost.
func expm1(x float64) float64 {
	scale, em1 := expParts(min(x, 700))
	return float64(scale*em1) + (scale - 1)
}

// log returns the natural logarithm of a normal positive x with a relative
// error below 1e-15. Zero, negative, infinite and NaN arguments are the
// caller's.
func log(x float64) float64 {
	const sqrtHalf = 0x3fe6a09e667f3bcd
	b := math.Float64bits(x) - sqrtHalf
	e := float64(int64(b) >> 52)
	m := math.Float64frombits(b&(1<<52-1) + sqrtHalf)
	f := m - 1
	s := f / (2 + f)
	return float64(e*ln2) + float64(2*s*horner(logCoef[:], s*s))
}

// log1p returns the natural logarithm of 1 + x for x > -1, finite.
func log1p(x float64) float64 {
	u := 1 + x
	return log(u) + (x-(u-1))/u
}

// odd gives the magnitude y the sign of x.
func odd(y float64, x float32) float32 {
	const sign = 1 << 31
	return math.Float32frombits(math.Float32bits(float32(y))&^sign | math.Float32bits(x)&sign)
}

func isInf(x float32) bool { return x-x != 0 && x == x }

// inf returns the infinity with the sign of s.
func inf(s float32) float32 { return odd(math.Inf(1), s) }

func nan() float32 { return float32(math.NaN()) }
