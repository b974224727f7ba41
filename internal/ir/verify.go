package ir

import (
	"fmt"
)

// Label names a node in messages: its name, or that of its first output.
func (n *Node) Label() string {
	name := n.Name
	for _, v := range n.Out {
		if name == "" && v != nil {
			name = v.Name
		}
	}
	return fmt.Sprintf("node %q (%s)", name, n.Op.Name())
}

// Verify returns the first invariant that g breaks: every value has one
// source (graph input, constant or node output) and a unique name, every node
// input comes from an earlier node, nodes have operators, outputs exist, the
// same holds for bodies, and captured values are inputs of the node and of each
// of its bodies. A body has names of its own: they may be those of the graph
// around it.
func Verify(g *Graph) error {
	names := map[string]*Value{}
	known := map[*Value]bool{}
	define := func(v *Value, where string) error {
		if v.Name == "" {
			return fmt.Errorf("%s: a value without a name", where)
		}
		if known[v] {
			return fmt.Errorf("%s: value %q is defined twice", where, v.Name)
		}
		if w := names[v.Name]; w != nil && w != v {
			return fmt.Errorf("%s: two values are named %q", where, v.Name)
		}
		known[v], names[v.Name] = true, v
		return nil
	}
	read := func(v *Value, where string) error {
		if known[v] {
			return nil
		}
		if v.Const == nil {
			return fmt.Errorf("%s: value %q is used before it is computed, or never", where, v.Name)
		}
		return define(v, where)
	}
	for _, v := range g.Inputs {
		if v == nil {
			return fmt.Errorf("inputs: a nil value")
		}
		if err := define(v, "inputs"); err != nil {
			return err
		}
	}
	for _, n := range g.Nodes {
		if n.Op == nil {
			return fmt.Errorf("node %q has no operator", n.Name)
		}
		where := n.Label()
		for _, v := range n.In {
			if v == nil {
				continue
			}
			if err := read(v, where); err != nil {
				return err
			}
		}
		if len(n.Out) == 0 || n.Out[0] == nil {
			return fmt.Errorf("%s: no first output, which names the node", where)
		}
		for _, v := range n.Out {
			if v == nil {
				continue
			}
			if v.Const != nil {
				return fmt.Errorf("%s: output %q is a constant", where, v.Name)
			}
			if err := define(v, where); err != nil {
				return err
			}
		}
		if err := verifyBodies(n); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
	}
	for _, v := range g.Outputs {
		if v == nil {
			return fmt.Errorf("outputs: a nil value")
		}
		if err := read(v, "outputs"); err != nil {
			return err
		}
	}
	for _, s := range g.States {
		if s.In == nil || s.Out == nil || !known[s.In] || !known[s.Out] {
			return fmt.Errorf("states: a state without input or output")
		}
	}
	return nil
}

func verifyBodies(n *Node) error {
	if n.Captured < 0 || n.Captured > len(n.In) || n.Captured > 0 && len(n.Bodies) == 0 {
		return fmt.Errorf("%d captured values of %d inputs and %d bodies", n.Captured, len(n.In), len(n.Bodies))
	}
	for _, v := range n.In[len(n.In)-n.Captured:] {
		if v == nil {
			return fmt.Errorf("a captured value is absent")
		}
	}
	for _, b := range n.Bodies {
		if len(b.Inputs) < n.Captured {
			return fmt.Errorf("body %q has %d inputs for %d captured values", b.Name, len(b.Inputs), n.Captured)
		}
		if err := Verify(b); err != nil {
			return fmt.Errorf("body %q: %w", b.Name, err)
		}
	}
	return nil
}

// Sort puts the nodes in topological order, keeping the given order where it
// is free to. It fails, naming a node, if values depend on each other in a
// cycle or on values that nothing defines.
func (g *Graph) Sort() error {
	prod := g.Producers()
	const visiting, done = 1, 2
	state := map[*Node]int{}
	order := make([]*Node, 0, len(g.Nodes))
	type frame struct {
		n *Node
		i int
	}
	for _, root := range g.Nodes {
		if state[root] != 0 {
			continue
		}
		state[root] = visiting
		stack := []frame{{root, 0}}
		for len(stack) > 0 {
			f := &stack[len(stack)-1]
			if f.i == len(f.n.In) {
				state[f.n] = done
				order = append(order, f.n)
				stack = stack[:len(stack)-1]
				continue
			}
			v := f.n.In[f.i]
			f.i++
			p := prod[v]
			if v == nil || p == nil {
				continue
			}
			switch state[p] {
			case visiting:
				return fmt.Errorf("%s: its input %q depends on its own output", f.n.Label(), v.Name)
			case 0:
				state[p] = visiting
				stack = append(stack, frame{p, 0})
			}
		}
	}
	g.Nodes = order
	return nil
}
