package runtime

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// summed is a convolution with the Add behind it, whose other operand is
// operand 3, and with the Relu or Clip behind that.
type summed struct {
	*op.Conv
	bounds bounds
}

// Infer is that of the convolution, of which the sum has the shape.
func (s *summed) Infer(in []op.Fact, outs int) ([]op.Fact, error) { return s.Conv.Infer(in[:3], outs) }

// Eval is the reference meaning: the convolution's, the sum, the limit.
func (s *summed) Eval(in []op.Datum) ([]op.Datum, error) {
	out, err := s.Conv.Eval(in[:3])
	if err != nil {
		return nil, err
	}
	y, other := tensor.Data[float32](out[0].Tensor), tensor.Data[float32](in[3].Tensor)
	for i, v := range y {
		y[i] = v + other[i]
		if s.bounds.on {
			y[i] = min(max(y[i], s.bounds.lo), s.bounds.hi)
		}
	}
	return out, nil
}

// fuseSums joins to each Add of two activations of one shape a convolution
// channels last whose output only it reads.
func fuseSums(g *ir.Graph, keep map[string]bool) {
	prod, uses := g.Producers(), g.Uses()
	joined := map[*ir.Node]bool{}
	for _, n := range g.Nodes {
		if _, ok := n.Op.(*op.Add); !ok {
			continue
		}
		for i, v := range n.In {
			p, other := prod[v], n.In[1-i]
			if p == nil || !summable(p) || len(uses[v]) != 1 || g.IsOutput(v) || keep[v.Name] || other.Const != nil || !sameShape(v, other) {
				continue
			}
			in := append(slices.Clone(p.In), nil)[:3]
			n.Op, n.In = &summed{Conv: p.Op.(*op.Conv)}, append(in, other)
			joined[p] = true
			break
		}
	}
	g.Nodes = slices.DeleteFunc(g.Nodes, func(n *ir.Node) bool { return joined[n] })
}

// summable reports whether a node is a convolution whose kernel adds.
func summable(n *ir.Node) bool {
	o, ok := n.Op.(*op.Conv)
	return ok && o.Layout == op.ChannelsLast && o.Group == 1 && n.Out[0].Type == dtype.Float32 && n.In[1].Const != nil
}

func sameShape(a, b *ir.Value) bool {
	if a.Shape == nil || len(a.Shape) != len(b.Shape) || a.Type != b.Type {
		return false
	}
	for i, d := range a.Shape {
		if !d.Same(b.Shape[i]) {
			return false
		}
	}
	return true
}

func (pl *plan) dispatchSummed(s *step, key *ir.Node, o *summed) error {
	x, w := &pl.values[s.in[0]], &pl.values[s.in[1]]
	bias := pl.constant(s, 2)
	if x.shape == nil || len(x.shape) > 5 || s.in[2] >= 0 && bias == nil {
		return nil
	}
	g, err := o.Geometry(x.shape, w.fixed.Shape())
	if err != nil {
		return err
	}
	if !slices.Equal(g.Shape(), pl.values[s.in[3]].shape) || !pl.place(s, 0) {
		return nil
	}
	var b []float32
	if bias != nil {
		b = tensor.Data[float32](bias)
	}
	if pl.root(s.in[3]) != pl.root(s.in[0]) {
		pl.overwrite(s, 3) // each element is added just before it is replaced
	}
	pl.convolve(s, key, pl.convPlan(geometryOf(g), pl.floating()), b, o.bounds, 3)
	return nil
}
