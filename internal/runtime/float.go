package runtime

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// bounds is the clamp of a fused step.
type bounds struct {
	on     bool
	lo, hi float32
}

var unclamped bounds

// clamped is an operator with the Relu or Clip behind it.
type clamped struct {
	op.Op
	bounds bounds
}

// Eval is the reference meaning: the operator's, then the limit.
func (c *clamped) Eval(in []op.Datum) ([]op.Datum, error) {
	out, err := c.Op.(op.Evaluator).Eval(in)
	if err != nil {
		return nil, err
	}
	y := tensor.Data[float32](out[0].Tensor)
	for i, v := range y {
		y[i] = min(max(v, c.bounds.lo), c.bounds.hi)
	}
	return out, nil
}

// fuseClamps joins each Relu or Clip to the Conv, sum or Gemm whose output only it
// reads.
func fuseClamps(g *ir.Graph, keep map[string]bool) {
	prod, uses := g.Producers(), g.Uses()
	kept := g.Nodes[:0]
	for _, n := range g.Nodes {
		b, ok := clampOf(n)
		if ok {
			x := n.In[0]
			p := prod[x]
			if p != nil && len(uses[x]) == 1 && !g.IsOutput(x) && !keep[x.Name] && clampable(p) {
				if sum, ok := p.Op.(*summed); ok {
					sum.bounds = b
				} else {
					p.Op = &clamped{p.Op, b}
				}
				p.Out[0] = n.Out[0]
				prod[n.Out[0]] = p
				continue
			}
		}
		kept = append(kept, n)
	}
	g.Nodes = kept
}

func clampable(n *ir.Node) bool {
	if n.Out[0].Type != dtype.Float32 {
		return false
	}
	switch o := n.Op.(type) {
	case *op.Conv:
		return n.In[1].Const != nil
	case *op.Gemm:
		return plainGemm(n, o)
	case *summed:
		return !o.bounds.on
	}
	return false
}

// clampOf returns the limits of a float32 Relu or Clip with constant bounds.
func clampOf(n *ir.Node) (bounds, bool) {
	if len(n.In) == 0 || n.In[0] == nil || n.In[0].Type != dtype.Float32 {
		return bounds{}, false
	}
	switch n.Op.(type) {
	case *op.Relu:
		return bounds{true, 0, inf}, true
	case *op.Clip:
		b := bounds{true, -inf, inf}
		for i, dst := range []*float32{&b.lo, &b.hi} {
			if len(n.In) <= i+1 || n.In[i+1] == nil {
				continue
			}
			c := n.In[i+1].Const
			if c == nil || c.Len() != 1 {
				return bounds{}, false
			}
			*dst = tensor.Data[float32](c)[0]
		}
		return b, true
	}
	return bounds{}, false
}

// constant returns operand i of a step where it is constant.
func (pl *plan) constant(s *step, i int) *tensor.Tensor {
	if i >= len(s.in) || s.in[i] < 0 {
		return nil
	}
	return pl.values[s.in[i]].fixed
}

// dims returns the shape of a value, constant or not.
func (v *planned) dims() []int {
	if v.fixed != nil {
		return v.fixed.Shape()
	}
	return v.shape
}

// dispatchUnary runs elementwise functions into the arena.
func (pl *plan) dispatchUnary(s *step) {
	x := &pl.values[s.in[0]]
	if x.typ != dtype.Float32 || x.shape == nil {
		return
	}
	b, clip := clampOf(s.node)
	loop, ok := op.UnaryLoop(s.node.Op)
	if clip {
		loop, ok = func(dst, x []float32) { eltwise.ClampAll(dst, x, b.lo, b.hi) }, true
	}
	if !ok || !pl.place(s, 0) {
		return
	}
	const each = 16 // what an element costs, in multiply-adds
	n, _ := tensor.Count(x.shape)
	pl.overwrite(s, 0)
	s.share(n, each*n, func(f *frame, s *step, _, lo, hi int) {
		loop(tensor.Data[float32](f.out(s))[lo:hi], tensor.Data[float32](f.vals[s.in[0]])[lo:hi])
	})
}

// dispatchPow raises floats to one constant power.
func (pl *plan) dispatchPow(s *step) {
	x, out, c := &pl.values[s.in[0]], &pl.values[s.out[0]], pl.constant(s, 1)
	if x.typ != dtype.Float32 || x.shape == nil || c == nil || c.Len() != 1 || out.shape == nil || len(out.shape) != len(x.shape) {
		return
	}
	y, err := op.Convert(c, dtype.Float32)
	if err != nil || !pl.place(s, 0) {
		return
	}
	loop, each := powLoop(tensor.Data[float32](y)[0])
	n, _ := tensor.Count(x.shape)
	pl.overwrite(s, 0)
	s.share(n, each*n, func(f *frame, s *step, _, lo, hi int) {
		loop(tensor.Data[float32](f.out(s))[lo:hi], tensor.Data[float32](f.vals[s.in[0]])[lo:hi])
	})
}

// powLoop returns the loop for a power, and what an element of it costs.
func powLoop(y float32) (loop func(dst, x []float32), cost int) {
	if y == 2 {
		return func(dst, x []float32) { eltwise.Mul(dst, x, x) }, 4
	}
	return func(dst, x []float32) { eltwise.Map(dst, x, func(v float32) float32 { return eltwise.Pow(v, y) }) }, 256
}
