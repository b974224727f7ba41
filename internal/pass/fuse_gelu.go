package pass

import (
	"math"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// FuseGelu recognises the error-function form of GELU in every order of its
// factors.
//
// Before: y = x · 0.5 · (1 + Erf(x / √2))    After: y = Gelu(x)
//
// Conditions: the constants are scalars equal to the formula's within 1e-4;
// nothing else reads the values between.
func FuseGelu(g *ir.Graph) (bool, error) {
	m := newMatcher(g)
	changed := false
	for _, last := range g.Nodes {
		if x := m.gelu(last); x != nil {
			m.swap(last, &ir.Node{Op: op.New[op.Gelu](), In: []*ir.Value{x}})
			changed = true
		}
	}
	return changed, nil
}

// gelu returns the input of the pattern that ends in last.
func (m *matcher) gelu(last *ir.Node) *ir.Value {
	factors, inner := m.product(last)
	if len(factors) != 3 {
		return nil
	}
	var x, gate *ir.Value
	half := false
	for _, f := range factors {
		switch {
		case near(f, 0.5) && !half:
			half = true
		case m.gate(f) != nil && gate == nil:
			gate = f
		default:
			x = f
		}
	}
	if x == nil || gate == nil || !half || m.gate(gate) != x {
		return nil
	}
	for _, v := range inner {
		if !m.only(v) {
			return nil
		}
	}
	return x
}

// product flattens a tree of Mul of at most two nodes into three factors and
// the value between them.
func (m *matcher) product(n *ir.Node) (factors, inner []*ir.Value) {
	if _, ok := n.Op.(*op.Mul); !ok || len(n.In) != 2 {
		return nil, nil
	}
	for i := range 2 {
		p, _, ok := from[*op.Mul](m, n.In[i])
		if ok && m.only(n.In[i]) {
			return []*ir.Value{n.In[1-i], p.In[0], p.In[1]}, []*ir.Value{n.In[i]}
		}
	}
	return nil, nil
}

// gate returns x where v = 1 + Erf(x/√2).
func (m *matcher) gate(v *ir.Value) *ir.Value {
	add, _, ok := from[*op.Add](m, v)
	if !ok || !m.only(v) {
		return nil
	}
	_, e, ok := operands(add, func(v *ir.Value) bool { return near(v, 1) })
	if !ok {
		return nil
	}
	erf, _, ok := from[*op.Erf](m, e)
	if !ok || !m.only(e) {
		return nil
	}
	arg := erf.In[0]
	if div, _, ok := from[*op.Div](m, arg); ok && m.only(arg) && near(div.In[1], math.Sqrt2) {
		return div.In[0]
	}
	if mul, _, ok := from[*op.Mul](m, arg); ok && m.only(arg) {
		if _, x, ok := operands(mul, func(v *ir.Value) bool { return near(v, math.Sqrt2/2) }); ok {
			return x
		}
	}
	return nil
}
