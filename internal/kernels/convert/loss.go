package convert

// RoundMagic rounds what is added to it, and taken away again, half to even, if
// that is below 2^51.
const RoundMagic = 0x1.8p52

// Losses returns, for each of two scales, the sum of the squared errors of
// finite x, in order, when it is rounded to the integers from lo to hi:
//
//	for v in x {
//		q := min(max(v/scale, lo), hi), rounded half to even
//		sum += (v − q·scale)²
//	}
//
// Scales are normal float32, lo and hi are whole and small.
func Losses(x []float32, scales [2]float64, lo, hi float64) (sums [2]float64) {
	x = x[losses(&sums, x, &scales, lo, hi):]
	for i, s := range scales {
		sum := sums[i]
		for _, v := range x {
			q := float64(v) / s
			if q < lo {
				q = lo
			}
			if q > hi {
				q = hi
			}
			q = (q + RoundMagic) - RoundMagic
			d := float64(v) - float64(q*s)
			sum += float64(d * d)
		}
		sums[i] = sum
	}
	return sums
}

// Ends returns the least and the greatest of x, zeros being +0, and whether all of
// it is finite; if not, or of nothing, lo and hi mean nothing.
func Ends(x []float32) (lo, hi float32, finite bool) {
	if len(x) == 0 {
		return 0, 0, true
	}
	r := [3]float32{x[0], x[0], 0}
	for _, v := range x[ends(&r, x):] {
		r[0], r[1] = min(r[0], v), max(r[1], v)
		r[2] += v - v
	}
	return r[0] + 0, r[1] + 0, r[2] == 0
}
