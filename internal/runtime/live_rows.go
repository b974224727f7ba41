package runtime

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/fused"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// rowProduct is a product of integers q of 8 bits, whose rows each got a scale s
// and a zero point z in the run, with a constant matrix w of int8 around 0.
// Operands are q as uint8, less by offset, w, s and z, these with one element a
// row. Sums are int32, all steps after them float32:
//
//	y = (Σ q·w − z·Σ w) · (s·unit) + bias
type rowProduct struct {
	turned bool      // w is [n, k]
	units  []float32 // one, or one a column
	bias   []float32 // nil for none
	offset uint8     // of q
}

// Name returns "RowProduct".
func (*rowProduct) Name() string { return "RowProduct" }

// Infer returns the rows of q with one element for each column of w.
func (o *rowProduct) Infer(in []op.Fact, _ int) ([]op.Fact, error) {
	shape := in[0].Shape.Clone()
	if len(shape) == 0 || len(in[1].Shape) != 2 {
		return nil, fmt.Errorf("product of shapes %v and %v", in[0].Shape, in[1].Shape)
	}
	shape[len(shape)-1] = in[1].Shape[1]
	if o.turned {
		shape[len(shape)-1] = in[1].Shape[0]
	}
	return []op.Fact{op.TensorFact(dtype.Float32, shape)}, nil
}

// Eval multiplies row by row.
func (o *rowProduct) Eval(in []op.Datum) ([]op.Datum, error) {
	x, w := in[0].Tensor, tensor.Data[int8](in[1].Tensor)
	zeros, _ := tensor.Ints(in[3].Tensor)
	scales := tensor.Data[float32](in[2].Tensor)
	k, n := in[1].Tensor.Shape()[0], in[1].Tensor.Shape()[1]
	row, column := n, 1
	if o.turned {
		k, n, row, column = n, k, 1, n
	}
	shape := slices.Clone(x.Shape())
	if shape[len(shape)-1] != k || len(scales)*k != x.Len() {
		return nil, fmt.Errorf("rows of shape %v with %d scales and a matrix of %d rows", shape, len(scales), k)
	}
	shape[len(shape)-1] = n
	y := make([]float32, len(scales)*n)
	for i, s := range scales {
		q := x.Bytes()[i*k : (i+1)*k]
		for j := range n {
			var acc, sum int32
			for d, v := range q {
				b := int32(w[d*row+j*column])
				acc, sum = acc+(int32(v)-int32(o.offset))*b, sum+b
			}
			v := float32(acc) - float32(float32(zeros[i])*float32(sum))
			v = float32(v * float32(s*o.units[j%len(o.units)]))
			if o.bias != nil {
				v += o.bias[j]
			}
			y[i*n+j] = v
		}
	}
	return op.Of(tensor.FromSlice(y, shape...)), nil
}

// unsignedRows is DynamicQuantize of rows to int8 whose integers are stored as
// uint8, 128 more, which is what kernels multiply. Zero points stay as they are.
type unsignedRows struct{ *op.DynamicQuantize }

// Infer returns uint8.
func (o unsignedRows) Infer(in []op.Fact, outs int) ([]op.Fact, error) {
	out, err := o.DynamicQuantize.Infer(in, outs)
	if err == nil {
		out[0].Type = dtype.Uint8
	}
	return out, err
}

// Eval quantizes and turns the sign bits.
func (o unsignedRows) Eval(in []op.Datum) ([]op.Datum, error) {
	out, err := o.DynamicQuantize.Eval(in)
	if err != nil {
		return nil, err
	}
	y := tensor.New(dtype.Uint8, out[0].Tensor.Shape()...)
	for i, b := range out[0].Tensor.Bytes() {
		y.Bytes()[i] = b ^ 0x80
	}
	out[0].Tensor = y
	return out, nil
}

