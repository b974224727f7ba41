package pass

import (
	"fmt"
	"strings"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// live is a product, or convolution, of an activation that is quantized with
// one range found at run time, and of a constant weight in integers of 8 bits.
type live struct {
	n *ir.Node // MatMul, Gemm or Conv
	q *ir.Node // DynamicQuantize
	// w, ws and wz are the weight, a matrix [K, N] or filters, with a scale and
	// a zero point for each column or filter, or for all.
	w, ws, wz *ir.Value
	bias      *ir.Value // is added to the product; nil: nothing
}

// liveProduct returns what n is; ok is false for other nodes. Where lite, data of
// int8 count too, symmetric or not, and convolutions channels last: those of
// TensorFlow Lite's hybrid kernels, for which ONNX has no operator.
func (m *matcher) liveProduct(n *ir.Node, names *ir.Namer, lite bool) (l live, ok bool, err error) {
	if len(n.In) < 2 || n.In[0] == nil || n.In[1] == nil {
		return l, false, nil
	}
	channel, transposed := -1, false
	switch o := n.Op.(type) {
	case *op.MatMul:
	case *op.Gemm:
		if o.TransA || o.Alpha != 1 || o.Beta != 1 && len(n.In) > 2 && n.In[2] != nil {
			return l, false, nil
		}
		transposed = o.TransB
	case *op.Conv:
		if channel = 0; o.Layout != op.ChannelsFirst && !lite {
			return l, false, nil
		}
	default:
		return l, false, nil
	}
	dx, _, okx := from[*op.DequantizeLinear](m, n.In[0])
	dw, _, okw := from[*op.DequantizeLinear](m, n.In[1])
	if !okx || !okw || dw.In[0].Const == nil {
		return l, false, nil
	}
	q, o, isLive := from[*op.DynamicQuantize](m, dx.In[0])
	if !isLive || o.Axis.Set || !lite && (o.Symmetric || o.Type != dtype.Uint8) || o.Type != dtype.Uint8 && o.Type != dtype.Int8 || len(q.Out) < 3 || len(dx.In) < 3 || dx.In[0] != q.Out[0] || dx.In[1] != q.Out[1] || dx.In[2] != q.Out[2] {
		return l, false, nil
	}
	p, known, err := ir.ParamsOf(dw)
	w := dw.In[0]
	if err != nil || !known || p.BlockSize != 0 || p.Type != dtype.Int8 && p.Type != dtype.Uint8 {
		return l, false, err
	}
	rank := w.Const.Rank()
	if rank < 2 || channel < 0 && rank != 2 {
		return l, false, nil
	}
	if transposed {
		channel = 0
	}
	if channel < 0 {
		channel = rank - 1
	}
	if !p.IsPerTensor() && p.Axis != channel {
		return l, false, nil
	}
	l = live{n: n, q: q, w: w, ws: dw.In[1]}
	if transposed {
		l.w = ir.NewConst(names.Name(strings.TrimSuffix(w.Name, "_quantized")+"_Transposed_quantized"), tensor.Permute(w.Const, []int{1, 0}))
	}
	if l.wz = zeroPoints(p, names, w.Name); p.IsPerTensor() && l.ws.Const.Rank() > 0 {
		flat, err := l.ws.Const.Reshape()
		if err != nil {
			return l, false, err
		}
		l.ws = ir.NewConst(names.Name(l.ws.Name), flat)
	}
	if len(n.In) > 2 {
		l.bias = n.In[2]
	}
	return l, true, nil
}

// zeroPoints returns the zero points as a constant: one where all are 0, which
// kernels for convolutions insist on.
func zeroPoints(p affine.Params, names *ir.Namer, base string) *ir.Value {
	name := names.Name(base + "_zero_point")
	if p.IsPerTensor() || p.Symmetric() {
		return ir.NewConst(name, tensor.FromInts(p.Type, []int64{p.Zero(0)}))
	}
	zeros := make([]int64, len(p.Scale))
	copy(zeros, p.ZeroPoint)
	return ir.NewConst(name, tensor.FromInts(p.Type, zeros, len(zeros)))
}

// LowerDynamic rewrites products with ranges found at run time as those of ONNX.
//
// Before: y = MatMul(DQ(q, s, z), DQ(w, ws, wz)); q, s, z = DynamicQuantize(x)
// After:  y = Mul(Cast(MatMulInteger(q, w, z, wz)), Mul(s, ws)) and
//
//	q, s, z = DynamicQuantizeLinear(x)
//
// A Gemm's bias is added behind; a Conv is a ConvInteger. Conditions: see
// liveProduct. Rows that a Gather takes out of constant integers are
// dequantized behind it.
func LowerDynamic(g *ir.Graph) error {
	if err := lowerTables(g); err != nil {
		return err
	}
	err := eachLive(g, false, func(l live, e *emitter) error {
		o, sums := op.Op(op.New[op.MatMulInteger]()), l.n.Out[0].Name+"_sums"
		scale := l.ws
		bias := l.bias
		if c, ok := l.n.Op.(*op.Conv); ok {
			ci := op.New[op.ConvInteger]()
			ci.AutoPad, ci.Dilations, ci.Group, ci.KernelShape, ci.Pads, ci.Strides = c.AutoPad, c.Dilations, c.Group, c.KernelShape, c.Pads, c.Strides
			o = ci
			if l.wz.Const.Len() > 1 {
				return fmt.Errorf("ConvInteger has one zero point for all filters")
			}
			spatial := len(l.w.Shape) - 2
			var err error
			if scale, err = e.standing(scale, spatial); err != nil {
				return err
			}
			if bias != nil {
				if bias, err = e.standing(bias, spatial); err != nil {
					return err
				}
			}
		}
		y := l.n.Out[0]
		acc := e.value(sums, dtype.Int32, y.Shape)
		e.node(l.n.Name, o, []*ir.Value{l.q.Out[0], l.w, l.q.Out[2], l.wz}, acc)
		real := e.value(sums+"_cast", dtype.Float32, y.Shape)
		cast := op.New[op.Cast]()
		cast.To = dtype.Float32
		e.node(sums+"_cast", cast, []*ir.Value{acc}, real)
		unit := e.value(y.Name+"_scale", dtype.Float32, nil)
		e.node(y.Name+"_scales", op.New[op.Mul](), []*ir.Value{l.q.Out[1], scale}, unit)
		product := y
		if bias != nil {
			product = e.value(y.Name+"_product", dtype.Float32, y.Shape)
		}
		e.node(y.Name+"_rescale", op.New[op.Mul](), []*ir.Value{real, unit}, product)
		if bias != nil {
			e.node(y.Name+"_bias", op.New[op.Add](), []*ir.Value{product, bias}, y)
		}
		return nil
	})
	for _, n := range g.Nodes {
		if o, ok := n.Op.(*op.DynamicQuantize); ok && o.Type == dtype.Uint8 && !o.Symmetric && !o.Axis.Set {
			n.Op = op.New[op.DynamicQuantizeLinear]()
		}
	}
	return err
}

// FuseDynamic makes one operator of each product, or convolution, with a range
// found at run time, for those that have a kernel of it.
//
// Before: y = Gemm(DQ(q, s, z), DQ(w, ws, wz), b); q, s, z = DynamicQuantize(x)
// After:  y = Add(MatMulIntegerToFloat(q, w, s, ws, z, wz), b)
//
// and likewise Conv and ConvIntegerToFloat. Conditions: see liveProduct; no
// value that keep names lies inside; a convolution has one group, and a bias that
// is constant. Tables are treated as LowerDynamic does.
func FuseDynamic(g *ir.Graph, keep map[string]bool) error {
	if err := lowerTables(g); err != nil {
		return err
	}
	return eachLive(g, true, func(l live, e *emitter) error {
		for _, v := range l.n.In {
			if v != nil && keep[v.Name] {
				return nil
			}
		}
		y := l.n.Out[0]
		o, product := op.Op(op.New[op.MatMulIntegerToFloat]()), y
		if c, ok := l.n.Op.(*op.Conv); ok {
			if c.Group != 1 || l.bias != nil && l.bias.Const == nil {
				return nil
			}
			live := op.New[op.ConvIntegerToFloat]()
			live.AutoPad, live.Dilations, live.KernelShape, live.Pads, live.Strides = c.AutoPad, c.Dilations, c.KernelShape, c.Pads, c.Strides
			if live.Layout, o = c.Layout, live; l.bias != nil && c.Layout == op.ChannelsFirst {
				var err error
				if l.bias, err = e.standing(l.bias, len(l.w.Shape)-2); err != nil {
					return err
				}
			}
		}
		if l.bias != nil {
			product = e.value(y.Name+"_product", dtype.Float32, y.Shape)
		}
		e.node(l.n.Name, o, []*ir.Value{l.q.Out[0], l.w, l.q.Out[1], l.ws, l.q.Out[2], l.wz}, product)
		if l.bias != nil {
			e.node(y.Name+"_bias", op.New[op.Add](), []*ir.Value{product, l.bias}, y)
		}
		return nil
	})
}

// eachLive replaces the nodes for which f emits others.
func eachLive(g *ir.Graph, lite bool, f func(l live, e *emitter) error) error {
	m := newMatcher(g)
	e := &emitter{names: ir.NewNamer(g)}
	changed := false
	var out []*ir.Node
	for _, n := range g.Nodes {
		l, ok, err := m.liveProduct(n, e.names, lite)
		if err != nil {
			return fmt.Errorf("dynamic: %s: %w", n.Label(), err)
		}
		if !ok {
			out = append(out, n)
			continue
		}
		e.out, e.origin = nil, n.Origin
		if err := f(l, e); err != nil {
			return fmt.Errorf("dynamic: %s: %w", n.Label(), err)
		}
		if e.out == nil {
			out = append(out, n)
			continue
		}
		out, changed = append(out, e.out...), true
	}
	if !changed {
		return nil
	}
	g.Nodes = out
	if _, err := EliminateDead(g); err != nil {
		return err
	}
	return ir.Infer(g)
}

// emitter collects the nodes that stand for one.
type emitter struct {
	names  *ir.Namer
	out    []*ir.Node
	origin string
}

func (e *emitter) value(name string, t dtype.Type, s op.Shape) *ir.Value {
	return &ir.Value{Name: e.names.Name(name), Fact: op.TensorFact(t, s.Clone())}
}

func (e *emitter) node(name string, o op.Op, in []*ir.Value, out ...*ir.Value) {
	e.out = append(e.out, &ir.Node{Name: name, Op: o, In: in, Out: out, Origin: e.origin})
}

// standing returns a constant of one element a channel with so many dimensions
// of 1 behind it.
func (e *emitter) standing(v *ir.Value, behind int) (*ir.Value, error) {
	if v.Const == nil {
		return nil, fmt.Errorf("what belongs to channels is computed")
	}
	shape := []int{v.Const.Len()}
	for range behind {
		shape = append(shape, 1)
	}
	t, err := v.Const.Reshape(shape...)
	if err != nil {
		return nil, err
	}
	return ir.NewConst(e.names.Name(v.Name+"_channels"), t), nil
}

// lowerTables takes rows out of constant integers before they are dequantized,
// not the whole table after.
//
// Before: y = Gather(DQ(w, s, z), i)    After: y = DQ(Gather(w, i), s, z)
//
// Where rows have a scale each (symmetric), y = Mul(Cast(Gather(w, i)),
// Gather(s, i)). Conditions: rows are taken of 8-bit integers; the scales are
// one, or one a row with zero points of 0.
func lowerTables(g *ir.Graph) error {
	m := newMatcher(g)
	e := &emitter{names: ir.NewNamer(g)}
	var out []*ir.Node
	changed := false
	for _, n := range g.Nodes {
		e.out, e.origin = nil, n.Origin
		if o, ok := n.Op.(*op.Gather); ok && n.In[0] != nil {
			if dq, _, ok := from[*op.DequantizeLinear](m, n.In[0]); ok && dq.In[0].Const != nil {
				if err := e.table(n, o, dq); err != nil {
					return fmt.Errorf("dynamic: %s: %w", n.Label(), err)
				}
			}
		}
		if e.out == nil {
			e.out = []*ir.Node{n}
		} else {
			changed = true
		}
		out = append(out, e.out...)
	}
	if !changed {
		return nil
	}
	g.Nodes = out
	if _, err := EliminateDead(g); err != nil {
		return err
	}
	return ir.Infer(g)
}

func (e *emitter) table(n *ir.Node, o *op.Gather, dq *ir.Node) error {
	if d := dq.Op.(*op.DequantizeLinear); d.BlockSize != 0 || dq.In[0].Type.Bits() != 8 {
		return nil // parameters of groups are many, and not asked for
	}
	p, ok, err := ir.ParamsOf(dq)
	w, y := dq.In[0], n.Out[0]
	rank := w.Const.Rank()
	if err != nil || !ok || rank < 2 {
		return err
	}
	if axis, err := op.Axis(o.Axis, rank); err != nil || axis != 0 {
		return err
	}
	rows := e.value(y.Name+"_quantized", p.Type, y.Shape)
	take := op.New[op.Gather]()
	if p.IsPerTensor() {
		e.node(n.Name, take, []*ir.Value{w, n.In[1]}, rows)
		e.node(e.names.Name(y.Name+"_DequantizeLinear"), op.New[op.DequantizeLinear](), append([]*ir.Value{rows}, dq.In[1:]...), y)
		return nil
	}
	if p.Axis != 0 || !p.Symmetric() {
		return nil
	}
	shape := []int{len(p.Scale)}
	for range rank - 1 {
		shape = append(shape, 1)
	}
	s, err := dq.In[1].Const.Reshape(shape...)
	if err != nil {
		return err
	}
	e.node(n.Name, take, []*ir.Value{w, n.In[1]}, rows)
	scales := e.value(y.Name+"_scale", dtype.Float32, nil)
	e.node(e.names.Name(y.Name+"_scales"), op.New[op.Gather](), []*ir.Value{ir.NewConst(e.names.Name(dq.In[1].Name+"_rows"), s), n.In[1]}, scales)
	real := e.value(y.Name+"_cast", dtype.Float32, y.Shape)
	cast := op.New[op.Cast]()
	cast.To = dtype.Float32
	e.node(e.names.Name(y.Name+"_cast"), cast, []*ir.Value{rows}, real)
	e.node(e.names.Name(y.Name+"_rescale"), op.New[op.Mul](), []*ir.Value{real, scales}, y)
	return nil
}
