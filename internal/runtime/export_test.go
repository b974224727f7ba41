package runtime

import (
	"reflect"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// Reference returns the operators of the last plan that run by their reference
// meaning.
func (p *Program) Reference() []string {
	var out []string
	for _, s := range p.plans[len(p.plans)-1].steps {
		name := s.node.Op.Name()
		if q, ok := s.node.Op.(*op.Quantized); ok {
			name += " " + q.Inner.Name()
		}
		if s.run != nil && reflect.ValueOf(s.run).Pointer() == reflect.ValueOf(evalStep).Pointer() && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// Steps returns the names of the operators of the last plan.
func (p *Program) Steps() []string {
	var out []string
	for _, s := range p.plans[len(p.plans)-1].steps {
		out = append(out, s.node.Op.Name())
	}
	return out
}

// Shortened returns the values of the last plan that are stored as bfloat16 by
// the steps that compute them.
func (p *Program) Shortened() []string {
	var out []string
	pl := p.plans[len(p.plans)-1]
	for v := range pl.short.sums {
		if pl.values[v].typ == dtype.BFloat16 {
			out = append(out, pl.values[v].name)
		}
	}
	slices.Sort(out)
	return out
}

// planFor returns the plan for the shapes of in.
func (p *Program) planFor(in Tensors) (*plan, error) {
	c, pl, err := p.open(in)
	if err == nil {
		p.close(c)
	}
	return pl, err
}

// Packed returns how many weights are packed, in how many forms.
func (p *Program) Packed() int { return len(p.weights.held) }

// FuseRows is what compiling does with products of rows that are quantized in the
// run.
func FuseRows(g *ir.Graph) error { return fuseRows(g, nil) }
