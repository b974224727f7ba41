package runtime

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// fuseBiases makes each Add of a constant that has one element a channel the
// bias of a convolution channels last without one, whose output only it reads:
// kernels add that last too, so the bits are the same.
func fuseBiases(g *ir.Graph, keep map[string]bool) {
	prod, uses := g.Producers(), g.Uses()
	g.Nodes = slices.DeleteFunc(g.Nodes, func(n *ir.Node) bool {
		if _, ok := n.Op.(*op.Add); !ok {
			return false
		}
		for i, v := range n.In {
			p := prod[v]
			if p == nil || len(uses[v]) != 1 || g.IsOutput(v) || keep[v.Name] {
				continue
			}
			if b := biasOf(p, n.In[1-i]); b != nil {
				p.In, p.Out[0] = append(p.In[:2:2], b), n.Out[0]
				prod[n.Out[0]] = p
				return true
			}
		}
		return false
	})
}

// biasOf returns what is added to the output of a node as its bias, nil if it
// cannot be that.
func biasOf(n *ir.Node, added *ir.Value) *ir.Value {
	o, ok := n.Op.(*op.Conv)
	if !ok || o.Layout != op.ChannelsLast || added.Const == nil || added.Type != dtype.Float32 || n.In[1].Const == nil || len(n.In) > 2 && n.In[2] != nil {
		return nil
	}
	w, c := n.In[1].Const.Shape(), added.Const
	if c.Rank() == 0 || c.Rank() > len(w) || c.Shape()[c.Rank()-1] != w[0] {
		return nil
	}
	b, err := c.Reshape(w[0])
	if err != nil { // it has more elements than there are channels
		return nil
	}
	return ir.NewConst(added.Name, b)
}
