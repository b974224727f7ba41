package histogram

import "math"

const (
	magnitude = 1<<31 - 1
	infinite  = 0x7f800000
)

// Extremes are those of some values.
type Extremes struct {
	// Min and Max are as Go's min and max have them (-0 < +0), +Inf and -Inf of
	// no values.
	Min, Max float32
	// near is the least magnitude above zero, its bits doubled and one less; all
	// ones where there is none.
	near uint32
}

// None are the extremes of no values.
func None() Extremes {
	return Extremes{float32(math.Inf(1)), float32(math.Inf(-1)), math.MaxUint32}
}

// With returns the extremes of the values of both.
func (e Extremes) With(o Extremes) Extremes {
	return Extremes{min(e.Min, o.Min), max(e.Max, o.Max), min(e.near, o.near)}
}

// Exponents returns the least and the greatest biased exponent of the values but
// for zeros; the least is above the greatest where there are no others.
func (e Extremes) Exponents() (least, greatest int) {
	if e.near == math.MaxUint32 {
		return 1, 0
	}
	m := max(math.Float32bits(e.Min)&magnitude, math.Float32bits(e.Max)&magnitude)
	return int((e.near + 1) >> 24), int(m >> 23)
}

// bounds are the least and the greatest bits as unsigned integers, the greatest
// as signed ones, and the least as Extremes has near.
type bounds struct {
	least, most uint32
	positive    int32
	near        uint32
}

func (e *bounds) add(least, most uint32, positive int32, near uint32) {
	e.least, e.most, e.positive, e.near = min(e.least, least), max(e.most, most), max(e.positive, positive), min(e.near, near)
}

// Bounds returns the extremes of x, or false if not all of x are finite.
func Bounds(x []float32) (e Extremes, finite bool) {
	if len(x) == 0 {
		return None(), true
	}
	b := math.Float32bits(x[0])
	r := bounds{b, b, int32(b), b<<1 - 1}
	for _, v := range x[r.spans(x):] {
		b := math.Float32bits(v)
		r.add(b, b, int32(b), b<<1-1)
	}
	// Negative numbers are above the positive as unsigned integers, and their
	// order is turned around.
	low, high := r.least, r.least
	if r.most > magnitude {
		low = r.most
	}
	if r.positive >= 0 {
		high = uint32(r.positive)
	}
	finite = low&magnitude < infinite && high&magnitude < infinite
	return Extremes{math.Float32frombits(low), math.Float32frombits(high), r.near}, finite
}
