package pass

import (
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// MergeClips makes one node of two that limit a value one after the other.
//
// Before: y = Clip(Relu(x), a, b)    After: y = Clip(x, max(0, a), b)
//
// Conditions: float32, constant bounds, the second range not empty inside the
// first; nothing else reads the value between. Clip(x, 0, ∞) becomes Relu.
func MergeClips(g *ir.Graph) (bool, error) {
	m := newMatcher(g)
	names := ir.NewNamer(g)
	changed := false
	for _, n := range g.Nodes {
		outer, ok := clamp(n)
		if !ok {
			continue
		}
		inner := op.Interval{Lo: math.Inf(-1), Hi: math.Inf(1)}
		x := n.In[0]
		p := m.prod[x]
		merged := false
		if p != nil && m.only(x) {
			if in, ok := clamp(p); ok && in.Lo <= outer.Hi && outer.Lo <= in.Hi {
				inner, merged, x = in, true, p.In[0]
			}
		}
		lo, hi := max(inner.Lo, outer.Lo), min(inner.Hi, outer.Hi)
		_, isClip := n.Op.(*op.Clip)
		relu := lo == 0 && math.IsInf(hi, 1)
		if !merged && !(isClip && relu) {
			continue
		}
		changed = true
		if relu {
			n.Op, n.In = op.New[op.Relu](), []*ir.Value{x}
		} else {
			bound := func(name string, v float64) *ir.Value {
				if math.IsInf(v, 0) {
					return nil
				}
				return ir.NewConst(names.Name(n.Out[0].Name+name), tensor.Scalar(float32(v)))
			}
			n.Op, n.In = op.New[op.Clip](), []*ir.Value{x, bound("_min", lo), bound("_max", hi)}
		}
		m = newMatcher(g)
	}
	return changed, nil
}

// clamp returns the interval to which a node limits its float32 input.
func clamp(n *ir.Node) (op.Interval, bool) {
	iv := op.Interval{Lo: math.Inf(-1), Hi: math.Inf(1)}
	if len(n.In) == 0 || n.In[0] == nil || n.In[0].Type != dtype.Float32 {
		return iv, false
	}
	switch n.Op.(type) {
	case *op.Relu:
		iv.Lo = 0
		return iv, true
	case *op.Clip:
		for i, dst := range []*float64{&iv.Lo, &iv.Hi} {
			if len(n.In) <= i+1 || n.In[i+1] == nil {
				continue
			}
			v, ok := scalar(n.In[i+1])
			if !ok || math.IsNaN(v) {
				return iv, false
			}
			*dst = v
		}
		return iv, true
	}
	return iv, false
}
