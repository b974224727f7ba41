package pass

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// FuseConvAdd gives a convolution the bias that is added to it.
//
// Before: y = Add(Conv(x, W), c)    After: y = Conv(x, W, c)
//
// Conditions: W and c are constant, the convolution has no bias, c is one
// number for each output channel and spans no other axis; nothing else reads the
// convolution. Bits stay: the bias is added last.
func FuseConvAdd(g *ir.Graph) (bool, error) {
	m := newMatcher(g)
	names := ir.NewNamer(g)
	changed := false
	for i, n := range g.Nodes {
		if _, ok := n.Op.(*op.Add); !ok {
			continue
		}
		c, sum, ok := operands(n, func(v *ir.Value) bool { return v != nil && v.Const != nil })
		if !ok || sum == nil || !m.only(sum) {
			continue
		}
		conv := m.prod[sum]
		if conv == nil || len(conv.In) > 2 && conv.In[2] != nil || !c.Type.IsFloat() {
			continue
		}
		filters, ok := filtersOf(conv)
		if !ok || c.Type != conv.In[1].Type || len(c.Shape) > len(conv.In[1].Shape) {
			continue
		}
		// Channels are axis 1 of the output; the constant may lack leading axes.
		axis := 1 - (len(conv.In[1].Shape) - len(c.Shape))
		if axis < 0 || c.Const.Len() != filters || !c.Shape[axis].Is(filters) {
			continue
		}
		bias := c
		if len(c.Shape) != 1 {
			flat, err := c.Const.Reshape(filters)
			if err != nil {
				return changed, err
			}
			bias = ir.NewConst(names.Name(c.Name+"_row"), flat)
		}
		g.Nodes[i] = &ir.Node{Name: conv.Name, Op: conv.Op, In: []*ir.Value{conv.In[0], conv.In[1], bias}, Out: n.Out, Origin: conv.Origin}
		m.prod[n.Out[0]] = g.Nodes[i]
		conv.Out = nil
		changed = true
	}
	g.Nodes = slices.DeleteFunc(g.Nodes, func(n *ir.Node) bool { return len(n.Out) == 0 })
	return changed, nil
}

// filtersOf returns the number of output channels of a convolution over channels
// first whose weight is constant.
func filtersOf(n *ir.Node) (int, bool) {
	if len(n.In) < 2 || n.In[1] == nil || n.In[1].Const == nil || n.In[1].Const.Rank() < 3 {
		return 0, false
	}
	w := n.In[1].Const.Shape()
	switch o := n.Op.(type) {
	case *op.Conv:
		return w[0], o.Layout == op.ChannelsFirst
	case *op.ConvTranspose:
		return w[1] * o.Group, o.Layout == op.ChannelsFirst
	}
	return 0, false
}
