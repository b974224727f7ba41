package eltwise

// operation is one that assembly knows.
type operation uint8

const (
	add operation = iota
	sub
	mul
	div
)

// rest does the leading elements of an operation where there is assembly for
// them, and returns what is left.
func rest[T Number](o operation, dst, a, b []T) (d, x, y []T) {
	n := arith(o, dst, a, b)
	if n == 0 {
		return dst, a, b
	}
	if len(a) > 1 {
		a = a[n:]
	}
	if len(b) > 1 {
		b = b[n:]
	}
	return dst[n:], a, b
}

// Add stores a[i] + b[i]; integers wrap.
func Add[T Number](dst, a, b []T) {
	dst, a, b = rest(add, dst, a, b)
	if len(a) == 1 {
		a, b = b, a
	}
	if len(b) == 1 {
		s := b[0]
		if len(a) == 1 {
			fill(dst, a[0]+b[0])
			return
		}
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = a[i] + s
		}
		return
	}
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

// Sub stores a[i] - b[i]; integers wrap.
func Sub[T Number](dst, a, b []T) {
	dst, a, b = rest(sub, dst, a, b)
	switch {
	case len(a) == 1 && len(b) == 1:
		fill(dst, a[0]-b[0])
	case len(b) == 1:
		s := b[0]
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = a[i] - s
		}
	case len(a) == 1:
		s := a[0]
		b = b[:len(dst)]
		for i := range dst {
			dst[i] = s - b[i]
		}
	default:
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = a[i] - b[i]
		}
	}
}

// Mul stores a[i] * b[i]; integers wrap.
func Mul[T Number](dst, a, b []T) {
	dst, a, b = rest(mul, dst, a, b)
	if len(a) == 1 {
		a, b = b, a
	}
	if len(b) == 1 {
		s := b[0]
		if len(a) == 1 {
			fill(dst, a[0]*b[0])
			return
		}
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = a[i] * s
		}
		return
	}
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] * b[i]
	}
}

// Div stores a[i] / b[i] of floats.
func Div[T float32 | float64](dst, a, b []T) {
	dst, a, b = rest(div, dst, a, b)
	switch {
	case len(a) == 1 && len(b) == 1:
		fill(dst, a[0]/b[0])
	case len(b) == 1:
		s := b[0]
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = a[i] / s
		}
	case len(a) == 1:
		s := a[0]
		b = b[:len(dst)]
		for i := range dst {
			dst[i] = s / b[i]
		}
	default:
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = a[i] / b[i]
		}
	}
}

// DivInt stores a[i] / b[i] truncated toward zero; a division by zero gives 0
// and the least number divided by -1 wraps.
func DivInt[T Integer](dst, a, b []T) { Zip(dst, a, b, quo[T]) }

// Min stores the lesser of a[i] and b[i] as Go's min does: NaN wins, -0 < +0.
func Min[T Number](dst, a, b []T) {
	if len(a) == 1 {
		a, b = b, a
	}
	if len(b) == 1 {
		s := b[0]
		if len(a) == 1 {
			fill(dst, min(a[0], b[0]))
			return
		}
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = min(a[i], s)
		}
		return
	}
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = min(a[i], b[i])
	}
}

// Max stores the greater of a[i] and b[i] as Go's max does: NaN wins, -0 < +0.
func Max[T Number](dst, a, b []T) {
	if len(a) == 1 {
		a, b = b, a
	}
	if len(b) == 1 {
		s := b[0]
		if len(a) == 1 {
			fill(dst, max(a[0], b[0]))
			return
		}
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = max(a[i], s)
		}
		return
	}
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = max(a[i], b[i])
	}
}
