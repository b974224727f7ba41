package quant

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/quant/calibrate"
)

// widest is the share of the activations that are given 16 bits at most, and
// one at least: what reads them computes longer.
const widest = 4

// widen gives 16 bits to the activations whose rounding costs most. Each is
// tried by itself, by the outputs on KeptSamples of the kept samples; then the
// best one, the best two, four and so on, on all of them, as long as each step
// gains minGain. It returns the values that are 16 bits wide now, none where
// nothing gains that much.
func (out *Improved) widen(ctx context.Context, s *settings, pl *Placement, stats Statistics, kept []calibrate.Kept, r *Recipe, known *weights, threads int, done func(layer, of int)) ([]string, error) {
	try := func(values []wider, kept []calibrate.Kept) (*Plan, float64, error) {
		release(out.Graph) // the program before is as large as the weights
		plan, err := makePlan(out.Graph, widened(pl, values), stats, r, known, threads)
		if err != nil {
			return nil, 0, err
		}
		sqnr, err := score(ctx, out.Graph, plan, kept, threads)
		if err != nil {
			return nil, 0, fmt.Errorf("trying %d activations with 16 bits: %w", len(values), err)
		}
		return plan, sqnr, nil
	}
	found := s.wider(out.Graph, pl, out.Plan)
	if len(found) == 0 || len(kept) == 0 {
		return nil, nil
	}
	_, best, err := try(nil, kept)
	if err != nil {
		return nil, err
	}
	few := spread(kept, KeptSamples)
	for i := range found {
		if done != nil {
			done(i, len(found))
		}
		if _, found[i].sqnr, err = try(found[i:i+1], few); err != nil {
			return nil, err
		}
	}
	if done != nil {
		done(len(found), len(found))
	}
	slices.SortStableFunc(found, func(a, b wider) int { return cmp.Compare(b.sqnr, a.sqnr) })
	var names []string
	for k := 1; k <= max(len(found)/widest, 1); k *= 2 {
		plan, sqnr, err := try(found[:k], kept)
		if err != nil {
			return nil, err
		}
		if !(sqnr >= best+minGain) {
			break
		}
		out.Plan, best, names = plan, sqnr, nil
		for _, w := range found[:k] {
			names = append(names, w.value)
		}
	}
	release(out.Graph)
	return names, nil
}

// wider is an activation that could have 16 bits.
type wider struct {
	value string
	typ   dtype.Type
	sqnr  float64 // of the outputs where it alone has
	// symmetric is set where the target takes that type around 0 alone.
	symmetric bool
}

// wider finds the activations of a plan that the target takes with 16 bits
// wherever they are computed and read.
func (s *settings) wider(g *ir.Graph, pl *Placement, plan *Plan) []wider {
	nodes, prod := map[string]*ir.Node{}, map[string]*ir.Node{}
	values := map[string]*ir.Value{}
	for _, n := range g.Nodes {
		nodes[firstOutput(n)] = n
		for _, v := range n.Out {
			if v != nil {
				prod[v.Name] = n
			}
		}
	}
	for _, v := range g.Values() {
		values[v.Name] = v
	}
	uses := g.Uses()
	takes := func(n *ir.Node, typ dtype.Type) bool {
		rule := s.target.Rule(n.Op.Name())
		return rule == nil || s.target.Accepts(rule.Op, typ) // without a rule it computes on floats
	}
	fits := func(pt Point, typ dtype.Type) bool {
		if n := prod[pt.Value]; n != nil && !takes(n, typ) {
			return false
		}
		v := values[pt.Value]
		if v == nil {
			return false
		}
		if pt.Uses == nil {
			return !slices.ContainsFunc(uses[v], func(u ir.Use) bool { return !takes(u.Node, typ) })
		}
		return !slices.ContainsFunc(pt.Uses, func(u Use) bool { return nodes[u.Node] != nil && !takes(nodes[u.Node], typ) })
	}
	edges := map[string]bool{}
	for _, e := range pl.Edges {
		edges[e.Value] = true
	}
	var out []wider
	for i, pt := range pl.Points {
		if pt.Role != Activation || pt.Group != "" || pt.Fixed != nil || pt.Type.Bits() != 8 || !plan.Params[i].Present() || edges[pt.Value] {
			continue
		}
		typ := s.activationLike(pt.Type, 16)
		if typ == dtype.Invalid || slices.ContainsFunc(out, func(w wider) bool { return w.value == pt.Value }) {
			continue
		}
		if slices.ContainsFunc(pl.Points, func(o Point) bool {
			return o.Role == Activation && (o.Value == pt.Value || o.Group == pt.Value) && (edges[o.Value] || !fits(o, typ))
		}) {
			continue
		}
		out = append(out, wider{value: pt.Value, typ: typ, symmetric: pt.Symmetric || s.symmetricIn(typ)})
	}
	return out
}

// activationLike returns the target's type of so many bits with a sign as t has,
// Invalid where it has none.
func (s *settings) activationLike(t dtype.Type, bits int) dtype.Type {
	for _, name := range s.target.Activations.Types {
		if typ, err := dtype.Parse(name); err == nil && typ.IsInteger() && typ.Bits() == bits && typ.IsSigned() == t.IsSigned() {
			return typ
		}
	}
	return dtype.Invalid
}

// widened returns a placement like pl in which some activations, and those that
// share their parameters, have other types.
func widened(pl *Placement, values []wider) *Placement {
	out := *pl
	out.Points = slices.Clone(pl.Points)
	for i := range out.Points {
		pt := &out.Points[i]
		for _, w := range values {
			if pt.Role == Activation && pt.Fixed == nil && (pt.Value == w.value || pt.Group == w.value) {
				pt.Type, pt.Symmetric = w.typ, w.symmetric
			}
		}
	}
	return &out
}
