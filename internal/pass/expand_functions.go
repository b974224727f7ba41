package pass

import (
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// ExpandFunctions puts the operators that an operator is defined by in its
// place, which computes the same to the bit: kernels and fusion are for those.
//
// Before: y = Attention(q, k, v)
// After:  y = MatMul(Softmax(MatMul(Mul(q, √s), Transpose(Mul(k, √s)))), v)
//
// A node stays of whose inputs too little is known.
func ExpandFunctions(g *ir.Graph) (changed bool, err error) {
	var names *ir.Namer
	var out []*ir.Node
	for _, n := range g.Nodes {
		if _, ok := n.Op.(op.Expander); ok {
			if names == nil {
				names = ir.NewNamer(g)
			}
			if nodes, err := n.Expand(names); err == nil {
				out, changed = append(out, nodes...), true
				continue
			}
		}
		out = append(out, n)
	}
	g.Nodes = out
	return changed, nil
}
