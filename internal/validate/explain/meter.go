package explain

import (
	"math"

	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/histogram"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
	"github.com/octavo-ml/octavo/internal/metric"
)

// meter sums up how far one signal lies from another. It gives the figures of
// [metric.Error] at less cost, as there are two for each layer; its
// sums depend on the order of samples, which is fixed here.
type meter struct {
	n                                       int64
	noise, wanted, given, product, greatest float64
}

// span is how many elements are summed in float32 before their sum joins the
// others.
const span = 2048

// Between these bounds squares of float32 neither overflow nor vanish: of a
// difference, and of a sum of squares.
const (
	leastDifference, mostDifference = 1e-15, 1e15
	leastSum, mostSum               = 1e-25, 1e30
)

// add takes in one sample; want and got are of equal length.
func (m *meter) add(want, got []float32) {
	got = got[:len(want)]
	var difference, product [span]float32
	for len(want) > 0 {
		n := min(span, len(want))
		if !m.quick(want[:n], got[:n], difference[:n], product[:n]) {
			m.exact(want[:n], got[:n])
		}
		want, got = want[n:], got[n:]
	}
}

// quick adds a span of ordinary numbers, whose sums have about seven digits, and
// reports whether it was one. It overwrites d and p.
func (m *meter) quick(want, got, d, p []float32) bool {
	eltwise.Sub(d, want, got)
	e, ok := histogram.Bounds(d)
	greatest := max(e.Max, -e.Min)
	if !ok || greatest != 0 && !(leastDifference < greatest && greatest < mostDifference) {
		return false
	}
	sum := func(a, b []float32) float64 {
		eltwise.Mul(p, a, b)
		return float64(reduce.SumF32(p))
	}
	wanted, given := sum(want, want), sum(got, got)
	if !(leastSum < wanted && wanted < mostSum && leastSum < given && given < mostSum) {
		return false
	}
	m.n += int64(len(want))
	m.noise += sum(d, d)
	m.wanted += wanted
	m.given += given
	m.product += sum(want, got)
	m.greatest = max(m.greatest, float64(greatest))
	return true
}

// exact adds any span, in float64. Even and odd elements have sums of their own, so
// that additions need not wait.
func (m *meter) exact(want, got []float32) {
	var noise, wanted, given, product [2]float64
	greatest := m.greatest
	got = got[:len(want)]
	for i := 0; i+1 < len(want); i += 2 {
		w, g := float64(want[i]), float64(got[i])
		x, h := float64(want[i+1]), float64(got[i+1])
		d, e := w-g, x-h
		noise[0] += float64(d * d)
		noise[1] += float64(e * e)
		wanted[0] += float64(w * w)
		wanted[1] += float64(x * x)
		given[0] += float64(g * g)
		given[1] += float64(h * h)
		product[0] += float64(w * g)
		product[1] += float64(x * h)
		if d = math.Abs(d); d > greatest {
			greatest = d
		}
		if e = math.Abs(e); e > greatest {
			greatest = e
		}
	}
	if n := len(want); n%2 == 1 {
		w, g := float64(want[n-1]), float64(got[n-1])
		noise[0] += float64((w - g) * (w - g))
		wanted[0] += float64(w * w)
		given[0] += float64(g * g)
		product[0] += float64(w * g)
		greatest = max(greatest, math.Abs(w-g))
	}
	m.n += int64(len(want))
	m.noise += noise[0] + noise[1]
	m.wanted += wanted[0] + wanted[1]
	m.given += given[0] + given[1]
	m.product += product[0] + product[1]
	m.greatest = greatest
}

// figures are nil where they are no numbers.
func (m *meter) figures() *Error {
	if m.n == 0 {
		return &Error{}
	}
	cosine := m.product / math.Sqrt(m.wanted) / math.Sqrt(m.given)
	greatest := m.greatest
	switch {
	case m.noise-m.noise != 0:
		greatest = m.noise // of values that are not finite
	case m.wanted == 0 && m.given == 0:
		cosine = 1
	case m.wanted == 0 || m.given == 0:
		cosine = 0
	}
	return &Error{finite(float64(metric.Decibels(m.wanted / m.noise))), finite(min(max(cosine, -1), 1)), finite(greatest)}
}
