package pass

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// StoreWeights replaces float constants that are quantized when the model runs,
// as training with fake quantization leaves them, by the integers that they
// become.
//
// Before: d = DQ(Q(w, s, z), s, z)    After: d = DQ(w′, s, z), w′ = Q(w, s, z)
//
// It is not among the passes of Prepare, which leave a Q and DQ of a weight as
// the file has them.
func StoreWeights(g *ir.Graph) (bool, error) {
	gone := map[*ir.Node]bool{}
	for _, n := range g.Nodes {
		q, ok := n.Op.(*op.QuantizeLinear)
		if !ok || g.IsOutput(n.Out[0]) {
			continue
		}
		in := make([]op.Datum, len(n.In))
		constant := true
		for i, v := range n.In {
			if v != nil && v.Const == nil {
				constant = false
			} else if v != nil {
				in[i] = op.Datum{Tensor: v.Const}
			}
		}
		if !constant {
			continue
		}
		out, err := q.Eval(in)
		if err != nil {
			return len(gone) > 0, fmt.Errorf("store_weights: %s: %w", n.Label(), err)
		}
		g.Replace(n.Out[0], ir.NewConst(n.Out[0].Name, out[0].Tensor))
		gone[n] = true
	}
	g.Nodes = slices.DeleteFunc(g.Nodes, func(n *ir.Node) bool { return gone[n] })
	return len(gone) > 0, nil
}
