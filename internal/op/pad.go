package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// Pad adds elements before and after its data along each axis, or takes them
// away where an amount is negative. pads lists the amounts before, then those
// after, of all axes or of those in axes. Mode says what is added: a constant,
// the mirrored data (reflect, without the edge itself), the edge, or the data
// from the other side (wrap).
type Pad struct {
	Mode string `attr:"mode,default=constant"`
}

// Name returns "Pad".
func (o *Pad) Name() string { return "Pad" }

// Infer adds the amounts to the dimensions.
func (o *Pad) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 4); err != nil {
		return nil, err
	}
	if !o.known() {
		return nil, fmt.Errorf("mode %q", o.Mode)
	}
	typ, err := sameType(in[0], input(in, 2))
	if err != nil {
		return nil, err
	}
	if n, ok := input(in, 2).Shape.Count().Int(); input(in, 2).Present() && ok && n != 1 {
		return nil, fmt.Errorf("the constant has %d elements", n)
	}
	x := in[0].Shape
	if x == nil {
		return []Fact{TensorFact(typ, nil)}, nil
	}
	lo, hi, err := o.amounts(in, len(x))
	if err != nil {
		return nil, err
	}
	if lo == nil {
		return []Fact{TensorFact(typ, OfRank(len(x)))}, nil
	}
	out := x.Clone()
	for i := range out {
		out[i] = x[i].Add(lo[i]).Add(hi[i])
		d, dok := x[i].Int()
		a, aok := lo[i].Int()
		b, bok := hi[i].Int()
		if dok && aok && bok {
			if _, err := o.index(d, a, b); err != nil {
				return nil, fmt.Errorf("axis %d: %w", i, err)
			}
		}
	}
	return []Fact{TensorFact(typ, out)}, nil
}

func (o *Pad) known() bool {
	switch o.Mode {
	case "constant", "reflect", "edge", "wrap":
		return true
	}
	return false
}

// amounts returns what is added before and after every axis; nil where that is
// not known.
func (o *Pad) amounts(in []Fact, rank int) (lo, hi []Dim, err error) {
	pads, err := listAt(in, 1, "pads")
	if err != nil {
		return nil, nil, err
	}
	axes, err := listAt(in, 3, "axes")
	if err != nil {
		return nil, nil, err
	}
	named, known := axes.numbers()
	if !axes.given {
		named, known = allAxes(rank), true
	}
	if !known {
		return nil, nil, nil
	}
	if named, err = axesOf(named, rank); err != nil {
		return nil, nil, err
	}
	if pads.n >= 0 && pads.n != 2*len(named) {
		return nil, nil, fmt.Errorf("%d amounts for %d axes", pads.n, len(named))
	}
	if pads.vals == nil && pads.n != 0 {
		return nil, nil, nil
	}
	lo, hi = make([]Dim, rank), make([]Dim, rank)
	for i, a := range named {
		lo[a], hi[a] = pads.vals[i], pads.vals[len(named)+i]
	}
	return lo, hi, nil
}

// padSpan is what is left of one axis, elements skip to skip+n, and where it
// lies in the output of size out, from at on.
type padSpan struct{ skip, n, at, out int }

// index resolves the amounts of an axis of d elements.
func (o *Pad) index(d, lo, hi int) (padSpan, error) {
	const limit = math.MaxInt >> 2
	if lo < -d || hi < -d-min(lo, 0) || lo > limit || hi > limit {
		return padSpan{}, fmt.Errorf("cannot pad %d elements by %d and %d", d, lo, hi)
	}
	s := padSpan{skip: max(-lo, 0), n: d + min(lo, 0) + min(hi, 0), at: max(lo, 0)}
	s.out = s.n + s.at + max(hi, 0)
	if s.n == 0 && s.out > 0 && o.Mode != "constant" {
		return padSpan{}, fmt.Errorf("mode %q has nothing to repeat", o.Mode)
	}
	return s, nil
}

// source returns which kept element stands at place i of an axis, counted from
// the first kept one.
func (o *Pad) source(i, n int) int {
	switch o.Mode {
	case "edge":
		return min(max(i, 0), n-1)
	case "wrap":
		return ((i % n) + n) % n
	}
	if n == 1 {
		return 0
	}
	period := 2 * (n - 1)
	i = ((i % period) + period) % period
	return min(i, period-i)
}

// Eval pads the data.
func (o *Pad) Eval(in []Datum) ([]Datum, error) {
	c, err := prepareCanvas(o, in)
	if err != nil {
		return nil, err
	}
	x := in[0].Tensor
	lo, hi, err := o.amounts(factsOf(in), x.Rank())
	if err != nil {
		return nil, err
	}
	if lo == nil {
		return nil, fmt.Errorf("the amounts are not known")
	}
	if c.len() == 0 {
		return Of(c.done()), nil
	}
	if v := arg(in, 2); v != nil && o.Mode == "constant" {
		c.fill(v)
	}
	to, from := 0, 0
	lanes := lanesOf(c.shape, tensor.Strides(x.Shape()))
	for i := range lanes {
		a, _ := lo[i].Int()
		b, _ := hi[i].Int()
		s, err := o.index(x.Shape()[i], a, b)
		if err != nil {
			return nil, err
		}
		l := &lanes[i]
		from += s.skip * l.from
		switch {
		case o.Mode == "constant" || s.n == s.out:
			to += s.at * l.to
			l.n = s.n
		default:
			l.fromAt = make([]int, s.out)
			for k := range l.fromAt {
				l.fromAt[k] = o.source(k-s.at, s.n) * l.from
			}
		}
	}
	c.draw(x, to, from, lanes...)
	return Of(c.done()), nil
}

// Quantization says that the data is moved and a constant inserted.
func (o *Pad) Quantization() Facts { return moving() }
