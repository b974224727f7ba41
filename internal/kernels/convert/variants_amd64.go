//go:build !noasm

package convert

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"avx512", cpu.AVX512}, {"avx2", cpu.AVX2}, {"generic", cpu.Generic}}

// requantizeSpans requantizes the leading elements of acc, as many as the
// processor's instructions take, and returns their number.
func requantizeSpans[T Quantized](dst []T, acc []int32, multiplier, lo, hi float32, zero int32) int {
	steps := min(len(acc), len(dst)) / span
	if steps == 0 || !cpu.Has(cpu.AVX2) {
		return 0
	}
	switch d := any(&dst[0]).(type) {
	case *uint8:
		requantizeUint8AVX2(d, &acc[0], steps, multiplier, lo, hi, zero)
	case *int8:
		requantizeInt8AVX2(d, &acc[0], steps, multiplier, lo, hi, zero)
	default:
		return 0
	}
	return steps * span
}

// quantizeSpans is requantizeSpans for quotients of floats.
func quantizeSpans[T Quantized](dst []T, x []float32, scale, lo, hi float32, zero int32) int {
	steps := min(len(x), len(dst)) / span
	if steps == 0 || !cpu.Has(cpu.AVX2) {
		return 0
	}
	switch d := any(&dst[0]).(type) {
	case *uint8:
		quantizeUint8AVX2(d, &x[0], steps, scale, lo, hi, zero)
	case *int8:
		quantizeInt8AVX2(d, &x[0], steps, scale, lo, hi, zero)
	default:
		return 0
	}
	return steps * span
}

// quantizeAwaySpans is quantizeSpans with halves away from zero.
func quantizeAwaySpans[T Quantized](dst []T, x []float32, scale, lo, hi float32, zero int32) int {
	steps := min(len(x), len(dst)) / span
	if steps == 0 || !cpu.Has(cpu.AVX2) {
		return 0
	}
	switch d := any(&dst[0]).(type) {
	case *uint8:
		quantizeAwayUint8AVX2(d, &x[0], steps, scale, lo, hi, zero)
	case *int8:
		quantizeAwayInt8AVX2(d, &x[0], steps, scale, lo, hi, zero)
	default:
		return 0
	}
	return steps * span
}

// dequantizeSpans dequantizes the leading elements of q likewise.
func dequantizeSpans[T Quantized | int32](dst []float32, q []T, scale float32, zero int32) int {
	steps := min(len(q), len(dst)) / span
	if steps == 0 || !cpu.Has(cpu.AVX2) {
		return 0
	}
	switch s := any(&q[0]).(type) {
	case *uint8:
		dequantizeUint8AVX2(&dst[0], s, steps, scale, zero)
	case *int8:
		dequantizeInt8AVX2(&dst[0], s, steps, scale, zero)
	default:
		return 0
	}
	return steps * span
}

// sumSpans sums the leading elements likewise.
func sumSpans[T int8 | uint8](dst, a, b []T, fa, fb, c, lo, hi float32) int {
	if len(a) > 0 && cpu.Has(cpu.AVX512) {
		_, _ = dst[len(a)-1], b[len(a)-1]
		switch d := any(&dst[0]).(type) {
		case *uint8:
			sumUint8AVX512(d, any(&a[0]).(*uint8), any(&b[0]).(*uint8), len(a), fa, fb, c, hi, int32(lo))
		case *int8:
			sumInt8AVX512(d, any(&a[0]).(*int8), any(&b[0]).(*int8), len(a), fa, fb, c, hi, int32(lo))
		}
		return len(a)
	}
	steps := len(a) / span
	if steps == 0 || !cpu.Has(cpu.AVX2) {
		return 0
	}
	_, _ = dst[steps*span-1], b[steps*span-1]
	switch d := any(&dst[0]).(type) {
	case *uint8:
		sumUint8AVX2(d, any(&a[0]).(*uint8), any(&b[0]).(*uint8), steps, fa, fb, c, lo, hi)
	case *int8:
		sumInt8AVX2(d, any(&a[0]).(*int8), any(&b[0]).(*int8), steps, fa, fb, c, lo, hi)
	}
	return steps * span
}

