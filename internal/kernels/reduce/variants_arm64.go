//go:build !noasm

package reduce

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"neon", cpu.NEON}, {"generic", cpu.Generic}}

// steps returns how many whole vectors of lanes elements n are for assembly to
// take.
func steps(n int) int {
	if !cpu.Has(cpu.NEON) {
		return 0
	}
	return n / lanes
}

// addSpans adds the leading elements of x to their lanes, as many as the
// processor's instructions take, and returns their number.
func addSpans(lane *[lanes]float32, x []float32) int {
	n := steps(len(x))
	if n > 0 {
		addLanesNEON(lane, &x[0], n)
	}
	return n * lanes
}

// squareSpans is addSpans for the squares.
func squareSpans(lane *[lanes]float32, x []float32) int {
	n := steps(len(x))
	if n > 0 {
		addSquaresNEON(lane, &x[0], n)
	}
	return n * lanes
}

// centerSpans stores x less mean in dst likewise, and adds the squares.
func centerSpans(lane *[lanes]float32, dst, x []float32, mean float32) int {
	n := steps(len(x))
	if n > 0 {
		centerNEON(lane, &dst[:len(x)][0], &x[0], n, mean)
	}
	return n * lanes
}

// maxSpans takes the leading elements of x, at least lanes of them, and what
// lane holds into the maximum of all, lane's first element; where it takes none
// it leaves lane alone.
func maxSpans(lane *[lanes]float32, x []float32) int {
	n := steps(len(x))
	if n > 0 {
		maxLanesNEON(lane, &x[0], n)
	}
	return n * lanes
}

// scaleSpans multiplies the leading elements of x by factor and scale, and adds
// shift, if not nil.
func scaleSpans(dst, x, scale, shift []float32, factor float32) int {
	n := steps(len(x))
	if n == 0 {
		return 0
	}
	d, s := &dst[:len(x)][0], &scale[:len(x)][0]
	if shift == nil {
		scaleNEON(d, &x[0], s, n, factor)
	} else {
		scaleShiftNEON(d, &x[0], s, &shift[:len(x)][0], n, factor)
	}
	return n * lanes
}

// divideSpans divides the leading elements.
func divideSpans(x []float32, by float32) int {
	n := steps(len(x))
	if n > 0 {
		divideNEON(&x[0], n, by)
	}
	return n * lanes
}

// Channels of a step of the loops over places.
const (
	maxFloats, maxBytes   = 4, 16
	sumBytes, sumOfFloats = 16, 4
)

// maxPlaces is maxPlacesGeneric.
func maxPlaces[T Number](dst, x []T, offsets []int) {
	if n, count := len(dst), len(offsets); n > 0 && cpu.Has(cpu.NEON) {
		switch d := any(&dst[0]).(type) {
		case *float32:
			if n >= maxFloats {
				maxPlacesFloat32NEON(d, any(&x[0]).(*float32), &offsets[0], count, n)
				return
			}
		case *uint8:
			if n >= maxBytes {
				maxPlacesUint8NEON(d, any(&x[0]).(*uint8), &offsets[0], count, n)
				return
			}
		case *int8:
			if n >= maxBytes {
				maxPlacesInt8NEON(d, any(&x[0]).(*int8), &offsets[0], count, n)
				return
			}
		}
	}
	maxPlacesGeneric(dst, x, offsets)
}

// sumPlaces is sumPlacesGeneric.
func sumPlaces[T uint8 | int8](dst []int32, x []T, offsets []int) {
	n, count := len(dst), len(offsets)
	if n < sumBytes || !cpu.Has(cpu.NEON) {
		sumPlacesGeneric(dst, x, offsets)
		return
	}
	switch s := any(&x[0]).(type) {
	case *uint8:
		sumPlacesUint8NEON(&dst[0], s, &offsets[0], count, n)
	case *int8:
		sumPlacesInt8NEON(&dst[0], s, &offsets[0], count, n)
	}
}

// sumFloats is sumFloatsGeneric.
func sumFloats(dst, x []float32, offsets []int) {
	if n := len(dst); n >= sumOfFloats && cpu.Has(cpu.NEON) {
		sumPlacesFloat32NEON(&dst[0], &x[0], &offsets[0], len(offsets), n)
		return
	}
	sumFloatsGeneric(dst, x, offsets)
}

//go:noescape
func addLanesNEON(lane *[lanes]float32, x *float32, steps int)

//go:noescape
func addSquaresNEON(lane *[lanes]float32, x *float32, steps int)

//go:noescape
func centerNEON(lane *[lanes]float32, dst, x *float32, steps int, mean float32)

//go:noescape
func maxLanesNEON(lane *[lanes]float32, x *float32, steps int)

//go:noescape
func scaleShiftNEON(dst, x, scale, shift *float32, steps int, factor float32)

//go:noescape
func scaleNEON(dst, x, scale *float32, steps int, factor float32)

//go:noescape
func divideNEON(dst *float32, steps int, by float32)

//go:noescape
func maxPlacesFloat32NEON(dst *float32, x *float32, offsets *int, count, n int)

//go:noescape
func maxPlacesUint8NEON(dst *uint8, x *uint8, offsets *int, count, n int)

//go:noescape
func maxPlacesInt8NEON(dst *int8, x *int8, offsets *int, count, n int)

//go:noescape
func sumPlacesUint8NEON(dst *int32, x *uint8, offsets *int, count, n int)

//go:noescape
func sumPlacesInt8NEON(dst *int32, x *int8, offsets *int, count, n int)

//go:noescape
func sumPlacesFloat32NEON(dst *float32, x *float32, offsets *int, count, n int)
