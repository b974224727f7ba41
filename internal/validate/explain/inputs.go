package explain

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
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
	error   meter
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
		if err := foldWeights(g); err != nil {
			return nil, err
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

// foldWeights makes constants of what dequantized constants are, as operators
// on floats have no fast path for anything else.
func foldWeights(g *ir.Graph) error {
	for _, n := range g.Nodes {
		if _, ok := n.Op.(*op.DequantizeLinear); !ok || n.In[0].Const == nil || !constants(n) {
			continue
		}
		in := make([]op.Datum, len(n.In))
		for i, v := range n.In {
			if v != nil {
				in[i].Tensor = v.Const
			}
		}
		out, err := ir.EvalNode(n, in)
		if err != nil {
			return err
		}
		g.Replace(n.Out[0], ir.NewConst(n.Out[0].Name, out[0].Tensor))
	}
	return nil
}

// runRelieved measures the layer without the rounding of each of its inputs;
// last says that no sample follows.
func (p *pairing) runRelieved(ctx context.Context, in runtime.Tensors, want *tensor.Tensor, last bool) error {
	for _, r := range p.relieved {
		out, err := r.program.Run(ctx, in)
		if err != nil {
			return fmt.Errorf("without rounding %q: %w", r.Value, err)
		}
		if err := see(&r.error, want, out[p.class.seen.Name]); err != nil {
			return err
		}
		if last {
			r.program = nil // its weights are not needed any more
		}
	}
	return nil
}

// inputs returns the shares, the largest first.
func (p *pairing) inputs() []Input {
	out := []Input{}
	for _, r := range p.relieved {
		if p.part.noise > 0 && r.error.n == p.part.n {
			r.Share = max(0, 1-r.error.noise/p.part.noise)
			out = append(out, r.Input)
		}
	}
	slices.SortStableFunc(out, func(a, b Input) int { return cmp.Compare(b.Share, a.Share) })
	return out
}

// causes returns, for each layer, the squared error that it brings into itself
// and others, relative to their values: the inputs of a layer have their shares
// of its own error, and the rest is its own.
func causes(all []*pairing) []float64 {
	out, at := make([]float64, len(all)), map[string]int{}
	for i, p := range all {
		at[p.out.Name] = i
	}
	for i, p := range all {
		if p.program == nil || !(p.alone.wanted > 0) {
			continue
		}
		e := p.alone.noise / p.alone.wanted
		inputs, sum := p.inputs(), 0.0
		for _, in := range inputs {
			sum += in.Share
		}
		rest := max(1-sum, 0)
		for _, in := range inputs {
			if k, ok := at[in.Value]; ok {
				out[k] += float64(e * (in.Share / max(sum, 1)))
			}
		}
		out[i] += float64(e * rest)
	}
	return out
}
