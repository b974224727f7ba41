package quant

import (
	"fmt"
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/quant/observe"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Plan is a placement with parameters: what Apply writes into the graph.
type Plan struct {
	Placement
	// Params holds, for Points[i], the chosen parameters; the zero Params where
	// it stays float after all, and those of the first group where a weight has
	// very many.
	Params   []affine.Params
	Warnings []diag.Warning
	// Chosen are the ranges that were taken from statistics.
	Chosen  []Chosen
	weights *weights
	found   map[rangeKey]foundRange // while the plan is made
}

// Choices returns the plan without what it knows of weights, which is large.
func (p *Plan) Choices() *Plan { return &Plan{Chosen: p.Chosen} }

// Statistics gives what was observed of a value.
type Statistics map[string]*observe.Stats

// MakePlan chooses the parameters of every point from the statistics of the
// watched values, and the weights themselves.
func MakePlan(g *ir.Graph, pl *Placement, st Statistics, r *Recipe) (*Plan, error) {
	return makePlan(g, pl, st, r, newWeights(false), 1)
}

// makePlan is MakePlan on some threads, with what is known of the weights of g
// from other plans by recipes that treat them alike.
func makePlan(g *ir.Graph, pl *Placement, st Statistics, r *Recipe, known *weights, threads int) (*Plan, error) {
	s, err := r.resolve()
	if err != nil {
		return nil, err
	}
	plan := &Plan{Placement: *pl, Params: make([]affine.Params, len(pl.Points)), weights: known}
	consts := map[string]*tensor.Tensor{}
	for _, v := range g.Values() {
		if v.Const != nil {
			consts[v.Name] = v.Const
		}
	}
	plan.found = findRanges(s, pl.Points, st, threads)
	byValue := map[string]affine.Params{}
	owners := map[string]int{}
	for i, pt := range pl.Points {
		if pt.Role == Live {
			plan.Params[i] = affine.Params{Type: pt.Type, Scale: []float32{0}} // computed at run time
		}
		if pt.Role != Activation || pt.Group != "" {
			continue
		}
		if pt.Fixed != nil {
			plan.Params[i] = *pt.Fixed
		} else {
			if err := plan.choose(s, i, consts); err != nil {
				return nil, err
			}
		}
		if !pt.Again {
			owners[pt.Value] = i
		}
	}
	if s.target.AvoidTies {
		plan.settle(g, owners)
	}
	for value, i := range owners {
		byValue[value] = plan.Params[i]
	}
	for i, pt := range pl.Points {
		switch {
		case pt.Role == Activation && pt.Group != "":
			p, ok := byValue[pt.Group]
			if !ok {
				// What is moved out of a constant has the constant's scale.
				if c := consts[pt.Group]; c != nil {
					if p, err = known.paramsOf(s, Point{Value: pt.Group, Type: pt.Type, Symmetric: pt.Symmetric, Axis: PerTensor}, c); err != nil {
						return nil, err
					}
				} else {
					return nil, fmt.Errorf("value %q shares the parameters of %q, which has none", pt.Value, pt.Group)
				}
			}
			plan.Params[i] = p
		case pt.Role == Weight:
			c := consts[pt.Value]
			if c == nil {
				return nil, fmt.Errorf("weight %q is not in the graph", pt.Value)
			}
			if p, ok := byValue[pt.Group]; ok && pt.Group != "" {
				plan.Params[i] = p
				continue
			}
			if plan.Params[i], err = known.planned(s, pt, c); err != nil {
				return nil, fmt.Errorf("weight %q: %w", pt.Value, err)
			}
		}
	}
	plan.found = nil
	return plan, plan.biases(consts, byValue, float32(max(s.target.BiasRoom, 1)))
}

// choose sets the parameters of an activation from the ranges that were observed
// of it and of those that widen its group.
func (p *Plan) choose(s *settings, i int, consts map[string]*tensor.Tensor) error {
	pt := p.Points[i]
	lo, hi, err := p.rangeOf(s, pt)
	if err != nil {
		return err
	}
	for _, member := range p.Points {
		if member.Group != pt.Value || !member.Joins {
			continue
		}
		l, h := extremes(consts[member.Value])
		if member.Role == Activation {
			if l, h, err = p.rangeOf(s, member); err != nil {
				return err
			}
		}
		lo, hi = min(lo, l), max(hi, h)
	}
	if lo == hi {
		p.Warnings = append(p.Warnings, diag.Warning{ID: "OCT006", Msg: fmt.Sprintf("value %q was %g in every sample; is the calibration data real?", pt.Value, lo)})
	}
	scale, zp := affine.ChooseParams(lo, hi, affine.Scheme{Type: pt.Type, Symmetric: pt.Symmetric, MinRange: s.target.Activations.MinRange})
	p.Params[i] = affine.PerTensor(pt.Type, scale, zp)
	return nil
}

// extremes returns the least and the greatest element of a constant, 0 where it
// has none.
func extremes(t *tensor.Tensor) (lo, hi float64) {
	if t == nil || t.Type() != dtype.Float32 || t.Len() == 0 {
		return 0, 0
	}
	x := tensor.Data[float32](t)
	return float64(slices.Min(x)), float64(slices.Max(x))
}

// rangeOf returns the range that the method gives for an activation, within
// what its mathematics allow.
func (p *Plan) rangeOf(s *settings, pt Point) (lo, hi float64, err error) {
	k := s.keyOf(pt)
	f, ok := p.found[k]
	if !ok {
		return 0, 0, fmt.Errorf("value %q was not observed", k.observed)
	}
	if lo, hi = f.lo, f.hi; f.err != nil {
		return 0, 0, fmt.Errorf("value %q: %w", pt.Value, f.err)
	}
	if c := (Chosen{k.observed, k.want, lo, hi}); !slices.Contains(p.Chosen, c) {
		p.Chosen = append(p.Chosen, c)
	}
	if pt.Limit != nil {
		if s.parity {
			lo, hi = pt.Limit.Lo, pt.Limit.Hi
		} else {
			lo, hi = max(lo, pt.Limit.Lo), min(hi, pt.Limit.Hi)
		}
	}
	return lo, hi, nil
}

// biases sets the scales of biases to input scale times weight scale, after
// enlarging weight scales for which int32 could not hold the bias so many times.
func (p *Plan) biases(consts map[string]*tensor.Tensor, byValue map[string]affine.Params, room float32) error {
	weightAt := func(name, node string) int {
		for k, w := range p.Points {
			if w.Role != Weight || w.Value != name {
				continue
			}
			if w.Uses == nil {
				return k
			}
			for _, u := range w.Uses {
				if u.Node == node {
					return k
				}
			}
		}
		return -1
	}
	for pass := range 2 { // scales settle first, biases follow
		for i, pt := range p.Points {
			if pt.Role != Bias {
				continue
			}
			in, ok := p.readAt(pt.Input, pt.Uses[0].Node)
			if !ok {
				in, ok = byValue[pt.Input]
			}
			if !ok {
				in, ok = p.shared(pt.Input)
			}
			if !ok {
				in, ok = p.kept(pt.Input)
			}
			w := weightAt(pt.Scale, pt.Uses[0].Node)
			if weight, stands := p.kept(pt.Scale); w < 0 && ok && stands {
				p.keptWeightBias(i, in, weight, consts[pt.Value], room)
				continue
			}
			if !ok || w < 0 {
				return fmt.Errorf("bias %q: input %q or weight %q has no parameters", pt.Value, pt.Input, pt.Scale)
			}
			bias := consts[pt.Value]
			if bias == nil || bias.Type() != dtype.Float32 {
				return fmt.Errorf("bias %q is not a float32 constant", pt.Value)
			}
			if pass == 0 {
				p.Params[w] = affine.FitBias(p.Params[w], in.Scale[0]/room, bias)
				continue
			}
			p.Params[i] = affine.BiasParams(in.Scale[0], p.Params[w], pt.Factor)
			if s := slices.Max(p.Params[i].Scale); s > math.MaxFloat32 {
				return &diag.Error{Msg: fmt.Sprintf("bias %q: its scale, which is that of input %q times that of weight %q, is beyond float32", pt.Value, pt.Input, pt.Scale),
					Notes: []string{"weights or samples so large are seldom meant: octavo inspect MODEL --tensors and the data show them", "--keep PATTERN leaves the node that reads it float"}}
			}
		}
	}
	return nil
}

// readAt returns the parameters of a value as one node alone reads it.
func (p *Plan) readAt(name, node string) (affine.Params, bool) {
	for k, pt := range p.Points {
		if pt.Role == Activation && pt.Value == name && slices.ContainsFunc(pt.Uses, func(u Use) bool { return u.Node == node }) {
			return p.Params[k], p.Params[k].Present()
		}
	}
	return affine.Params{}, false
}

// keptWeightBias sets the scale of a bias whose weight stays as it is: where
// int32 cannot hold it in the product of those scales, it stays float.
func (p *Plan) keptWeightBias(i int, in, weight affine.Params, bias *tensor.Tensor, room float32) {
	if affine.FitBias(weight, in.Scale[0]/room, bias).Equal(weight) {
		p.Params[i] = affine.BiasParams(in.Scale[0], weight, p.Points[i].Factor)
	}
}

// shared returns the parameters of an activation point by value.
func (p *Plan) shared(name string) (affine.Params, bool) {
	for i, pt := range p.Points {
		if pt.Role == Activation && pt.Value == name {
			return p.Params[i], true
		}
	}
	return affine.Params{}, false
}
