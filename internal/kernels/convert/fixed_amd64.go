//go:build !noasm

package convert

import "github.com/octavo-ml/octavo/internal/cpu"

// rescaleRows rescales the leading channels of each row, as many as the
// processor's instructions take, and returns their number.
func rescaleRows[T int8 | uint8](r *Rescaling, dst []T, stride int, sums []int32, rows int) int {
	n := len(r.bias)
	steps := n / fixedLanes
	if steps == 0 || !cpu.Has(cpu.AVX2) {
		return 0
	}
	tail, skip := n-steps*fixedLanes, stride-steps*fixedLanes
	switch d := any(&dst[0]).(type) {
	case *uint8:
		if r.reals != nil {
			rescaleRealUint8AVX2(d, &sums[0], &r.bias[0], &r.reals[0], rows, steps, tail, skip, r.zero, r.lo-r.zero, r.hi-r.zero)
			break
		}
		rescaleUint8AVX2(d, &sums[0], &r.table[0], rows, steps, tail, skip, r.zero, r.lo-r.zero, r.hi-r.zero)
	case *int8:
		if r.reals != nil {
			rescaleRealInt8AVX2(d, &sums[0], &r.bias[0], &r.reals[0], rows, steps, tail, skip, r.zero, r.lo-r.zero, r.hi-r.zero)
			break
		}
		rescaleInt8AVX2(d, &sums[0], &r.table[0], rows, steps, tail, skip, r.zero, r.lo-r.zero, r.hi-r.zero)
	}
	return steps * fixedLanes
}

// sumFixed adds the leading elements likewise.
func sumFixed[T int8 | uint8](s *FixedSum, dst, a, b []T) int {
	if s.numbers != nil && len(a) > 0 && cpu.Has(cpu.AVX512) {
		switch d := any(&dst[0]).(type) {
		case *uint8:
			sumFixedUint8AVX512(d, any(&a[0]).(*uint8), any(&b[0]).(*uint8), &s.numbers[0], len(a))
		case *int8:
			sumFixedInt8AVX512(d, any(&a[0]).(*int8), any(&b[0]).(*int8), &s.numbers[0], len(a))
		}
		return len(a)
	}
	steps := len(a) / fixedLanes
	if steps == 0 || !cpu.Has(cpu.AVX2) {
		return 0
	}
	switch d := any(&dst[0]).(type) {
	case *uint8:
		sumFixedUint8AVX2(d, any(&a[0]).(*uint8), any(&b[0]).(*uint8), &s.table[0], steps, s.zero, s.lo-s.zero, s.hi-s.zero)
	case *int8:
		sumFixedInt8AVX2(d, any(&a[0]).(*int8), any(&b[0]).(*int8), &s.table[0], steps, s.zero, s.lo-s.zero, s.hi-s.zero)
	}
	return steps * fixedLanes
}

// productFixed multiplies the leading elements likewise.
func productFixed[T int8 | uint8](p *FixedProduct, dst, a, b []T) int {
	if p.numbers != nil && len(a) > 0 && cpu.Has(cpu.AVX512) {
		switch d := any(&dst[0]).(type) {
		case *uint8:
			productFixedUint8AVX512(d, any(&a[0]).(*uint8), any(&b[0]).(*uint8), &p.numbers[0], len(a))
		case *int8:
			productFixedInt8AVX512(d, any(&a[0]).(*int8), any(&b[0]).(*int8), &p.numbers[0], len(a))
		}
		return len(a)
	}
	steps := len(a) / fixedLanes
	if steps == 0 || !cpu.Has(cpu.AVX2) {
		return 0
	}
	switch d := any(&dst[0]).(type) {
	case *uint8:
		productFixedUint8AVX2(d, any(&a[0]).(*uint8), any(&b[0]).(*uint8), &p.table[0], steps, p.zero, p.lo-p.zero, p.hi-p.zero)
	case *int8:
		productFixedInt8AVX2(d, any(&a[0]).(*int8), any(&b[0]).(*int8), &p.table[0], steps, p.zero, p.lo-p.zero, p.hi-p.zero)
	}
	return steps * fixedLanes
}

//go:noescape
func rescaleRealUint8AVX2(dst *uint8, sums, bias *int32, factors *float64, rows, steps, tail, skip int, zero, lo, hi int32)

//go:noescape
func rescaleRealInt8AVX2(dst *int8, sums, bias *int32, factors *float64, rows, steps, tail, skip int, zero, lo, hi int32)

//go:noescape
func rescaleUint8AVX2(dst *uint8, sums *int32, table *int32, rows, steps, tail, skip int, zero, lo, hi int32)

//go:noescape
func rescaleInt8AVX2(dst *int8, sums *int32, table *int32, rows, steps, tail, skip int, zero, lo, hi int32)

//go:noescape
func sumFixedUint8AVX2(dst, a, b *uint8, table *int32, steps int, zero, lo, hi int32)

//go:noescape
func sumFixedInt8AVX2(dst, a, b *int8, table *int32, steps int, zero, lo, hi int32)

//go:noescape
func productFixedUint8AVX2(dst, a, b *uint8, table *int32, steps int, zero, lo, hi int32)

//go:noescape
func productFixedInt8AVX2(dst, a, b *int8, table *int32, steps int, zero, lo, hi int32)

//go:noescape
func sumFixedUint8AVX512(dst, a, b *uint8, numbers *int64, n int)

//go:noescape
func productFixedUint8AVX512(dst, a, b *uint8, numbers *int64, n int)

//go:noescape
func sumFixedInt8AVX512(dst, a, b *int8, numbers *int64, n int)

//go:noescape
func productFixedInt8AVX512(dst, a, b *int8, numbers *int64, n int)
