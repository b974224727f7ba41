//go:build !noasm

package convert

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"neon", cpu.NEON}, {"generic", cpu.Generic}}

// requantizeSpans requantizes the leading elements of acc, as many as the
// processor's instructions take, and returns their number.
func requantizeSpans[T Quantized](dst []T, acc []int32, multiplier, lo, hi float32, zero int32) int {
	steps := min(len(acc), len(dst)) / span
	if steps == 0 || !cpu.Has(cpu.NEON) {
		return 0
	}
	switch d := any(&dst[0]).(type) {
	case *uint8:
		requantizeUint8NEON(d, &acc[0], steps, multiplier, lo, hi, zero)
	case *int8:
		requantizeInt8NEON(d, &acc[0], steps, multiplier, lo, hi, zero)
	default:
		return 0
	}
	return steps * span
}

// quantizeSpans is requantizeSpans for quotients of floats.
func quantizeSpans[T Quantized](dst []T, x []float32, scale, lo, hi float32, zero int32) int {
	steps := min(len(x), len(dst)) / span
	if steps == 0 || !cpu.Has(cpu.NEON) {
		return 0
	}
	switch d := any(&dst[0]).(type) {
	case *uint8:
		quantizeUint8NEON(d, &x[0], steps, scale, lo, hi, zero)
	case *int8:
		quantizeInt8NEON(d, &x[0], steps, scale, lo, hi, zero)
	default:
		return 0
	}
	return steps * span
}

// quantizeAwaySpans: there are no instructions for it yet.
func quantizeAwaySpans[T Quantized](_ []T, _ []float32, _, _, _ float32, _ int32) int { return 0 }

// dequantizeSpans dequantizes the leading elements of q likewise.
func dequantizeSpans[T Quantized | int32](dst []float32, q []T, scale float32, zero int32) int {
	steps := min(len(q), len(dst)) / span
	if steps == 0 || !cpu.Has(cpu.NEON) {
		return 0
	}
	switch s := any(&q[0]).(type) {
	case *uint8:
		dequantizeUint8NEON(&dst[0], s, steps, scale, zero)
	case *int8:
		dequantizeInt8NEON(&dst[0], s, steps, scale, zero)
	default:
		return 0
	}
	return steps * span
}

// sumSpans sums the leading elements likewise.
func sumSpans[T int8 | uint8](dst, a, b []T, fa, fb, c, lo, hi float32) int {
	steps := len(a) / span
	if steps == 0 || !cpu.Has(cpu.NEON) {
		return 0
	}
	_, _ = dst[steps*span-1], b[steps*span-1]
	switch d := any(&dst[0]).(type) {
	case *uint8:
		sumUint8NEON(d, any(&a[0]).(*uint8), any(&b[0]).(*uint8), steps, fa, fb, c, lo, hi)
	case *int8:
		sumInt8NEON(d, any(&a[0]).(*int8), any(&b[0]).(*int8), steps, fa, fb, c, lo, hi)
	}
	return steps * span
}

// productSpans multiplies the leading elements likewise.
func productSpans[T int8 | uint8](dst, a, b []T, za, zb int32, m, c, lo, hi float32) int {
	steps := len(a) / span
	if steps == 0 || !cpu.Has(cpu.NEON) {
		return 0
	}
	_, _ = dst[steps*span-1], b[steps*span-1]
	switch d := any(&dst[0]).(type) {
	case *uint8:
		productUint8NEON(d, any(&a[0]).(*uint8), any(&b[0]).(*uint8), steps, za, zb, m, c, lo, hi)
	case *int8:
		productInt8NEON(d, any(&a[0]).(*int8), any(&b[0]).(*int8), steps, za, zb, m, c, lo, hi)
	}
	return steps * span
}

// decodeSpans decodes the leading elements, binary16 or bfloat16, likewise.
func decodeSpans(dst []float32, src []uint16, binary bool) int {
	steps := min(len(src), len(dst)) / span
	switch {
	case steps == 0 || !cpu.Has(cpu.NEON):
		return 0
	case binary:
		decodeF16NEON(&dst[0], &src[0], steps)
	default:
		decodeBF16NEON(&dst[0], &src[0], steps)
	}
	return steps * span
}

// encodeSpans encodes the leading elements likewise.
func encodeSpans(dst []uint16, src []float32, binary bool) int {
	steps := min(len(src), len(dst)) / span
	switch {
	case steps == 0 || !cpu.Has(cpu.NEON):
		return 0
	case binary:
		encodeF16NEON(&dst[0], &src[0], steps)
	default:
		encodeBF16NEON(&dst[0], &src[0], steps)
	}
	return steps * span
}

//go:noescape
func decodeF16NEON(dst *float32, src *uint16, steps int)

//go:noescape
func decodeBF16NEON(dst *float32, src *uint16, steps int)

//go:noescape
func encodeF16NEON(dst *uint16, src *float32, steps int)

//go:noescape
func encodeBF16NEON(dst *uint16, src *float32, steps int)

//go:noescape
func requantizeUint8NEON(dst *uint8, acc *int32, steps int, scale, lo, hi float32, zero int32)

//go:noescape
func requantizeInt8NEON(dst *int8, acc *int32, steps int, scale, lo, hi float32, zero int32)

//go:noescape
func quantizeUint8NEON(dst *uint8, x *float32, steps int, scale, lo, hi float32, zero int32)

//go:noescape
func quantizeInt8NEON(dst *int8, x *float32, steps int, scale, lo, hi float32, zero int32)

//go:noescape
func dequantizeUint8NEON(dst *float32, q *uint8, steps int, scale float32, zero int32)

//go:noescape
func dequantizeInt8NEON(dst *float32, q *int8, steps int, scale float32, zero int32)

//go:noescape
func sumUint8NEON(dst, a, b *uint8, steps int, fa, fb, c, lo, hi float32)

//go:noescape
func sumInt8NEON(dst, a, b *int8, steps int, fa, fb, c, lo, hi float32)

//go:noescape
func productUint8NEON(dst, a, b *uint8, steps int, za, zb int32, m, c, lo, hi float32)

//go:noescape
func productInt8NEON(dst, a, b *int8, steps int, za, zb int32, m, c, lo, hi float32)
