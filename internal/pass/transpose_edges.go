package pass

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// TransposeEdges puts axis 1 of inputs and outputs of rank 3 to 5 last.
//
// Before: x [N,C,H,W]; z = F(x)                  y [N,C,H,W] = G(z)
// After:  x [N,H,W,C]; z = F(Transpose(x))       y [N,H,W,C] = Transpose(G(z))
//
// Where the graph undoes that by a Transpose of its own, at once or behind a Q
// or DQ with one scale, neither is left.
func TransposeEdges(g *ir.Graph, list []Edge) (bool, error) {
	changed := false
	names := ir.NewNamer(g)
	for _, e := range list {
		if !e.ChannelsLast {
			continue
		}
		v, input, err := edgeOf(g, e)
		if err != nil {
			return changed, err
		}
		rank := len(v.Shape)
		if rank < 3 || rank > 5 {
			return changed, fmt.Errorf("value %q is %v%v: only ranks 3 to 5 have a layout", v.Name, v.Type, v.Shape)
		}
		m := newMatcher(g)
		if input {
			m.transposeInput(v, names)
		} else {
			m.transposeOutput(v, names)
		}
		changed = true
	}
	return changed, nil
}

func (m *matcher) transposeInput(x *ir.Value, names *ir.Namer) {
	rank := len(x.Shape)
	first := &ir.Value{Name: names.Name(x.Name + "_channels_first"), Fact: op.TensorFact(x.Type, x.Shape)}
	x.Fact = op.TensorFact(x.Type, turnedShape(x.Shape, firstLast(rank)))
	gone := map[*ir.Node]bool{}
	read := false
	for _, u := range m.uses[x] {
		if m.undoes(u, rank) {
			m.undo(u.Node, x, gone)
		} else {
			u.Node.In[u.Index] = first
			read = true
		}
	}
	m.g.Nodes = slices.DeleteFunc(m.g.Nodes, func(n *ir.Node) bool { return gone[n] })
	if read {
		m.g.Nodes = slices.Insert(m.g.Nodes, 0, transposeNode(names, x, first, lastFirst(rank)))
	}
}

// undoes reports whether what reads a channels-first value does nothing but put
// its channels last.
func (m *matcher) undoes(u ir.Use, rank int) bool {
	n := u.Node
	if u.Index != 0 || m.g.IsOutput(n.Out[0]) {
		return false
	}
	switch o := n.Op.(type) {
	case *op.Transpose:
		return slices.Equal(o.Perm, firstLast(rank))
	case *op.QuantizeLinear, *op.DequantizeLinear:
		if _, ok := oneScale(n); !ok {
			return false
		}
		for _, next := range m.uses[n.Out[0]] {
			if !m.undoes(next, rank) {
				return false
			}
		}
		return true
	}
	return false
}

// undo lets n, for which undoes holds, read the channels-last x.
func (m *matcher) undo(n *ir.Node, x *ir.Value, gone map[*ir.Node]bool) {
	if _, ok := n.Op.(*op.Transpose); ok {
		m.g.Replace(n.Out[0], x)
		gone[n] = true
		return
	}
	n.Out[0].Fact = op.TensorFact(n.Out[0].Type, x.Shape.Clone())
	for _, u := range m.uses[n.Out[0]] {
		m.undo(u.Node, n.Out[0], gone)
	}
}

func (m *matcher) transposeOutput(y *ir.Value, names *ir.Namer) {
	rank := len(y.Shape)
	n, o, ok := from[*op.Transpose](m, y)
	if ok && slices.Equal(o.Perm, lastFirst(rank)) && m.only(n.In[0]) && len(m.uses[y]) == 0 && m.prod[n.In[0]] != nil {
		last := n.In[0]
		produce(m.prod[last], last, y)
		y.Fact = op.TensorFact(y.Type, last.Shape)
		m.g.Nodes = slices.DeleteFunc(m.g.Nodes, func(k *ir.Node) bool { return k == n })
		return
	}
	first := &ir.Value{Name: names.Name(y.Name + "_channels_first"), Fact: op.TensorFact(y.Type, y.Shape)}
	y.Fact = op.TensorFact(y.Type, turnedShape(y.Shape, firstLast(rank)))
	produce(m.prod[y], y, first)
	for _, u := range m.uses[y] {
		u.Node.In[u.Index] = first
	}
	m.g.Nodes = append(m.g.Nodes, transposeNode(names, first, y, firstLast(rank)))
}
