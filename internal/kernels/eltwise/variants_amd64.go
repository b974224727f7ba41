//go:build !noasm

package eltwise

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"avx512", cpu.AVX512}, {"avx2", cpu.AVX2}, {"generic", cpu.Generic}}

// span is how many elements a step of the functions takes.
const span = 8

// most is the greatest number of steps of one call: assembly cannot be
// interrupted, so that a long call would hold up the collector.
const most = 4096

// behind is the elements behind the last whole step, in a step of their own.
type behind [span]float32

// cut returns how many whole steps of x there are, and what is behind them;
// false without assembly.
func cut(dst, x []float32) (steps int, r behind, ok bool) {
	if !cpu.Has(cpu.AVX512) || len(x) == 0 {
		return 0, r, false
	}
	steps = len(dst[:len(x)]) / span
	copy(r[:], x[steps*span:])
	return steps, r, true
}

func expSpans(dst, x []float32, shift float32) int {
	n, r, ok := cut(dst, x)
	if !ok {
		return 0
	}
	for at := 0; at < n; at += most {
		expAVX512(&dst[at*span], &x[at*span], min(most, n-at), shift)
	}
	if n*span < len(x) {
		expAVX512(&r[0], &r[0], 1, shift)
		copy(dst[n*span:len(x)], r[:])
	}
	return len(x)
}

func swishSpans(dst, x []float32, alpha float32) int {
	n, r, ok := cut(dst, x)
	if !ok {
		return 0
	}
	for at := 0; at < n; at += most {
		swishAVX512(&dst[at*span], &x[at*span], min(most, n-at), alpha)
	}
	if n*span < len(x) {
		swishAVX512(&r[0], &r[0], 1, alpha)
		copy(dst[n*span:len(x)], r[:])
	}
	return len(x)
}

func sigmoidSpans(dst, x []float32) int {
	n, r, ok := cut(dst, x)
	if !ok {
		return 0
	}
	for at := 0; at < n; at += most {
		sigmoidAVX512(&dst[at*span], &x[at*span], min(most, n-at))
	}
	if n*span < len(x) {
		sigmoidAVX512(&r[0], &r[0], 1)
		copy(dst[n*span:len(x)], r[:])
	}
	return len(x)
}

func tanhSpans(dst, x []float32) int {
	n, r, ok := cut(dst, x)
	if !ok {
		return 0
	}
	for at := 0; at < n; at += most {
		tanhAVX512(&dst[at*span], &x[at*span], min(most, n-at))
	}
	if n*span < len(x) {
		tanhAVX512(&r[0], &r[0], 1)
		copy(dst[n*span:len(x)], r[:])
	}
	return len(x)
}

func erfSpans(dst, x []float32) int {
	n, r, ok := cut(dst, x)
	if !ok {
		return 0
	}
	for at := 0; at < n; at += most {
		erfAVX512(&dst[at*span], &x[at*span], min(most, n-at))
	}
	if n*span < len(x) {
		erfAVX512(&r[0], &r[0], 1)
		copy(dst[n*span:len(x)], r[:])
	}
	return len(x)
}

func geluSpans(dst, x []float32) int {
	n, r, ok := cut(dst, x)
	if !ok {
		return 0
	}
	for at := 0; at < n; at += most {
		geluAVX512(&dst[at*span], &x[at*span], min(most, n-at))
	}
	if n*span < len(x) {
		geluAVX512(&r[0], &r[0], 1)
		copy(dst[n*span:len(x)], r[:])
	}
	return len(x)
}

func geluTanhSpans(dst, x []float32) int {
	n, r, ok := cut(dst, x)
	if !ok {
		return 0
	}
	for at := 0; at < n; at += most {
		geluTanhAVX512(&dst[at*span], &x[at*span], min(most, n-at))
	}
	if n*span < len(x) {
		geluTanhAVX512(&r[0], &r[0], 1)
		copy(dst[n*span:len(x)], r[:])
	}
	return len(x)
}

func clampSpans(dst, x []float32, lo, hi float32) int {
	n := len(dst[:len(x)]) / (2 * span)
	if n == 0 || lo != lo || hi != hi || !cpu.Has(cpu.AVX512) {
		return 0
	}
	clampAVX512(&dst[0], &x[0], n, lo, hi)
	return n * 2 * span
}

//go:noescape
func expAVX512(dst, x *float32, steps int, shift float32)

//go:noescape
func swishAVX512(dst, x *float32, steps int, alpha float32)

//go:noescape
func sigmoidAVX512(dst, x *float32, steps int)

//go:noescape
func tanhAVX512(dst, x *float32, steps int)

//go:noescape
func erfAVX512(dst, x *float32, steps int)

//go:noescape
func geluAVX512(dst, x *float32, steps int)

//go:noescape
func geluTanhAVX512(dst, x *float32, steps int)

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
