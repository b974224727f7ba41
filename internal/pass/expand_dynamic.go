package pass

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// ExpandDynamic rewrites products of integers with ranges found at run time as
// products of dequantized numbers, the form that everything else works on.
//
// Before: q, s, z = DynamicQuantizeLinear(x)
//
//	y = Mul(Cast(MatMulInteger(q, w, z, wz)), Mul(s, ws))
//
// After: q, s, z = DynamicQuantize(x); y = MatMul(DQ(q, s, z), DQ(w, ws, wz))
//
// and likewise DynamicQuantizeMatMul and MatMulIntegerToFloat. Conditions: w,
// its scales and zero points are constant, those of columns or of all; nothing
// else reads the sums.
func ExpandDynamic(g *ir.Graph) error {
	d := &dynamicExpander{matcher: newMatcher(g), names: ir.NewNamer(g), live: map[*ir.Value]*ir.Value{}}
	for _, n := range g.Nodes {
		if _, ok := n.Op.(*op.DynamicQuantizeLinear); ok {
			o := op.New[op.DynamicQuantize]()
			o.Type = dtype.Uint8
			n.Op = o
		}
	}
	for _, n := range g.Nodes {
		switch _, last := n.Op.(*op.Mul); {
		case last && holds(n, 2, 1):
			d.product(n)
		case n.Op.Name() == "DynamicQuantizeMatMul" && holds(n, 3, 1):
			d.whole(n)
		case n.Op.Name() == "MatMulIntegerToFloat" && holds(n, 4, 1):
			d.ranged(n)
		}
	}
	if d.done == 0 {
		return nil
	}
	g.Nodes = append(g.Nodes, d.added...)
	if err := g.Sort(); err != nil {
		return err
	}
	_, err := EliminateDead(g)
	return err
}

// holds reports whether a node has the first in inputs and the first out outputs:
// nobody has looked at its arity yet.
func holds(n *ir.Node, in, out int) bool {
	return len(n.In) >= in && len(n.Out) >= out && !slices.Contains(n.In[:in], nil) && !slices.Contains(n.Out[:out], nil)
}

type dynamicExpander struct {
	*matcher
	names *ir.Namer
	added []*ir.Node
	live  map[*ir.Value]*ir.Value // what dequantizes the integers of an activation
	done  int
}

// product rewrites the last Mul of the ONNX form.
func (d *dynamicExpander) product(n *ir.Node) {
	for i := range 2 {
		cast, c, ok := from[*op.Cast](d.matcher, n.In[i])
		if !ok || c.To != dtype.Float32 || !holds(cast, 1, 1) || !d.only(n.In[i]) {
			continue
		}
		sums := cast.In[0]
		mm := d.prod[sums]
		scales, _, ok := from[*op.Mul](d.matcher, n.In[1-i])
		if mm == nil || !ok || !d.only(sums) || len(mm.In) < 3 {
			continue
		}
		q := d.dynamic(mm.In[0])
		if q == nil || mm.In[2] != q.Out[2] {
			continue
		}
		ws, _, ok := operands(scales, func(v *ir.Value) bool { return v.Const != nil && v.Type == dtype.Float32 })
		if !ok || scales.In[0] != q.Out[1] && scales.In[1] != q.Out[1] {
			continue
		}
		var zero *ir.Value
		if len(mm.In) > 3 {
			zero = mm.In[3]
		}
		switch o := mm.Op.(type) {
		case *op.MatMulInteger:
			if w := d.weight(mm.In[1], ws, zero, -1); w != nil {
				d.replace(n, mm, op.New[op.MatMul](), d.activation(q), w)
				return
			}
		case *op.ConvInteger:
			conv := op.New[op.Conv]()
			conv.AutoPad, conv.Dilations, conv.Group, conv.KernelShape, conv.Pads, conv.Strides = o.AutoPad, o.Dilations, o.Group, o.KernelShape, o.Pads, o.Strides
			if w := d.weight(mm.In[1], ws, zero, 0); w != nil {
				d.replace(n, mm, conv, d.activation(q), w)
				return
			}
		}
	}
}

// whole rewrites (x, w, ws, wz, bias).
func (d *dynamicExpander) whole(n *ir.Node) {
	at := func(i int) *ir.Value {
		if i < len(n.In) {
			return n.In[i]
		}
		return nil
	}
	w := d.weight(at(1), at(2), at(3), -1)
	if w == nil {
		return
	}
	x := n.In[0]
	q := op.New[op.DynamicQuantize]()
	q.Type = dtype.Uint8
	node := &ir.Node{Name: d.names.Name(x.Name + "_DynamicQuantize"), Op: q, In: []*ir.Value{x}, Out: []*ir.Value{
		{Name: d.names.Name(x.Name + "_quantized"), Fact: op.TensorFact(dtype.Uint8, x.Shape.Clone())},
		{Name: d.names.Name(x.Name + "_scale"), Fact: op.TensorFact(dtype.Float32, op.Known())},
		{Name: d.names.Name(x.Name + "_zero_point"), Fact: op.TensorFact(dtype.Uint8, op.Known())},
	}}
	d.added = append(d.added, node)
	d.biased(n, d.activation(node), w, at(4))
}

