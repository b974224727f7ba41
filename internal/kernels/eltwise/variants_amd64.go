//go:build !noasm

package eltwise

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"avx512", cpu.AVX512}, {"avx2", cpu.AVX2}, {"generic", cpu.Generic}}

// most is the greatest number of elements of one call: assembly cannot be
// interrupted, so that a long call would hold up the collector.
const most = 1 << 15

// spans does all elements, or none without assembly, and returns their number.
// The elements behind the last whole step get a step of their own.
func spans(f function, dst, x []float32, parameter float32) int {
	step := 0
	switch {
	case cpu.Has(cpu.AVX512):
		step = 16
	case cpu.Has(cpu.AVX2):
		step = 8
	default:
		return 0
	}
	dst = dst[:len(x)]
	whole := len(x) / step * step
	for at := 0; at < whole; at += most {
		steps(f, dst[at:], x[at:], min(most, whole-at)/step, parameter)
	}
	if whole < len(x) {
		var r [16]float32
		copy(r[:], x[whole:])
		steps(f, r[:], r[:], 1, parameter)
		copy(dst[whole:], r[:])
	}
	return len(x)
}

func steps(f function, dst, x []float32, n int, parameter float32) {
	if cpu.Has(cpu.AVX512) {
		functionsAVX512(f, &dst[0], &x[0], n, parameter)
	} else {
		functionsAVX2(f, &dst[0], &x[0], n, parameter)
	}
}

func clampSpans(dst, x []float32, lo, hi float32) int {
	const span = 16
	n := len(dst[:len(x)]) / span
	if n == 0 || lo != lo || hi != hi || !cpu.Has(cpu.AVX2) {
		return 0
	}
	if cpu.Has(cpu.AVX512) {
		clampAVX512(&dst[0], &x[0], n, lo, hi)
	} else {
		clampAVX2(&dst[0], &x[0], n, lo, hi)
	}
	return n * span
}

//go:noescape
func functionsAVX512(f function, dst, x *float32, steps int, parameter float32)

//go:noescape
func functionsAVX2(f function, dst, x *float32, steps int, parameter float32)

//go:noescape
func clampAVX2(dst, x *float32, steps int, lo, hi float32)

//go:noescape
func clampAVX512(dst, x *float32, steps int, lo, hi float32)

// arithSpan is how many elements a step of arithmetic takes.
const arithSpan = 32

// arith does the leading elements of an operation on floats, as many as the
// processor's instructions take, and returns their number.
func arith[T Number](o operation, dst, a, b []T) int {
	d, ok := any(dst).([]float32)
	if !ok || len(d) < arithSpan || len(a) == 1 && len(b) == 1 || !cpu.Has(cpu.AVX2) {
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
			subLeftAVX2(&d[0], &x[0], &y[0], n)
		} else {
			divLeftAVX2(&d[0], &x[0], &y[0], n)
		}
	case len(y) == 1:
		x = x[:len(d)]
		switch o {
		case add:
			addRightAVX2(&d[0], &x[0], &y[0], n)
		case sub:
			subRightAVX2(&d[0], &x[0], &y[0], n)
		case mul:
			mulRightAVX2(&d[0], &x[0], &y[0], n)
		default:
			divRightAVX2(&d[0], &x[0], &y[0], n)
		}
	default:
		x, y = x[:len(d)], y[:len(d)]
		switch o {
		case add:
			addAVX2(&d[0], &x[0], &y[0], n)
		case sub:
			subAVX2(&d[0], &x[0], &y[0], n)
		case mul:
			mulAVX2(&d[0], &x[0], &y[0], n)
		default:
			divAVX2(&d[0], &x[0], &y[0], n)
		}
	}
	return n * arithSpan
}

//go:noescape
func addAVX2(dst, a, b *float32, steps int)

//go:noescape
func addRightAVX2(dst, a, b *float32, steps int)

//go:noescape
func subAVX2(dst, a, b *float32, steps int)

//go:noescape
func subRightAVX2(dst, a, b *float32, steps int)

//go:noescape
func subLeftAVX2(dst, a, b *float32, steps int)

//go:noescape
func mulAVX2(dst, a, b *float32, steps int)

//go:noescape
func mulRightAVX2(dst, a, b *float32, steps int)

//go:noescape
func divAVX2(dst, a, b *float32, steps int)

//go:noescape
func divRightAVX2(dst, a, b *float32, steps int)

//go:noescape
func divLeftAVX2(dst, a, b *float32, steps int)
