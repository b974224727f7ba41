package onnx

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// functionSince returns the opset from which n, which is defined in terms of
// other operators, can be written as itself; 0 for all other operators. Attention
// has keys without padding, and masks that reach to some keys only, since opset
// 24, and windows since 25.
func functionSince(n *ir.Node) int {
	o, ok := n.Op.(op.Expander)
	if !ok {
		return 0
	}
	since := sinceOpset[o.Name()]
	if a, ok := o.(*op.Attention); ok {
		const nonpad = 6
		switch {
		case a.LeftWindowSize >= 0 || a.RightWindowSize >= 0:
			since = 25
		case len(trim(n.In)) > nonpad || shortMask(n):
			since = 24
		}
	}
	return since
}

// shortMask reports whether the mask of an Attention is known to reach to some
// of the keys only.
func shortMask(n *ir.Node) bool {
	const mask = 3
	if len(n.In) <= mask || n.In[mask] == nil || len(n.In[mask].Shape) == 0 {
		return false
	}
	facts := make([]op.Fact, len(n.In))
	for i, v := range n.In {
		if v != nil {
			facts[i] = v.Fact
		}
	}
	out, err := n.Op.Infer(facts, len(n.Out))
	if err != nil {
		return false
	}
	reach := n.In[mask].Shape
	keys, ok := out[3].Shape[3].Int()
	has, known := reach[len(reach)-1].Int()
	return ok && known && has < keys
}

// function writes the nodes that n is made of; since is the opset that has n
// itself.
func (l *lowering) function(n *ir.Node, since int) ([]*node, error) {
	nodes, err := n.Expand(l.names)
	if err != nil {
		return nil, l.need(since, fmt.Sprintf("%s (to write it as other operators, %v)", n.Op.Name(), err))
	}
	var out []*node
	for _, m := range nodes {
		for _, v := range m.In {
			if v != nil && v.Const != nil && l.byName[v.Name] == nil {
				l.consts = append(l.consts, v)
				l.byName[v.Name] = v
			}
		}
		written, err := l.rewrite(m)
		if err != nil {
			return nil, fmt.Errorf("as other operators: %w", err)
		}
		out = append(out, written...)
	}
	return out, nil
}
