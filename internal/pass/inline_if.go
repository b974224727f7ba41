package pass

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// InlineIf replaces an If by the branch that it takes.
//
// Before: y = If(true; x) {then: b = F(x); output b} {else: …}
// After:  b = F(x); y = Identity(b)
//
// Conditions: the condition is a constant. Values and nodes of the branch get
// other names where the graph has theirs already. Exporters leave such branches
// behind where a shape decides, and an input that is made constant decides
// others.
func InlineIf(g *ir.Graph) (bool, error) {
	taken := map[*ir.Node]*ir.Graph{}
	// Names are kept apart from those of all that stays, bodies of nodes inside
	// a branch included.
	rest := &ir.Graph{Inputs: g.Inputs, Outputs: g.Outputs}
	outer := map[*ir.Value]bool{}
	for _, v := range g.Values() {
		outer[v] = true
	}
	for _, n := range g.Nodes {
		b := branch(n)
		if b == nil {
			rest.Nodes = append(rest.Nodes, n)
			continue
		}
		taken[n] = b
		rest.Nodes = append(rest.Nodes, &ir.Node{Name: n.Name, In: n.In, Out: n.Out})
		for _, k := range b.Nodes {
			rest.Nodes = append(rest.Nodes, &ir.Node{Bodies: k.Bodies})
		}
	}
	if len(taken) == 0 {
		return false, nil
	}
	names := ir.NewNamer(rest)
	var nodes []*ir.Node
	for _, n := range g.Nodes {
		b := taken[n]
		if b == nil {
			nodes = append(nodes, n)
			continue
		}
		nodes = append(nodes, inlined(n, b, names, outer)...)
	}
	g.Nodes = nodes
	return true, nil
}

// branch returns the body that n, an If, takes for certain; nil otherwise.
func branch(n *ir.Node) *ir.Graph {
	if _, ok := n.Op.(*op.If); !ok || len(n.In) != 1+n.Captured || len(n.Bodies) != 2 || n.In[0] == nil || n.In[0].Const == nil || n.In[0].Type != dtype.Bool {
		return nil
	}
	holds, ok := tensor.Ints(n.In[0].Const)
	if !ok || len(holds) != 1 {
		return nil
	}
	b := n.Bodies[1]
	if holds[0] != 0 {
		b = n.Bodies[0]
	}
	if len(b.Inputs) != n.Captured || len(b.Outputs) != len(n.Out) {
		return nil
	}
	return b
}

// inlined returns the nodes of b, and those that name its outputs as n's. outer
// are the values that keep their names.
func inlined(n *ir.Node, b *ir.Graph, names *ir.Namer, outer map[*ir.Value]bool) []*ir.Node {
	stands := map[*ir.Value]*ir.Value{}
	for i, v := range b.Inputs {
		stands[v] = n.In[1+i]
	}
	for _, v := range b.Values() {
		if stands[v] == nil && !outer[v] {
			v.Name = names.Name(v.Name)
		}
	}
	var out []*ir.Node
	for _, k := range b.Nodes {
		for i, v := range k.In {
			if s := stands[v]; s != nil {
				k.In[i] = s
			}
		}
		if k.Name != "" {
			k.Name = names.Name(k.Name)
		}
		out = append(out, k)
	}
	for i, y := range n.Out {
		if y == nil {
			continue
		}
		v := b.Outputs[i]
		if s := stands[v]; s != nil {
			v = s
		}
		out = append(out, &ir.Node{Op: op.New[op.Identity](), In: []*ir.Value{v}, Out: []*ir.Value{y}, Origin: n.Origin})
	}
	return out
}
