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

func maxPlaces[T Number](dst, x []T, offsets []int) { maxPlacesGeneric(dst, x, offsets) }

func sumPlaces[T uint8 | int8](dst []int32, x []T, offsets []int) { sumPlacesGeneric(dst, x, offsets) }

func sumFloats(dst, x []float32, offsets []int) { sumFloatsGeneric(dst, x, offsets) }

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
