package pass

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// LowerRanges spells out the quantizations by the data's own range that ONNX
// has no operator for: to other types than uint8, symmetric ones, and those
// with a range for each row.
//
// Before: q, s, z = DynamicQuantize(x)
// After:  lo = Min(ReduceMin(x), 0); hi = Max(ReduceMax(x), 0); d = (hi − lo)/(qmax − qmin);
//
//	s = Where(d = 0, 1, d); z = Cast(Round(Clip(qmin − lo/s))); q = QuantizeLinear(x, s, z)
//
// The steps are those of [op.DynamicQuantize], in float32. Bodies are lowered
// too.
func LowerRanges(g *ir.Graph) error {
	e := &emitter{names: ir.NewNamer(g)}
	var out []*ir.Node
	for _, n := range g.Nodes {
		for _, b := range n.Bodies {
			if err := LowerRanges(b); err != nil {
				return fmt.Errorf("%s: %w", n.Label(), err)
			}
		}
		o, ok := n.Op.(*op.DynamicQuantize)
		if !ok {
			out = append(out, n)
			continue
		}
		e.out, e.origin = nil, n.Origin
		e.ranges(n, o)
		out = append(out, e.out...)
	}
	g.Nodes = out
	return nil
}

func (e *emitter) ranges(n *ir.Node, o *op.DynamicQuantize) {
	x, q := n.In[0], n.Out[0]
	var shape op.Shape = op.Known()
	axes := []*ir.Value{x}
	quantize := op.New[op.QuantizeLinear]()
	if o.Axis.Set {
		quantize.Axis = o.Axis.Value
		axes = append(axes, ir.NewConst(e.names.Name(q.Name+"_axes"), list([]int{o.Axis.Value})))
		if shape = x.Shape.Clone(); shape != nil {
			if a, err := op.Axis(o.Axis.Value, len(shape)); err == nil {
				quantize.BlockSize, _ = shape[a].Int()
				shape[a] = op.Size(1)
			}
		}
	}
	step := func(what string, f op.Op, in ...*ir.Value) *ir.Value {
		v := e.value(q.Name+"_"+what, dtype.Float32, shape)
		e.node(v.Name, f, in, v)
		return v
	}
	number := func(v float32) *ir.Value { return ir.NewConst(e.names.Name(q.Name+"_number"), tensor.Scalar(v)) }
	least := op.New[op.ReduceMin]()
	least.Keepdims = o.Axis.Set
	most := op.New[op.ReduceMax]()
	most.Keepdims = o.Axis.Set
	zero := number(0)
	lo := step("min", op.New[op.Min](), step("least", least, axes...), zero)
	hi := step("max", op.New[op.Max](), step("most", most, axes...), zero)
	if o.Symmetric {
		hi = step("extent", op.New[op.Max](), step("negated", op.New[op.Neg](), lo), hi)
		lo = step("lowest", op.New[op.Neg](), hi)
	}
	first, last := affine.Scheme{Type: o.Type, Symmetric: o.Symmetric}.Range()
	d := step("steps", op.New[op.Div](), step("range", op.New[op.Sub](), hi, lo), number(float32(last-first)))
	none := e.value(q.Name+"_none", dtype.Bool, shape)
	e.node(none.Name, op.New[op.Equal](), []*ir.Value{d, zero}, none)
	s := out(n, 1)
	if s == nil {
		s = e.value(q.Name+"_scale", dtype.Float32, shape)
	}
	e.node(s.Name, op.New[op.Where](), []*ir.Value{none, number(1), d}, s)
	z := out(n, 2)
	if z == nil {
		z = e.value(q.Name+"_zero_point", o.Type, shape)
	}
	if o.Symmetric {
		size := e.value(q.Name+"_scales", dtype.Int64, nil)
		e.node(size.Name, op.New[op.ShapeOf](), []*ir.Value{s}, size)
		_, middle := o.Params(0, 0)
		e.node(z.Name, op.New[op.Expand](), []*ir.Value{ir.NewConst(e.names.Name(q.Name+"_middle"), tensor.FromInts(o.Type, []int64{middle})), size}, z)
	} else {
		at := step("zero", op.New[op.Sub](), number(float32(first)), step("offset", op.New[op.Div](), lo, s))
		at = step("zero_inside", op.New[op.Clip](), at, number(float32(first)), number(float32(last)))
		cast := op.New[op.Cast]()
		cast.To = o.Type
		e.node(z.Name, cast, []*ir.Value{step("zero_rounded", op.New[op.Round](), at)}, z)
	}
	e.node(n.Name, quantize, []*ir.Value{x, s, z}, q)
}

// out returns an output of n, nil where it has none.
func out(n *ir.Node, i int) *ir.Value {
	if i < len(n.Out) {
		return n.Out[i]
	}
	return nil
}