// fuseRows makes a rowProduct of each product of data that is quantized row by
// row in the run.
//
// Before: y = Gemm(DQ(q, s, z), DQ(w), b); q, s, z = DynamicQuantize(x; axis -1)
// After:  y = RowProduct(q, w, s, z)
//
// Conditions: w is a constant of int8 or int4 around 0 with one scale, or one a
// column; b is constant; nobody asks for what lies between.
func fuseRows(g *ir.Graph, keep map[string]bool) error {
	u := &rowFuser{g: g, keep: keep, prod: g.Producers(), names: ir.NewNamer(g), shifted: map[*ir.Node]*ir.Value{}, bytes: map[*ir.Value]*ir.Value{}}
	changed := false
	for _, n := range g.Nodes {
		p, in, ok, err := u.match(n)
		if err != nil {
			return fmt.Errorf("%s: %w", n.Label(), err)
		}
		if ok {
			n.Op, n.In, changed = p, in, true
		}
	}
	if !changed {
		return nil
	}
	var nodes []*ir.Node
	for _, n := range g.Nodes {
		nodes = append(nodes, n)
		if v := u.shifted[n]; v != nil {
			o := n.Op.(*op.DynamicQuantize)
			params := []*ir.Value{{Name: u.names.Name(v.Name + "_scale"), Fact: n.Out[1].Fact}, {Name: u.names.Name(v.Name + "_zero_point"), Fact: n.Out[2].Fact}}
			nodes = append(nodes, &ir.Node{Name: v.Name, Op: unsignedRows{o}, Origin: n.Origin, In: n.In, Out: append([]*ir.Value{v}, params...)})
			for _, m := range g.Nodes {
				if _, ok := m.Op.(*rowProduct); ok && m.In[0] == v {
					m.In[2], m.In[3] = params[0], params[1]
				}
			}
		}
	}
	g.Nodes = nodes
	if _, err := pass.EliminateDead(g); err != nil {
		return err
	}
	return ir.Infer(g)
}

type rowFuser struct {
	g       *ir.Graph
	keep    map[string]bool
	prod    map[*ir.Value]*ir.Node
	names   *ir.Namer
	shifted map[*ir.Node]*ir.Value  // the uint8 of a DynamicQuantize to int8
	bytes   map[*ir.Value]*ir.Value // the int8 of a constant of int4
}

// match returns what a node becomes.
func (u *rowFuser) match(n *ir.Node) (*rowProduct, []*ir.Value, bool, error) {
	p, columns := &rowProduct{}, 1
	switch o := n.Op.(type) {
	case *op.MatMul:
	case *op.Gemm:
		if p.turned = o.TransB; o.TransA || o.Alpha != 1 {
			return nil, nil, false, nil
		}
		if len(n.In) > 2 && n.In[2] != nil {
			b := n.In[2]
			if o.Beta != 1 || b.Const == nil || b.Type != dtype.Float32 || b.Const.Rank() != 1 || u.keep[b.Name] {
				return nil, nil, false, nil
			}
			p.bias = tensor.Data[float32](b.Const)
		}
	default:
		return nil, nil, false, nil
	}
	dx, dw := u.before(n.In[0]), u.before(n.In[1])
	if dx == nil || dw == nil || len(dx.In) < 3 || dw.In[0].Const == nil || dw.In[0].Const.Rank() != 2 || u.keep[n.In[0].Name] || u.keep[n.In[1].Name] {
		return nil, nil, false, nil
	}
	if p.turned {
		columns = 0
	}
	live := u.prod[dx.In[0]]
	if live == nil {
		return nil, nil, false, nil
	}
	o, ok := live.Op.(*op.DynamicQuantize)
	if !ok || !o.Axis.Set || byteless(o.Type) || len(live.Out) < 3 || !slices.Equal(dx.In[:3], live.Out[:3]) || live.In[0].Type != dtype.Float32 || !lastAxis(o.Axis.Value, live.In[0]) {
		return nil, nil, false, nil
	}
	w, known, err := ir.ParamsOf(dw)
	if err != nil || !known || w.BlockSize != 0 || !w.IsPerTensor() && w.Axis != columns || !around0(w) {
		return nil, nil, false, err
	}
	p.units = w.Scale
	v := dw.In[0]
	switch w.Type {
	case dtype.Int8:
	case dtype.Int4:
		if u.bytes[v] == nil {
			codes, _ := tensor.Ints(v.Const)
			u.bytes[v] = ir.NewConst(u.names.Name(v.Name+"/int8"), tensor.FromInts(dtype.Int8, codes, v.Const.Shape()...))
		}
		v = u.bytes[v]
	default:
		return nil, nil, false, nil
	}
	if n := v.Const.Shape()[columns]; p.bias != nil && len(p.bias) != n || n == 0 {
		return nil, nil, false, nil
	}
	q := live.Out[0]
	if o.Type == dtype.Int8 {
		if p.offset = 128; u.shifted[live] == nil {
			u.shifted[live] = &ir.Value{Name: u.names.Name(q.Name + "/uint8"), Fact: op.TensorFact(dtype.Uint8, q.Shape.Clone())}
		}
		q = u.shifted[live]
	}
	return p, []*ir.Value{q, v, live.Out[1], live.Out[2]}, true, nil
}

