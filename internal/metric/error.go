package metric

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
)

// Error measures how far a signal lies from the one that was wanted. Inside
// one Add sums run in float64 in ascending order; across Adds they are exact.
// A NaN or infinity in either signal shows as NaN or infinity in the figures.
type Error struct {
	n                                int64
	square, absolute, signal, energy sum // of the error, the wanted and the given signal
	product                          sum
	greatest                         float64
}

// Add takes in one sample; want and got are of equal length.
func (e *Error) Add(want, got []float32) {
	if len(want) != len(got) {
		panic(fmt.Sprintf("metric: error: signals of %d and %d values", len(want), len(got)))
	}
	var square, absolute, signal, energy, product float64
	for i, w32 := range want {
		w, g := float64(w32), float64(got[i])
		d := w - g
		square += float64(d * d)
		absolute += math.Abs(d)
		signal += float64(w * w)
		energy += float64(g * g)
		product += float64(w * g)
		e.greatest = max(e.greatest, math.Abs(d))
	}
	e.n += int64(len(want))
	e.square.add(square)
	e.absolute.add(absolute)
	e.signal.add(signal)
	e.energy.add(energy)
	e.product.add(product)
}

// Merge takes in the samples of o.
func (e *Error) Merge(o *Error) {
	e.n += o.n
	e.square.merge(&o.square)
	e.absolute.merge(&o.absolute)
	e.signal.merge(&o.signal)
	e.energy.merge(&o.energy)
	e.product.merge(&o.product)
	e.greatest = max(e.greatest, o.greatest)
}

// Len returns the number of values seen.
func (e *Error) Len() int64 { return e.n }

// MSE returns the mean squared error, 0 of nothing.
func (e *Error) MSE() float64 { return e.mean(&e.square) }

// MAE returns the mean absolute error, 0 of nothing.
func (e *Error) MAE() float64 { return e.mean(&e.absolute) }

func (e *Error) mean(s *sum) float64 {
	if e.n == 0 {
		return 0
	}
	return s.value() / float64(e.n)
}

// Max returns the greatest absolute error.
func (e *Error) Max() float64 { return e.greatest }

// SQNR returns the signal to quantization noise ratio in decibels: ten times
// the decimal logarithm of the wanted signal's energy over the error's. It is
// +Inf without error.
func (e *Error) SQNR() float64 {
	noise := e.square.value()
	if noise == 0 {
		return math.Inf(1)
	}
	return Decibels(e.signal.value() / noise)
}

// Decibels returns ten times the decimal logarithm of a ratio of energies.
func Decibels(ratio float64) float64 { return eltwise.Log64(ratio) * (10 / math.Ln10) }

// Cosine returns the cosine of the angle between the two signals, taken as one
// vector each over all samples: 1 where both are zero, 0 where one is.
func (e *Error) Cosine() float64 {
	return cosine(e.product.value(), e.signal.value(), e.energy.value())
}

// Cosine returns the cosine of the angle between two vectors of equal length,
// as [Error.Cosine] does.
func Cosine(a, b []float32) float64 {
	var e Error
	e.Add(a, b)
	return e.Cosine()
}

func cosine(product, aa, bb float64) float64 {
	switch {
	case aa == 0 && bb == 0:
		return 1
	case aa == 0 || bb == 0:
		return 0
	}
	return min(1, max(-1, product/math.Sqrt(aa)/math.Sqrt(bb)))
}
