package explain

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/metric"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/runtime"
)

// Input is a value that a layer reads rounded.
type Input struct {
	// Value names it, Node and Op what computes it in the float model; both are
	// empty for inputs of the model.
	Value string `json:"value"`
	Node  string `json:"node"`
	Op    string `json:"operator"`
	// Share is how much of the layer's own squared error goes away where this
	// input alone is not rounded, from 0 to 1.
	Share float64 `json:"share"`
}

// shareSamples is how many samples shares are measured on.
const shareSamples = 4

// relieved is a layer with one input that is not rounded.
type relieved struct {
	Input
	program *runtime.Program
	error   metric.Error
}

// relieve makes a program for each rounded input of a layer.
func (m *matcher) relieve(l *layer) ([]*relieved, error) {
	producers := m.float.Producers()
	var out []*relieved
	for _, in := range l.cut.Inputs {
		c := m.of[in]
		if !c.rounded() {
			continue
		}
		g, copies := l.cut.Clone()
		for _, n := range g.Nodes {
			for i, v := range n.In {
				for _, form := range c.forms[1:] {
					if v != nil && v == copies[form] && v.Type == in.Type {
						n.In[i] = copies[in]
					}
				}
			}
		}
		if _, err := pass.EliminateDead(g); err != nil {
			return nil, err
		}
		p, err := runtime.Compile(g, runtime.Options{Threads: 1})
		if err != nil {
			return nil, err
		}
		v := m.partner[c]
		r := &relieved{Input: Input{Value: v.Name}, program: p}
		if n := producers[v]; n != nil {
			r.Node, r.Op = name(n), n.Op.Name()
		}
		out = append(out, r)
	}
	return out, nil
}

// runRelieved measures the layer without the rounding of each of its inputs.
func (p *pairing) runRelieved(ctx context.Context, in, values runtime.Tensors) error {
	for _, r := range p.relieved {
		out, err := r.program.Run(ctx, in)
		if err != nil {
			return fmt.Errorf("without rounding %q: %w", r.Value, err)
		}
		if err := see(&r.error, values[p.out.Name], out[p.class.seen.Name]); err != nil {
			return err
		}
	}
	return nil
}

// inputs returns the shares, the largest first.
func (p *pairing) inputs() []Input {
	out := []Input{}
	for _, r := range p.relieved {
		if all := p.part.MSE(); all > 0 && r.error.Len() == p.part.Len() {
			r.Share = max(0, 1-r.error.MSE()/all)
			out = append(out, r.Input)
		}
	}
	slices.SortStableFunc(out, func(a, b Input) int { return cmp.Compare(b.Share, a.Share) })
	return out
}
