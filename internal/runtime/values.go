package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// RunData is Run for programs whose inputs or outputs are sequences or optionals
// (Options.AnyKind): in holds the inputs in the order of Inputs, the result the
// outputs in that of Outputs. The outputs belong to the caller.
func (p *Program) RunData(ctx context.Context, in []op.Datum) ([]op.Datum, error) {
	if err := p.checkData(in); err != nil {
		return nil, err
	}
	pl, err := p.planOf(in, nil)
	if err != nil {
		return nil, err
	}
	c := call{in, make([]op.Datum, len(p.g.Outputs))}
	if err := pl.run(ctx, &c, nil); err != nil {
		return nil, err
	}
	// What the elements of sequences share with each other, and with those that
	// were given, is not known.
	given := slices.ContainsFunc(in, func(d op.Datum) bool { return d.Tensor == nil })
	for i, d := range c.out {
		if given || d.Tensor == nil {
			c.out[i] = cloned(d)
		}
	}
	return c.out, nil
}

// planOf returns the plan for such inputs.
func (p *Program) planOf(in []op.Datum, known []bool) (*plan, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if pl := p.find(in, known); pl != nil {
		return pl, nil
	}
	return p.makePlan(in, known)
}

// checkData returns an error if in is not what the program takes.
func (p *Program) checkData(in []op.Datum) error {
	if len(in) != len(p.g.Inputs) {
		return fmt.Errorf("got %d inputs, want %d", len(in), len(p.g.Inputs))
	}
	for i, v := range p.g.Inputs {
		if err := admits(v.Fact, in[i]); err != nil {
			return fmt.Errorf("input %q: %w", v.Name, err)
		}
	}
	return nil
}

// admits returns an error if a value is not of the type and shape that f tells.
func admits(f op.Fact, d op.Datum) error {
	if f.Kind == op.OptionalKind && d.Kind != op.OptionalKind && f.Elem != nil {
		f = *f.Elem // it is as good as a full one
	}
	switch {
	case d.Kind != f.Kind:
		return fmt.Errorf("it is a %v, want a %v", d.Kind, f.Kind)
	case d.Kind != op.TensorKind:
		for i, e := range d.Seq {
			if f.Elem == nil {
				break
			}
			if err := admits(*f.Elem, e); err != nil {
				return fmt.Errorf("element %d: %w", i, err)
			}
		}
		return nil
	case d.Tensor == nil:
		return errors.New("it is missing")
	case f.Type != dtype.Invalid && d.Tensor.Type() != f.Type:
		return fmt.Errorf("it is %v, want %v", d.Tensor.Type(), f.Type)
	}
	if _, err := op.Merge(f.Shape, op.Known(d.Tensor.Shape()...)); err != nil {
		return fmt.Errorf("it has shape %v, want %v", d.Tensor.Shape(), f.Shape)
	}
	return nil
}

// wanted is what a plan takes for granted of an input.
type wanted struct {
	fact  op.Fact
	empty bool // a sequence without elements, an optional without content
}

// wantedOf returns what holds of d: of sequences the type of the elements, and
// the shape where all have the same. f is what holds of it in any plan.
func wantedOf(d op.Datum, f op.Fact) wanted {
	switch {
	case d.Tensor != nil:
		return wanted{fact: op.TensorFact(d.Tensor.Type(), op.Known(d.Tensor.Shape()...))}
	case d.Kind == op.TensorKind:
		return wanted{}
	case len(d.Seq) == 0:
		if f.Kind != d.Kind {
			f = op.Fact{Kind: d.Kind}
		}
		return wanted{f, true}
	}
	elem := wantedOf(d.Seq[0], op.Fact{}).fact
	for _, e := range d.Seq[1:] {
		if elem.Shape != nil && e.Tensor != nil && !sized(elem.Shape, e.Tensor) {
			elem.Shape = nil
		}
	}
	return wanted{fact: op.Fact{Kind: d.Kind, Elem: &elem}}
}

