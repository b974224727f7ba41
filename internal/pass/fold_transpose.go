package pass

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// foldTransposes takes the order of axes before a product into the rows of its
// weight.
//
// Before: y = Gemm(Reshape(Transpose(x)), W)    After: y = Gemm(Reshape(x), W')
//
// Conditions: the Transpose leaves axis 0 where it is, and the Reshape joins all
// others, whose sizes are known; whatever reads the joined rows is a Gemm or a
// MatMul with a constant weight, which has one scale or one for each column.
// Floats are added in another order then.
func foldTransposes(g *ir.Graph) error {
	m := newMatcher(g)
	names := ir.NewNamer(g)
	for _, r := range g.Nodes {
		t := m.prod[firstOf(r)]
		if t == nil || !joins(r) || !transposes(t) || g.IsOutput(r.Out[0]) {
			continue
		}
		perm := unwrapped(t.Op).(*op.Transpose).Perm
		sizes, ok := t.Out[0].Shape[1:].Ints()
		if !ok || len(perm) == 0 || perm[0] != 0 {
			continue
		}
		// order[i] is the axis of the weight's rows that comes at i.
		order := make([]int, len(sizes))
		for i := range order {
			order[i] = slices.Index(perm, i+1) - 1
		}
		var turned []*ir.Value
		for _, u := range m.uses[r.Out[0]] {
			w, ok := turnedRows(u, sizes, order)
			if !ok {
				turned = nil
				break
			}
			turned = append(turned, ir.NewConst(names.Name(u.Node.In[1].Name+"_rows"), w))
		}
		for i, w := range turned {
			m.uses[r.Out[0]][i].Node.In[1] = w
		}
		if turned != nil {
			r.In[0] = t.In[0]
		}
	}
	_, err := EliminateDead(g)
	return err
}

// firstOf returns the first operand of a node with one result.
func firstOf(n *ir.Node) *ir.Value {
	if len(n.In) == 0 || len(n.Out) != 1 {
		return nil
	}
	return n.In[0]
}

// joins reports whether a node makes rows of its operand, one for each index of
// axis 0.
func joins(n *ir.Node) bool {
	switch unwrapped(n.Op).(type) {
	case *op.Reshape, *op.Flatten:
	default:
		return false
	}
	x, y := n.In[0].Shape, n.Out[0].Shape
	if len(x) < 2 || len(y) != 2 || !x[0].Same(y[0]) {
		return false
	}
	q, ok := n.Op.(*op.Quantized)
	return !ok || q.Clamp == nil && q.In[0].IsPerTensor() && q.In[0].Equal(q.Out[0])
}

// turnedRows returns the weight of a product that reads rows of the given sizes,
// with those in another order; false where it is none that can be turned.
func turnedRows(u ir.Use, sizes, order []int) (*tensor.Tensor, bool) {
	n := u.Node
	if u.Index != 0 || len(n.In) < 2 || n.In[1] == nil || n.In[1].Const == nil || n.In[1].Const.Rank() != 2 || n.In[1].Type.Bits() < 8 {
		return nil, false
	}
	rows := 0
	switch o := unwrapped(n.Op).(type) {
	case *op.MatMul:
	case *op.Gemm:
		if o.TransA {
			return nil, false
		}
		if o.TransB {
			rows = 1
		}
	default:
		return nil, false
	}
	var p affine.Params
	if q, ok := n.Op.(*op.Quantized); ok && len(q.In) > 1 {
		p = q.In[1]
	}
	if p.Present() && (p.BlockSize != 0 || !p.IsPerTensor() && p.Axis == rows) {
		return nil, false
	}
	w := n.In[1].Const
	k, _ := tensor.Count(sizes)
	if w.Shape()[rows] != k {
		return nil, false
	}
	perm, full := []int{}, slices.Clone(sizes)
	for _, a := range order {
		perm = append(perm, a+rows)
	}
	if rows == 1 {
		perm, full = append([]int{0}, perm...), append([]int{w.Shape()[0]}, full...)
	} else {
		perm, full = append(perm, len(sizes)), append(full, w.Shape()[1])
	}
	v, err := w.Reshape(full...)
	if err != nil {
		return nil, false
	}
	v, err = tensor.Permuted(v, perm).Reshape(w.Shape()...)
	return v, err == nil
}
