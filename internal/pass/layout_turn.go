package pass

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// turn is what a node becomes where its data lies in the other layout.
type turn struct {
	op op.Op
	way
	// rank is that of the operands and results that are turned; results of
	// another rank are the same either way.
	rank int
	// data lists the operands that are turned.
	data []int
	// reranks says that results of any rank are turned.
	reranks bool
	// lists holds operands that name axes, by index, as they become.
	lists map[int]*tensor.Tensor
}

// lastFirst and firstLast are the permutations of a tensor of the given rank to
// channels first and to channels last.
func lastFirst(rank int) []int {
	p := []int{0, rank - 1}
	for i := 1; i < rank-1; i++ {
		p = append(p, i)
	}
	return p
}

func firstLast(rank int) []int {
	p := []int{0}
	for i := 2; i < rank; i++ {
		p = append(p, i)
	}
	return append(p, 1)
}

// way is how data is turned: channels last, or back from there.
type way struct{ back bool }

// to is the layout that data is turned to.
func (o way) to() op.Layout {
	if o.back {
		return op.ChannelsFirst
	}
	return op.ChannelsLast
}

// perm is the permutation that turns a tensor of the given rank, and inverse
// the one that undoes it.
func (o way) perm(rank int) []int {
	if o.back {
		return lastFirst(rank)
	}
	return firstLast(rank)
}

func (o way) inverse(rank int) []int { return way{!o.back}.perm(rank) }

// channel is the axis of the channels before a tensor is turned; first is the
// first axis of the places, which lie side by side.
func (o way) channel(rank int) (channel, first int) {
	if o.back {
		return rank - 1, 1
	}
	return 1, 2
}

// suffix is what names of turned values end in.
func (o way) suffix() string {
	if o.back {
		return "_first"
	}
	return "_last"
}

// turnOf returns what n becomes; nil where it can only run as it stands.
func (o way) turnOf(n *ir.Node) *turn {
	if len(n.In) == 0 || n.In[0] == nil || len(n.Bodies) > 0 {
		return nil
	}
	q, ok := n.Op.(*op.Quantized)
	if !ok {
		return o.turnOp(n.Op, n)
	}
	t := o.turnOp(q.Inner, n)
	if t == nil {
		return nil
	}
	c := *q
	c.Inner = t.op
	c.In, c.Out = slices.Clone(q.In), slices.Clone(q.Out)
	for _, i := range t.data {
		if i < len(c.In) && !o.turnParams(&c.In[i], t.rank) {
			return nil
		}
	}
	for i, v := range n.Out {
		if i < len(c.Out) && t.turns(v) && !o.turnParams(&c.Out[i], len(v.Shape)) {
			return nil
		}
	}
	t.op = &c
	return t
}

// turns reports whether a result is turned too.
func (t *turn) turns(v *ir.Value) bool {
	return v != nil && len(v.Shape) >= 3 && (t.reranks || len(v.Shape) == t.rank)
}

// turnParams moves the axis of parameters; it reports false for blocks.
func (o way) turnParams(p *affine.Params, rank int) bool {
	if !p.Present() || p.IsPerTensor() {
		return true
	}
	if p.BlockSize != 0 {
		return false
	}
	a, ok := o.turned(p.Axis, rank)
	p.Axis = a
	return ok
}

// turned returns where an axis lies in the other layout.
func (o way) turned(axis, rank int) (int, bool) {
	a, err := op.Axis(axis, rank)
	if err != nil {
		return 0, false
	}
	return slices.Index(o.perm(rank), a), true
}

// turnedAxes is turned for a list.
func (o way) turnedAxes(axes []int, rank int) ([]int, bool) {
	out := make([]int, len(axes))
	for i, a := range axes {
		var ok bool
		if out[i], ok = o.turned(a, rank); !ok {
			return nil, false
		}
	}
	return out, true
}

// with returns a copy of an operator with a change, as graphs share operators.
func with[T any](o *T, change func(*T)) *T {
	c := *o
	change(&c)
	return &c
}

