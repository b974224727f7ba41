package pass

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// EliminateIdentity removes nodes that pass their first input on unchanged:
// Identity, Dropout outside training, Cast to the same type, Transpose without
// effect, Reshape, Flatten, Expand, Squeeze and Unsqueeze to the same shape,
// Pad by nothing, Concat of one input.
//
// Before: y = Identity(x); z = F(y)    After: z = F(x)
//
// Graph outputs keep their names: the node that computes x then computes y
// instead, unless x is an input, a constant or an output itself, in which case
// the node stays.
func EliminateIdentity(g *ir.Graph) (bool, error) {
	changed := false
	prod := g.Producers()
	gone := map[*ir.Node]bool{}
	for _, n := range g.Nodes {
		if !passesOn(n) {
			continue
		}
		x, y := n.In[0], n.Out[0]
		if !g.IsOutput(y) {
			g.Replace(y, x)
			gone[n], changed = true, true
			continue
		}
		p := prod[x]
		if p == nil || g.IsOutput(x) || gone[p] {
			continue
		}
		i := slices.Index(p.Out, x)
		p.Out[i] = y
		g.Replace(x, y)
		y.Values = x.Values
		gone[n], changed = true, true
		prod[y] = p
	}
	if changed {
		g.Nodes = slices.DeleteFunc(g.Nodes, func(n *ir.Node) bool { return gone[n] })
	}
	return changed, nil
}

// passesOn reports whether the only used output of n is its first input.
func passesOn(n *ir.Node) bool {
	if len(n.Out) == 0 || n.Out[0] == nil || len(n.In) == 0 || n.In[0] == nil {
		return false
	}
	for _, v := range n.Out[1:] {
		if v != nil {
			return false
		}
	}
	x, y := n.In[0], n.Out[0]
	switch o := n.Op.(type) {
	case *op.Identity:
		return true
	case *op.Dropout:
		return len(n.In) < 3 || n.In[2] == nil || isZero(n.In[2])
	case *op.Cast:
		return x.Type == o.To
	case *op.Transpose:
		return len(o.Perm) > 0 && slices.IsSorted(o.Perm)
	case *op.Reshape, *op.Flatten, *op.Expand, *op.Squeeze, *op.Unsqueeze:
		return sameShape(x.Shape, y.Shape)
	case *op.Pad:
		return len(n.In) > 1 && n.In[1] != nil && isZero(n.In[1])
	case *op.Concat:
		return len(n.In) == 1
	}
	return false
}

// sameShape reports whether two shapes are known to be equal.
func sameShape(a, b op.Shape) bool {
	if a == nil || b == nil || len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].Same(b[i]) {
			return false
		}
	}
	return true
}

// isZero reports whether v is a constant whose integer or Bool elements are
// all zero.
func isZero(v *ir.Value) bool {
	if v.Const == nil {
		return false
	}
	vals, ok := tensor.Ints(v.Const)
	return ok && !slices.ContainsFunc(vals, func(n int64) bool { return n != 0 })
}
