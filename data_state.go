package octavo

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/octavo-ml/octavo/internal/dataset"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// state is an output that is an input of the next sample.
type state struct{ in, out string }

// dataStates reads INPUT=OUTPUT, and fills the inputs that are states with what
// they begin with.
func (m *Model) dataStates(spec *dataset.Spec, flags []string) ([]state, error) {
	var names []string
	for _, v := range m.graph.Outputs {
		names = append(names, v.Name)
	}
	var states []state
	for _, f := range flags {
		in, out, err := inputValue("--state", f, *spec)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(names, out) {
			return nil, diag.Usagef("--state %q: the model has no output %q", f, out).Suggest(out, names, "outputs")
		}
		if slices.ContainsFunc(states, func(s state) bool { return s.in == in.Name }) {
			return nil, diag.Usagef("--state %q: input %q has a state already", f, in.Name)
		}
		states = append(states, state{in.Name, out})
		if spec.Fill[in.Name] == nil {
			if spec.Fill[in.Name], err = filled(in, "0"); err != nil {
				return nil, diag.Usagef("--state %q: %w", f, err)
			}
		}
	}
	return states, nil
}

// begin returns what the inputs that are states of the graph begin with. A state
// lasts from one sample to the next only where DataOptions.State says so.
func (m *Model) begin() Inputs {
	var out Inputs
	for _, s := range m.graph.States {
		t := s.Init
		if t == nil {
			shape := make([]int, len(s.In.Shape))
			for i, d := range s.In.Shape {
				n, ok := d.Int()
				if shape[i] = n; !ok {
					shape[i] = 1
				}
			}
			t = tensor.New(s.In.Type, shape...)
		}
		if out == nil {
			out = Inputs{}
		}
		out[s.In.Name] = t
	}
	return out
}

// ran is a sample and what a program makes of it.
type ran struct {
	dataset.Sample
	out Inputs
}

// Run runs p over n samples spread evenly over all of them, in order, all of
// them where n is 0, and yields the outputs with the index of each sample.
// With DataOptions.State, p also runs over the samples between, so that the
// states are its own.
func (d *Dataset) Run(ctx context.Context, p *Program, n int) iter.Seq2[Inputs, error] {
	return func(yield func(Inputs, error) bool) {
		for r, err := range d.carried(ctx, p, n) {
			if !yield(r.out, err) || err != nil {
				return
			}
		}
	}
}

// carried runs p over samples and carries the states from each to the next of
// its sequence.
func (d *Dataset) carried(ctx context.Context, p *Program, n int) iter.Seq2[ran, error] {
	return func(yield func(ran, error) bool) {
		wanted := d.d.Spread(n)
		indices := wanted
		if len(d.states) > 0 && len(wanted) > 0 {
			indices = d.d.Spread(0)[:wanted[len(wanted)-1]+1]
		}
		carry := map[string]*tensor.Tensor{}
		for s, err := range d.each(indices) {
			if err != nil {
				yield(ran{}, err)
				return
			}
			if d.d.Begins(s.Index) {
				clear(carry)
			}
			for in, t := range carry {
				s.Inputs[in] = t
			}
			out, err := p.Run(ctx, s.Inputs)
			if err != nil {
				err = fmt.Errorf("%s: sample %d: %w", d.model.Path, s.Index, err)
			}
			for _, st := range d.states {
				if err == nil {
					carry[st.in], err = st.next(s.Inputs[st.in], out[st.out])
				}
			}
			if err != nil {
				yield(ran{}, err)
				return
			}
			if _, chosen := slices.BinarySearch(wanted, s.Index); chosen && !yield(ran{s, out}, nil) {
				return
			}
		}
	}
}

// next checks that an output can be the input of the next sample.
func (s state) next(in, out *tensor.Tensor) (*tensor.Tensor, error) {
	if out == nil || out.Type() != in.Type() || !slices.Equal(out.Shape(), in.Shape()) {
		return nil, diag.Usagef("--state %s=%s: the output is %v, the input takes %v", s.in, s.out, out, in)
	}
	return out, nil
}
