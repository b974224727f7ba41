//go:build !noasm

package eltwise

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"avx512", cpu.AVX512}, {"generic", cpu.Generic}}

// span is how many elements a step of the functions takes.
const span = 8

// steps returns how many steps of n elements can be taken from x to dst.
func steps(dst, x []float32, n int) int {
	if !cpu.Has(cpu.AVX512) {
		return 0
	}
	return len(dst[:len(x)]) / n
}

func expSpans(dst, x []float32, shift float32) int {
	n := steps(dst, x, span)
	if n > 0 {
		expAVX512(&dst[0], &x[0], n, shift)
	}
	return n * span
}

func swishSpans(dst, x []float32, alpha float32) int {
	n := steps(dst, x, span)
	if n > 0 {
		swishAVX512(&dst[0], &x[0], n, alpha)
	}
	return n * span
}

func sigmoidSpans(dst, x []float32) int {
	n := steps(dst, x, span)
	if n > 0 {
		sigmoidAVX512(&dst[0], &x[0], n)
	}
	return n * span
}

func tanhSpans(dst, x []float32) int {
	n := steps(dst, x, span)
	if n > 0 {
		tanhAVX512(&dst[0], &x[0], n)
	}
	return n * span
}

func erfSpans(dst, x []float32) int {
	n := steps(dst, x, span)
	if n > 0 {
		erfAVX512(&dst[0], &x[0], n)
	}
	return n * span
}

func geluSpans(dst, x []float32) int {
	n := steps(dst, x, span)
	if n > 0 {
		geluAVX512(&dst[0], &x[0], n)
	}
	return n * span
}

func geluTanhSpans(dst, x []float32) int {
	n := steps(dst, x, span)
	if n > 0 {
		geluTanhAVX512(&dst[0], &x[0], n)
	}
	return n * span
}

func clampSpans(dst, x []float32, lo, hi float32) int {
	n := steps(dst, x, 2*span)
	if n == 0 || lo != lo || hi != hi {
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