// matches reports whether a plan with that input serves d.
func (w *wanted) matches(d op.Datum) bool {
	if t := d.Tensor; t != nil {
		return w.fact.Kind == op.TensorKind && t.Type() == w.fact.Type && sized(w.fact.Shape, t)
	}
	if d.Kind != w.fact.Kind || d.Kind == op.TensorKind || w.empty != (len(d.Seq) == 0) {
		return d.Kind == op.TensorKind && !w.fact.Present()
	}
	if w.empty {
		return true
	}
	elem := w.fact.Elem
	for _, e := range d.Seq {
		if e.Kind != elem.Kind || e.Tensor != nil && (e.Tensor.Type() != elem.Type || elem.Shape != nil && !sized(elem.Shape, e.Tensor)) {
			return false
		}
	}
	return true
}

// sized reports whether t has a shape that is known to the last dimension.
func sized(s op.Shape, t *tensor.Tensor) bool {
	if len(s) != t.Rank() {
		return false
	}
	for i, d := range t.Shape() {
		if n, ok := s[i].Int(); !ok || n != d {
			return false
		}
	}
	return true
}

// cloned returns a copy of d that shares nothing with it.
func cloned(d op.Datum) op.Datum {
	if d.Tensor != nil {
		d.Tensor = d.Tensor.Clone()
	}
	d.Seq = slices.Clone(d.Seq)
	for i, e := range d.Seq {
		d.Seq[i] = cloned(e)
	}
	return d
}

// operands returns what a step reads.
func (f *frame) operands(s *step) []op.Datum {
	in := make([]op.Datum, len(s.in))
	for i, v := range s.in {
		in[i] = f.datum(v)
	}
	return in
}

// accept sets the outputs of a step to what its operator made of in.
func (f *frame) accept(s *step, in, out []op.Datum) error {
	for i, o := range s.out {
		if o < 0 {
			continue
		}
		if i >= len(out) || !out[i].Present() {
			return errNotComputed
		}
		f.put(o, f.own(s, in, out[i]))
	}
	return nil
}

// own returns d in memory that nobody uses for something else while the run
// needs it: operators hand their inputs on.
func (f *frame) own(s *step, in []op.Datum, d op.Datum) op.Datum {
	t := d.Tensor
	if t == nil {
		return f.ownElements(in, d)
	}
	for i := range in {
		if t == in[i].Tensor && f.pl.values[s.in[i]].alias >= 0 {
			return op.Datum{Tensor: t.Clone()} // a view is of other bytes in the next run
		}
	}
	if _, splat := t.IsSplat(); !splat && overlaps(t.Bytes(), f.arena) {
		return op.Datum{Tensor: t.Clone()}
	}
	return d
}

// ownElements is own for sequences and optionals, which may outlive the run:
// elements that lie in tensors among the inputs are copied. Those of sequences
// have been when they came into them.
func (f *frame) ownElements(in []op.Datum, d op.Datum) op.Datum {
	whole := d.Seq
	for i, e := range whole {
		if e.Tensor == nil {
			e = f.ownElements(in, e)
		} else if f.lent(in, e.Tensor) {
			e.Tensor = e.Tensor.Clone()
		}
		if e.Tensor != whole[i].Tensor || e.Tensor == nil {
			if &d.Seq[0] == &whole[0] {
				d.Seq = slices.Clone(whole) // it may be an operand's
			}
			d.Seq[i] = e
		}
	}
	return d
}

// lent reports whether t lies in the arena or in one of the tensors in.
func (f *frame) lent(in []op.Datum, t *tensor.Tensor) bool {
	if overlaps(t.Bytes(), f.arena) {
		return true
	}
	for i := range in {
		if x := in[i].Tensor; x != nil && meets(t, x) {
			return true
		}
	}
	return false
}

// onlyTensors returns an error if an input or output of g is a sequence or an
// optional, which Tensors cannot hold.
func onlyTensors(g *ir.Graph) error {
	for _, v := range g.Inputs {
		if v.Kind != op.TensorKind {
			return fmt.Errorf("input %q is a %v, and only tensors can be given: cut the model behind it", v.Name, v.Kind)
		}
	}
	for _, v := range g.Outputs {
		if v.Kind != op.TensorKind {
			return fmt.Errorf("output %q is a %v, and only tensors can be returned: cut the model before it, or make a tensor of it (ConcatFromSequence, SequenceAt, OptionalGetElement)", v.Name, v.Kind)
		}
	}
	return nil
}
