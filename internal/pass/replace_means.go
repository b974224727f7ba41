package pass

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// replaceMeans makes a GlobalAveragePool of each mean of integers over all
// spatial axes: runtimes have kernels on integers for the one and not for the
// other, and results are the same but for the order of sums.
//
// Before: y = QuantizeLinear(ReduceMean(DequantizeLinear(q), axes = 2, 3 of 4))
// After:  y = QuantizeLinear(GlobalAveragePool(DequantizeLinear(q)))
func replaceMeans(g *ir.Graph) {
	producers, uses := g.Producers(), g.Uses()
	for _, n := range g.Nodes {
		for _, b := range n.Bodies {
			replaceMeans(b)
		}
		mean, ok := n.Op.(*op.ReduceMean)
		if !ok || !mean.Keepdims || !overSpatialAxes(n) || g.IsOutput(n.Out[0]) {
			continue
		}
		from := producers[n.In[0]]
		if from == nil || from.Op.Name() != "DequantizeLinear" {
			continue
		}
		if u := uses[n.Out[0]]; len(u) != 1 || u[0].Node.Op.Name() != "QuantizeLinear" {
			continue
		}
		n.Op, n.In = op.New[op.GlobalAveragePool](), n.In[:1]
	}
}

// overSpatialAxes reports whether a reduction is over all axes behind those of
// batch and channels.
func overSpatialAxes(n *ir.Node) bool {
	rank := len(n.In[0].Shape)
	if rank < 3 || len(n.In) < 2 || n.In[1] == nil || n.In[1].Const == nil {
		return false
	}
	var axes []int
	for _, a := range tensor.Data[int64](n.In[1].Const) {
		if a < 0 {
			a += int64(rank)
		}
		axes = append(axes, int(a))
	}
	slices.Sort(axes)
	for i, a := range axes {
		if a != i+2 {
			return false
		}
	}
	return len(axes) == rank-2
}
