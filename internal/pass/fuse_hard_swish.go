package pass

import (
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// FuseHardSwish recognises HardSwish in its two exported forms.
//
// Before: y = x · HardSigmoid(x; 1/6, 0.5)    After: y = HardSwish(x)
// Before: y = x · Clip(x + 3, 0, 6) / 6       After: y = HardSwish(x)
//
// Conditions: the constants are the formula's; nothing else reads the values
// between.
func FuseHardSwish(g *ir.Graph) (bool, error) {
	m := newMatcher(g)
	changed := false
	for _, last := range g.Nodes {
		if x := m.hardSwish(last); x != nil {
			m.swap(last, &ir.Node{Op: op.New[op.HardSwish](), In: []*ir.Value{x}})
			changed = true
		}
	}
	return changed, nil
}

func (m *matcher) hardSwish(last *ir.Node) *ir.Value {
	switch last.Op.(type) {
	case *op.Mul:
		for i := range 2 {
			if x := m.hardGate(last.In[i]); x != nil && x == last.In[1-i] {
				return x
			}
		}
	case *op.Div:
		mul, _, ok := from[*op.Mul](m, last.In[0])
		if !ok || !m.only(last.In[0]) || !near(last.In[1], 6) {
			return nil
		}
		for i := range 2 {
			if x := m.relu6Plus3(mul.In[i]); x != nil && x == mul.In[1-i] {
				return x
			}
		}
	}
	return nil
}

// hardGate returns x where v = max(0, min(1, x/6 + 0.5)).
func (m *matcher) hardGate(v *ir.Value) *ir.Value {
	if !m.only(v) {
		return nil
	}
	if n, o, ok := from[*op.HardSigmoid](m, v); ok && o.Beta == 0.5 && o.Alpha > 0.1666 && o.Alpha < 0.1667 {
		return n.In[0]
	}
	if n, _, ok := from[*op.Div](m, v); ok && near(n.In[1], 6) {
		return m.relu6Plus3(n.In[0])
	}
	return nil
}

// relu6Plus3 returns x where v = Clip(x+3, 0, 6).
func (m *matcher) relu6Plus3(v *ir.Value) *ir.Value {
	n, _, ok := from[*op.Clip](m, v)
	if !ok || !m.only(v) || len(n.In) != 3 {
		return nil
	}
	lo, lok := scalar(n.In[1])
	if !lok || lo != 0 || !near(n.In[2], 6) {
		return nil
	}
	add, _, ok := from[*op.Add](m, n.In[0])
	if !ok || !m.only(n.In[0]) {
		return nil
	}
	_, x, ok := operands(add, func(v *ir.Value) bool { return near(v, 3) })
	if !ok {
		return nil
	}
	return x
}
