package octavo

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// matched returns m as a model that takes and gives what ref does, so that both
// can be run on the same samples. Inputs and outputs are matched by name, and
// where another tool called them otherwise, by type and shape where one alone
// fits. Integers become the floats that they stand for by the parameters in m's
// file; axes are turned where the shapes say that one model has its channels
// last. It is m itself where nothing is to be done, or where an input has no
// match, which is for the caller to tell.
func (m *Model) matched(ref *Model) (*Model, error) {
	in, ok := matchEdges(m.graph, ref.graph.Inputs, m.graph.Inputs)
	if !ok {
		return m, nil
	}
	out, _ := matchEdges(m.graph, ref.graph.Outputs, m.graph.Outputs)
	list := slices.Concat(in, out)
	if len(list) == 0 {
		return m, nil
	}
	g, _ := m.graph.Clone()
	if err := tensor.Guard(func() error { return pass.RestoreEdges(g, list) }); err != nil {
		return nil, m.wrap(err)
	}
	s := *m
	s.graph, s.prepared, s.looked, s.source, s.edges = g, nil, nil, nil, nil
	for i, e := range list {
		s.edges = append(s.edges, edgeLine(e, i < len(in)))
	}
	return &s, nil
}

// TakesSamplesOf reports whether samples of ref are what m, or its SourceIO,
// takes as it stands, types and layout and names.
func (m *Model) TakesSamplesOf(ref *Model) (bool, error) {
	ref, err := ref.SourceIO()
	if err != nil {
		return false, err
	}
	form, err := m.form(ref.inputType)
	if err != nil {
		return false, err
	}
	list, ok := matchEdges(form.graph, ref.graph.Inputs, form.graph.Inputs)
	return ok && len(list) == 0, nil
}

// edgeLine says what becomes of an input or output.
func edgeLine(e pass.Edge, input bool) string {
	v := IOValue{Value: e.Value, Kind: "output"}
	if input {
		v.Kind = "input"
	}
	if e.Params.Present() {
		v.Type, v.Scale, v.ZeroPoint = e.Params.Type.String(), e.Params.Scale[0], e.Params.Zero(0)
	}
	switch {
	case e.ChannelsLast:
		v.Layout = channelsLast
	case e.ChannelsFirst:
		v.Layout = "channels-first"
	}
	line := v.String()
	if e.As != e.Value {
		if v.Type != "" || v.Layout != "" {
			line += ", "
		}
		line += fmt.Sprintf("stands for %q", e.As)
	}
	return line
}

// matchEdges finds for each of want the one of have that stands for it, and
// returns what is to be done with those that are not the same already; false
// where one has no match, or more than one.
func matchEdges(g *ir.Graph, want, have []*ir.Value) ([]pass.Edge, bool) {
	found := make([]*ir.Value, len(want))
	edges := make([]pass.Edge, len(want))
	taken := map[*ir.Value]bool{}
	for i, w := range want {
		for _, h := range have {
			if e, ok := edgeFor(g, w, h); ok && h.Name == w.Name {
				found[i], edges[i], taken[h] = h, e, true
			}
		}
	}
	whole := true
	for i, w := range want {
		if found[i] != nil {
			continue
		}
		fits := 0
		for _, h := range have {
			if e, ok := edgeFor(g, w, h); ok && !taken[h] {
				found[i], edges[i] = h, e
				fits++
			}
		}
		// Another wanted one must not fit as well.
		rivals := slices.IndexFunc(want, func(o *ir.Value) bool {
			if o == w || fits != 1 {
				return false
			}
			_, ok := edgeFor(g, o, found[i])
			k := slices.Index(want, o)
			return ok && (found[k] == nil || k < i && found[k] == found[i])
		})
		if fits != 1 || rivals >= 0 {
			found[i], whole = nil, false
			continue
		}
		taken[found[i]] = true
	}
	var list []pass.Edge
	for i, e := range edges {
		if h := found[i]; h != nil && (e.Params.Present() || e.ChannelsLast || e.ChannelsFirst || h.Name != want[i].Name) {
			list = append(list, e)
		}
	}
	return list, whole
}

// edgeFor says how h stands for w; false where it cannot.
func edgeFor(g *ir.Graph, w, h *ir.Value) (pass.Edge, bool) {
	e := pass.Edge{Value: h.Name, As: w.Name}
	if h.Const != nil {
		return e, false
	}
	if w.Type != h.Type {
		p, ok := edgeParams(g, h)
		if w.Type != dtype.Float32 || !ok {
			return e, false
		}
		e.Params = p
	}
	if w.Shape == nil || h.Shape == nil || sameSizes(w.Shape, h.Shape) {
		return e, true
	}
	rank := len(h.Shape)
	if rank != len(w.Shape) || rank < 3 || rank > 5 {
		return e, false
	}
	last, first := slices.Clone(h.Shape), slices.Clone(h.Shape)
	copy(last[2:], h.Shape[1:rank-1])
	last[1] = h.Shape[rank-1]
	copy(first[1:], h.Shape[2:])
	first[rank-1] = h.Shape[1]
	e.ChannelsLast, e.ChannelsFirst = sameSizes(w.Shape, last), sameSizes(w.Shape, first)
	if rank == 3 {
		e.ChannelsFirst = false // the same turn
	}
	return e, e.ChannelsLast != e.ChannelsFirst
}

// sameSizes reports whether no two known sizes differ.
func sameSizes(a, b op.Shape) bool {
	return slices.EqualFunc(a, b, func(x, y op.Dim) bool {
		n, known := x.Int()
		m, also := y.Int()
		return !known || !also || n == m
	})
}

// edgeParams returns what the integers of an input or output stand for, by the
// node that quantizes them, or those that dequantize them, behind a Transpose or
// the like too.
func edgeParams(g *ir.Graph, v *ir.Value) (p affine.Params, ok bool) {
	same := map[*ir.Value]bool{v: true}
	mark := func(n *ir.Node) {
		switch n.Op.(type) {
		case *op.Transpose, *op.Reshape, *op.Squeeze, *op.Unsqueeze, *op.Flatten, *op.Identity:
			if same[n.In[0]] || same[n.Out[0]] {
				same[n.In[0]], same[n.Out[0]] = true, true
			}
		}
	}
	for _, n := range g.Nodes {
		mark(n)
	}
	for _, n := range slices.Backward(g.Nodes) {
		mark(n)
	}
	for _, n := range g.Nodes {
		switch n.Op.(type) {
		case *op.QuantizeLinear:
			if !same[n.Out[0]] {
				continue
			}
		case *op.DequantizeLinear:
			if !same[n.In[0]] {
				continue
			}
		default:
			continue
		}
		q, known, err := ir.ParamsOf(n)
		if err != nil || !known || !q.IsPerTensor() || q.BlockSize > 0 || ok && !q.Equal(p) {
			return affine.Params{}, false
		}
		p, ok = q, true
	}
	return p, ok
}
