package runtime

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// flow is a step that runs bodies: If, Loop, Scan, SequenceMap. Each body is a
// program of its own, whose plans are made for the shapes that come.
type flow struct {
	at       int        // its call in a frame
	in, out  int        // of each body
	programs []*Program // by body
	known    []bool     // the inputs of the bodies whose values the plan knows
	carried  int        // the first outputs of the body, which it reads in the next trip
}

// mostKnown is the length of the shapes and indices that bodies are planned for
// by value.
const mostKnown = 64

// dispatchFlow runs a node by the programs of its bodies.
func (pl *plan) dispatchFlow(s *step, key *ir.Node) {
	bodies := s.node.Bodies
	fl := &flow{at: len(pl.flows), in: len(bodies[0].Inputs), out: len(bodies[0].Outputs), programs: pl.p.bodies[key]}
	fl.known = make([]bool, fl.in)
	for i := range s.node.Captured {
		v := s.in[len(s.in)-1-i]
		if t := pl.values[v].fixed; t != nil && t.Type().IsInteger() && t.Rank() <= 1 && t.Len() <= mostKnown {
			fl.known[fl.in-1-i] = true
		}
	}
	pl.flows = append(pl.flows, fl)
	pl.large++ // what bodies do is worth sharing, perhaps
	switch o := s.node.Op.(type) {
	case *op.If:
		for i, v := range s.out {
			if v >= 0 && pl.values[v].typ != dtype.Invalid && pl.values[v].typ != dtype.String {
				pl.place(s, i)
			}
		}
		s.run = fl.branch
		return
	case *op.Loop:
		fl.carried = 1 + len(s.in) - s.node.Captured - 2
	case *op.Scan:
		fl.carried = len(s.in) - s.node.Captured - o.ScanInputs
	}
	s.run = fl.loop
}

// branch runs one of the two bodies of an If, which writes where the plan has
// memory for the outputs.
func (fl *flow) branch(f *frame, s *step) error {
	c := &f.calls[fl.at]
	taken, err := branchOf(f.tensorAt(s.in, 0))
	if err != nil {
		return err
	}
	for i, v := range s.in[1:] {
		c.in[i] = f.datum(v)
	}
	for i, o := range s.out {
		c.out[i] = op.Datum{}
		if o >= 0 && f.pl.values[o].given {
			c.out[i].Tensor = f.vals[o]
		}
	}
	if _, err := fl.programs[taken].runInside(f, c.in, fl.known, c.out); err != nil {
		return err
	}
	for i, o := range s.out {
		switch d := c.out[i]; {
		case o < 0:
		case !d.Present():
			return errNotComputed
		case !f.pl.values[o].given:
			f.put(o, d)
		case d.Tensor == nil:
			return fmt.Errorf("output %d is a %v, not a tensor", i, d.Kind)
		case d.Tensor != f.vals[o]:
			if err := fill(f.vals[o], d.Tensor); err != nil {
				return fmt.Errorf("output %d: %w", i, err)
			}
		}
	}
	clear(c.in)
	clear(c.out)
	return nil
}

// branchOf returns the number of the body that a condition takes.
func branchOf(t *tensor.Tensor) (int, error) {
	if t == nil || t.Type() != dtype.Bool || t.Len() != 1 {
		return 0, fmt.Errorf("the condition is %v, want one Bool", t)
	}
	if t.Bytes()[0] != 0 {
		return 0, nil
	}
	return 1, nil
}

// loop runs a node by its operator's meaning, which calls the bodies.
func (fl *flow) loop(f *frame, s *step) error {
	in := f.operands(s)
	b := op.Bodies{Captured: s.node.Captured, Budget: f.budget}
	for i, p := range fl.programs {
		body := s.node.Bodies[i]
		b.List = append(b.List, op.Body{In: ir.Facts(body.Inputs), Out: ir.Facts(body.Outputs), Run: fl.trips(f, p)})
	}
	out, err := s.node.Op.(op.Flow).EvalBodies(in, b)
	if err != nil {
		return err
	}
	return f.accept(s, in, out)
}

// trips returns a function that runs a body again and again. What is carried
// takes the memory of what was carried two trips before, which nobody reads any
// more.
func (fl *flow) trips(f *frame, p *Program) func([]op.Datum) ([]op.Datum, error) {
	var memory [2][]op.Datum
	turn := 0
	return func(in []op.Datum) ([]op.Datum, error) {
		if memory[turn] == nil {
			memory[turn] = make([]op.Datum, fl.carried)
		}
		out := make([]op.Datum, len(p.g.Outputs))
		copy(out, memory[turn])
		pl, err := p.runInside(f, in, fl.known, out)
		if err != nil {
			return nil, err
		}
		for i := range memory[turn] {
			memory[turn][i] = op.Datum{}
			if pl != nil && pl.values[pl.outputs[i]].given {
				memory[turn][i] = out[i]
			}
		}
		turn = 1 - turn
		return out, nil
	}
}

// runInside runs a body in a run of the program around it, f. The tensors of out are
// memory that it may write outputs to, where they are of the right size; out
// then holds the outputs. It returns the plan that ran, nil where the body was
// evaluated.
func (p *Program) runInside(f *frame, in []op.Datum, known []bool, out []op.Datum) (*plan, error) {
	pl, err := p.planInside(in, known)
	if err != nil {
		return nil, err
	}
	if pl == nil {
		return nil, p.evaluate(f, in, out)
	}
	for i, o := range pl.outputs {
		if v := &pl.values[o]; out[i].Tensor != nil && !(v.given && v.holds(out[i].Tensor)) {
			out[i] = op.Datum{}
		}
	}
	sub := pl.take()
	defer pl.give(sub)
	sub.ctx, sub.budget, sub.crew = f.ctx, f.budget, f.crew
	return pl, sub.run(in, out, nil)
}

// planInside is planOf for a body. Where the shapes change from trip to trip it
// returns nil for bodies that do little: making a plan would take longer than
// evaluating them.
func (p *Program) planInside(in []op.Datum, known []bool) (*plan, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if pl := p.find(in, known); pl != nil {
		return pl, nil
	}
	if n := len(p.plans); n == maxPlans && p.plans[n-1].cost < smallWork {
		return nil, nil
	}
	return p.makePlan(in, known)
}

// evaluate runs a body by the reference meaning of its operators.
func (p *Program) evaluate(f *frame, in, out []op.Datum) error {
	if err := f.ctx.Err(); err != nil {
		return err
	}
	res, err := ir.EvalWithin(p.g, in, f.budget)
	if err != nil {
		return err
	}
	for i, d := range res {
		out[i] = apart(d, in)
	}
	return nil
}

// apart returns d, copied where it lies in one of the tensors of in.
func apart(d op.Datum, in []op.Datum) op.Datum {
	if d.Tensor == nil {
		for _, e := range d.Seq {
			if c := apart(e, in); c.Tensor != e.Tensor {
				return cloned(d)
			}
		}
		return d
	}
	for _, x := range in {
		if x.Tensor != nil && meets(d.Tensor, x.Tensor) {
			return cloned(d)
		}
	}
	return d
}
