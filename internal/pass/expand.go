package pass

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Expand rewrites integer operators (QLinearConv and its kin) as their float
// operator between DequantizeLinear and QuantizeLinear, the one form that
// everything else works on.
//
// Before: y = QLinearAdd(a, as, az, b, bs, bz, ys, yz)
// After:  y = Q(Add(DQ(a, as, az), DQ(b, bs, bz)), ys, yz)
func Expand(g *ir.Graph) error {
	e := &expander{names: ir.NewNamer(g)}
	for _, n := range g.Nodes {
		f := expansions[n.Op.Name()]
		if f == nil {
			e.out = append(e.out, n)
			continue
		}
		e.n = n
		if err := f(e); err != nil {
			return fmt.Errorf("expand: %s: %w", n.Label(), err)
		}
	}
	g.Nodes = e.out
	return ExpandDynamic(g)
}

// expansions is the table of integer operators; argument orders are those of
// formats: ONNX and the contrib operators of ONNX Runtime.
var expansions = map[string]func(*expander) error{
	"QLinearConv":              expandConv,
	"QLinearMatMul":            expandMatMul,
	"QGemm":                    expandGemm,
	"QLinearAdd":               expandBinary(func() op.Op { return op.New[op.Add]() }),
	"QLinearMul":               expandBinary(func() op.Op { return op.New[op.Mul]() }),
	"QLinearSigmoid":           expandUnary,
	"QLinearLeakyRelu":         expandUnary,
	"QLinearSoftmax":           expandUnary,
	"QLinearAveragePool":       expandUnary,
	"QLinearGlobalAveragePool": expandUnary,
	"QLinearConcat":            expandConcat,
}

type expander struct {
	names *ir.Namer
	n     *ir.Node // the node being expanded
	out   []*ir.Node
}

func (e *expander) in(i int) *ir.Value {
	if i < len(e.n.In) {
		return e.n.In[i]
	}
	return nil
}

// dequantize adds a DequantizeLinear of operand x with its scale and zero.
func (e *expander) dequantize(x, scale, zero *ir.Value, axis int) *ir.Value {
	dq := op.New[op.DequantizeLinear]()
	dq.Axis = axis
	in := []*ir.Value{x, scale}
	if zero != nil {
		in = append(in, zero)
	}
	y := &ir.Value{Name: e.names.Name(x.Name + "_dequantized"), Fact: op.TensorFact(dtype.Float32, x.Shape.Clone())}
	e.out = append(e.out, &ir.Node{Name: e.names.Name(x.Name + "_dq"), Op: dq, In: in, Out: []*ir.Value{y}})
	return y
}

// compute adds the float operator and the QuantizeLinear of its result; with a
// nil scale the result stays float.
func (e *expander) compute(o op.Op, in []*ir.Value, scale, zero *ir.Value) error {
	n := e.n
	if len(n.Out) != 1 || n.Out[0] == nil {
		return fmt.Errorf("want one output")
	}
	y := n.Out[0]
	if scale == nil {
		e.out = append(e.out, &ir.Node{Name: n.Name, Op: o, In: in, Out: n.Out, Origin: n.Origin})
		return nil
	}
	f := &ir.Value{Name: e.names.Name(y.Name + "_float"), Fact: op.TensorFact(dtype.Float32, y.Shape.Clone())}
	qin := []*ir.Value{f, scale}
	if zero != nil {
		qin = append(qin, zero)
	}
	e.out = append(e.out,
		&ir.Node{Name: n.Name, Op: o, In: in, Out: []*ir.Value{f}, Origin: n.Origin},
		&ir.Node{Name: e.names.Name(y.Name + "_q"), Op: op.New[op.QuantizeLinear](), In: qin, Out: []*ir.Value{y}})
	return nil
}

func (e *expander) require(count int) error {
	for i := range count {
		if e.in(i) == nil && i != 2 && i != 5 && i != 7 {
			return fmt.Errorf("input %d is missing", i)
		}
	}
	return nil
}

func expandConv(e *expander) error {
	if err := e.require(8); err != nil {
		return err
	}
	o := *e.n.Op.(*op.QLinearConv)
	conv := op.New[op.Conv]()
	conv.AutoPad, conv.Dilations, conv.Group, conv.KernelShape, conv.Pads, conv.Strides = o.AutoPad, o.Dilations, o.Group, o.KernelShape, o.Pads, o.Strides
	in := []*ir.Value{e.dequantize(e.in(0), e.in(1), e.in(2), 1), e.dequantize(e.in(3), e.in(4), e.in(5), 0)}
	if b := e.in(8); b != nil {
		s, err := e.biasScale(b, e.in(1), e.in(4))
		if err != nil {
			return err
		}
		in = append(in, e.dequantize(b, s, nil, 0))
	}
	return e.compute(conv, in, e.in(6), e.in(7))
}

