// Package exact is float arithmetic whose result depends on nothing but its
// operands: a fused multiply-add that gives the same bits with and without
// hardware for it, and sums that depend neither on order nor on grouping.
//
// It sees numbers and must not know what they mean. Start at [FMA32] and
// [Sum].
package exact

import "math"

// FMA32 returns a·b+c rounded once to float32, on every machine. NaN payloads
// are unspecified.
//
// The compiler does not inline it; a hot loop may write its common case out:
//
//	if s := Wide(a, b, c); !Hard(s) {
//		c = float32(s)
//	} else {
//		c = FMA32(a, b, c)
//	}
func FMA32(a, b, c float32) float32 {
	s := Wide(a, b, c)
	if Hard(s) {
		return fma32Odd(a, b, c)
	}
	return float32(s)
}

// Wide returns a·b+c rounded once to float64: the product of two float32 is
// exact there. Rounding it to float32 gives FMA32(a, b, c) unless it is Hard.
func Wide(a, b, c float32) float64 {
	return float64(float64(a)*float64(b)) + float64(c)
}

// Hard reports whether rounding the result of Wide to float32 may differ from
// rounding only once: where it lies exactly half-way between two float32 (its
// low 29 bits are 1<<28), and where float32 is subnormal and rounds at another
// place.
func Hard(s float64) bool {
	u := math.Float64bits(s)
	return u<<35 == 1<<63 || u<<1-1 < tiny
}

// tiny compares magnitudes: u<<1 − 1 is below it for 0 < |s| < 2⁻¹²⁶.
const tiny = (1023-126)<<53 - 1

// fma32Odd adds with the error term and rounds to odd before the last rounding
// (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved
// algorithms using rounding to odd", 2008, section 3).
func fma32Odd(a, b, c float32) float32 {
	p, q := float64(float64(a)*float64(b)), float64(c)
	s := p + q
	// TwoSum (Knuth): e is the exact error of s.
	t := s - p
	e := (p - (s - t)) + (q - t)
	bits := math.Float64bits(s)
	if e != 0 && e == e && bits&1 == 0 {
		// The odd neighbour on the error's side.
		if (e > 0) == (s > 0) {
			bits++
		} else {
			bits--
		}
		s = math.Float64frombits(bits)
	}
	return float32(s)
}
