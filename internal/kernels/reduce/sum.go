// Package reduce holds the reduction kernels: sums, means, extremes, and the
// row operators built on them (softmax, layer and RMS normalization).
//
// It sees slices and strides, and must not know tensors, axes or operators.
// Every function is the portable twin that defines its kernel to the bit; rows of
// floats and places channels last have assembly: variants.go.
//
// The one rule of all float32 sums, start at [Sum]: element i in logical order
// is added to lane i mod 16, each lane a float32 that begins at +0, in
// ascending i; then lane j takes lane j+8 for j < 8, j+4 for j < 4, j+2 for
// j < 2, and lane 0 takes lane 1. Logical order is row-major over the reduced
// axes, whatever the layout in memory.
package reduce

const lanes = 16

// Sum is a sum in progress, for elements that do not lie in one run. The zero
// value is empty.
type Sum struct {
	lane [lanes]float32
	n    int
}

// Len returns how many elements were added.
func (s *Sum) Len() int { return s.n }

// Add adds the elements of x as the next ones in logical order.
func (s *Sum) Add(x []float32) {
	for len(x) > 0 && s.n%lanes != 0 {
		s.lane[s.n%lanes] += x[0]
		s.n++
		x = x[1:]
	}
	s.n += len(x)
	l := &s.lane
	x = x[addSpans(l, x):]
	for len(x) >= lanes {
		v := (*[lanes]float32)(x)
		for j := range l {
			l[j] += v[j]
		}
		x = x[lanes:]
	}
	for j, v := range x {
		l[j] += v
	}
}

// AddStrided adds x[0], x[stride], … n elements in all.
func (s *Sum) AddStrided(x []float32, n, stride int) {
	if stride == 1 {
		s.Add(x[:n])
		return
	}
	for i := range n {
		s.lane[s.n%lanes] += x[i*stride]
		s.n++
	}
}

// Total returns the sum.
func (s *Sum) Total() float32 {
	l := s.lane
	for width := lanes / 2; width > 0; width /= 2 {
		for j := range width {
			l[j] += l[j+width]
		}
	}
	return l[0]
}

// Mean returns Total divided by the number of elements, NaN without any.
func (s *Sum) Mean() float32 { return s.Total() / float32(s.n) }

// SumF32 returns the sum of x.
func SumF32(x []float32) float32 {
	var s Sum
	s.Add(x)
	return s.Total()
}

// SumStrided returns the sum of x[0], x[stride], … n elements in all.
func SumStrided(x []float32, n, stride int) float32 {
	if 0 < n && n <= lanes/2 {
		return sumFew(x, n, stride)
	}
	var s Sum
	s.AddStrided(x, n, stride)
	return s.Total()
}

// sumFew is SumStrided of up to 8 elements. Each lane holds one of them or +0,
// which changes nothing: no lane is -0.
func sumFew(x []float32, n, stride int) float32 {
	if n == 2 {
		return (0 + x[0]) + (0 + x[stride])
	}
	var l [lanes / 2]float32
	for i := range n {
		l[i] += x[i*stride]
	}
	return ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]))
}

// MeanF32 returns SumF32(x) divided by the length, NaN for an empty x.
func MeanF32(x []float32) float32 { return SumF32(x) / float32(len(x)) }

// sumSquares returns the sum of the squares of x, each rounded to float32.
func sumSquares(x []float32) float32 {
	var s Sum
	for i, v := range x[squareSpans(&s.lane, x):] {
		s.lane[i%lanes] += float32(v * v)
	}
	return s.Total()
}
