package runtime

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/conv"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
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

// fuseClamps joins each Relu or Clip to the Conv or Gemm whose output only it
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
				p.Op = &clamped{p.Op, b}
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

// planConv returns the kernel plan of a convolution.
func planConv(g op.Geometry) *conv.Plan {
	return conv.NewPlan(conv.Geometry{
		Batch: g.Batch, In: g.Channels, Out: g.Filters, Group: g.Group,
		Size: g.In, Kernel: g.Kernel, Stride: g.Strides, Dilate: g.Dilations, Pad: g.Begin, Result: g.Out,
		Transposed: g.Transposed,
	})
}

func (pl *plan) dispatchConv(s *step, key *ir.Node, geometry func(x, w []int) (op.Geometry, error), b bounds) error {
	x, w := &pl.values[s.in[0]], &pl.values[s.in[1]]
	bias := pl.constant(s, 2)
	if x.typ != dtype.Float32 || w.fixed == nil || x.shape == nil || len(x.shape) > 5 || len(s.in) > 2 && s.in[2] >= 0 && bias == nil {
		return nil
	}
	g, err := geometry(x.shape, w.fixed.Shape())
	if err != nil {
		return err
	}
	if g.Layout != op.ChannelsFirst || !pl.place(s, 0) {
		return nil
	}
	k := planConv(g)
	packed := pl.p.weights.get(key, "conv", k.WeightLen(), func(dst []float32) {
		src := tensor.Data[float32](w.fixed)
		k.Pack(dst, func(i int) float32 { return src[i] })
		w.fixed.Release()
	})
	ep := gemm.Epilogue{Clamp: b.on, Lo: b.lo, Hi: b.hi}
	if bias != nil {
		ep.Row = tensor.Data[float32](bias)
	}
	size := k.ScratchLen()
	pl.scratch = max(pl.scratch, 4*size*pl.p.threads)
	s.share(k.Blocks(), k.MACs(), func(f *frame, s *step, slot, lo, hi int) {
		xs, ys := tensor.Data[float32](f.vals[s.in[0]]), tensor.Data[float32](f.out(s))
		k.Run(ys, xs, packed, ep, lo, hi, f.floats(slot, size))
	})
	return nil
}

// constant returns operand i of a step where it is constant.
func (pl *plan) constant(s *step, i int) *tensor.Tensor {
	if i >= len(s.in) || s.in[i] < 0 {
		return nil
	}
	return pl.values[s.in[i]].fixed
}

// plainGemm reports whether a Gemm is a product with a constant matrix and a
// constant row added.
func plainGemm(n *ir.Node, o *op.Gemm) bool {
	if o.Alpha != 1 || o.TransA || n.In[1].Const == nil || len(n.In[1].Shape) != 2 || n.In[0].Type != dtype.Float32 {
		return false
	}
	if len(n.In) < 3 || n.In[2] == nil {
		return true
	}
	c := n.In[2]
	columns := 1
	if o.TransB {
		columns = 0
	}
	return o.Beta == 1 && c.Const != nil && len(c.Shape) == 1 && c.Shape[0].Same(n.In[1].Shape[columns])
}

func (pl *plan) dispatchGemm(s *step, key *ir.Node, o *op.Gemm, b bounds) error {
	x := &pl.values[s.in[0]]
	if x.shape == nil || !plainGemm(s.node, o) || !pl.place(s, 0) {
		return nil
	}
	w := pl.values[s.in[1]].fixed
	k, n := w.Shape()[0], w.Shape()[1]
	rs, cs := n, 1
	if o.TransB {
		k, n, rs, cs = n, k, 1, n
	}
	if x.shape[1] != k {
		return nil
	}
	ep := gemm.Epilogue{Clamp: b.on, Lo: b.lo, Hi: b.hi}
	if c := pl.constant(s, 2); c != nil {
		ep.Col = tensor.Data[float32](c)
	}
	pl.matrix(s, key, w, x.shape[0], k, n, rs, cs, ep)
	return nil
}

