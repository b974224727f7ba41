//go:build !noasm

package reduce

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"avx512", cpu.AVX512}, {"avx2", cpu.AVX2}, {"generic", cpu.Generic}}

// steps returns how many whole vectors of lanes elements n are for assembly to
// take, and whether those of AVX-512 are there.
func steps(n int) (count int, wide bool) {
	if !cpu.Has(cpu.AVX2) {
		return 0, false
	}
	return n / lanes, cpu.Has(cpu.AVX512)
}

// addSpans adds the leading elements of x to their lanes, as many as the
// processor's instructions take, and returns their number.
func addSpans(lane *[lanes]float32, x []float32) int {
	n, wide := steps(len(x))
	switch {
	case n == 0:
	case wide:
		addLanesAVX512(lane, &x[0], n)
	default:
		addLanesAVX2(lane, &x[0], n)
	}
	return n * lanes
}

// squareSpans is addSpans for the squares.
func squareSpans(lane *[lanes]float32, x []float32) int {
	n, wide := steps(len(x))
	switch {
	case n == 0:
	case wide:
		addSquaresAVX512(lane, &x[0], n)
	default:
		addSquaresAVX2(lane, &x[0], n)
	}
	return n * lanes
}

// centerSpans stores x less mean in dst likewise, and adds the squares.
func centerSpans(lane *[lanes]float32, dst, x []float32, mean float32) int {
	n, wide := steps(len(x))
	switch {
	case n == 0:
	case wide:
		centerAVX512(lane, &dst[:len(x)][0], &x[0], n, mean)
	default:
		centerAVX2(lane, &dst[:len(x)][0], &x[0], n, mean)
	}
	return n * lanes
}

// maxSpans takes the leading elements of x, at least lanes of them, and what
// lane holds into the maximum of all, lane's first element; where it takes none
// it leaves lane alone.
func maxSpans(lane *[lanes]float32, x []float32) int {
	n, wide := steps(len(x))
	switch {
	case n == 0:
	case wide:
		maxLanesAVX512(lane, &x[0], n)
	default:
		maxLanesAVX2(lane, &x[0], n)
	}
	return n * lanes
}

// scaleSpans multiplies the leading elements of x by factor and scale, and adds
// shift, if not nil.
func scaleSpans(dst, x, scale, shift []float32, factor float32) int {
	n, wide := steps(len(x))
	if n == 0 {
		return 0
	}
	d, s := &dst[:len(x)][0], &scale[:len(x)][0]
	switch {
	case shift == nil && wide:
		scaleAVX512(d, &x[0], s, n, factor)
	case shift == nil:
		scaleAVX2(d, &x[0], s, n, factor)
	case wide:
		scaleShiftAVX512(d, &x[0], s, &shift[:len(x)][0], n, factor)
	default:
		scaleShiftAVX2(d, &x[0], s, &shift[:len(x)][0], n, factor)
	}
	return n * lanes
}

// divideSpans divides the leading elements.
func divideSpans(x []float32, by float32) int {
	n, wide := steps(len(x))
	switch {
	case n == 0:
	case wide:
		divideAVX512(&x[0], n, by)
	default:
		divideAVX2(&x[0], n, by)
	}
	return n * lanes
}

// Channels of a step of the loops over places that do not mask.
const (
	maxFloats, maxBytes   = 8, 16
	sumBytes, sumOfFloats = 16, 8
)

// maxPlaces is maxPlacesGeneric.
func maxPlaces[T Number](dst, x []T, offsets []int) {
	n, count := len(dst), len(offsets)
	if n == 0 || !cpu.Has(cpu.AVX2) {
		maxPlacesGeneric(dst, x, offsets)
		return
	}
	wide := cpu.Has(cpu.AVX512)
	switch d := any(&dst[0]).(type) {
	case *float32:
		s := any(&x[0]).(*float32)
		switch {
		case wide:
			maxPlacesFloat32AVX512(d, s, &offsets[0], count, 4*n)
			return
		case n >= maxFloats:
			maxPlacesFloat32AVX2(d, s, &offsets[0], count, n)
			return
		}
	case *uint8:
		s := any(&x[0]).(*uint8)
		switch {
		case wide:
			maxPlacesUint8AVX512(d, s, &offsets[0], count, n)
			return
		case n >= maxBytes:
			maxPlacesUint8AVX2(d, s, &offsets[0], count, n)
			return
		}
	case *int8:
		s := any(&x[0]).(*int8)
		switch {
		case wide:
			maxPlacesInt8AVX512(d, s, &offsets[0], count, n)
			return
		case n >= maxBytes:
			maxPlacesInt8AVX2(d, s, &offsets[0], count, n)
			return
		}
	}
	maxPlacesGeneric(dst, x, offsets)
}

