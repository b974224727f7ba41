package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// Slice takes the elements starts, starts+steps, … before ends along the given
// axes (default: the first ones, steps 1). Negative bounds count from the end;
// bounds beyond the tensor are clamped to it; negative steps go backwards.
type Slice struct{}

// Name returns "Slice".
func (o *Slice) Name() string { return "Slice" }

// cut is what a Slice does to one axis; length is the number of elements.
type cut struct {
	axis        int
	start, step int // known only where length is a number
	length      Dim
}

// far is the magnitude from which a bound means "to the end": exporters write
// the extremes of int32 or of int64.
const far = math.MaxInt32 - 1

// cuts reads the lists; ok is false where they are not known.
func (o *Slice) cuts(in []Fact, x Shape) (out []cut, ok bool, err error) {
	var lists [5]list
	for i, what := range []string{"data", "starts", "ends", "axes", "steps"} {
		if i == 0 {
			continue
		}
		if lists[i], err = listAt(in, i, what); err != nil {
			return nil, false, err
		}
		if l := lists[i]; l.given && l.n >= 0 && lists[1].n >= 0 && l.n != lists[1].n {
			return nil, false, fmt.Errorf("%d starts and %d %s", lists[1].n, l.n, what)
		}
	}
	starts, ends, axes, steps := lists[1], lists[2], lists[3], lists[4]
	n := starts.n
	named, known := axes.numbers()
	if !axes.given && n >= 0 {
		named, known = allAxes(n), true
	}
	if !known {
		return nil, false, nil
	}
	if named, err = axesOf(named, len(x)); err != nil {
		return nil, false, err
	}
	at := func(l list, i int) Dim {
		if i < len(l.vals) {
			return l.vals[i]
		}
		return Unknown
	}
	for i, a := range named {
		step := Size(1)
		if steps.given {
			step = at(steps, i)
		}
		if step.Is(0) {
			return nil, false, fmt.Errorf("a step of 0 on axis %d", a)
		}
		c := cutOf(x[a], at(starts, i), at(ends, i), step)
		c.axis = a
		out = append(out, c)
	}
	return out, true, nil
}

// cutOf slices a dimension d. Of symbolic bounds it assumes what exporters
// mean: that they lie inside.
func cutOf(d, start, end, step Dim) cut {
	n, nok := d.Int()
	s, sok := start.Int()
	e, eok := end.Int()
	st, stok := step.Int()
	if !stok {
		return cut{length: Unknown}
	}
	st = max(st, -math.MaxInt)
	if nok && sok && eok {
		s, e = clampBounds(s, e, st, n)
		length := 0
		switch {
		case st > 0 && e > s:
			length = 1 + (e-s-1)/st
		case st < 0 && s > e:
			length = 1 + (s-e-1)/-st
		}
		return cut{start: s, step: st, length: Size(length)}
	}
	if st < 0 {
		if sok && eok && (s == -1 || s >= far) && e <= -far {
			return cut{length: d.CeilDiv(Size(-st))}
		}
		return cut{length: Unknown}
	}
	if sok {
		if s < 0 {
			start = d.Add(start)
			if s <= -far {
				start = Size(0)
			}
		} else if s >= far {
			return cut{length: Size(0)}
		}
	}
	if eok {
		switch {
		case e >= far:
			end = d
		case e < 0:
			end = d.Add(end)
		case !nok:
			// The dimension may be smaller than the bound.
			return cut{length: Unknown}
		}
	}
	length := end.Sub(start)
	if k, ok := length.Int(); ok && k < 0 {
		return cut{length: Unknown}
	}
	if st == 1 {
		return cut{length: length}
	}
	return cut{length: length.CeilDiv(step)}
}

// clampBounds resolves the bounds of a slice of n elements: for a negative
// step the end may be -1, "before the first".
func clampBounds(s, e, step, n int) (int, int) {
	if s < 0 {
		s += n
	}
	if e < 0 {
		e += n
	}
	if step > 0 {
		return min(max(s, 0), n), min(max(e, 0), n)
	}
	return min(max(s, 0), n-1), min(max(e, -1), n-1)
}

// Infer returns the cut shape, and the values of a cut vector.
func (o *Slice) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 3, 5); err != nil {
		return nil, err
	}
	x := in[0].Shape
	if x == nil {
		return []Fact{TensorFact(in[0].Type, nil)}, nil
	}
	cs, ok, err := o.cuts(in, x)
	if err != nil {
		return nil, err
	}
	if !ok {
		return []Fact{TensorFact(in[0].Type, OfRank(len(x)))}, nil
	}
	out := TensorFact(in[0].Type, x.Clone())
	for _, c := range cs {
		out.Shape[c.axis] = c.length
	}
	if vals, ok := values(in[0]); ok && len(x) == 1 {
		out.Values = vals
		for _, c := range cs {
			out.Values = nil
			if n, ok := c.length.Int(); ok && x[0].Is(len(vals)) {
				out.Values = make([]Dim, n)
				for i := range n {
					out.Values[i] = vals[c.start+i*c.step]
				}
			}
		}
	}
	return []Fact{out}, nil
}

// Eval returns the cut data.
func (o *Slice) Eval(in []Datum) ([]Datum, error) {
	c, err := prepareCanvas(o, in)
	if err != nil {
		return nil, err
	}
	x := in[0].Tensor
	cs, ok, err := o.cuts(factsOf(in), Known(x.Shape()...))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("the bounds are not known")
	}
	from := tensor.Strides(x.Shape())
	off := 0
	for _, c := range cs {
		off += c.start * from[c.axis]
		from[c.axis] *= c.step
	}
	c.draw(x, 0, off, lanesOf(c.shape, from)...)
	return Of(c.done()), nil
}

// Quantization says that the data is moved.
func (o *Slice) Quantization() Facts { return moving() }
