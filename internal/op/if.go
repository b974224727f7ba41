package op

import (
	"fmt"
)

// If runs the first of its two bodies where its condition holds, the second
// one where it does not. The bodies have no inputs but captured ones.
type If struct{}

// Name returns "If".
func (o *If) Name() string { return "If" }

// BodyNames returns the branches.
func (o *If) BodyNames() []string { return []string{"then_branch", "else_branch"} }

// Infer knows nothing without the bodies.
func (o *If) Infer(_ []Fact, outs int) ([]Fact, error) { return make([]Fact, outs), nil }

// InferBodies returns what holds of both branches, or of the one that a
// constant condition takes. A branch that can never run tells nothing: which is
// what exporters leave behind where the shape decides.
func (o *If) InferBodies(in []Fact, outs int, b Bodies) ([]Fact, error) {
	if err := b.check(o, len(in)); err != nil {
		return nil, err
	}
	if len(in) != 1+b.Captured {
		return nil, ArityError(fmt.Sprintf("got %d inputs, want 1", len(in)-b.Captured))
	}
	if err := wantCondition(in[0], "the condition"); err != nil {
		return nil, err
	}
	facts, errs := [2][]Fact{}, [2]error{}
	for i, body := range b.List {
		if len(body.In) != b.Captured {
			return nil, fmt.Errorf("%s has %d inputs, want none", o.BodyNames()[i], len(body.In)-b.Captured)
		}
		if len(body.Out) != outs {
			return nil, fmt.Errorf("%s has %d outputs, want %d", o.BodyNames()[i], len(body.Out), outs)
		}
		facts[i], errs[i] = body.Infer(in[1:])
	}
	if in[0].Const != nil {
		holds, err := truth(Datum{Tensor: in[0].Const}, "the condition")
		if err != nil {
			return nil, err
		}
		taken := b2i(!holds)
		return facts[taken], errs[taken]
	}
	switch {
	case errs[0] != nil && errs[1] != nil:
		return nil, errs[0]
	case errs[0] != nil:
		return facts[1], nil
	case errs[1] != nil:
		return facts[0], nil
	}
	out := make([]Fact, outs)
	for i := range out {
		f, err := Join(facts[0][i], facts[1][i])
		if err != nil {
			return nil, fmt.Errorf("output %d of the two branches: %w", i, err)
		}
		out[i] = f
	}
	return out, nil
}

// EvalBodies runs one of the branches.
func (o *If) EvalBodies(in []Datum, b Bodies) ([]Datum, error) {
	if err := b.check(o, len(in)-1); err != nil {
		return nil, err
	}
	holds, err := truth(in[0], "the condition")
	if err != nil {
		return nil, err
	}
	return b.List[b2i(!holds)].Run(in[1:])
}
