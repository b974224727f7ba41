package op

import (
	"math"
	mathbits "math/bits"
)

// turn returns cosine and sine of 2π·k/n for n > 0, to the last bits of
// float64: the angle is brought below π/4 in integers, and the sums of Taylor
// below end past their precision there.
func turn(k, n int) (cos, sin float64) {
	k %= n
	if k < 0 {
		k += n
	}
	quarter := (8*k + n) / (2 * n) // the nearest quarter of a turn
	r := float64(4*k-quarter*n) / float64(n) * (math.Pi / 2)
	square := float64(r * r)
	c, s := 1.0, 1.0
	for i := 18; i > 0; i -= 2 {
		c = 1 - float64(square*c)/float64(i*(i-1))
		s = 1 - float64(square*s)/float64(i*(i+1))
	}
	s = float64(s * r)
	switch quarter % 4 {
	case 1:
		return -s, c
	case 2:
		return -c, -s
	case 3:
		return s, -c
	}
	return c, s
}

// fourier computes y[k] = Σ x[j]·e^(∓2πi·jk/n) in float64 for any length n, in
// O(n log n): powers of two by halving (Cooley and Tukey, 1965), other lengths
// as a convolution with a chirp of such a power (Bluestein, 1970).
type fourier struct {
	n        int
	cos, sin []float64 // of a power of two: e^(2πi·k/n) for k < n/2
	// of another length:
	inner                *fourier  // of a power of two
	chirpRe, chirpIm     []float64 // e^(-πi·k²/n)
	filterRe, filterIm   []float64 // the transform of its conjugate
	scratchRe, scratchIm []float64
}

func newFourier(n int) *fourier {
	f := &fourier{n: n}
	if n&(n-1) == 0 {
		f.cos, f.sin = make([]float64, n/2), make([]float64, n/2)
		for k := range f.cos {
			f.cos[k], f.sin[k] = turn(k, n)
		}
		return f
	}
	m := 1 << mathbits.Len(uint(2*n-2))
	f.inner = newFourier(m)
	f.chirpRe, f.chirpIm = make([]float64, n), make([]float64, n)
	f.filterRe, f.filterIm = make([]float64, m), make([]float64, m)
	f.scratchRe, f.scratchIm = make([]float64, m), make([]float64, m)
	square := 0 // k² modulo 2n
	for k := range n {
		c, s := turn(square, 2*n)
		f.chirpRe[k], f.chirpIm[k] = c, -s
		f.filterRe[k], f.filterIm[k] = c, s
		if k > 0 {
			f.filterRe[m-k], f.filterIm[m-k] = c, s
		}
		square = (square + 2*k + 1) % (2 * n)
	}
	f.inner.transform(f.filterRe, f.filterIm)
	return f
}

// inverse computes the transform of the other sign, without the factor 1/n.
func (f *fourier) inverse(re, im []float64) { f.transform(im, re) }

// transform replaces n complex numbers by their transform.
func (f *fourier) transform(re, im []float64) {
	if f.inner == nil {
		f.halve(re, im)
		return
	}
	a, b := f.scratchRe, f.scratchIm
	clear(a)
	clear(b)
	for k := range f.n {
		a[k], b[k] = times(re[k], im[k], f.chirpRe[k], f.chirpIm[k])
	}
	f.inner.transform(a, b)
	for k := range a {
		a[k], b[k] = times(a[k], b[k], f.filterRe[k], f.filterIm[k])
	}
	f.inner.inverse(a, b)
	m := float64(len(a))
	for k := range f.n {
		re[k], im[k] = times(a[k]/m, b[k]/m, f.chirpRe[k], f.chirpIm[k])
	}
}

// times multiplies complex numbers.
func times(ar, ai, br, bi float64) (re, im float64) {
	return float64(ar*br) - float64(ai*bi), float64(ar*bi) + float64(ai*br)
}

func (f *fourier) halve(re, im []float64) {
	n := f.n
	if n < 2 {
		return
	}
	shift := mathbits.UintSize - mathbits.Len(uint(n-1))
	for i := range n {
		if j := int(mathbits.Reverse(uint(i)) >> shift); j > i {
			re[i], re[j] = re[j], re[i]
			im[i], im[j] = im[j], im[i]
		}
	}
	for half := 1; half < n; half *= 2 {
		step := n / (2 * half)
		for from := 0; from < n; from += 2 * half {
			for k := range half {
				i, j := from+k, from+k+half
				tr, ti := times(re[j], im[j], f.cos[k*step], -f.sin[k*step])
				re[i], im[i], re[j], im[j] = re[i]+tr, im[i]+ti, re[i]-tr, im[i]-ti
			}
		}
	}
}
