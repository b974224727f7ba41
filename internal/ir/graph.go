// Package ir is the graph: values, the nodes that compute them, and what holds
// of every well-formed graph.
//
// It knows operators only through package op's interfaces; it knows no file
// format, no runtime and no quantization policy. Start at [Graph]; [Verify]
// states the invariants, [Format] and [Parse] are the text form, [Infer] and
// [Eval] give a graph its shapes and its meaning.
package ir

import (
	"fmt"
	"maps"
	"slices"

	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Value is an edge of the graph: an input, a constant or a node's output. Its
// Fact holds what is known of it; Const is set for constants.
type Value struct {
	Name string
	op.Fact
}

// NewConst returns a constant value.
func NewConst(name string, t *tensor.Tensor) *Value {
	return &Value{Name: name, Fact: op.ConstFact(t)}
}

// Opaque is what a format keeps with a node or graph that the IR has no words
// for. Only the format that made it looks inside.
type Opaque any

// Node applies an operator. A nil input is an absent optional one, a nil
// output is not used.
type Node struct {
	Name string
	Op   op.Op
	In   []*Value
	Out  []*Value
	// Bodies are the graphs of control flow, in the order of the operator's
	// attributes.
	Bodies []*Graph
	// Captured is how many trailing inputs stand for values around the bodies
	// which these read: they are the trailing Inputs of each of them, too.
	Captured int
	// Origin names the node of the source file that this one stands for.
	Origin string
	Keep   Opaque
}

// Arithmetic says what integer regions mean.
type Arithmetic uint8

// The integer arithmetics.
const (
	// ONNX rescales accumulators by one float32 factor, rounding half to even.
	ONNX Arithmetic = iota
	// TFLite rescales by a fixed-point multiplier.
	TFLite
)

// State carries an output back to an input between the samples of a sequence.
type State struct {
	In, Out *Value
	Init    *tensor.Tensor // nil: zeros
}

// Graph is a computation. Nodes are in topological order. Constants are the
// values with Const that nodes or outputs refer to; there is no list of them.
type Graph struct {
	Name       string
	Inputs     []*Value
	Outputs    []*Value
	Nodes      []*Node
	States     []State
	Arithmetic Arithmetic
	Meta       map[string]string
	Keep       Opaque
}

// Use is one place where a node reads a value.
type Use struct {
	Node  *Node
	Index int
}

// Uses returns, for every value, the node inputs that read it, in node order.
// Graph outputs are not uses; see IsOutput.
func (g *Graph) Uses() map[*Value][]Use {
	all := 0
	for _, n := range g.Nodes {
		all += len(n.In)
	}
	m, firsts := make(map[*Value][]Use, all), make([]Use, 0, all)
	for _, n := range g.Nodes {
		for i, v := range n.In {
			if v == nil {
				continue
			}
			if old := m[v]; old != nil {
				m[v] = append(old, Use{n, i})
				continue
			}
			// Most values have one use: those lie together.
			firsts = append(firsts, Use{n, i})
			m[v] = firsts[len(firsts)-1 : len(firsts) : len(firsts)]
		}
	}
	return m
}

// Producers returns the node that computes each computed value.
func (g *Graph) Producers() map[*Value]*Node {
	m := make(map[*Value]*Node, len(g.Nodes))
	for _, n := range g.Nodes {
		for _, v := range n.Out {
			if v != nil {
				m[v] = n
			}
		}
	}
	return m
}

// IsOutput reports whether v is an output of the graph.
func (g *Graph) IsOutput(v *Value) bool { return slices.Contains(g.Outputs, v) }

// Values returns every value once: inputs, then per node its constants and
// outputs, then constants that are graph outputs.
func (g *Graph) Values() []*Value {
	all := len(g.Inputs) + len(g.Outputs)
	for _, n := range g.Nodes {
		all += len(n.In) + len(n.Out)
	}
	out, seen := make([]*Value, 0, all), make(map[*Value]bool, all)
	seen[nil] = true
	add := func(vs []*Value) {
		for _, v := range vs {
			if !seen[v] {
				seen[v] = true
				out = append(out, v)
			}
		}
	}
	add(g.Inputs)
	for _, n := range g.Nodes {
		add(n.In)
		add(n.Out)
	}
	add(g.Outputs)
	return out
}

// Replace makes every node and graph output that reads old read new instead.
func (g *Graph) Replace(old, new *Value) {
	for _, n := range g.Nodes {
		for i, v := range n.In {
			if v == old {
				n.In[i] = new
			}
		}
	}
	for i, v := range g.Outputs {
		if v == old {
			g.Outputs[i] = new
		}
	}
	for i := range g.States {
		if g.States[i].Out == old {
			g.States[i].Out = new
		}
	}
}

// Namer gives fresh value and node names.
type Namer struct{ taken map[string]bool }

// NewNamer returns a Namer that avoids all names of g and its bodies.
func NewNamer(g *Graph) *Namer {
	n := &Namer{make(map[string]bool, 4*len(g.Nodes))}
	n.taken[""] = true
	n.note(g)
	return n
}

func (n *Namer) note(g *Graph) {
	for _, v := range g.Values() {
		n.taken[v.Name] = true
	}
	for _, node := range g.Nodes {
		n.taken[node.Name] = true
		for _, b := range node.Bodies {
			n.note(b)
		}
	}
}

// Name returns base, or base with a number behind it if base is taken.
func (n *Namer) Name(base string) string {
	name := base
	for i := 1; n.taken[name]; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	n.taken[name] = true
	return name
}

// Clone returns a deep copy of graph, nodes and values, and the copy of each
// value. Operators and constant tensors are shared: they are not changed in
// place.
func (g *Graph) Clone() (*Graph, map[*Value]*Value) {
	m := make(map[*Value]*Value, 4*len(g.Nodes))
	return g.clone(m), m
}

func (g *Graph) clone(m map[*Value]*Value) *Graph {
	value := func(v *Value) *Value {
		if v == nil {
			return nil
		}
		if c, ok := m[v]; ok {
			return c
		}
		c := *v
		c.Shape = v.Shape.Clone()
		c.Values = slices.Clone(v.Values)
		m[v] = &c
		return &c
	}
	list := func(vs []*Value) []*Value {
		if vs == nil {
			return nil
		}
		out := make([]*Value, len(vs))
		for i, v := range vs {
			out[i] = value(v)
		}
		return out
	}
	c := &Graph{
		Name: g.Name, Inputs: list(g.Inputs), Outputs: list(g.Outputs),
		Arithmetic: g.Arithmetic, Meta: maps.Clone(g.Meta), Keep: g.Keep,
	}
	for _, n := range g.Nodes {
		k := *n
		k.In, k.Out = list(n.In), list(n.Out)
		k.Bodies = nil
		for _, b := range n.Bodies {
			k.Bodies = append(k.Bodies, b.clone(m))
		}
		c.Nodes = append(c.Nodes, &k)
	}
	for _, s := range g.States {
		c.States = append(c.States, State{value(s.In), value(s.Out), s.Init})
	}
	return c
}