// before returns the DequantizeLinear that makes v.
func (u *rowFuser) before(v *ir.Value) *ir.Node {
	n := u.prod[v]
	if n == nil {
		return nil
	}
	if _, ok := n.Op.(*op.DequantizeLinear); !ok {
		return nil
	}
	return n
}

func lastAxis(axis int, v *ir.Value) bool {
	a, err := op.Axis(axis, len(v.Shape))
	return err == nil && len(v.Shape) > 1 && a == len(v.Shape)-1
}

// around0 reports whether all zero points are 0.
func around0(p affine.Params) bool {
	return !slices.ContainsFunc(p.ZeroPoint, func(z int64) bool { return z != 0 })
}

// dispatchRowProduct runs a product without anything behind it.
func (pl *plan) dispatchRowProduct(s *step, key *ir.Node, o *rowProduct) error {
	x, w := pl.values[s.in[0]].shape, pl.constant(s, 1)
	m, k, ok := rowsOf(x, -1)
	if w == nil || !ok || pl.values[s.out[0]].shape == nil || !rowParams(pl.values[s.in[2]].dims(), m) || !rowParams(pl.values[s.in[3]].dims(), m) {
		return nil
	}
	t := &tailed{node: s.node, live: o, m: m, k: k, n: len(o.bias), turned: o.turned, bias: o.bias}
	n := w.Shape()[1]
	if o.turned {
		n = w.Shape()[0]
	}
	if t.n = n; k == 0 || n == 0 {
		return nil
	}
	return pl.setTailed(s, key, t)
}

// rowParams reports whether a shape holds one element for each of m rows.
func rowParams(shape []int, m int) bool {
	n, ok := tensor.Count(shape)
	return ok && n == m
}

// weigh takes the sums of a block of rows from row from and column j on to real
// numbers, without the bias.
func (r *tailRun) weigh(b *fused.Block, from, j int, scales []float32, zeros *tensor.Tensor) {
	var line, one [fused.Width]float32
	part := line[:b.Cols]
	for i := range b.Rows {
		row := b.X[i*b.Cols : (i+1)*b.Cols]
		zero := float32(zeros.Bytes()[from+i])
		if zeros.Type() == dtype.Int8 {
			zero = float32(int8(zeros.Bytes()[from+i]))
		}
		if zero != 0 {
			one[0] = zero
			eltwise.Mul(part, r.sums[j:j+b.Cols], one[:1])
			eltwise.Sub(row, row, part)
		}
		one[0] = scales[from+i]
		eltwise.Mul(part, r.units[j:j+b.Cols], one[:1])
		eltwise.Mul(row, row, part)
	}
}
