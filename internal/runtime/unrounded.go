package runtime

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// narrow reports whether a value holds floats of 16 bits.
func narrow(v *ir.Value) bool {
	return v != nil && v.Kind == op.TensorKind && (v.Type == dtype.Float16 || v.Type == dtype.BFloat16)
}

// unround makes values of 16 bits float32, which saves rounding each result and
// widening it again for the next operator: for arithmetic in bfloat16, where
// products round what they read, and nobody counts on more roundings than those.
// Inputs and outputs of the graph keep their types. It reports whether it did,
// which it does not where a value is watched, a body sees one, or an operator says
// by itself that its result has 16 bits.
//
// Before: y = Cast(MatMul(Cast(x), w)), from 16 bits and to 16 bits
// After:  y = MatMul(x, w′)
func unround(g *ir.Graph, keep map[string]bool) (bool, error) {
	if !slices.ContainsFunc(g.Nodes, touchesNarrow) || !canUnround(g, keep) {
		return false, nil
	}
	u := &unrounder{g: g, names: ir.NewNamer(g), wide: map[*ir.Value]*ir.Value{}}
	for _, n := range g.Nodes {
		if err := u.node(n); err != nil {
			return false, err
		}
	}
	g.Nodes = u.out
	return true, ir.Infer(g)
}

func touchesNarrow(n *ir.Node) bool {
	return slices.ContainsFunc(n.In, narrow) || slices.ContainsFunc(n.Out, narrow)
}

// canUnround reports whether all that sees values of 16 bits makes float32 of
// float32.
func canUnround(g *ir.Graph, keep map[string]bool) bool {
	for _, s := range g.States {
		if narrow(s.In) || narrow(s.Out) {
			return false
		}
	}
	for _, n := range g.Nodes {
		if len(n.Bodies) > 0 {
			return false
		}
		if !touchesNarrow(n) {
			continue
		}
		if slices.ContainsFunc(n.Out, func(v *ir.Value) bool { return narrow(v) && keep[v.Name] }) {
			return false
		}
		if _, cast := n.Op.(*op.Cast); cast {
			continue
		}
		in := make([]op.Fact, len(n.In))
		for i, v := range n.In {
			if v == nil {
				continue
			}
			if in[i] = v.Fact; narrow(v) {
				in[i] = op.TensorFact(dtype.Float32, v.Shape.Clone())
			}
		}
		out, err := n.Op.Infer(in, len(n.Out))
		if err != nil {
			return false
		}
		for i, v := range n.Out {
			if narrow(v) && (i >= len(out) || out[i].Type != dtype.Float32) {
				return false
			}
		}
	}
	return true
}

// unrounder builds the nodes anew.
type unrounder struct {
	g     *ir.Graph
	names *ir.Namer
	wide  map[*ir.Value]*ir.Value // what stands for a value now
	out   []*ir.Node
}

// node takes a node over.
func (u *unrounder) node(n *ir.Node) error {
	c, cast := n.Op.(*op.Cast)
	for i, v := range n.In {
		w, err := u.read(v)
		if err != nil {
			return err
		}
		n.In[i] = w
	}
	if cast {
		switch to := n.Out[0]; {
		case n.In[0].Type == dtype.Float32 && (narrow(to) || to.Type == dtype.Float32):
			u.wide[to] = n.In[0]
			if u.g.IsOutput(to) {
				u.out = append(u.out, n)
			}
			return nil
		case narrow(to):
			wider := *c
			wider.To = dtype.Float32
			n.Op = &wider
		}
	}
	u.out = append(u.out, n)
	for i, v := range n.Out {
		if !narrow(v) {
			continue
		}
		w := &ir.Value{Name: u.names.Name(v.Name + "_float32"), Fact: op.TensorFact(dtype.Float32, v.Shape.Clone())}
		n.Out[i], u.wide[v] = w, w
		if u.g.IsOutput(v) {
			u.convert(w, v)
		}
	}
	return nil
}

// read returns what stands for a value that is read.
func (u *unrounder) read(v *ir.Value) (*ir.Value, error) {
	if w := u.wide[v]; w != nil {
		return w, nil
	}
	if !narrow(v) {
		return v, nil
	}
	w := &ir.Value{Name: u.names.Name(v.Name + "_float32"), Fact: op.TensorFact(dtype.Float32, v.Shape.Clone())}
	if v.Const != nil {
		t, err := op.Convert(v.Const, dtype.Float32)
		if err != nil {
			return nil, err
		}
		w = ir.NewConst(w.Name, t)
	} else {
		u.convert(v, w) // an input of the graph
	}
	u.wide[v] = w
	return w, nil
}

func (u *unrounder) convert(from, to *ir.Value) {
	c := op.New[op.Cast]()
	c.To = to.Type
	u.out = append(u.out, &ir.Node{Name: u.names.Name(to.Name + "_Cast"), Op: c, In: []*ir.Value{from}, Out: []*ir.Value{to}})
}
