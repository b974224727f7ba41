package pass

import (
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// FixReshapes gives a Reshape a constant for the sizes that a graph computes,
// where all of the result's are known but one.
//
// Before: y = Reshape(x, Concat(Shape(x)[0:1], [64]))    After: y = Reshape(x, [-1, 64])
//
// Conditions: no known size is 0, beside which the unknown one cannot be found.
func FixReshapes(g *ir.Graph) (bool, error) {
	names := ir.NewNamer(g)
	changed := false
	for _, n := range g.Nodes {
		if _, ok := n.Op.(*op.Reshape); !ok || len(n.In) < 2 || n.In[1] == nil || n.In[1].Const != nil || n.Out[0].Shape == nil {
			continue
		}
		if sizes, ok := sizesOf(n.Out[0].Shape); ok {
			n.In[1] = ir.NewConst(names.Name(n.Out[0].Name+"_shape"), list(sizes))
			changed = true
		}
	}
	return changed, nil
}
