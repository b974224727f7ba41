package pass

import (
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// FuseLayerNormalization recognises LayerNormalization over the last axis,
// written out by exporters before opset 17.
//
// Before: d = x − ReduceMean(x); y = d / Sqrt(ReduceMean(d²) + ε) · γ [+ β]
// After:  y = LayerNormalization(x, γ [, β]; axis=−1, epsilon=ε)
//
// Conditions: both means are over the last axis and keep it; γ and β are
// constants of one dimension; nothing else reads the values between.
func FuseLayerNormalization(g *ir.Graph) (bool, error) {
	m := newMatcher(g)
	changed := false
	for _, last := range g.Nodes {
		n := m.layerNorm(last)
		if n == nil {
			continue
		}
		m.swap(last, n)
		changed = true
		m = newMatcher(g)
	}
	return changed, nil
}

func vector(v *ir.Value) bool { return v.Const != nil && len(v.Shape) == 1 }

func (m *matcher) layerNorm(last *ir.Node) *ir.Node {
	scaled, bias := last, (*ir.Value)(nil)
	if _, ok := last.Op.(*op.Add); ok {
		b, other, ok := operands(last, vector)
		if !ok || !m.only(other) {
			return nil
		}
		if scaled, _, ok = from[*op.Mul](m, other); !ok {
			return nil
		}
		bias = b
	} else if u := m.uses[last.Out[0]]; len(u) == 1 {
		// The Add behind it, if there is one, is where the pattern ends.
		if _, ok := u[0].Node.Op.(*op.Add); ok && vector(u[0].Node.In[1-u[0].Index]) {
			return nil
		}
	}
	if _, ok := scaled.Op.(*op.Mul); !ok {
		return nil
	}
	gamma, norm, ok := operands(scaled, vector)
	if !ok || !m.only(norm) {
		return nil
	}
	div, _, ok := from[*op.Div](m, norm)
	if !ok {
		return nil
	}
	x, eps, ok := m.standardized(div)
	if !ok || x.Shape == nil || !x.Shape[len(x.Shape)-1].Same(gamma.Shape[0]) {
		return nil
	}
	ln := op.New[op.LayerNormalization]()
	ln.Axis, ln.Epsilon = -1, eps
	in := []*ir.Value{x, gamma}
	if bias != nil {
		if !bias.Shape[0].Same(gamma.Shape[0]) {
			return nil
		}
		in = append(in, bias)
	}
	return &ir.Node{Op: ln, In: in}
}

// standardized returns x and ε where div = (x−mean) / √(var+ε).
func (m *matcher) standardized(div *ir.Node) (x *ir.Value, eps float32, ok bool) {
	d, root := div.In[0], div.In[1]
	sqrt, _, ok := from[*op.Sqrt](m, root)
	if !ok || !m.only(root) {
		return nil, 0, false
	}
	add, _, ok := from[*op.Add](m, sqrt.In[0])
	if !ok || !m.only(sqrt.In[0]) {
		return nil, 0, false
	}
	e, variance, ok := operands(add, func(v *ir.Value) bool { _, ok := scalar(v); return ok })
	if !ok || !m.only(variance) {
		return nil, 0, false
	}
	square, ok := m.lastMean(variance)
	if !ok || !m.only(square) {
		return nil, 0, false
	}
	sq := m.prod[square]
	sub, _, ok := from[*op.Sub](m, d)
	if !ok || !m.squares(sq, d) || !m.inner(d, div, sq) {
		return nil, 0, false
	}
	x = sub.In[0]
	of, ok := m.lastMean(sub.In[1])
	if !ok || of != x || !m.only(sub.In[1]) {
		return nil, 0, false
	}
	v, _ := scalar(e)
	return x, float32(v), true
}

// squares reports whether n computes d².
func (m *matcher) squares(n *ir.Node, d *ir.Value) bool {
	if n == nil {
		return false
	}
	switch n.Op.(type) {
	case *op.Pow:
		return n.In[0] == d && near(n.In[1], 2)
	case *op.Mul:
		return n.In[0] == d && n.In[1] == d
	}
	return false
}

// lastMean returns what v is the mean of over the last axis, kept.
func (m *matcher) lastMean(v *ir.Value) (*ir.Value, bool) {
	n, o, ok := from[*op.ReduceMean](m, v)
	if !ok || !o.Keepdims || len(n.In) != 2 || n.In[1] == nil || n.In[1].Const == nil {
		return nil, false
	}
	axes, _ := tensor.Ints(n.In[1].Const)
	rank := len(n.In[0].Shape)
	if len(axes) != 1 || axes[0] != -1 && (rank == 0 || axes[0] != int64(rank-1)) {
		return nil, false
	}
	return n.In[0], true
}
