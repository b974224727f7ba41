package runtime

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// call holds what one run reads and writes, in the order of the graph.
type call struct{ in, out []op.Datum }

func newCall(in, out int) call { return call{make([]op.Datum, in), make([]op.Datum, out)} }

// open returns a call with the inputs in it, and the plan for their shapes.
func (p *Program) open(in Tensors) (*call, *plan, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var c *call
	if n := len(p.calls); n > 0 {
		c, p.calls = p.calls[n-1], p.calls[:n-1]
	} else {
		made := newCall(len(p.g.Inputs), len(p.g.Outputs))
		c = &made
	}
	complete := len(in) == len(c.in)
	for i, v := range p.g.Inputs {
		c.in[i] = op.Datum{Tensor: in[v.Name]}
		complete = complete && c.in[i].Tensor != nil
	}
	if complete {
		if pl := p.find(c.in, nil); pl != nil {
			return c, pl, nil
		}
	}
	if err := p.checkInputs(in); err != nil {
		return nil, nil, err
	}
	pl, err := p.makePlan(c.in, nil)
	return c, pl, err
}

// close gives a call back.
func (p *Program) close(c *call) {
	clear(c.in)
	clear(c.out)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.calls) < p.threads {
		p.calls = append(p.calls, c)
	}
}

// find returns the plan that was made for such inputs, nil if there is none.
func (p *Program) find(in []op.Datum, known []bool) *plan {
	for _, pl := range p.plans {
		if pl.fits(in, known) {
			return pl
		}
	}
	return nil
}

// makePlan adds a plan for such inputs.
func (p *Program) makePlan(in []op.Datum, known []bool) (*plan, error) {
	var pl *plan
	err := tensor.Guard(func() (err error) { // weights are read
		if pl, err = p.newPlan(in, known); err == nil && p.weights.keep() {
			pl, err = p.newPlan(in, known) // over mapped weights
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(p.plans) == maxPlans {
		p.plans = slices.Delete(p.plans, 0, 1)
	}
	p.plans = append(p.plans, pl)
	return pl, nil
}