// ranged rewrites (q, w, s, ws, z, wz, bias).
func (d *dynamicExpander) ranged(n *ir.Node) {
	at := func(i int) *ir.Value {
		if i < len(n.In) {
			return n.In[i]
		}
		return nil
	}
	q := d.dynamic(at(0))
	if q == nil || at(2) != q.Out[1] || at(4) != q.Out[2] {
		return
	}
	if w := d.weight(at(1), at(3), at(5), -1); w != nil {
		d.biased(n, d.activation(q), w, at(6))
	}
}

// biased makes n the product of x and w, with what is added to it behind it.
func (d *dynamicExpander) biased(n *ir.Node, x, w, bias *ir.Value) {
	d.done++
	if bias == nil {
		n.Op, n.In = op.New[op.MatMul](), []*ir.Value{x, w}
		return
	}
	y := n.Out[0]
	p := &ir.Value{Name: d.names.Name(y.Name + "_product"), Fact: op.TensorFact(dtype.Float32, y.Shape.Clone())}
	d.added = append(d.added, &ir.Node{Name: d.names.Name(n.Name + "_add"), Op: op.New[op.Add](), In: []*ir.Value{p, bias}, Out: []*ir.Value{y}})
	n.Op, n.In, n.Out = op.New[op.MatMul](), []*ir.Value{x, w}, []*ir.Value{p}
}

// replace makes last, the end of the ONNX form, the node mm with real operands.
func (d *dynamicExpander) replace(last, mm *ir.Node, o op.Op, in ...*ir.Value) {
	last.Op, last.In = o, in
	last.Name, last.Origin = mm.Name, mm.Origin
	mm.Name = ""
	d.done++
}

// dynamic returns the node that quantizes v with one range found at run time.
func (d *dynamicExpander) dynamic(v *ir.Value) *ir.Node {
	n, o, ok := from[*op.DynamicQuantize](d.matcher, v)
	if !ok || o.Axis.Set || v != n.Out[0] || len(n.Out) < 3 || n.Out[1] == nil || n.Out[2] == nil {
		return nil
	}
	return n
}

// activation returns the numbers that the integers of q stand for.
func (d *dynamicExpander) activation(q *ir.Node) *ir.Value {
	if v := d.live[q.Out[0]]; v != nil {
		return v
	}
	v := d.dequantized(q.Out[0], q.Out[1], q.Out[2], 1)
	d.live[q.Out[0]] = v
	return v
}

func (d *dynamicExpander) dequantized(q, s, z *ir.Value, axis int) *ir.Value {
	dq := op.New[op.DequantizeLinear]()
	dq.Axis = axis
	in := []*ir.Value{q, s}
	if z != nil {
		in = append(in, z)
	}
	v := &ir.Value{Name: d.names.Name(q.Name + "_dequantized"), Fact: op.TensorFact(dtype.Float32, q.Shape.Clone())}
	d.added = append(d.added, &ir.Node{Name: d.names.Name(q.Name + "_DequantizeLinear"), Op: dq, In: in, Out: []*ir.Value{v}})
	return v
}

// weight returns the numbers that constant integers stand for, whose scales
// lie along an axis or are one; nil where they are something else.
func (d *dynamicExpander) weight(w, s, z *ir.Value, axis int) *ir.Value {
	if w == nil || s == nil || w.Const == nil || s.Const == nil || s.Type != dtype.Float32 || z != nil && z.Const == nil {
		return nil
	}
	rank := w.Const.Rank()
	axis, err := op.Axis(axis, rank)
	if err != nil {
		return nil
	}
	count := s.Const.Len()
	if count != 1 && count != w.Const.Shape()[axis] || z != nil && z.Const.Len() != 1 && z.Const.Len() != count {
		return nil
	}
	// Scales broadcast against the result: those of filters have the spatial
	// dimensions behind them.
	behind := 0
	if axis == 0 {
		behind = rank - 2
	}
	if shape := s.Const.Shape(); count > 1 && (len(shape) <= behind || shape[len(shape)-1-behind] != count) {
		return nil
	}
	s = d.list(s, count)
	if z != nil && z.Const.Len() != count {
		ints, ok := tensor.Ints(z.Const)
		if !ok {
			return nil
		}
		all := make([]int64, count)
		for i := range all {
			all[i] = ints[0]
		}
		z = ir.NewConst(d.names.Name(z.Name), tensor.FromInts(z.Type, all, count))
	} else if z != nil {
		z = d.list(z, count)
	}
	return d.dequantized(w, s, z, axis)
}

// list returns a constant of so many elements as a list, or as a scalar if it
// is one.
func (d *dynamicExpander) list(v *ir.Value, count int) *ir.Value {
	shape := []int{count}
	if count == 1 {
		shape = []int{}
	}
	if slices.Equal(v.Const.Shape(), shape) {
		return v
	}
	t, err := v.Const.Reshape(shape...)
	if err != nil {
		return v
	}
	return ir.NewConst(d.names.Name(v.Name), t)
}
