package pass

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
)

// BindCaptures makes constants that bodies capture constants of the bodies, and
// lets go of what no body reads, so that what is known of weights is known in
// bodies too.
//
// Before: y = If(c; x, W) { z = MatMul(x, W) } …    After: y = If(c; x) { const W; z = MatMul(x, W) } …
//
// The tensor is not copied, and keeps its name: formats that have outer scopes
// write it once.
func BindCaptures(g *ir.Graph) (bool, error) {
	changed := false
	for _, n := range g.Nodes {
		if len(n.Bodies) == 0 {
			continue
		}
		changed = bindCaptures(n) || changed
		for _, b := range n.Bodies {
			did, err := BindCaptures(b)
			if err != nil {
				return changed, err
			}
			changed = changed || did
		}
		// A body within may have let go of the last use.
		changed = bindCaptures(n) || changed
	}
	return changed, nil
}

// bindCaptures is BindCaptures of one node.
func bindCaptures(n *ir.Node) (changed bool) {
	own := len(n.In) - n.Captured
	reads := make([]bool, n.Captured)
	for _, b := range n.Bodies {
		first, live := len(b.Inputs)-n.Captured, map[*ir.Value]bool{}
		for _, m := range b.Nodes {
			for _, v := range m.In {
				live[v] = true
			}
		}
		for _, v := range b.Outputs {
			live[v] = true
		}
		for _, s := range b.States {
			live[s.In], live[s.Out] = true, true
		}
		for i := range reads {
			reads[i] = reads[i] || live[b.Inputs[first+i]]
		}
	}
	for i, read := range slices.Backward(reads) {
		v := n.In[own+i]
		if read && v.Const == nil {
			continue
		}
		for _, b := range n.Bodies {
			at := len(b.Inputs) - n.Captured + i
			if inner := b.Inputs[at]; read {
				b.Replace(inner, ir.NewConst(inner.Name, v.Const))
			}
			b.Inputs = slices.Delete(b.Inputs, at, at+1)
		}
		n.In = slices.Delete(n.In, own+i, own+i+1)
		n.Captured--
		changed = true
	}
	return changed
}
