package pass

import (
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// ReplaceSum makes an Add of each Sum of two: runtimes have integer kernels for
// the one and not for the other, and results are the same.
//
// Before: y = Sum(a, b)    After: y = Add(a, b)
func ReplaceSum(g *ir.Graph) (bool, error) {
	changed := false
	for _, n := range g.Nodes {
		if _, ok := n.Op.(*op.Sum); ok && len(n.In) == 2 {
			n.Op, changed = op.New[op.Add](), true
		}
	}
	return changed, nil
}
