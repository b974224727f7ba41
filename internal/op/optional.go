package op

import (
	"errors"
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Optional wraps its input; without one it is an empty optional.
type Optional struct{}

// OptionalGetElement returns what an optional holds. What is no optional is
// returned as it is.
type OptionalGetElement struct{}

// OptionalHasElement reports whether an optional holds something, bool[]. What
// is no optional does, unless it is absent.
type OptionalHasElement struct{}

// Name returns "Optional".
func (o *Optional) Name() string { return "Optional" }

// Name returns "OptionalGetElement".
func (o *OptionalGetElement) Name() string { return "OptionalGetElement" }

// Name returns "OptionalHasElement".
func (o *OptionalHasElement) Name() string { return "OptionalHasElement" }

// Infer wraps what is known of the input.
func (o *Optional) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 0, 1); err != nil {
		return nil, err
	}
	out := Fact{Kind: OptionalKind}
	if f := input(in, 0); f.Present() {
		f.Const, f.Values = nil, nil
		out.Elem = &f
	}
	return []Fact{out}, nil
}

// Eval wraps the input.
func (o *Optional) Eval(in []Datum) ([]Datum, error) {
	out := Datum{Kind: OptionalKind}
	if d := input(in, 0); d.Present() {
		out.Seq = []Datum{d}
	}
	return []Datum{out}, nil
}

// Infer returns what is known of the content.
func (o *OptionalGetElement) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	f := in[0]
	if f.Kind == OptionalKind {
		if f = (Fact{}); in[0].Elem != nil {
			f = *in[0].Elem
		}
	}
	f.Const = nil
	return []Fact{f}, nil
}

// Eval returns the content.
func (o *OptionalGetElement) Eval(in []Datum) ([]Datum, error) {
	d := input(in, 0)
	switch {
	case !d.Present():
		return nil, errors.New("the input is missing")
	case d.Kind != OptionalKind:
		return []Datum{d}, nil
	case len(d.Seq) != 1:
		return nil, errors.New("the optional is empty")
	}
	return d.Seq, nil
}

// Infer returns bool[].
func (o *OptionalHasElement) Infer(in []Fact, _ int) ([]Fact, error) {
	if len(in) > 1 {
		return nil, ArityError(fmt.Sprintf("got %d inputs, want at most 1", len(in)))
	}
	return []Fact{TensorFact(dtype.Bool, Known())}, nil
}

// Eval looks into the optional.
func (o *OptionalHasElement) Eval(in []Datum) ([]Datum, error) {
	d := input(in, 0)
	has := d.Present() && (d.Kind != OptionalKind || len(d.Seq) == 1)
	return Of(tensor.FromInts(dtype.Bool, []int64{int64(b2i(has))})), nil
}
