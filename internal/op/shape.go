package op

import (
	"fmt"
	"strings"
)

// Shape is a list of dimensions. Nil means that not even the rank is known; a
// scalar has the empty, non-nil Shape.
type Shape []Dim

// Known returns the shape of the given numbers; Known() is a scalar's.
func Known(dims ...int) Shape {
	s := make(Shape, len(dims))
	for i, d := range dims {
		s[i] = Size(d)
	}
	return s
}

// OfRank returns a shape of the given rank with unknown dimensions.
func OfRank(rank int) Shape {
	s := make(Shape, rank)
	for i := range s {
		s[i] = Unknown
	}
	return s
}

// Ints returns the dimensions as numbers and false unless all are known.
func (s Shape) Ints() ([]int, bool) {
	if s == nil {
		return nil, false
	}
	out := make([]int, len(s))
	for i, d := range s {
		n, ok := d.Int()
		if !ok {
			return nil, false
		}
		out[i] = n
	}
	return out, true
}

// Count returns the product of the dimensions; Unknown if the rank is.
func (s Shape) Count() Dim {
	if s == nil {
		return Unknown
	}
	n := Size(1)
	for _, d := range s {
		n = n.Mul(d)
	}
	return n
}

// Clone returns a copy that keeps nil nil.
func (s Shape) Clone() Shape {
	if s == nil {
		return nil
	}
	return append(Shape{}, s...)
}

// String returns "[2,batch,?]", or "[...]" for an unknown rank.
func (s Shape) String() string {
	if s == nil {
		return "[...]"
	}
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = d.String()
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// Broadcast returns the shape of an elementwise result (ONNX: multidirectional
// broadcasting, as NumPy). Where a symbolic dimension meets a number other
// than 1 the number stands; where two symbols meet that may differ the result
// is Unknown.
func Broadcast(shapes ...Shape) (Shape, error) {
	rank := 0
	for _, s := range shapes {
		if s == nil {
			return nil, nil
		}
		rank = max(rank, len(s))
	}
	out := Known()
	for i := range rank {
		d := Size(1)
		for _, s := range shapes {
			j := i - (rank - len(s))
			if j < 0 || s[j].Is(1) || s[j].Same(d) {
				continue
			}
			e := s[j]
			switch a, aok := d.Int(); {
			case d.Is(1):
				d = e
			case aok:
				if n, ok := e.Int(); ok && n != a {
					return nil, fmt.Errorf("shapes %v do not broadcast: %d against %d", shapes, a, n)
				}
			default:
				if _, ok := e.Int(); ok {
					d = e
				} else {
					d = Unknown
				}
			}
		}
		out = append(out, d)
	}
	return out, nil
}

// Merge returns what both a and b tell of one shape; an error where they
// contradict each other.
func Merge(a, b Shape) (Shape, error) {
	if a == nil {
		return b.Clone(), nil
	}
	if b == nil {
		return a.Clone(), nil
	}
	if len(a) != len(b) {
		return nil, fmt.Errorf("shape %v contradicts %v", a, b)
	}
	out := a.Clone()
	for i, d := range b {
		na, aok := a[i].Int()
		nb, bok := d.Int()
		switch {
		case aok && bok && na != nb:
			return nil, fmt.Errorf("shape %v contradicts %v", a, b)
		case !aok && (bok || a[i].IsUnknown()):
			out[i] = d
		}
	}
	return out, nil
}
