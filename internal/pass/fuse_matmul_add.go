package pass

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// FuseMatMulAdd makes a Gemm of a matrix product and the bias added to it.
//
// Before: y = Add(MatMul(a, B), c)    After: y = Gemm(a, B, c)
//
// Conditions: a and B are matrices, B and c are constant, c is one row of B's
// columns; nothing else reads the product. Bits stay: Gemm accumulates as
// MatMul and adds the bias last.
func FuseMatMulAdd(g *ir.Graph) (bool, error) {
	m := newMatcher(g)
	changed := false
	for i, n := range g.Nodes {
		if _, ok := n.Op.(*op.Add); !ok {
			continue
		}
		bias, prod, ok := operands(n, func(v *ir.Value) bool {
			// One row of a 2-D product; a scalar or column is another matter.
			return v.Const != nil && len(v.Shape) >= 1 && len(v.Shape) <= 2 && (len(v.Shape) == 1 || v.Shape[0].Is(1))
		})
		if !ok || !m.only(prod) {
			continue
		}
		mm, _, ok := from[*op.MatMul](m, prod)
		if !ok || len(mm.In[0].Shape) != 2 || mm.In[1].Const == nil || len(mm.In[1].Shape) != 2 || !mm.In[0].Type.IsFloat() {
			continue
		}
		columns := bias.Shape[len(bias.Shape)-1]
		if !columns.Same(mm.In[1].Shape[1]) {
			continue
		}
		in := []*ir.Value{mm.In[0], mm.In[1], bias}
		if len(bias.Shape) == 2 {
			flat, err := bias.Const.Reshape(bias.Const.Shape()[1])
			if err != nil {
				return changed, err
			}
			in[2] = ir.NewConst(ir.NewNamer(g).Name(bias.Name+"_row"), flat)
		}
		g.Nodes[i] = &ir.Node{Name: mm.Name, Op: op.New[op.Gemm](), In: in, Out: n.Out, Origin: mm.Origin}
		mm.Out = nil
		changed = true
		m = newMatcher(g)
	}
	g.Nodes = slices.DeleteFunc(g.Nodes, func(n *ir.Node) bool { return len(n.Out) == 0 })
	return changed, nil
}
