package eltwise

import (
	"math"
	"math/bits"
)

const (
	halfPi   = math.Pi / 2
	twoOverP = 2 / math.Pi
	// halfPi1 is pi/2 cut to 33 bits, so that multiples up to 2^20 are exact;
	// halfPi2 is the rest.
	halfPi1 = 1.57079632673412561417e+00
	halfPi2 = 6.07710050650619224932e-11
	// reduceLimit bounds the arguments that two constants reduce.
	reduceLimit = 1 << 19
)

// twoOverPi holds the first 256 bits of the fraction of 2/pi.
var twoOverPi = [4]uint64{0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561}

// reduce returns the quadrant k mod 4 and r with x = k*pi/2 + r, |r| <= pi/4,
// r with a relative error below 1e-11 for every finite float32.
func reduce(x float32) (k uint64, r float64) {
	d := float64(x)
	if math.Abs(d) >= reduceLimit {
		return reduceLarge(x)
	}
	t := float64(d*twoOverP) + roundMagic
	kf := t - roundMagic
	return math.Float64bits(t), d - float64(kf*halfPi1) - float64(kf*halfPi2)
}

// reduceLarge multiplies the 24-bit significand of |x| >= 2^19 by the window
// of 2/pi that matters modulo 4 (Payne and Hanek, 1983). Below 2^19 the
// two-constant reduction is as exact.
func reduceLarge(x float32) (k uint64, r float64) {
	b := math.Float32bits(x)
	m := uint64(b&(1<<23-1) | 1<<23)
	e := int(b>>23&0xff) - 150
	// The window holds the bits of 2/pi of weight 2^(1-e) down to 2^(-126-e):
	// times m*2^e, whole multiples of 4 fall off its top.
	hi, lo := window(e - 2)
	top, low := bits.Mul64(m, lo)
	top += m * hi
	k = (top>>61 + 1) >> 1
	top -= k << 62
	frac := float64(float64(int64(top))*0x1p-62) + float64(float64(low)*0x1p-126)
	r = float64(frac * halfPi)
	if b>>31 != 0 {
		return -k, -r
	}
	return k, r
}

// window returns 128 bits of the fraction of 2/pi from bit skip on; a negative
// skip puts zeros in front.
func window(skip int) (hi, lo uint64) {
	word := func(i int) uint64 {
		if i < 0 || i >= len(twoOverPi) {
			return 0
		}
		return twoOverPi[i]
	}
	i, s := skip>>6, uint(skip&63)
	hi = word(i)<<s | word(i+1)>>(64-s)
	lo = word(i+1)<<s | word(i+2)>>(64-s)
	return hi, lo
}

func sinPoly(r float64) float64 { return float64(r * horner(sinCoef[:], r*r)) }

func cosPoly(r float64) float64 { return horner(cosCoef[:], r*r) }

// Sin returns the sine of x radians; NaN for infinities.
func Sin(x float32) float32 {
	if x-x != 0 {
		return nan()
	}
	k, r := reduce(x)
	return quadrant(k, r, x)
}

// Cos returns the cosine of x radians; NaN for infinities.
func Cos(x float32) float32 {
	if x-x != 0 {
		return nan()
	}
	k, r := reduce(x)
	return quadrant(k+1, r, 1)
}

func quadrant(k uint64, r float64, x float32) float32 {
	var y float64
	if k&1 == 0 {
		y = sinPoly(r)
	} else {
		y = cosPoly(r)
	}
	if k&2 != 0 {
		y = -y
	}
	if y == 0 {
		return x
	}
	return float32(y)
}

// Tan returns the tangent of x radians; NaN for infinities.
func Tan(x float32) float32 {
	if x == 0 {
		return x
	}
	if x-x != 0 {
		return nan()
	}
	k, r := reduce(x)
	s, c := sinPoly(r), cosPoly(r)
	if k&1 == 0 {
		return float32(s / c)
	}
	return float32(-c / s)
}

// Asin returns the arcsine; NaN outside [-1, 1].
func Asin(x float32) float32 {
	a := math.Abs(float64(x))
	if a <= 0.5 {
		return odd(asinPoly(a), x)
	}
	return odd(halfPi-float64(2*asinPoly(math.Sqrt((1-a)/2))), x)
}

// Acos returns the arccosine; NaN outside [-1, 1].
func Acos(x float32) float32 {
	d := float64(x)
	a := math.Abs(d)
	if a <= 0.5 {
		return float32(halfPi - asinPoly(d))
	}
	y := float64(2 * asinPoly(math.Sqrt((1-a)/2)))
	if d < 0 {
		y = math.Pi - y
	}
	return float32(y)
}

func asinPoly(x float64) float64 { return float64(x * horner(asinCoef[:], x*x)) }

// Atan returns the arctangent.
func Atan(x float32) float32 {
	a := math.Abs(float64(x))
	inv := a > 1
	if inv {
		a = 1 / a
	}
	var base float64
	if a > 0.41421356237309503 {
		base, a = math.Pi/4, (a-1)/(a+1)
	}
	y := base + float64(a*horner(atanCoef[:], a*a))
	if inv {
		y = halfPi - y
	}
	return odd(y, x)
}
