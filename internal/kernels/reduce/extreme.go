package reduce

// Number lists the element types with an order.
type Number interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64
}

// Min returns the least of x as Go's min does: a NaN wins, -0 < +0. It panics
// on an empty x.
func Min[T Number](x []T) T { return MinStrided(x, len(x), 1) }

// Max returns the greatest of x as Go's max does: a NaN wins, -0 < +0. It
// panics on an empty x.
func Max[T Number](x []T) T {
	if f, ok := any(x).([]float32); ok && len(x) >= 2*lanes {
		m := [lanes]float32(f)
		if n := maxSpans(&m, f); n > 0 {
			return T(maxOr(f[n:], m[0]))
		}
	}
	return MaxStrided(x, len(x), 1)
}

// maxOr is Max of x, or v where there is nothing.
func maxOr(x []float32, v float32) float32 {
	for _, e := range x {
		v = max(v, e)
	}
	return v
}

// MinStrided is Min of x[0], x[stride], … n elements in all.
func MinStrided[T Number](x []T, n, stride int) T {
	m := x[0]
	for i := 1; i < n; i++ {
		m = min(m, x[i*stride])
	}
	return m
}

// MaxStrided is Max of x[0], x[stride], … n elements in all.
func MaxStrided[T Number](x []T, n, stride int) T {
	m := x[0]
	for i := 1; i < n; i++ {
		m = max(m, x[i*stride])
	}
	return m
}

// ArgMin returns the index of the least of x[0], x[stride], … n elements in
// all, the first of equals, or the last where last is set. A NaN counts as
// less than all; -0 equals +0. It returns -1 for n = 0.
func ArgMin[T Number](x []T, n, stride int, last bool) int {
	return arg(x, n, stride, last, func(a, b T) bool { return a < b })
}

// ArgMax is ArgMin for the greatest; a NaN counts as greater than all.
func ArgMax[T Number](x []T, n, stride int, last bool) int {
	return arg(x, n, stride, last, func(a, b T) bool { return a > b })
}

func arg[T Number](x []T, n, stride int, last bool, beats func(a, b T) bool) int {
	best := -1
	var top T
	for i := range n {
		v := x[i*stride]
		switch {
		case best < 0, beats(v, top), v != v && top == top:
		case last && (v == top || v != v && top != top):
		default:
			continue
		}
		best, top = i, v
	}
	return best
}
