package pass

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
)

// EliminateDead removes nodes whose outputs nothing reads, and marks unused
// outputs of the others as absent. Graph inputs stay: they are the model's
// interface.
func EliminateDead(g *ir.Graph) (bool, error) {
	live := map[*ir.Value]bool{}
	for _, v := range g.Outputs {
		live[v] = true
	}
	for _, s := range g.States {
		live[s.Out] = true
	}
	before := len(g.Nodes)
	keep := make([]bool, before)
	for i, n := range slices.Backward(g.Nodes) {
		for k, v := range n.Out {
			if v == nil {
				continue
			}
			if live[v] {
				keep[i] = true
			} else if len(n.Bodies) == 0 && k > 0 {
				n.Out[k] = nil
			}
		}
		if !keep[i] {
			continue
		}
		for _, v := range n.In {
			live[v] = true
		}
	}
	i := -1
	g.Nodes = slices.DeleteFunc(g.Nodes, func(*ir.Node) bool { i++; return !keep[i] })
	return len(g.Nodes) != before, nil
}
