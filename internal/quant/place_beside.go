package quant

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/target"
)

// forFloats is why a node that only float operators read stays float.
const forFloats = "what it computes is used as float, and rounding it would gain nothing here"

// findBeside finds, on a target where floats are computed beside integers, the
// nodes without weights that only operators on floats read, such as sums that
// are normalized next.
func (p *placer) findBeside() {
	if !p.target.Beside || p.activation.Bits() > 8 {
		return
	}
	for _, n := range slices.Backward(p.g.Nodes) {
		rule := p.target.Rule(n.Op.Name())
		f, _ := facts(n)
		y := result(n)
		if rule == nil || y == nil || p.g.IsOutput(y) || weighted(n, f) {
			continue
		}
		if (rule.Kind == target.Compute || rule.Kind == target.Join) && p.onFloats(y) {
			p.beside[n] = true
		}
	}
}

// onFloats reports whether operators read v, and none of them, at once or moved,
// computes on integers.
func (p *placer) onFloats(v *ir.Value) bool {
	floats := slices.ContainsFunc(p.uses[v], func(u ir.Use) bool {
		rule, _ := p.candidate(u.Node)
		return rule == nil && p.floatWork(u.Node)
	})
	return floats && !p.reached(v, 0)
}

// multiplies reports whether n is a product of two activations.
func (p *placer) multiplies(n *ir.Node) bool {
	f, _ := facts(n)
	return weighted(n, f) && !p.isConstant(n.In[f.Weight])
}
