package op

import (
	"errors"
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// SequenceConstruct makes a sequence of its inputs.
type SequenceConstruct struct{}

// SequenceEmpty makes an empty sequence of tensors of a type.
type SequenceEmpty struct {
	Type dtype.Type `attr:"dtype,default=float32"`
}

// SequenceAt returns one element; positions below 0 count from the end.
type SequenceAt struct{}

// SequenceInsert puts a tensor before a position of a sequence, or at its end.
type SequenceInsert struct{}

// SequenceErase takes out one element, the last one by default.
type SequenceErase struct{}

// SequenceLength returns the number of elements, int64[].
type SequenceLength struct{}

// Name returns "SequenceConstruct".
func (o *SequenceConstruct) Name() string { return "SequenceConstruct" }

// Name returns "SequenceEmpty".
func (o *SequenceEmpty) Name() string { return "SequenceEmpty" }

// Name returns "SequenceAt".
func (o *SequenceAt) Name() string { return "SequenceAt" }

// Name returns "SequenceInsert".
func (o *SequenceInsert) Name() string { return "SequenceInsert" }

// Name returns "SequenceErase".
func (o *SequenceErase) Name() string { return "SequenceErase" }

// Name returns "SequenceLength".
func (o *SequenceLength) Name() string { return "SequenceLength" }

// sequenceOf returns the fact of a sequence of elements.
func sequenceOf(elem Fact) Fact {
	elem.Const, elem.Values = nil, nil
	return Fact{Kind: SequenceKind, Elem: &elem}
}

// wantSequence returns what is known of the elements of a sequence.
func wantSequence(f Fact) (Fact, error) {
	if f.Kind != SequenceKind {
		return Fact{}, fmt.Errorf("got a %v, want a sequence", f.Kind)
	}
	if f.Elem == nil {
		return Fact{}, nil
	}
	return *f.Elem, nil
}

// sequence returns the elements of a sequence.
func sequence(d Datum) ([]Datum, error) {
	if d.Kind != SequenceKind {
		return nil, fmt.Errorf("got a %v, want a sequence", d.Kind)
	}
	return d.Seq, nil
}

// Infer joins what is known of the elements.
func (o *SequenceConstruct) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, -1); err != nil {
		return nil, err
	}
	elem := in[0]
	for i, f := range in {
		var err error
		if elem, err = Join(elem, f); err != nil {
			return nil, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return []Fact{sequenceOf(elem)}, nil
}

// Eval returns the sequence.
func (o *SequenceConstruct) Eval(in []Datum) ([]Datum, error) {
	for i, d := range in {
		if d.Tensor == nil || d.Tensor.Type() != in[0].Tensor.Type() {
			return nil, fmt.Errorf("element %d is no tensor of the first one's type", i)
		}
	}
	return []Datum{{Kind: SequenceKind, Seq: slices.Clone(in)}}, nil
}

// Infer knows the elements' type.
func (o *SequenceEmpty) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 0, 0); err != nil {
		return nil, err
	}
	return []Fact{sequenceOf(TensorFact(o.Type, nil))}, nil
}

// Eval returns the empty sequence.
func (o *SequenceEmpty) Eval([]Datum) ([]Datum, error) {
	return []Datum{{Kind: SequenceKind}}, nil
}

// position returns the place that an operand names in a sequence of n elements.
func position(t *tensor.Tensor, n int) (int, error) {
	v, ok := tensor.Ints(t)
	if !ok || len(v) != 1 {
		return 0, errors.New("the position is no integer")
	}
	p := v[0]
	if p < 0 {
		p += int64(n)
	}
	if p < 0 || p >= int64(n) {
		return 0, fmt.Errorf("position %d is outside a sequence of %d elements", v[0], n)
	}
	return int(p), nil
}

// wantPosition checks the fact of a position, which may be absent.
func wantPosition(f Fact) error {
	if f.Type != dtype.Invalid && f.Type != dtype.Int32 && f.Type != dtype.Int64 {
		return fmt.Errorf("the position is %v, want int32 or int64", f.Type)
	}
	return nil
}

// Infer returns what is known of the elements.
func (o *SequenceAt) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	elem, err := wantSequence(in[0])
	if err != nil {
		return nil, err
	}
	return []Fact{elem}, wantPosition(in[1])
}

// Eval returns the element.
func (o *SequenceAt) Eval(in []Datum) ([]Datum, error) {
	seq, err := sequence(input(in, 0))
	if err != nil {
		return nil, err
	}
	if arg(in, 1) == nil {
		return nil, errors.New("the position is missing")
	}
	p, err := position(arg(in, 1), len(seq))
	if err != nil {
		return nil, err
	}
	return []Datum{seq[p]}, nil
}

// Infer joins the elements and the new one.
func (o *SequenceInsert) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 3); err != nil {
		return nil, err
	}
	elem, err := wantSequence(in[0])
	if err != nil {
		return nil, err
	}
	if elem, err = Join(elem, in[1]); err != nil {
		return nil, fmt.Errorf("the new element: %w", err)
	}
	return []Fact{sequenceOf(elem)}, wantPosition(input(in, 2))
}

// Eval returns the longer sequence.
func (o *SequenceInsert) Eval(in []Datum) ([]Datum, error) {
	seq, err := sequence(input(in, 0))
	if err != nil {
		return nil, err
	}
	t := arg(in, 1)
	if t == nil || len(seq) > 0 && seq[0].Tensor.Type() != t.Type() {
		return nil, errors.New("the new element is no tensor of the sequence's type")
	}
	at := len(seq)
	if p := arg(in, 2); p != nil {
		v, ok := tensor.Ints(p)
		if !ok || len(v) != 1 {
			return nil, errors.New("the position is no integer")
		}
		if v[0] != int64(len(seq)) {
			if at, err = position(p, len(seq)); err != nil {
				return nil, err
			}
		}
	}
	out := make([]Datum, 0, len(seq)+1)
	out = append(append(append(out, seq[:at]...), in[1]), seq[at:]...)
	return []Datum{{Kind: SequenceKind, Seq: out}}, nil
}

// Infer returns what is known of the sequence.
func (o *SequenceErase) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 2); err != nil {
		return nil, err
	}
	elem, err := wantSequence(in[0])
	if err != nil {
		return nil, err
	}
	return []Fact{sequenceOf(elem)}, wantPosition(input(in, 1))
}

// Eval returns the shorter sequence.
func (o *SequenceErase) Eval(in []Datum) ([]Datum, error) {
	seq, err := sequence(input(in, 0))
	if err != nil {
		return nil, err
	}
	at := len(seq) - 1
	if p := arg(in, 1); p != nil {
		if at, err = position(p, len(seq)); err != nil {
			return nil, err
		}
	}
	if at < 0 {
		return nil, errors.New("the sequence is empty")
	}
	return []Datum{{Kind: SequenceKind, Seq: slices.Delete(slices.Clone(seq), at, at+1)}}, nil
}

// Infer returns int64[].
func (o *SequenceLength) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	_, err := wantSequence(in[0])
	return []Fact{TensorFact(dtype.Int64, Known())}, err
}

// Eval counts the elements.
func (o *SequenceLength) Eval(in []Datum) ([]Datum, error) {
	seq, err := sequence(input(in, 0))
	if err != nil {
		return nil, err
	}
	return Of(tensor.Scalar(int64(len(seq)))), nil
}