// turnOp is turnOf for the operator o of node n, or within it.
func (d way) turnOp(o op.Op, n *ir.Node) *turn {
	rank := len(n.In[0].Shape)
	same := &turn{op: o, way: d, rank: rank, data: []int{0}}
	if t, known := d.turnBroadcast(o, n); known {
		return t
	}
	if rank < 3 {
		return nil
	}
	if t, known := turnSpatial(o, n, same); known {
		return t
	}
	if t, known := turnAxis(o, n, same); known {
		return t
	}
	if t, known := turnLists(o, n, same); known {
		return t
	}
	if _, ok := o.(*op.Dropout); ok && len(n.In) > 2 && n.In[2] != nil {
		return nil // in training it drops elements by their order
	}
	switch o := o.(type) {
	case *op.Identity, *op.Dropout, *op.Cast, *op.CastLike, *op.Not, *op.IsNaN, *op.IsInf, *op.BitwiseNot, *op.Clip, *op.DynamicQuantizeLinear,
		*op.Abs, *op.Neg, *op.Sign, *op.Floor, *op.Ceil, *op.Round, *op.Log, *op.Celu, *op.Selu, *op.Shrink, *op.ThresholdedRelu,
		*op.Sin, *op.Cos, *op.Tan, *op.Asin, *op.Acos, *op.Atan, *op.Sinh, *op.Cosh, *op.Asinh, *op.Acosh, *op.Atanh:
		return same
	case op.Quantizable:
		if o.Quantization().Elementwise {
			return same
		}
	}
	return nil
}

// turnSpatial knows the operators that carry a layout. A node that has the
// layout already stays.
func turnSpatial(o op.Op, n *ir.Node, t *turn) (*turn, bool) {
	was := op.ChannelsFirst
	switch o := o.(type) {
	case *op.Conv:
		was, t.op = o.Layout, with(o, func(c *op.Conv) { c.Layout = t.to() })
	case *op.ConvTranspose:
		was, t.op = o.Layout, with(o, func(c *op.ConvTranspose) { c.Layout = t.to() })
	case *op.ConvIntegerToFloat:
		was, t.op = o.Layout, with(o, func(c *op.ConvIntegerToFloat) { c.Layout = t.to() })
	case *op.MaxPool:
		was, t.op = o.Layout, with(o, func(c *op.MaxPool) { c.Layout = t.to() })
	case *op.AveragePool:
		was, t.op = o.Layout, with(o, func(c *op.AveragePool) { c.Layout = t.to() })
	case *op.LpPool:
		was, t.op = o.Layout, with(o, func(c *op.LpPool) { c.Layout = t.to() })
	case *op.GlobalAveragePool:
		was, t.op = o.Layout, with(o, func(c *op.GlobalAveragePool) { c.Layout = t.to() })
	case *op.GlobalMaxPool:
		was, t.op = o.Layout, with(o, func(c *op.GlobalMaxPool) { c.Layout = t.to() })
	case *op.GlobalLpPool:
		was, t.op = o.Layout, with(o, func(c *op.GlobalLpPool) { c.Layout = t.to() })
	case *op.BatchNormalization:
		was, t.op = o.Layout, with(o, func(c *op.BatchNormalization) { c.Layout = t.to() })
		if o.TrainingMode {
			return nil, true // statistics over the whole batch: their order would change
		}
	case *op.InstanceNormalization:
		was, t.op = o.Layout, with(o, func(c *op.InstanceNormalization) { c.Layout = t.to() })
	case *op.GroupNormalization:
		was, t.op = o.Layout, with(o, func(c *op.GroupNormalization) { c.Layout = t.to() })
	case *op.LRN:
		was, t.op = o.Layout, with(o, func(c *op.LRN) { c.Layout = t.to() })
	case *op.DepthToSpace:
		was, t.op = o.Layout, with(o, func(c *op.DepthToSpace) { c.Layout = t.to() })
	case *op.SpaceToDepth:
		was, t.op = o.Layout, with(o, func(c *op.SpaceToDepth) { c.Layout = t.to() })
	case *op.GridSample:
		was, t.op = o.Layout, with(o, func(c *op.GridSample) { c.Layout = t.to() })
	default:
		return nil, false
	}
	if was == t.to() || n.Out[0] == nil || len(n.Out[0].Shape) != t.rank {
		return nil, true
	}
	return t, true
}

