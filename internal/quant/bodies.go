package quant

import (
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// EachNode calls f for the nodes of g in their order, each followed by those of
// its bodies. path is how listings call a node: [NodeName], in a body behind the
// path of the node that has it and the body's name, with slashes between.
func EachNode(g *ir.Graph, f func(path string, n *ir.Node)) {
	for _, n := range g.Nodes {
		f(NodeName(n), n)
		eachInner(n, NodeName(n), f)
	}
}

// eachInner is EachNode for the bodies of a node alone.
func eachInner(n *ir.Node, path string, f func(path string, n *ir.Node)) {
	for i, b := range n.Bodies {
		body := b.Name
		if flow, ok := n.Op.(op.Flow); ok && i < len(flow.BodyNames()) {
			body = flow.BodyNames()[i]
		}
		EachNode(b, func(inner string, m *ir.Node) { f(path+"/"+body+"/"+inner, m) })
	}
}
