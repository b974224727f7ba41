package quant

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/target"
)

// refuses says why the target does not run a node although it has a rule for
// its operator; "" if it does.
func (p *placer) refuses(r *target.Rule, n *ir.Node) string {
	for _, name := range slices.Sorted(maps.Keys(r.Where)) {
		if v := op.AttrOf(n.Op, name); !r.Allows(name, v) {
			return fmt.Sprintf("%s has no integer form of %s with %s %v, only %s", p.target.Name, r.Op, name, v, strings.Join(r.Where[name], ", "))
		}
	}
	if r.ConstantWeight && r.By == "" && p.multiplies(n) {
		return fmt.Sprintf("%s has no integer form of %s whose weight is computed", p.target.Name, r.Op)
	}
	return ""
}

// inWhole reports whether v, which is float, is quantized for whatever reads it
// because it comes into the graph as it is.
func (p *placer) inWhole(v *ir.Value) bool {
	return p.target.Whole && p.prod[v] == nil && v.Const == nil
}

// fuses reports whether a limit behind v is part of what computes v.
func (p *placer) fuses(v *ir.Value) bool {
	n := p.prod[v]
	if n == nil {
		return false
	}
	r := p.target.Rule(n.Op.Name())
	return r != nil && r.Fuses
}

// reached reports whether an operator that computes on integers reads v, at once
// or moved.
func (p *placer) reached(v *ir.Value, depth int) bool {
	if p.pairs[v] != nil {
		return true
	}
	if depth > 16 {
		return false
	}
	for _, u := range p.uses[v] {
		rule, _ := p.candidate(u.Node)
		switch {
		case rule == nil:
		case rule.Kind == target.Compute, p.reached(u.Node.Out[0], depth+1):
			return true
		}
	}
	return false
}

// placeShare quantizes a node that hands on what it reads: where that is
// integer, or its result is to be on a target that is quantized whole.
func (p *placer) placeShare(n *ir.Node) {
	x := n.In[0]
	if !p.integer[x] {
		computes := p.floatWork(n)
		if !p.target.Whole || x.Type != n.Out[0].Type || !computes && !p.reached(n.Out[0], 0) {
			if computes {
				p.skip(n, "it reads float values, and rounding them would gain nothing here", !p.floatByChoice(x))
			}
			return
		}
		p.activationInput(n, 0)
	}
	p.choose(n)
	p.share(n)
}

// placeJoin quantizes a node whose inputs and output have one set of parameters.
func (p *placer) placeJoin(n *ir.Node, f op.Facts) {
	computed, integers := data(n, f, false), 0
	for _, i := range computed {
		if p.integer[n.In[i]] {
			integers++
		}
	}
	switch {
	case len(computed) == 0:
		return
	case p.target.Whole && (integers > 0 || p.reached(n.Out[0], 0)):
	case integers < len(computed):
		i := slices.IndexFunc(computed, func(i int) bool { return !p.integer[n.In[i]] })
		p.skip(n, "it reads float values, and rounding them would gain nothing here", !p.floatByChoice(n.In[computed[i]]))
		return
	}
	p.choose(n)
	y := n.Out[0]
	p.outputPoint(y, n)
	want := p.prescribed(y)
	if want == nil {
		if want = p.agreed(n, computed); want != nil {
			p.out.Points[p.points[y]].fix(want)
		}
	}
	_, group := p.points[y] // else the graph has a pair for y, whose parameters count
	for _, i := range data(n, f, true) {
		v, use := n.In[i], Use{firstOutput(n), i}
		switch q := p.prescribed(v); {
		case v.Const != nil && group:
			p.activationInput(n, i)
			pt := &p.out.Points[len(p.out.Points)-1]
			pt.Group, pt.Joins = y.Name, want == nil
		case v.Const != nil || q != nil && want != nil && q.Equal(*want):
			p.activationInput(n, i)
		case want != nil || q != nil || !p.merges(n, v):
			p.again(n, v, y, use, want)
		default:
			p.activationInput(n, i)
			p.merge(v, y)
		}
	}
}

// agreed returns the parameters that are prescribed for all of those operands
// alike; nil where there are none.
func (p *placer) agreed(n *ir.Node, operands []int) *affine.Params {
	first := p.prescribed(n.In[operands[0]])
	for _, i := range operands {
		if q := p.prescribed(n.In[i]); q == nil || !q.Equal(*first) || q.Type != p.precision[n].activation {
			return nil
		}
	}
	return first
}

// prescribed returns the parameters that v has whatever its range: those that
// the graph has, or the target's; nil where it is free.
func (p *placer) prescribed(v *ir.Value) *affine.Params {
	if q := p.known(v); q != nil {
		return q
	}
	if i := p.rootOf(v); i >= 0 {
		return p.out.Points[i].Fixed
	}
	return nil
}

// rootOf returns the index of the point whose parameters v has, -1 where there
// is none.
func (p *placer) rootOf(v *ir.Value) int {
	i, ok := p.points[v]
	if !ok {
		return -1
	}
	name := p.out.Points[i].Group
	if name == "" {
		return i
	}
	return slices.IndexFunc(p.out.Points, func(pt Point) bool { return pt.Role == Activation && pt.Value == name && pt.Group == "" })
}

// merges reports whether v can get the parameters of what n computes: it has
// none yet, or those of a group that follows observed ranges in n's type.
func (p *placer) merges(n *ir.Node, v *ir.Value) bool {
	if _, has := p.points[v]; !has {
		return true
	}
	i := p.rootOf(v)
	return i >= 0 && p.out.Points[i].Type == p.precision[n].activation
}

// merge gives v, and all that shares parameters with it, the parameters of y.
func (p *placer) merge(v, y *ir.Value) {
	from, to, root := p.root(v), p.root(y), p.rootOf(v)
	if from == to {
		return
	}
	for i := range p.out.Points {
		if p.out.Points[i].Group == from {
			p.out.Points[i].Group = to
		}
	}
	p.out.Points[root].Group, p.out.Points[root].Joins = to, true
}

// again adds the point of an operand that n reads with other parameters than it
// has: those of n's output y, or want where the graph has a pair for y.
func (p *placer) again(n *ir.Node, v, y *ir.Value, use Use, want *affine.Params) {
	typ := p.precision[n].activation
	pt := Point{Value: v.Name, Role: Activation, Uses: []Use{use}, Again: true, Type: typ, Symmetric: p.symmetricIn(typ), Axis: PerTensor}
	if _, ok := p.points[y]; ok {
		pt.Group = y.Name
	} else {
		pt.fix(want)
	}
	p.out.Points = append(p.out.Points, pt)
}
