package quant

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/target"
)

// forFloats is why a node that only float operators read stays float.
const forFloats = "what it computes is used as float, and rounding it would gain nothing here"

// leastSteps is how many steps of its scale the mean of a Softmax has at least:
// with equal weights over n keys that of 1/(n·scale) steps is 20·log10(√12/(n·scale))
// dB above the error of rounding, 35 dB here.
const leastSteps = 16

// findBeside finds, on a target where floats are computed beside integers, the
// nodes without weights that only operators on floats read, such as sums that
// are normalized next, and the Softmax of attention over more keys than the
// scale that the target prescribes has steps for.
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
		if keys := p.keys(n, rule); keys != "" {
			p.beside[n] = fmt.Sprintf("%s gives its output steps of %g, and weights over %s keys are few of them each; an override that names it, as *=int8 names all, quantizes it all the same", p.target.Name, rule.Fixed.Scale, keys)
		} else if (rule.Kind == target.Compute || rule.Kind == target.Join) && p.onFloats(y) {
			p.beside[n] = forFloats
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

// keys returns over how many keys a Softmax gives the weights of a product of
// activations, where they are more than the prescribed scale has steps for;
// else "".
func (p *placer) keys(n *ir.Node, rule *target.Rule) string {
	o, ok := n.Op.(*op.Softmax)
	if !ok || rule.Fixed == nil || !p.weighs(n.Out[0], 0) {
		return ""
	}
	shape := n.Out[0].Shape
	axis, err := op.Axis(o.Axis, len(shape))
	if err != nil {
		return ""
	}
	size, ok := shape[axis].Int()
	switch {
	case !ok:
		return "an open number of"
	case float64(size)*rule.Fixed.Scale*leastSteps <= 1:
		return ""
	}
	return strconv.Itoa(size)
}

// weighs reports whether v is an operand of products of activations alone, at
// once or moved.
func (p *placer) weighs(v *ir.Value, depth int) bool {
	if depth > 16 || p.g.IsOutput(v) || len(p.uses[v]) == 0 {
		return false
	}
	return !slices.ContainsFunc(p.uses[v], func(u ir.Use) bool {
		f, _ := facts(u.Node)
		if f.Moves {
			return !p.weighs(u.Node.Out[0], depth+1)
		}
		return !weighted(u.Node, f) || p.isConstant(u.Node.In[f.Weight])
	})
}
