package resample

import "math"

// sinc returns sin(πx)/(πx) for |x| up to 3, with the same bits on every
// machine.
func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x = float64(x * math.Pi)
	return sine(x) / x
}

// The half of π in parts of 33 bits, so that small multiples of the first two
// are exact.
const (
	halfPi1 = 0x1921fb544p-32
	halfPi2 = 0x42d18469p-64
	halfPi3 = 0x898cc51701b839a2p-128
)

// sine returns sin(x) for |x| up to 4π, within two ulp: what is left after whole
// quarters of a turn goes into Taylor's series, cut off below 2⁻⁵⁶.
func sine(x float64) float64 {
	n := math.RoundToEven(float64(x * (2 / math.Pi)))
	r := x - float64(n*halfPi1)
	r -= float64(n * halfPi2)
	r -= float64(n * halfPi3)
	s := float64(r * r)
	quarter := int(n) & 3
	v := 0.0
	for k := float64(17 + quarter&1); k > 1; k -= 2 {
		v = -float64(float64(s/float64(k*(k-1))) * (1 + v))
	}
	if quarter&1 == 0 {
		v = r + float64(r*v)
	} else {
		v++
	}
	if quarter&2 != 0 {
		return -v
	}
	return v
}
