package pass

import (
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// fuseFixedLSTM makes one operator on integers of an LSTM whose data, weights
// and states are, as TensorFlow Lite has them.
//
// Before: y, h', c' = Q(LSTM(DQ(x), Concat(DQ(w)…), Concat(DQ(r)…), Concat(DQ(b)…), DQ(h), DQ(c)))
// After:  y, h', c' = FixedLSTM(x, w, r, b, h, c)
//
// Conditions: one direction, the default functions, no peepholes; weights with
// one scale for each gate; outputs with the parameters of the state h; a state c
// of int16 whose scale is a power of two.
func fuseFixedLSTM(g *ir.Graph, can func(Region) bool) error {
	m := newMatcher(g)
	gone := map[*ir.Node]bool{}
	for _, n := range g.Nodes {
		o, ok := n.Op.(*op.LSTM)
		if !ok {
			continue
		}
		f := &lstmMatch{matcher: m, node: n, seen: slices.DeleteFunc(append(slices.Clone(n.In), n.Out...), func(v *ir.Value) bool { return v == nil })}
		fixed := f.match(o)
		if fixed == nil || !can(Region{Node: &ir.Node{Name: n.Name, Op: fixed, In: f.seen, Out: f.out}, Op: fixed}) {
			continue
		}
		n.Op, n.In, n.Out = fixed, f.in, f.out
		for _, q := range f.gone {
			gone[q] = true
		}
	}
	if len(gone) == 0 {
		return nil
	}
	g.Nodes = slices.DeleteFunc(g.Nodes, func(n *ir.Node) bool { return gone[n] })
	_, err := EliminateDead(g)
	return err
}

// lstmMatch collects what becomes of an LSTM: its operands and results, the
// nodes that it stands for, and the values that go away.
type lstmMatch struct {
	*matcher
	node    *ir.Node
	in, out []*ir.Value
	gone    []*ir.Node
	seen    []*ir.Value
}

func (f *lstmMatch) match(o *op.LSTM) *op.FixedLSTM {
	n := f.node
	if o.Direction != "forward" || len(o.Activations) > 0 || o.Clip.Set || o.InputForget || o.BatchFirst || len(n.In) != 7 || n.In[4] != nil || len(n.Out) != 3 {
		return nil
	}
	fixed := &op.FixedLSTM{}
	x := n.In[0]
	if t, swap, ok := from[*op.Transpose](f.matcher, x); ok && slices.Equal(swap.Perm, []int{1, 0, 2}) {
		fixed.BatchFirst, x = true, t.In[0]
	}
	data, px, ok := f.source(x, dtype.Int8)
	w, sw, weights := f.gates(n.In[1], dtype.Int8)
	r, sr, recurrent := f.gates(n.In[2], dtype.Int8)
	b, _, biased := f.gates(n.In[3], dtype.Int32)
	if !ok || !weights || !recurrent || !biased {
		return nil
	}
	h, ph, ok := f.source(f.behind(n.In[5]), dtype.Int8)
	c, pc, also := f.source(f.behind(n.In[6]), dtype.Int16)
	if !ok || !also || pc.Zero(0) != 0 {
		return nil
	}
	half, log := math.Frexp(float64(pc.Scale[0]))
	if half != 0.5 || log-1 < -15 || log-1 > -9 {
		return nil
	}
	y, py, ok := f.result(n.Out[0], fixed.BatchFirst)
	next, pn, also := f.result(n.Out[1], false)
	state, ps, too := f.result(n.Out[2], false)
	if !ok || !also || !too || !py.Equal(ph) || !pn.Equal(ph) || !ps.Equal(pc) {
		return nil
	}
	fixed.X, fixed.H, fixed.CellBits = px, ph, log-1
	copy(fixed.Data[:], sw)
	copy(fixed.State[:], sr)
	if o.CellClip.Set && o.CellClip.Value > 0 {
		fixed.CellClip = int16(min(o.CellClip.Value/pc.Scale[0], math.MaxInt16))
	}
	named := func(what string, t *tensor.Tensor) *ir.Value { return ir.NewConst(n.Out[0].Name+"/"+what, t) }
	f.in = []*ir.Value{data, named("weights", w), named("recurrent", r), named("bias", b), h, c}
	f.out = []*ir.Value{y, next, state}
	return fixed
}

// behind returns what v is an Unsqueeze of; nil where it is none.
func (f *lstmMatch) behind(v *ir.Value) *ir.Value {
	if u, _, ok := from[*op.Unsqueeze](f.matcher, v); ok {
		f.seen = append(f.seen, u.In[0])
		return u.In[0]
	}
	return nil
}

// source returns the integers of the given type that v was dequantized from.
func (f *lstmMatch) source(v *ir.Value, typ dtype.Type) (*ir.Value, affine.Params, bool) {
	dq, _, ok := from[*op.DequantizeLinear](f.matcher, v)
	if !ok || dq.In[0].Type != typ {
		return nil, affine.Params{}, false
	}
	p, ok := oneScale(dq)
	return dq.In[0], p, ok
}

// gates returns the constants of the four gates, joined, and their scales. A
// second half of biases must be zeros.
func (f *lstmMatch) gates(v *ir.Value, typ dtype.Type) (*tensor.Tensor, []float32, bool) {
	join, _, ok := from[*op.Concat](f.matcher, f.behind(v))
	if !ok || len(join.In) < 4 || len(join.In) > 5 {
		return nil, nil, false
	}
	if len(join.In) == 5 {
		zeros := join.In[4].Const
		if zeros == nil || zeros.Type() != dtype.Float32 || slices.ContainsFunc(tensor.Data[float32](zeros), func(v float32) bool { return v != 0 }) {
			return nil, nil, false
		}
	}
	var parts []*tensor.Tensor
	var scales []float32
	for _, v := range join.In[:4] {
		q, p, ok := f.source(v, typ)
		if !ok || q.Const == nil || p.Zero(0) != 0 {
			return nil, nil, false
		}
		parts, scales = append(parts, q.Const), append(scales, p.Scale[0])
	}
	return tensor.Joined(0, parts...), scales, true
}

// result returns the integers that a result of the LSTM is quantized to.
func (f *lstmMatch) result(v *ir.Value, swapped bool) (*ir.Value, affine.Params, bool) {
	steps := 1
	if swapped {
		steps = 2
	}
	for range steps {
		if !f.only(v) {
			return nil, affine.Params{}, false
		}
		n := f.uses[v][0].Node
		switch o := n.Op.(type) {
		case *op.Squeeze:
		case *op.Transpose:
			if !swapped || !slices.Equal(o.Perm, []int{1, 0, 2}) {
				return nil, affine.Params{}, false
			}
		default:
			return nil, affine.Params{}, false
		}
		v = n.Out[0]
		f.seen = append(f.seen, v)
	}
	if !f.only(v) {
		return nil, affine.Params{}, false
	}
	q := f.uses[v][0].Node
	if _, ok := q.Op.(*op.QuantizeLinear); !ok {
		return nil, affine.Params{}, false
	}
	p, ok := oneScale(q)
	f.gone = append(f.gone, q)
	return q.Out[0], p, ok
}