// matrix sets up a product of m rows with a constant k×n matrix.
func (pl *plan) matrix(s *step, key *ir.Node, w *tensor.Tensor, m, k, n, rs, cs int, ep gemm.Epilogue) {
	packed := pl.p.weights.get(key, "gemm", gemm.PackedB(k, n), func(dst []float32) {
		gemm.PackB(dst, tensor.Data[float32](w), k, n, rs, cs)
		w.Release()
	})
	rows := gemm.PackedA(m, k)
	pl.scratch = max(pl.scratch, 4*rows)
	panels := (n + gemm.NR - 1) / gemm.NR
	s.share(panels, m*k*n, func(f *frame, s *step, _, lo, hi int) {
		from, to := lo*gemm.NR, min(hi*gemm.NR, n)
		e := ep
		if e.Col != nil {
			e.Col = e.Col[from:to]
		}
		gemm.F32(tensor.Data[float32](f.out(s))[from:], n, m, to-from, k, f.floats(0, rows), packed[from*k:], e)
	})
	s.run = func(f *frame, s *step) error {
		gemm.PackA(f.floats(0, rows), tensor.Data[float32](f.vals[s.in[0]]), m, k, k, 1)
		return nil
	}
}

// dispatchMatMul runs products with a constant matrix as one product of all
// rows, and products of two activations matrix by matrix.
func (pl *plan) dispatchMatMul(s *step, key *ir.Node) error {
	a, b := &pl.values[s.in[0]], &pl.values[s.in[1]]
	if a.typ != dtype.Float32 || a.shape == nil && a.fixed == nil || len(a.dims()) < 2 || len(b.dims()) < 2 {
		return nil
	}
	as, bs := a.dims(), b.dims()
	m, k, n := as[len(as)-2], as[len(as)-1], bs[len(bs)-1]
	if bs[len(bs)-2] != k {
		return nil
	}
	if b.fixed != nil && len(bs) == 2 && a.fixed == nil {
		rows := m
		for _, d := range as[:len(as)-2] {
			rows *= d
		}
		if pl.place(s, 0) {
			pl.matrix(s, key, b.fixed, rows, k, n, n, 1, gemm.Epilogue{})
		}
		return nil
	}
	out := pl.values[s.out[0]].shape
	if len(out) < 2 || !pl.place(s, 0) {
		return nil
	}
	batch := out[:len(out)-2]
	sa, aok := eltwise.BroadcastStrides(as[:len(as)-2], batch)
	sb, bok := eltwise.BroadcastStrides(bs[:len(bs)-2], batch)
	if !aok || !bok {
		return nil
	}
	count, _ := tensor.Count(batch)
	pa, pb := gemm.PackedA(m, k), gemm.PackedB(k, n)
	pl.scratch = max(pl.scratch, 4*(pa+pb)*pl.p.threads)
	s.share(count, count*m*k*n, func(f *frame, s *step, slot, lo, hi int) {
		x, w, y := tensor.Data[float32](f.vals[s.in[0]]), tensor.Data[float32](f.vals[s.in[1]]), tensor.Data[float32](f.out(s))
		mem := f.floats(slot, pa+pb)
		for i := lo; i < hi; i++ {
			ia, ib := 0, 0
			for d, r := len(batch)-1, i; d >= 0; d-- {
				ia += r % batch[d] * sa[d]
				ib += r % batch[d] * sb[d]
				r /= batch[d]
			}
			gemm.PackA(mem[:pa], x[ia*m*k:], m, k, k, 1)
			gemm.PackB(mem[pa:], w[ib*k*n:], k, n, n, 1)
			gemm.F32(y[i*m*n:], n, m, n, k, mem[:pa], mem[pa:], gemm.Epilogue{})
		}
	})
	return nil
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
