package pass

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// InlineBranches puts the branch that a constant condition takes in the place of
// its If.
//
// Before: y = If(true; a) { then: z = F(a) } { else: … }    After: y = F(a)
//
// Outputs of the branch that are none of its results, such as captured values
// and constants, reach their readers directly; graph outputs get them through an
// Identity. Branches with states stay.
func InlineBranches(g *ir.Graph) (bool, error) {
	var names *census
	changed := false
	for i := 0; i < len(g.Nodes); i++ {
		n := g.Nodes[i]
		b, ok := takenBranch(n)
		if !ok {
			continue
		}
		if names == nil {
			names = newCensus(g)
		}
		for _, b := range n.Bodies {
			names.add(b, -1)
		}
		nodes := inlined(g, n, b, names)
		g.Nodes = slices.Replace(g.Nodes, i, i+1, nodes...)
		changed = true
		i-- // the branch may begin with such a node
	}
	return changed, nil
}

// takenBranch returns the body of an If that its condition takes, where that is
// constant.
func takenBranch(n *ir.Node) (*ir.Graph, bool) {
	if _, ok := n.Op.(*op.If); !ok || n.In[0] == nil || n.In[0].Const == nil || n.In[0].Const.Len() != 1 || len(n.Bodies) != 2 {
		return nil, false
	}
	b := n.Bodies[0]
	if isZero(n.In[0]) {
		b = n.Bodies[1]
	}
	return b, len(b.States) == 0 && len(b.Outputs) == len(n.Out) && len(b.Inputs) == n.Captured
}

// inlined returns the nodes of a branch as nodes of g, that compute the outputs
// of the If n. names holds those of g without the branches.
func inlined(g *ir.Graph, n *ir.Node, b *ir.Graph, names *census) []*ir.Node {
	means := map[*ir.Value]*ir.Value{} // what stands for the values of the branch
	for i, v := range b.Inputs {
		means[v] = n.In[len(n.In)-n.Captured+i]
	}
	prod := b.Producers()
	var behind []*ir.Node
	for i, v := range b.Outputs {
		y := n.Out[i]
		switch {
		case y == nil:
		case prod[v] != nil && means[v] == nil:
			means[v] = y
		default:
			if means[v] == nil {
				means[v] = names.admit(v) // a constant
			}
			if x := means[v]; !g.IsOutput(y) && !isState(g, y) {
				g.Replace(y, x)
			} else {
				behind = append(behind, &ir.Node{Op: op.New[op.Identity](), In: []*ir.Value{x}, Out: []*ir.Value{y}, Origin: n.Origin})
			}
		}
	}
	for _, m := range b.Nodes {
		for i, v := range m.In {
			if v == nil {
				continue
			}
			if means[v] == nil { // a constant
				means[v] = names.admit(v)
			}
			m.In[i] = means[v]
		}
		for i, v := range m.Out {
			if v == nil {
				continue
			}
			if means[v] == nil {
				means[v] = names.admit(v)
			}
			m.Out[i] = means[v]
		}
		if m.Name != "" {
			m.Name = names.name(m.Name)
		}
		for _, inner := range m.Bodies {
			names.add(inner, 1)
		}
	}
	return append(slices.Clone(b.Nodes), behind...)
}

// isState reports whether v is carried to the next sample.
func isState(g *ir.Graph, v *ir.Value) bool {
	return slices.ContainsFunc(g.States, func(s ir.State) bool { return s.Out == v })
}

// census counts the names of a graph and its bodies.
type census struct {
	names  map[string]int
	consts map[sharedConst]int  // of names, those that stand for one constant
	own    map[string]*ir.Value // constants of the graph itself
}

type sharedConst struct {
	name string
	t    *tensor.Tensor
}

func newCensus(g *ir.Graph) *census {
	c := &census{map[string]int{"": 1}, map[sharedConst]int{}, map[string]*ir.Value{}}
	c.add(g, 1)
	for _, v := range g.Values() {
		if v.Const != nil {
			c.own[v.Name] = v
		}
	}
	return c
}

// add counts the names of a graph n times.
func (c *census) add(g *ir.Graph, n int) {
	for _, v := range g.Values() {
		c.names[v.Name] += n
		if v.Const != nil {
			c.consts[sharedConst{v.Name, v.Const}] += n
		}
	}
	for _, m := range g.Nodes {
		c.names[m.Name] += n
		for _, b := range m.Bodies {
			c.add(b, n)
		}
	}
}

// name returns base, or base with a number behind it where that is taken, and
// counts it.
func (c *census) name(base string) string {
	name := base
	for i := 1; c.names[name] > 0; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	c.names[name]++
	return name
}

// admit returns what stands in the graph for a value that comes into it, under
// a name that is free. Constants that several graphs hold keep theirs.
func (c *census) admit(v *ir.Value) *ir.Value {
	if v.Const == nil {
		v.Name = c.name(v.Name)
		return v
	}
	key := sharedConst{v.Name, v.Const}
	if w := c.own[v.Name]; w != nil && w.Const == v.Const {
		return w
	}
	if c.names[v.Name] > c.consts[key] {
		v.Name = c.name(v.Name)
		key.name = v.Name
	} else {
		c.names[v.Name]++
	}
	c.consts[key]++
	c.own[v.Name] = v
	return v
}