// productSpans multiplies the leading elements likewise.
func productSpans[T int8 | uint8](dst, a, b []T, za, zb int32, m, c, lo, hi float32) int {
	if len(a) > 0 && cpu.Has(cpu.AVX512) {
		_, _ = dst[len(a)-1], b[len(a)-1]
		switch d := any(&dst[0]).(type) {
		case *uint8:
			productUint8AVX512(d, any(&a[0]).(*uint8), any(&b[0]).(*uint8), len(a), m, c, hi, za, zb, int32(lo))
		case *int8:
			productInt8AVX512(d, any(&a[0]).(*int8), any(&b[0]).(*int8), len(a), m, c, hi, za, zb, int32(lo))
		}
		return len(a)
	}
	steps := len(a) / span
	if steps == 0 || !cpu.Has(cpu.AVX2) {
		return 0
	}
	_, _ = dst[steps*span-1], b[steps*span-1]
	switch d := any(&dst[0]).(type) {
	case *uint8:
		productUint8AVX2(d, any(&a[0]).(*uint8), any(&b[0]).(*uint8), steps, za, zb, m, c, lo, hi)
	case *int8:
		productInt8AVX2(d, any(&a[0]).(*int8), any(&b[0]).(*int8), steps, za, zb, m, c, lo, hi)
	}
	return steps * span
}

// decodeSpans decodes the leading elements, binary16 or bfloat16, likewise.
func decodeSpans(dst []float32, src []uint16, binary bool) int {
	steps := min(len(src), len(dst)) / span
	switch {
	case steps == 0 || !cpu.Has(cpu.AVX2):
		return 0
	case binary:
		decodeF16AVX2(&dst[0], &src[0], steps)
	default:
		decodeBF16AVX2(&dst[0], &src[0], steps)
	}
	return steps * span
}

// encodeSpans encodes the leading elements likewise.
func encodeSpans(dst []uint16, src []float32, binary bool) int {
	steps := min(len(src), len(dst)) / span
	switch {
	case steps == 0 || !cpu.Has(cpu.AVX2):
		return 0
	case binary:
		encodeF16AVX2(&dst[0], &src[0], steps)
	default:
		encodeBF16AVX2(&dst[0], &src[0], steps)
	}
	return steps * span
}

//go:noescape
func decodeF16AVX2(dst *float32, src *uint16, steps int)

//go:noescape
func decodeBF16AVX2(dst *float32, src *uint16, steps int)

//go:noescape
func encodeF16AVX2(dst *uint16, src *float32, steps int)

//go:noescape
func encodeBF16AVX2(dst *uint16, src *float32, steps int)

//go:noescape
func requantizeUint8AVX2(dst *uint8, acc *int32, steps int, scale, lo, hi float32, zero int32)

//go:noescape
func requantizeInt8AVX2(dst *int8, acc *int32, steps int, scale, lo, hi float32, zero int32)

//go:noescape
func quantizeUint8AVX2(dst *uint8, x *float32, steps int, scale, lo, hi float32, zero int32)

//go:noescape
func quantizeInt8AVX2(dst *int8, x *float32, steps int, scale, lo, hi float32, zero int32)

//go:noescape
func quantizeAwayUint8AVX2(dst *uint8, x *float32, steps int, scale, lo, hi float32, zero int32)

//go:noescape
func quantizeAwayInt8AVX2(dst *int8, x *float32, steps int, scale, lo, hi float32, zero int32)

//go:noescape
func dequantizeUint8AVX2(dst *float32, q *uint8, steps int, scale float32, zero int32)

//go:noescape
func dequantizeInt8AVX2(dst *float32, q *int8, steps int, scale float32, zero int32)

//go:noescape
func sumUint8AVX2(dst, a, b *uint8, steps int, fa, fb, c, lo, hi float32)

//go:noescape
func sumInt8AVX2(dst, a, b *int8, steps int, fa, fb, c, lo, hi float32)

//go:noescape
func productUint8AVX2(dst, a, b *uint8, steps int, za, zb int32, m, c, lo, hi float32)

//go:noescape
func productInt8AVX2(dst, a, b *int8, steps int, za, zb int32, m, c, lo, hi float32)

//go:noescape
func sumUint8AVX512(dst, a, b *uint8, n int, fa, fb, c, hi float32, lo int32)

//go:noescape
func sumInt8AVX512(dst, a, b *int8, n int, fa, fb, c, hi float32, lo int32)

//go:noescape
func productUint8AVX512(dst, a, b *uint8, n int, m, c, hi float32, za, zb, lo int32)

//go:noescape
func productInt8AVX512(dst, a, b *int8, n int, m, c, hi float32, za, zb, lo int32)
