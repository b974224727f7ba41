package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// layer is a part of the model between matched values, in both graphs.
type layer struct {
	out   *ir.Value  // what it computes, in the float graph
	class *class     // in the quantized graph
	float []*ir.Node // its nodes in the float graph, in order
	// cut is the part of the quantized graph, fed by the float values whose
	// names are in feeds; nil where it begins at something unmatched.
	cut   *ir.Graph
	feeds map[string]string // name of an input of cut -> name of the float value
}

// moves reports whether n copies elements without computing.
func moves(n *ir.Node) bool {
	q, ok := n.Op.(op.Quantizable)
	return ok && q.Quantization().Moves
}

// layers cuts both graphs at the values that are matched, and returns besides
// the nodes of the float graph that no layer covers.
func (m *matcher) layers() (out []*layer, lost []*ir.Node) {
	producers, covered := m.float.Producers(), map[*ir.Node]bool{}
	made := m.quant.Producers()
	ends := map[*ir.Value]bool{} // values of float where it is cut
	for v := range m.match {
		ends[v] = producers[v] == nil || !moves(producers[v]) || m.float.IsOutput(v)
	}
	place := map[*ir.Node]int{}
	for i, n := range m.quant.Nodes {
		place[n] = i
	}
	for _, n := range m.float.Nodes {
		for _, v := range n.Out {
			if v == nil || !ends[v] {
				continue
			}
			l := &layer{out: v, class: m.match[v]}
			l.float = between(producers, v, func(x *ir.Value) bool { return ends[x] })
			for _, k := range l.float {
				covered[k] = true
			}
			m.cut(l, made, place, ends)
			out = append(out, l)
		}
	}
	for _, n := range m.float.Nodes {
		if !covered[n] && !moves(n) && len(n.Out) > 0 && n.Out[0] != nil && n.Out[0].Type == dtype.Float32 {
			lost = append(lost, n)
		}
	}
	return out, lost
}

// between returns the nodes that compute v from values where it stops, the last
// first.
func between(producers map[*ir.Value]*ir.Node, v *ir.Value, stop func(*ir.Value) bool) []*ir.Node {
	var out []*ir.Node
	seen, todo := map[*ir.Node]bool{}, []*ir.Value{v}
	for len(todo) > 0 {
		x := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		n := producers[x]
		if n == nil || seen[n] {
			continue
		}
		seen[n] = true
		out = append(out, n)
		for _, in := range n.In {
			if in != nil && in.Const == nil && !stop(in) {
				todo = append(todo, in)
			}
		}
	}
	return out
}

// cut sets the part of the quantized graph that computes l's value as the nodes
// behind it see it. Its inputs are matched values as they are computed, so that
// the integers that they pass through belong to the part.
func (m *matcher) cut(l *layer, made map[*ir.Value]*ir.Node, place map[*ir.Node]int, ends map[*ir.Value]bool) {
	g := &ir.Graph{Name: m.quant.Name, Outputs: []*ir.Value{l.class.seen}, Arithmetic: m.quant.Arithmetic}
	feeds := map[string]string{}
	open := false
	stop := func(x *ir.Value) bool {
		c := m.of[x]
		if c == nil || x != c.root || c == l.class {
			return false
		}
		partner := m.partner[c]
		if partner == nil || m.match[partner] != c || !ends[partner] {
			open = open || made[x] == nil // an input of the model that has no partner
			return false
		}
		if feeds[x.Name] == "" {
			feeds[x.Name] = partner.Name
			g.Inputs = append(g.Inputs, x)
		}
		return true
	}
	g.Nodes = between(made, l.class.seen, stop)
	if open || len(g.Nodes) == 0 {
		return
	}
	slices.SortFunc(g.Nodes, func(a, b *ir.Node) int { return place[a] - place[b] })
	l.cut, l.feeds = g, feeds
}

// main is the node that a layer is called by: the one with a weight, else the
// one that computes its value.
func (l *layer) main() *ir.Node {
	for _, n := range l.float {
		q, ok := n.Op.(op.Quantizable)
		if !ok {
			continue
		}
		if w := q.Quantization().Weight; w != op.None && w < len(n.In) && n.In[w] != nil && n.In[w].Const != nil {
			return n
		}
	}
	return l.float[0]
}

// precision says what the layer computes with: types of activations and of
// weights that are integers or short floats, "float" if there are none.
func (l *layer) precision() string {
	if l.cut == nil {
		return "unknown"
	}
	var values, weights []string
	add := func(list *[]string, t string) {
		if !slices.Contains(*list, t) {
			*list = append(*list, t)
		}
	}
	for _, n := range l.cut.Nodes {
		switch o := n.Op.(type) {
		case *op.DequantizeLinear:
			v := n.In[0]
			switch {
			case v.Const == nil:
				add(&values, v.Type.String())
			case v.Type != dtype.Int32: // biases follow the other two
				add(&weights, v.Type.String())
			}
		case *op.QuantizeLinear, *op.Cast:
			if t := n.Out[0].Type; t == dtype.Float16 || t == dtype.BFloat16 {
				add(&values, t.String())
			} else if n.In[0].Const != nil {
				add(&weights, t.String())
			}
		case *op.MatMulNBits:
			add(&weights, fmt.Sprintf("%d bits", o.Bits))
		default:
			for _, v := range n.In {
				if v == nil || !short(v.Type) {
					continue
				}
				if v.Const != nil {
					add(&weights, v.Type.String())
				} else {
					add(&values, v.Type.String())
				}
			}
		}
	}
	switch {
	case len(values)+len(weights) == 0:
		return "float"
	case len(weights) == 0:
		return strings.Join(values, ", ")
	case len(values) == 0:
		return "float x " + strings.Join(weights, ", ")
	}
	return strings.Join(values, ", ") + " x " + strings.Join(weights, ", ")
}

// short reports whether t is a type that numbers are rounded to.
func short(t dtype.Type) bool {
	switch t {
	case dtype.Int8, dtype.Uint8, dtype.Int4, dtype.Uint4, dtype.Float16, dtype.BFloat16:
		return true
	}
	return false
}
