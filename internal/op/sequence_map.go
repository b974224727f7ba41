package op

import (
	"errors"
	"fmt"
)

// SequenceMap runs its body for each element of its first input, a sequence.
// Of further sequences, which are as long, the body gets the elements at the
// same place, of tensors all; its outputs become sequences.
type SequenceMap struct{}

// Name returns "SequenceMap".
func (o *SequenceMap) Name() string { return "SequenceMap" }

// BodyNames returns the body.
func (o *SequenceMap) BodyNames() []string { return []string{"body"} }

// Infer knows nothing without the body.
func (o *SequenceMap) Infer(_ []Fact, outs int) ([]Fact, error) { return make([]Fact, outs), nil }

func (o *SequenceMap) check(in int, b Bodies) error {
	if err := b.check(o, in); err != nil {
		return err
	}
	if in == b.Captured {
		return ArityError("got no input, want a sequence")
	}
	if n := len(b.List[0].In); n != in {
		return fmt.Errorf("the body has %d inputs, want %d", n-b.Captured, in-b.Captured)
	}
	return nil
}

// InferBodies maps what is known of the elements.
func (o *SequenceMap) InferBodies(in []Fact, outs int, b Bodies) ([]Fact, error) {
	if err := o.check(len(in), b); err != nil {
		return nil, err
	}
	if outs > len(b.List[0].Out) {
		return nil, fmt.Errorf("%d outputs, and the body gives %d", outs, len(b.List[0].Out))
	}
	facts := append([]Fact{}, in...)
	own := len(in) - b.Captured
	for i, f := range in[:own] {
		if i > 0 && f.Kind != SequenceKind || !f.Present() {
			continue
		}
		elem, err := wantSequence(f)
		if err != nil {
			return nil, err
		}
		facts[i] = elem
	}
	out, err := b.List[0].Infer(facts)
	if err != nil {
		return nil, err
	}
	seqs := make([]Fact, len(out))
	for i, f := range out {
		seqs[i] = sequenceOf(f)
	}
	return seqs, nil
}

// EvalBodies runs the body for each element.
func (o *SequenceMap) EvalBodies(in []Datum, b Bodies) ([]Datum, error) {
	if err := o.check(len(in), b); err != nil {
		return nil, err
	}
	first, err := sequence(in[0])
	if err != nil {
		return nil, err
	}
	own := len(in) - b.Captured
	for i, d := range in[:own] {
		if d.Kind == SequenceKind && len(d.Seq) != len(first) {
			return nil, fmt.Errorf("sequence %d has %d elements, the first one %d", i, len(d.Seq), len(first))
		}
	}
	out := make([]Datum, len(b.List[0].Out))
	for k := range out {
		out[k].Kind = SequenceKind
	}
	var bytes int64
	args := append([]Datum{}, in...)
	for at := range first {
		if err := b.Budget.trip(); err != nil {
			return nil, err
		}
		for i, d := range in[:own] {
			if d.Kind == SequenceKind {
				args[i] = d.Seq[at]
			}
		}
		got, err := b.List[0].Run(args)
		if err != nil {
			return nil, fmt.Errorf("element %d: %w", at, err)
		}
		for k := range out {
			if got[k].Tensor == nil {
				return nil, errors.New("the body gives what is no tensor")
			}
			out[k].Seq = append(out[k].Seq, got[k])
			bytes += bytesOf(got[k])
		}
		if err := withinLooped(bytes); err != nil {
			return nil, err
		}
	}
	return out, nil
}