// sumPlaces is sumPlacesGeneric.
func sumPlaces[T uint8 | int8](dst []int32, x []T, offsets []int) {
	n, count := len(dst), len(offsets)
	wide := cpu.Has(cpu.AVX512)
	if n == 0 || !wide && (n < sumBytes || !cpu.Has(cpu.AVX2)) {
		sumPlacesGeneric(dst, x, offsets)
		return
	}
	switch s := any(&x[0]).(type) {
	case *uint8:
		if wide {
			sumPlacesUint8AVX512(&dst[0], s, &offsets[0], count, n)
		} else {
			sumPlacesUint8AVX2(&dst[0], s, &offsets[0], count, n)
		}
	case *int8:
		if wide {
			sumPlacesInt8AVX512(&dst[0], s, &offsets[0], count, n)
		} else {
			sumPlacesInt8AVX2(&dst[0], s, &offsets[0], count, n)
		}
	}
}

// sumFloats is sumFloatsGeneric.
func sumFloats(dst, x []float32, offsets []int) {
	switch n := len(dst); {
	case n > 0 && cpu.Has(cpu.AVX512):
		sumPlacesFloat32AVX512(&dst[0], &x[0], &offsets[0], len(offsets), n)
	case n >= sumOfFloats && cpu.Has(cpu.AVX2):
		sumPlacesFloat32AVX2(&dst[0], &x[0], &offsets[0], len(offsets), n)
	default:
		sumFloatsGeneric(dst, x, offsets)
	}
}

//go:noescape
func addLanesAVX512(lane *[lanes]float32, x *float32, steps int)

//go:noescape
func addSquaresAVX512(lane *[lanes]float32, x *float32, steps int)

//go:noescape
func centerAVX512(lane *[lanes]float32, dst, x *float32, steps int, mean float32)

//go:noescape
func maxLanesAVX512(lane *[lanes]float32, x *float32, steps int)

//go:noescape
func scaleShiftAVX512(dst, x, scale, shift *float32, steps int, factor float32)

//go:noescape
func scaleAVX512(dst, x, scale *float32, steps int, factor float32)

//go:noescape
func divideAVX512(dst *float32, steps int, by float32)

//go:noescape
func addLanesAVX2(lane *[lanes]float32, x *float32, steps int)

//go:noescape
func addSquaresAVX2(lane *[lanes]float32, x *float32, steps int)

//go:noescape
func centerAVX2(lane *[lanes]float32, dst, x *float32, steps int, mean float32)

//go:noescape
func maxLanesAVX2(lane *[lanes]float32, x *float32, steps int)

//go:noescape
func scaleShiftAVX2(dst, x, scale, shift *float32, steps int, factor float32)

//go:noescape
func scaleAVX2(dst, x, scale *float32, steps int, factor float32)

//go:noescape
func divideAVX2(dst *float32, steps int, by float32)

//go:noescape
func maxPlacesFloat32AVX512(dst *float32, x *float32, offsets *int, count, n int)

//go:noescape
func maxPlacesUint8AVX512(dst *uint8, x *uint8, offsets *int, count, n int)

//go:noescape
func maxPlacesInt8AVX512(dst *int8, x *int8, offsets *int, count, n int)

//go:noescape
func sumPlacesUint8AVX512(dst *int32, x *uint8, offsets *int, count, n int)

//go:noescape
func sumPlacesInt8AVX512(dst *int32, x *int8, offsets *int, count, n int)

//go:noescape
func sumPlacesFloat32AVX512(dst *float32, x *float32, offsets *int, count, n int)

//go:noescape
func maxPlacesFloat32AVX2(dst, x *float32, offsets *int, count, n int)

//go:noescape
func maxPlacesUint8AVX2(dst, x *uint8, offsets *int, count, n int)

//go:noescape
func maxPlacesInt8AVX2(dst, x *int8, offsets *int, count, n int)

//go:noescape
func sumPlacesUint8AVX2(dst *int32, x *uint8, offsets *int, count, n int)

//go:noescape
func sumPlacesInt8AVX2(dst *int32, x *int8, offsets *int, count, n int)

//go:noescape
func sumPlacesFloat32AVX2(dst *float32, x *float32, offsets *int, count, n int)
