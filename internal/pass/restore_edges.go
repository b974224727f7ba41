package pass

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// RestoreEdges gives inputs and outputs back the type, layout and name of the
// model that a file was made from, or is to be compared with. A list that does not fit g is an error and leaves
// g as it was.
//
// Before: x integer [N,H,W,C]; F(x)
// After:  x float [N,C,H,W]; F(Transpose(Q(x, s, z)))
//
// and so for outputs, with Transpose and then DQ. A Transpose of g that undoes
// the one at the edge vanishes with it.
func RestoreEdges(g *ir.Graph, list []Edge) error {
	seen := map[string]bool{}
	for _, e := range list {
		v, _, err := edgeOf(g, e)
		if err != nil {
			return err
		}
		rank := len(v.Shape)
		switch p := e.Params; {
		case seen[e.Value]:
			return fmt.Errorf("value %q is named twice", e.Value)
		case e.ChannelsLast && e.ChannelsFirst:
			return fmt.Errorf("value %q is said to be channels-last and channels-first", e.Value)
		case e.turned() && (rank < 3 || rank > 5):
			return fmt.Errorf("value %q is %v%v, which has no layout", v.Name, v.Type, v.Shape)
		case p.Type == dtype.Invalid:
		case p.Type != v.Type:
			return fmt.Errorf("value %q is %v, not %v", v.Name, v.Type, p.Type)
		case !p.IsPerTensor() || !(p.Scale[0] > 0):
			return fmt.Errorf("value %q: its scale is not above 0", v.Name)
		default:
			if err := p.Validate(nil); err != nil {
				return fmt.Errorf("value %q: %w", v.Name, err)
			}
		}
		seen[e.Value] = true
	}
	names := ir.NewNamer(g)
	var before, after []*ir.Node
	// Values are found before any gets another's name.
	var stores []*ir.Value
	for _, e := range list {
		stored, _, err := edgeOf(g, e)
		if err != nil {
			return err
		}
		stores = append(stores, stored)
	}
	for i, e := range list {
		stored, input := stores[i], slices.Contains(g.Inputs, stores[i])
		quantized := e.Params.Type != dtype.Invalid
		name := e.Value
		if e.As != "" && e.As != e.Value {
			name = e.As
			for _, v := range g.Values() {
				if v.Name == name {
					v.Name = names.Name(name + "_inside")
				}
			}
		}
		if !quantized && !e.turned() {
			stored.Name = name
			continue
		}
		whole := &ir.Value{Name: name, Fact: op.TensorFact(stored.Type, stored.Shape.Clone())}
		if stored.Name == name {
			stored.Name = names.Name(name + "_stored")
		}
		if quantized {
			whole.Fact = floatFact(stored)
		}
		if e.turned() {
			whole.Shape = turnedShape(stored.Shape, e.toModel(len(stored.Shape)))
		}
		if input {
			g.Inputs[slices.Index(g.Inputs, stored)] = whole
			before = append(before, restored(names, e, whole, stored, true)...)
			continue
		}
		for i, v := range g.Outputs {
			if v == stored {
				g.Outputs[i] = whole
			}
		}
		after = append(after, restored(names, e, whole, stored, false)...)
	}
	if g.Arithmetic == ir.TFLite {
		for _, n := range before {
			if q, ok := n.Op.(*op.QuantizeLinear); ok {
				q.Round = affine.RoundHalfAway
			}
		}
	}
	g.Nodes = slices.Concat(before, g.Nodes, after)
	cancelTransposes(g, slices.Concat(before, after))
	if _, err := EliminateDead(g); err != nil {
		return err
	}
	return ir.Infer(g)
}

// cancelTransposes lets what reads Transpose(Transpose(x)) read x, where one of
// the two is among nodes and they undo each other.
func cancelTransposes(g *ir.Graph, nodes []*ir.Node) {
	m := newMatcher(g)
	gone := map[*ir.Node]bool{}
	for _, n := range g.Nodes {
		o, ok := n.Op.(*op.Transpose)
		if !ok {
			continue
		}
		p, inner, ok := from[*op.Transpose](m, n.In[0])
		if !ok || !slices.Contains(nodes, n) && !slices.Contains(nodes, p) {
			continue
		}
		if !inverse(o.Perm, inner.Perm) {
			continue
		}
		x, y := p.In[0], n.Out[0]
		if !g.IsOutput(y) {
			g.Replace(y, x)
		} else if source := m.prod[x]; source != nil && !g.IsOutput(x) {
			produce(source, x, y)
			g.Replace(x, y)
			gone[n] = true
		}
	}
	g.Nodes = slices.DeleteFunc(g.Nodes, func(n *ir.Node) bool { return gone[n] })
}

// inverse reports whether two permutations undo each other.
func inverse(a, b []int) bool {
	if len(a) == 0 || len(a) != len(b) {
		return false
	}
	for i, p := range a {
		if p < 0 || p >= len(b) || b[p] != i {
			return false
		}
	}
	return true
}

// restored returns the nodes between an edge of the model and that of the file.
func restored(names *ir.Namer, e Edge, whole, stored *ir.Value, input bool) []*ir.Node {
	quantized := e.Params.Type != dtype.Invalid
	mid := whole // as whole, of the stored type
	if quantized && e.turned() {
		mid = &ir.Value{Name: names.Name(whole.Name + "_quantized"), Fact: op.TensorFact(stored.Type, whole.Shape.Clone())}
	} else if quantized {
		mid = stored
	}
	var nodes []*ir.Node
	if quantized {
		params := edgeParams(names, whole.Name, e.Params)
		if input {
			nodes = append(nodes, quantizeNode(names, whole, mid, params))
		} else {
			nodes = append(nodes, dequantizeNode(names, mid, whole, params))
		}
	}
	if e.turned() {
		if rank := len(stored.Shape); input {
			nodes = append(nodes, transposeNode(names, mid, stored, e.toFile(rank)))
		} else {
			nodes = slices.Insert(nodes, 0, transposeNode(names, stored, mid, e.toModel(rank)))
		}
	}
	return nodes
}
