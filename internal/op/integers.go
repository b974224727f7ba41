package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

const (
	// maxValues bounds how many elements of an integer tensor inference
	// follows: shapes are short, index tables are not.
	maxValues = 1024
	// maxRank bounds the rank of a shape that a file asks for.
	maxRank = 64
)

// values returns the elements of an integer tensor of rank 0 or 1 as far as
// they are known, and false where nothing is or the tensor is long.
func values(f Fact) ([]Dim, bool) {
	if len(f.Shape) > 1 || f.Shape == nil && f.Const == nil || f.Const != nil && f.Const.Len() > maxValues {
		return nil, false
	}
	return f.Ints()
}

// list is what is known of an input that lists one integer for each axis or
// dimension.
type list struct {
	vals  []Dim // nil where the elements are not known
	n     int   // the number of elements, -1 where it is not known
	given bool
}

// listAt reads input i as a list; an absent input gives an empty one that is
// not given. A scalar counts as a list of one.
func listAt(in []Fact, i int, what string) (list, error) {
	f := input(in, i)
	if !f.Present() {
		return list{}, nil
	}
	if !f.Type.IsInteger() && f.Type != dtype.Invalid {
		return list{}, fmt.Errorf("%s of type %v, want integers", what, f.Type)
	}
	if len(f.Shape) > 1 {
		return list{}, fmt.Errorf("%s of shape %v, want a list", what, f.Shape)
	}
	l := list{n: -1, given: true}
	if n, ok := f.Shape.Count().Int(); ok {
		if n > maxValues {
			return list{}, fmt.Errorf("%s has %d elements", what, n)
		}
		l.n = n
	}
	if v, ok := values(f); ok {
		l.vals, l.n = v, len(v)
	}
	return l, nil
}

// numbers returns the elements where all are plain numbers.
func (l list) numbers() ([]int, bool) {
	if l.vals == nil && l.n != 0 {
		return nil, false
	}
	return Shape(append(Shape{}, l.vals...)).Ints()
}

// axesOf resolves a list of distinct axes.
func axesOf(axes []int, rank int) ([]int, error) {
	out := make([]int, len(axes))
	seen := make(map[int]bool, len(axes))
	for i, a := range axes {
		r, err := Axis(a, rank)
		if err != nil {
			return nil, err
		}
		if seen[r] {
			return nil, fmt.Errorf("axis %d is named twice", a)
		}
		seen[r], out[i] = true, r
	}
	return out, nil
}

// allAxes returns 0 to rank-1.
func allAxes(rank int) []int {
	out := make([]int, rank)
	for i := range out {
		out[i] = i
	}
	return out
}

// indices returns the elements of an index tensor, each resolved into [0, n).
func indices(t *tensor.Tensor, n int) ([]int, error) {
	vals, ok := tensor.Ints(t)
	if !ok {
		return nil, fmt.Errorf("indices of type %v, want integers", t.Type())
	}
	out := make([]int, len(vals))
	for i, v := range vals {
		w := v
		if w < 0 {
			w += int64(n)
		}
		if w < 0 || w >= int64(n) {
			return nil, fmt.Errorf("index %d is outside an axis of %d", v, n)
		}
		out[i] = int(w)
	}
	return out, nil
}

// factsOf returns what is known of computed inputs, which is everything.
func factsOf(in []Datum) []Fact {
	out := make([]Fact, len(in))
	for i, d := range in {
		switch {
		case d.Tensor != nil:
			out[i] = ConstFact(d.Tensor)
		case d.Present():
			out[i] = Fact{Kind: d.Kind, Elem: &Fact{}}
		}
	}
	return out
}

// prepare infers the outputs of o for computed inputs: an Eval that starts
// with it has checked all that Infer checks.
func prepare(o Op, in []Datum, outs int) ([]Fact, error) {
	for i, d := range in {
		if d.Present() && d.Tensor == nil {
			return nil, fmt.Errorf("input %d is no tensor", i)
		}
	}
	return o.Infer(factsOf(in), outs)
}

// prepareCanvas is prepare for an operator with one output, which it
// allocates.
func prepareCanvas(o Op, in []Datum) (*canvas, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	return newCanvas(out[0])
}

// inner returns the product of the dimensions from axis on.
func inner(shape []int, axis int) int {
	n := 1
	for _, d := range shape[axis:] {
		n *= d
	}
	return n
}

// moving are the facts of an operator whose output elements are copies of
// elements of operand 0.
func moving() Facts {
	f := NoFacts()
	f.Data, f.Moves = []int{0}, true
	return f
}

// sameType checks that all present inputs with a known type have the same one
// and returns it.
func sameType(in ...Fact) (dtype.Type, error) {
	typ := dtype.Invalid
	for _, f := range in {
		if f.Type == dtype.Invalid {
			continue
		}
		if typ != dtype.Invalid && typ != f.Type {
			return 0, fmt.Errorf("element types %v and %v differ", typ, f.Type)
		}
		typ = f.Type
	}
	return typ, nil
}