// biasScale returns the product of two constant scales, as a bias's.
func (e *expander) biasScale(b, x, w *ir.Value) (*ir.Value, error) {
	if x.Const == nil || w.Const == nil || x.Const.Len() != 1 || x.Type != dtype.Float32 || w.Type != dtype.Float32 {
		return nil, fmt.Errorf("the scales of a biased node must be constant")
	}
	xs := tensor.Data[float32](x.Const)[0]
	ws := slices.Clone(tensor.Data[float32](w.Const))
	for i := range ws {
		ws[i] *= xs
	}
	shape := []int{len(ws)}
	if len(ws) == 1 {
		shape = nil
	}
	return ir.NewConst(e.names.Name(b.Name+"_scale"), tensor.FromSlice(ws, shape...)), nil
}

func expandMatMul(e *expander) error {
	if err := e.require(8); err != nil {
		return err
	}
	axis := func(x, s *ir.Value, last int) int {
		if x.Shape == nil || len(s.Shape) == 0 {
			return 0
		}
		return max(len(x.Shape)+last, 0)
	}
	in := []*ir.Value{
		e.dequantize(e.in(0), e.in(1), e.in(2), axis(e.in(0), e.in(1), -2)),
		e.dequantize(e.in(3), e.in(4), e.in(5), axis(e.in(3), e.in(4), -1)),
	}
	return e.compute(op.New[op.MatMul](), in, e.in(6), e.in(7))
}

func expandGemm(e *expander) error {
	if err := e.require(5); err != nil {
		return err
	}
	o := e.n.Op.(*op.QGemm)
	gemm := op.New[op.Gemm]()
	gemm.Alpha, gemm.TransA, gemm.TransB = o.Alpha, o.TransA, o.TransB
	wAxis := 1
	if o.TransB {
		wAxis = 0
	}
	in := []*ir.Value{e.dequantize(e.in(0), e.in(1), e.in(2), 1), e.dequantize(e.in(3), e.in(4), e.in(5), wAxis)}
	if b := e.in(6); b != nil {
		s, err := e.biasScale(b, e.in(1), e.in(4))
		if err != nil {
			return err
		}
		in = append(in, e.dequantize(b, s, nil, max(len(b.Shape)-1, 0)))
	}
	return e.compute(gemm, in, e.in(7), e.in(8))
}

func expandBinary(mk func() op.Op) func(*expander) error {
	return func(e *expander) error {
		if err := e.require(7); err != nil {
			return err
		}
		in := []*ir.Value{e.dequantize(e.in(0), e.in(1), e.in(2), 1), e.dequantize(e.in(3), e.in(4), e.in(5), 1)}
		return e.compute(mk(), in, e.in(6), e.in(7))
	}
}

// expandUnary: (x, xs, xz, ys, yz).
func expandUnary(e *expander) error {
	if err := e.require(4); err != nil {
		return err
	}
	var o op.Op
	switch q := e.n.Op.(type) {
	case *op.QLinearSigmoid:
		o = op.New[op.Sigmoid]()
	case *op.QLinearLeakyRelu:
		l := op.New[op.LeakyRelu]()
		l.Alpha, o = q.Alpha, l
	case *op.QLinearSoftmax:
		s := op.New[op.Softmax]()
		s.Axis, o = q.Axis, s
	case *op.QLinearGlobalAveragePool:
		if q.ChannelsLast {
			e.out = append(e.out, e.n)
			return nil
		}
		o = op.New[op.GlobalAveragePool]()
	case *op.QLinearAveragePool:
		if q.ChannelsLast {
			e.out = append(e.out, e.n)
			return nil
		}
		p := op.New[op.AveragePool]()
		p.AutoPad, p.CeilMode, p.CountIncludePad, p.KernelShape, p.Pads, p.Strides = q.AutoPad, q.CeilMode, q.CountIncludePad, q.KernelShape, q.Pads, q.Strides
		o = p
	}
	return e.compute(o, []*ir.Value{e.dequantize(e.in(0), e.in(1), e.in(2), 1)}, e.in(3), e.in(4))
}

// expandConcat: (ys, yz, (x, s, z)...).
func expandConcat(e *expander) error {
	if len(e.n.In) < 5 || (len(e.n.In)-2)%3 != 0 {
		return fmt.Errorf("want scale, zero point and three inputs a part")
	}
	c := op.New[op.Concat]()
	c.Axis = e.n.Op.(*op.QLinearConcat).Axis
	var in []*ir.Value
	for i := 2; i < len(e.n.In); i += 3 {
		if e.in(i) == nil || e.in(i+1) == nil {
			return fmt.Errorf("input %d is missing", i)
		}
		in = append(in, e.dequantize(e.in(i), e.in(i+1), e.in(i+2), 1))
	}
	return e.compute(c, in, e.in(0), e.in(1))
}
