package explain

import (
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// class is one float value of the quantized graph in all its forms: as it is
// computed, as integers, and dequantized.
type class struct {
	root *ir.Value // as it is computed
	seen *ir.Value // as the nodes behind see it: the first that is dequantized, root if none is
	// back makes seen of integers that a QuantizeLinear gives; nil where seen is
	// root, or comes of integers in another way.
	back  *ir.Node
	names []string    // of all its forms
	forms []*ir.Value // likewise
}

// watched is the value whose tensors tell seen: integers where there are some,
// as a watched float keeps the engine from computing on integers.
func (c *class) watched() *ir.Value {
	if c.back != nil {
		return c.back.In[0]
	}
	return c.seen
}

// floats returns seen for a tensor of watched.
func (c *class) floats(t *tensor.Tensor) (*tensor.Tensor, error) {
	if c.back == nil || t == nil {
		return t, nil
	}
	in := []op.Datum{{Tensor: t}}
	for _, v := range c.back.In[1:] {
		if v == nil {
			in = append(in, op.Datum{})
		} else {
			in = append(in, op.Datum{Tensor: v.Const})
		}
	}
	out, err := ir.EvalNode(c.back, in)
	if err != nil {
		return nil, err
	}
	return out[0].Tensor, nil
}

// rounded reports whether the value passes through integers.
func (c *class) rounded() bool { return c.seen != c.root }

// suffixes are what quantizers put behind the name of a value for its other
// forms: ONNX Runtime's two forms, which octavo uses too.
var suffixes = []string{"_QuantizeLinear_Input", "_QuantizeLinear_Output", "_DequantizeLinear_Output", "_quantized"}

// classes groups the values of g.
func classes(g *ir.Graph) (all []*class, of map[*ir.Value]*class) {
	of = map[*ir.Value]*class{}
	by := map[*ir.Value]*ir.Node{} // the Q or DQ that gives a value
	add := func(v *ir.Value) {
		c := &class{root: v, seen: v, names: []string{v.Name}, forms: []*ir.Value{v}}
		of[v], all = c, append(all, c)
	}
	for _, v := range g.Inputs {
		add(v)
	}
	for _, n := range g.Nodes {
		c := of[source(n)]
		for _, v := range n.Out {
			switch {
			case v == nil:
			case c == nil:
				add(v)
			default:
				of[v] = c
				c.names, c.forms = append(c.names, v.Name), append(c.forms, v)
				if _, ok := n.Op.(*op.DequantizeLinear); ok && !c.rounded() {
					c.seen = v
					if q := by[n.In[0]]; q != nil && constants(n) {
						c.back = n
					}
				}
				by[v] = n
			}
		}
	}
	return all, of
}

// source returns the value that n shows in another form, nil where n computes.
func source(n *ir.Node) *ir.Value {
	switch n.Op.(type) {
	case *op.QuantizeLinear, *op.DequantizeLinear:
		return n.In[0]
	}
	return nil
}

// constants reports whether all but the first operand are.
func constants(n *ir.Node) bool {
	return !slices.ContainsFunc(n.In[1:], func(v *ir.Value) bool { return v != nil && v.Const == nil })
}

// matcher finds, for values of the float graph, those of the quantized one.
type matcher struct {
	float, quant *ir.Graph
	of           map[*ir.Value]*class   // by value of quant
	exact, stem  map[string][]*class    // by name, and by name without a suffix
	readers      map[*class][]*ir.Node  // nodes of quant that compute from it
	uses         map[*ir.Value][]ir.Use // of float
	match        map[*ir.Value]*class   // by value of float
	partner      map[*class]*ir.Value   // its inverse
}

func newMatcher(float, quant *ir.Graph) *matcher {
	m := &matcher{float: float, quant: quant, exact: map[string][]*class{}, stem: map[string][]*class{},
		readers: map[*class][]*ir.Node{}, uses: float.Uses(), match: map[*ir.Value]*class{}, partner: map[*class]*ir.Value{}}
	all, of := classes(quant)
	m.of = of
	for _, c := range all {
		if c.root.Type != dtype.Float32 {
			continue
		}
		for _, name := range c.names {
			m.exact[name] = append(m.exact[name], c)
			for _, s := range suffixes {
				if short, ok := strings.CutSuffix(name, s); ok && !slices.Contains(m.stem[short], c) {
					m.stem[short] = append(m.stem[short], c)
				}
			}
		}
	}
	for _, n := range quant.Nodes {
		if source(n) != nil {
			continue
		}
		for _, v := range n.In {
			if c := of[v]; c != nil && !slices.Contains(m.readers[c], n) {
				m.readers[c] = append(m.readers[c], n)
			}
		}
	}
	m.run()
	return m
}

// run goes through the float graph in order, so that the operands of a node are
// matched before it.
func (m *matcher) run() {
	for _, v := range m.float.Inputs {
		m.byName(v)
	}
	for _, n := range m.float.Nodes {
		for i, v := range n.Out {
			if v != nil && v.Type == dtype.Float32 && !m.byName(v) && i == 0 {
				m.byPlace(n)
			}
		}
		m.absorbed(n)
	}
}

func (m *matcher) pair(v *ir.Value, c *class) {
	m.match[v], m.partner[c] = c, v
}

// byName matches v with the one value that has its name, or its name and a
// suffix.
func (m *matcher) byName(v *ir.Value) bool {
	for _, by := range []map[string][]*class{m.exact, m.stem} {
		if found := by[v.Name]; len(found) == 1 && m.partner[found[0]] == nil {
			m.pair(v, found[0])
			return true
		}
	}
	return false
}

// byPlace matches what n computes with what the one node of its operator
// computes that reads the same values, if n is the only such node itself.
func (m *matcher) byPlace(n *ir.Node) {
	var found *ir.Node
	var first *class
	for _, v := range n.In {
		if v == nil || v.Const != nil {
			continue
		}
		c := m.match[v]
		if c == nil {
			return
		}
		if first == nil {
			first = c
			for _, other := range m.uses[v] {
				if other.Node != n && other.Node.Op.Name() == n.Op.Name() && sameOperands(n, other.Node) {
					return
				}
			}
		}
	}
	if first == nil {
		return
	}
	for _, q := range m.readers[first] {
		if q.Op.Name() != n.Op.Name() || !m.readsSame(n, q) {
			continue
		}
		if found != nil {
			return
		}
		found = q
	}
	if found == nil || len(found.Out) == 0 || found.Out[0] == nil {
		return
	}
	if c := m.of[found.Out[0]]; m.partner[c] == nil && c.root.Type == dtype.Float32 {
		m.pair(n.Out[0], c)
	}
}

// sameOperands reports whether two nodes read the same computed values.
func sameOperands(a, b *ir.Node) bool {
	return slices.Equal(computed(a), computed(b))
}

func computed(n *ir.Node) []*ir.Value {
	return slices.DeleteFunc(slices.Clone(n.In), func(v *ir.Value) bool { return v == nil || v.Const != nil })
}

// readsSame reports whether q reads what n reads, in the same places.
func (m *matcher) readsSame(n, q *ir.Node) bool {
	for i, v := range n.In {
		if v == nil || v.Const != nil {
			continue
		}
		if i >= len(q.In) || m.of[q.In[i]] == nil || m.of[q.In[i]] != m.match[v] {
			return false
		}
	}
	return true
}

// absorbed moves the match of what a clamp limits to the clamp's result, where
// the quantized graph has no clamp because the range of integers does its work.
func (m *matcher) absorbed(n *ir.Node) {
	q, ok := n.Op.(op.Quantizable)
	if !ok || q.Quantization().Clamp == nil && n.Op.Name() != "Clip" || m.match[n.Out[0]] != nil {
		return
	}
	x := n.In[0]
	c := m.match[x]
	if c == nil || !c.rounded() || len(m.uses[x]) != 1 || m.float.IsOutput(x) {
		return
	}
	delete(m.match, x)
	m.pair(n.Out[0], c)
}