// turnAxis knows the operators that work along one axis.
func turnAxis(o op.Op, n *ir.Node, t *turn) (*turn, bool) {
	ok := true
	move := func(axis int) (a int) {
		a, ok = t.turned(axis, t.rank)
		return a
	}
	switch o := o.(type) {
	case *op.Softmax:
		t.op = with(o, func(c *op.Softmax) { c.Axis = move(o.Axis) })
	case *op.LogSoftmax:
		t.op = with(o, func(c *op.LogSoftmax) { c.Axis = move(o.Axis) })
	case *op.Hardmax:
		t.op = with(o, func(c *op.Hardmax) { c.Axis = move(o.Axis) })
	case *op.LpNormalization:
		t.op = with(o, func(c *op.LpNormalization) { c.Axis = move(o.Axis) })
	case *op.Split:
		t.op = with(o, func(c *op.Split) { c.Axis = move(o.Axis) })
	case *op.ArgMax:
		t.op = with(o, func(c *op.ArgMax) { c.Axis = move(o.Axis) })
		ok = ok && (o.Keepdims || t.keepsOrder([]int{o.Axis}, t.rank))
	case *op.ArgMin:
		t.op = with(o, func(c *op.ArgMin) { c.Axis = move(o.Axis) })
		ok = ok && (o.Keepdims || t.keepsOrder([]int{o.Axis}, t.rank))
	case *op.TopK:
		t.op = with(o, func(c *op.TopK) { c.Axis = move(o.Axis) })
	case *op.Gather:
		t.op = with(o, func(c *op.Gather) { c.Axis = move(o.Axis) })
		ok = ok && len(n.In) > 1 && n.In[1] != nil && len(n.In[1].Shape) == 1
	case *op.Concat:
		t.op, t.data = with(o, func(c *op.Concat) { c.Axis = move(o.Axis) }), nil
		for i, v := range n.In {
			ok = ok && v != nil && len(v.Shape) == t.rank
			t.data = append(t.data, i)
		}
	case *op.QuantizeLinear:
		t.op, ok = with(o, func(c *op.QuantizeLinear) { c.Axis = move(o.Axis) }), oneOrAlongAxis(n, o.BlockSize)
		if scalarShape(n.In[1].Shape) {
			t.op = o
		}
	case *op.DequantizeLinear:
		t.op, ok = with(o, func(c *op.DequantizeLinear) { c.Axis = move(o.Axis) }), oneOrAlongAxis(n, o.BlockSize)
		if scalarShape(n.In[1].Shape) {
			t.op = o
		}
	case *op.DynamicQuantize:
		ok = !o.Axis.Set
	default:
		return nil, false
	}
	if !ok {
		return nil, true
	}
	return t, true
}

// oneOrAlongAxis reports whether the scale of a QuantizeLinear or
// DequantizeLinear is known to be one number or one a channel.
func oneOrAlongAxis(n *ir.Node, block int) bool {
	return block == 0 && len(n.In) > 1 && n.In[1] != nil && n.In[1].Shape != nil && len(n.In[1].Shape) <= 1
}

// scalarShape reports whether a shape is known to hold one element.
func scalarShape(s op.Shape) bool {
	for _, d := range s {
		if !d.Is(1) {
			return false
		}
	}
	return s != nil
}

// keepsOrder reports whether what is left of a tensor without some axes is the
// same in the other layout: the channels are gone, or all that is not batch or
// channels.
func (o way) keepsOrder(axes []int, rank int) bool {
	gone := make([]bool, rank)
	for _, a := range axes {
		a, err := op.Axis(a, rank)
		if err != nil {
			return false
		}
		gone[a] = true
	}
	channel, first := o.channel(rank)
	return gone[channel] || !slices.Contains(gone[first:first+rank-2], false)
}

// ints returns the elements of a constant operand.
func ints(n *ir.Node, i int) ([]int, bool) {
	if i >= len(n.In) || n.In[i] == nil || n.In[i].Const == nil {
		return nil, false
	}
	v, ok := tensor.Ints(n.In[i].Const)
	out := make([]int, len(v))
	for k, x := range v {
		out[k] = int(x)
	}
	return out, ok
}

// list returns a constant list of axes.
func list(axes []int) *tensor.Tensor {
	v := make([]int64, len(axes))
	for i, a := range axes {
		v[i] = int64(a)
	}
	return tensor.FromInts(dtype.Int64, v, len(v))
}
