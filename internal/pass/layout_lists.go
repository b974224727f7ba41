package pass

import (
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// turnBroadcast knows the operators whose operands are broadcast. Constants of
// a lower rank get leading ones; computed ones must be single elements.
func (d way) turnBroadcast(o op.Op, n *ir.Node) (*turn, bool) {
	switch o.(type) {
	case *op.Add, *op.Sub, *op.Mul, *op.Div, *op.Pow, *op.Mod, *op.Max, *op.Min, *op.Sum, *op.Mean, *op.PRelu, *op.Where,
		*op.And, *op.Or, *op.Xor, *op.Equal, *op.Less, *op.LessOrEqual, *op.Greater, *op.GreaterOrEqual,
		*op.BitShift, *op.BitwiseAnd, *op.BitwiseOr, *op.BitwiseXor:
	default:
		return nil, false
	}
	t := &turn{op: o, way: d}
	for _, v := range n.In {
		if v == nil || v.Shape == nil {
			return nil, true
		}
		t.rank = max(t.rank, len(v.Shape))
	}
	if t.rank < 3 {
		return nil, true
	}
	for i, v := range n.In {
		switch {
		case v.Const == nil && len(v.Shape) < t.rank:
			if !scalarShape(v.Shape) {
				return nil, true
			}
		default:
			t.data = append(t.data, i)
		}
	}
	return t, true
}

// turnLists knows the operators that are told axes or amounts by an operand,
// which must be constant.
func turnLists(o op.Op, n *ir.Node, t *turn) (*turn, bool) {
	if strings.HasPrefix(o.Name(), "Reduce") {
		return turnReduction(n, t), true
	}
	switch o := o.(type) {
	case *op.Slice:
		if len(n.In) < 3 || n.In[1] == nil || len(n.In[1].Shape) != 1 {
			return nil, true
		}
		count, ok := n.In[1].Shape[0].Int()
		return t.axesAt(n, 3, count), ok
	case *op.Pad:
		return t.axesAt(n, 3, t.rank), true
	case *op.Resize:
		axes := o.Axes
		if len(axes) == 0 {
			axes = count(t.rank)
		}
		axes, ok := t.turnedAxes(axes, t.rank)
		t.op = with(o, func(c *op.Resize) { c.Axes = axes })
		if !ok {
			return nil, true
		}
		return t, true
	case *op.Tile, *op.Expand:
		sizes, ok := ints(n, 1)
		if !ok || len(sizes) != t.rank {
			return nil, true
		}
		out := make([]int, t.rank)
		for i, p := range t.perm(t.rank) {
			out[i] = sizes[p]
		}
		t.lists = map[int]*tensor.Tensor{1: list(out)}
		return t, true
	case *op.Squeeze, *op.Unsqueeze:
		return turnSqueeze(o, n, t), true
	case *op.Reshape:
		return turnReshape(n, t), true
	}
	return nil, false
}

func count(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// axesAt rewrites the list of axes in operand i, which stands for the first
// axes where it is left out.
func (t *turn) axesAt(n *ir.Node, i, first int) *turn {
	axes := count(first)
	if i < len(n.In) && n.In[i] != nil {
		var ok bool
		if axes, ok = ints(n, i); !ok {
			return nil
		}
	}
	axes, ok := t.turnedAxes(axes, t.rank)
	if !ok {
		return nil
	}
	t.lists = map[int]*tensor.Tensor{i: list(axes)}
	return t
}

// turnReduction keeps the order in which elements are added: sums over the
// channels and places together stay as they are.
func turnReduction(n *ir.Node, t *turn) *turn {
	axes, ok := ints(n, 1)
	if !ok || len(axes) == 0 || len(n.Out) == 0 || n.Out[0] == nil || n.Out[0].Shape == nil {
		return nil
	}
	if len(n.Out[0].Shape) != t.rank && !t.keepsOrder(axes, t.rank) {
		return nil
	}
	channels, places := false, false
	channel, _ := t.channel(t.rank)
	for _, a := range axes {
		if a < 0 {
			a += t.rank
		}
		channels = channels || a == channel
		places = places || a > 0 && a != channel
	}
	if channels && places {
		return nil
	}
	out, ok := t.turnedAxes(axes, t.rank)
	if !ok {
		return nil
	}
	slices.Sort(out)
	t.lists = map[int]*tensor.Tensor{1: list(out)}
	return t
}

// turnSqueeze turns operand and result alike where the axes that come or go
// are spatial.
func turnSqueeze(o op.Op, n *ir.Node, t *turn) *turn {
	axes, ok := ints(n, 1)
	if !ok || n.Out[0] == nil || n.Out[0].Shape == nil {
		return nil
	}
	larger := max(t.rank, len(n.Out[0].Shape))
	for i, a := range axes {
		if a < 0 {
			a += larger
		}
		_, first := t.channel(larger)
		if a < first || a >= first+larger-2 {
			return nil
		}
		axes[i], _ = t.turned(a, larger)
	}
	if _, down := o.(*op.Squeeze); !down && len(n.Out[0].Shape) < 3 {
		return nil
	}
	t.lists = map[int]*tensor.Tensor{1: list(axes)}
	t.reranks = true
	return t
}

// turnReshape knows the Reshape that leaves batch and channels alone.
func turnReshape(n *ir.Node, t *turn) *turn {
	x, y := n.In[0].Shape, op.Shape(nil)
	if n.Out[0] != nil {
		y = n.Out[0].Shape
	}
	if len(y) < 3 {
		return nil
	}
	from, _ := t.channel(len(x))
	to, _ := t.channel(len(y))
	if !x[0].Same(y[0]) || !x[from].Same(y[to]) {
		return nil
	}
	sizes, ok := sizesOf(turnedShape(y, t.perm(len(y))))
	if !ok {
		return nil
	}
	t.op, t.reranks = op.New[op.Reshape](), true
	t.lists = map[int]*tensor.Tensor{1: list(sizes)}
	return t
}

// permuted returns a constant as it lies in the other layout, with leading ones
// up to the rank.
func (o way) permuted(c *tensor.Tensor, rank int) (*tensor.Tensor, error) {
	shape := make([]int, rank)
	for i := range shape {
		shape[i] = 1
	}
	copy(shape[rank-c.Rank():], c.Shape())
	c, err := c.Reshape(shape...)
	if err != nil {
		return nil, err
	}
	return tensor.Permute(c, o.perm(rank)), nil
}

// turnedShape permutes what is known of a shape.
func turnedShape(s op.Shape, perm []int) op.Shape {
	if s == nil {
		return nil
	}
	out := make(op.Shape, len(s))
	for i, p := range perm {
		out[i] = s[p]
	}
	return out
}

// cost is what a transpose of v is taken to cost: its bytes, or next to nothing
// where it is a view.
func (o way) cost(v *ir.Value) int {
	if o.viewed(v.Shape) {
		return 1
	}
	const guess, most = 16, 1 << 44
	n := 1
	for _, d := range v.Shape {
		k, ok := d.Int()
		if !ok {
			k = guess
		}
		if k = max(k, 1); n > most/k {
			return most
		}
		n *= k
	}
	bits := 32
	if v.Type != dtype.Invalid && v.Type != dtype.String {
		bits = v.Type.Bits()
	}
	return 1 + n*bits/8
}

// viewed reports whether a tensor that is not turned yet is known to have the
// same bytes afterwards.
func (o way) viewed(s op.Shape) bool {
	channel, first := o.channel(len(s))
	if s[channel].Is(1) {
		return true
	}
	for _, d := range s[first : first+len(s)-2] {
		if !d.Is(1) {
			return false
		}
	}
	return true
}
