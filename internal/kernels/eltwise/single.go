package eltwise

import (
	"math"

	"github.com/octavo-ml/octavo/internal/exact"
)

const (
	singleLog2e = 1.4426950408889634
	// ln2 in two parts: a small whole number times the first, off an argument
	// nearby, is exact.
	singleLn2, singleLn2Rest = 0x1.62e43p-1, -0x1.05c61p-29
	// singleMagic added to |v| < 2^22 leaves v rounded half to even in the low
	// bits of the sum.
	singleMagic = 0x1.8p23
	// singleLeast is where e^x has just become zero, singleMost infinite.
	singleLeast, singleMost = -104, 89
	// 1 + e^v is 1 long before logisticLeast; 2^-32 of it is infinite at
	// logisticEnd, which is taken for what is greater than logisticMost.
	logisticLeast, logisticMost, logisticEnd = -40, 110, 111.2
	signBit                                  = 1 << 31
)

// powerParts returns k and e^r - 1 where x = k*ln2 + r, |r| <= ln2/2, for x
// between -150 and 150. A NaN comes out in the second result.
func powerParts(x float32) (k int32, em1 float32) {
	t := exact.FMA32(x, singleLog2e, singleMagic)
	n := t - singleMagic
	r := exact.FMA32(n, -singleLn2, x)
	r = exact.FMA32(n, -singleLn2Rest, r)
	q := expQuad[4]
	for i := 3; i >= 0; i-- {
		if s := exact.Wide(q, r, expQuad[i]); !exact.Hard(s) {
			q = float32(s)
		} else {
			q = exact.FMA32(q, r, expQuad[i])
		}
	}
	k = int32(math.Float32bits(t) - math.Float32bits(singleMagic))
	return k, exact.FMA32(q, float32(r*r), r)
}

// scaled returns x*2^k, rounded once, for x from 1/4 to 2 and k from -250 to
// 250: one of its two products at most is not exact.
func scaled(x float32, k int32) float32 {
	half := k >> 1
	return float32(x*powerOfTwo(half)) * powerOfTwo(k-half)
}

func powerOfTwo(k int32) float32 { return math.Float32frombits(uint32(k+127) << 23) }

// Exp returns e^x.
func Exp(x float32) float32 {
	k, em1 := powerParts(min(max(x, singleLeast), singleMost))
	return scaled(1+em1, k)
}

// Sigmoid returns 1/(1 + e^-x).
func Sigmoid(x float32) float32 { return overOnePlusExp(1, -x) }

// Swish returns x*Sigmoid(alpha*x), the product alpha*x rounded; zero where that
// is below -110. As in the formula, -Inf gives NaN (here, in Gelu, GeluTanh and
// Mish).
func Swish(x, alpha float32) float32 { return overOnePlusExp(x, x*-alpha) }

// overOnePlusExp returns x/(1 + e^v). Where e^v is great, the divisor is made
// 2^-32 of it, and then the quotient.
func overOnePlusExp(x, v float32) float32 {
	v = max(v, logisticLeast)
	if v > logisticMost {
		v = logisticEnd
	}
	k, em1 := powerParts(v)
	one := float32(1)
	if k > 64 {
		one = 0x1p-32
	}
	half := k >> 1
	s := float32(float32(one*powerOfTwo(half)) * powerOfTwo(k-half))
	return float32(x/(exact.FMA32(s, em1, one+s))) * one
}

// cell returns the number of the piece of a >= 0, and the place in it: a + offset
// is rounded to the bits above those that shift cuts off.
func cell(a, offset float32, shift int) (t float32, i uint32) {
	u := (math.Float32bits(a+offset) + 1<<(shift-1)) >> shift
	return a - (math.Float32frombits(u<<shift) - offset), u & 15
}

// slope evaluates the polynomial of a piece without its constant term, divided by t.
func slope(c *[7][16]float32, t float32, i uint32) float32 {
	p := c[6][i]
	for d := 5; d > 0; d-- {
		if s := exact.Wide(p, t, c[d][i]); !exact.Hard(s) {
			p = float32(s)
		} else {
			p = exact.FMA32(p, t, c[d][i])
		}
	}
	return p
}

// saturating evaluates an odd function that begins as x and ends at ±1.
func saturating(c *[7][16]float32, x, offset, end float32) float32 {
	a := min(math.Float32frombits(math.Float32bits(x)&^signBit), end)
	t, i := cell(a, offset, 21)
	from := c[0][i]
	if from == 0 {
		from = t
	}
	y := exact.FMA32(slope(c, t, i), t, from)
	return math.Float32frombits(math.Float32bits(y) | math.Float32bits(x)&signBit)
}

// Tanh returns the hyperbolic tangent.
func Tanh(x float32) float32 { return saturating(&tanhCells, x, 1, 12) }

// Erf returns the error function.
func Erf(x float32) float32 { return saturating(&erfCells, x, 0.5, 6) }

// Gelu returns x*Phi(x), Phi the normal distribution function.
func Gelu(x float32) float32 { return gelu(&tailCells, x) }

// GeluTanh returns 0.5x(1 + tanh(sqrt(2/pi)(x + 0.044715x^3))).
func GeluTanh(x float32) float32 { return gelu(&tailTanhCells, x) }

// gelu returns x less its part of the tail, or the tail's part of x. From 7.25 on
// there is no tail.
func gelu(c *[7][16]float32, x float32) float32 {
	a := min(math.Float32frombits(math.Float32bits(x)&^signBit), 7.5)
	t, i := cell(a, 8, 19)
	tail := exact.FMA32(slope(c, t, i), t, c[0][i])
	if math.Float32bits(x)&signBit != 0 {
		return x * tail
	}
	return exact.FMA32(-a, tail, x)
}
