//go:build !noasm

package eltwise

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"neon", cpu.NEON}, {"generic", cpu.Generic}}

// most is the greatest number of elements of one call: assembly cannot be
// interrupted, so that a long call would hold up the collector.
const most = 1 << 15

// spans does all elements, or none without assembly, and returns their number.
// The elements behind the last whole step get a step of their own.
func spans(f function, dst, x []float32, parameter float32) int {
	if !cpu.Has(cpu.NEON) {
		return 0
	}
	const step = 4
	dst = dst[:len(x)]
	whole := len(x) / step * step
	for at := 0; at < whole; at += most {
		functionsNEON(f, &dst[at], &x[at], min(most, whole-at)/step, parameter)
	}
	if whole < len(x) {
		var r [step]float32
		copy(r[:], x[whole:])
		functionsNEON(f, &r[0], &r[0], 1, parameter)
		copy(dst[whole:], r[:])
	}
	return len(x)
}

func clampSpans(dst, x []float32, lo, hi float32) int {
	const span = 16
	n := len(dst[:len(x)]) / span
	if n == 0 || lo != lo || hi != hi || !cpu.Has(cpu.NEON) {
		return 0
	}
	clampNEON(&dst[0], &x[0], n, lo, hi)
	return n * span
}

//go:noescape
func functionsNEON(f function, dst, x *float32, steps int, parameter float32)

//go:noescape
func clampNEON(dst, x *float32, steps int, lo, hi float32)

// arithSpan is how many elements a step of arithmetic takes.
const arithSpan = 16

// arith does the leading elements of an operation on floats, as many as the
// processor's instructions take, and returns their number.
func arith[T Number](o operation, dst, a, b []T) int {
	d, ok := any(dst).([]float32)
	if !ok || len(d) < arithSpan || len(a) == 1 && len(b) == 1 || !cpu.Has(cpu.NEON) {
		return 0
	}
	x, y := any(a).([]float32), any(b).([]float32)
	n := len(d) / arithSpan
	if len(x) == 1 && (o == add || o == mul) {
		x, y = y, x
	}
	switch {
	case len(x) == 1:
		y = y[:len(d)]
		if o == sub {
			subLeftNEON(&d[0], &x[0], &y[0], n)
		} else {
			divLeftNEON(&d[0], &x[0], &y[0], n)
		}
	case len(y) == 1:
		x = x[:len(d)]
		switch o {
		case add:
			addRightNEON(&d[0], &x[0], &y[0], n)
		case sub:
			subRightNEON(&d[0], &x[0], &y[0], n)
		case mul:
			mulRightNEON(&d[0], &x[0], &y[0], n)
		default:
			divRightNEON(&d[0], &x[0], &y[0], n)
		}
	default:
		x, y = x[:len(d)], y[:len(d)]
		switch o {
		case add:
			addNEON(&d[0], &x[0], &y[0], n)
		case sub:
			subNEON(&d[0], &x[0], &y[0], n)
		case mul:
			mulNEON(&d[0], &x[0], &y[0], n)
		default:
			divNEON(&d[0], &x[0], &y[0], n)
		}
	}
	return n * arithSpan
}

//go:noescape
func addNEON(dst, a, b *float32, steps int)

//go:noescape
func addRightNEON(dst, a, b *float32, steps int)

//go:noescape
func subNEON(dst, a, b *float32, steps int)

//go:noescape
func subRightNEON(dst, a, b *float32, steps int)

//go:noescape
func subLeftNEON(dst, a, b *float32, steps int)

//go:noescape
func mulNEON(dst, a, b *float32, steps int)

//go:noescape
func mulRightNEON(dst, a, b *float32, steps int)

//go:noescape
func divNEON(dst, a, b *float32, steps int)

//go:noescape
func divRightNEON(dst, a, b *float32, steps int)

//go:noescape
func divLeftNEON(dst, a, b *float32, steps int)
