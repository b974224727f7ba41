package pass

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Form is what a file is to hold.
type Form struct {
	// Integer asks for integer operators (QLinearConv and its kin) where they
	// exist, instead of QuantizeLinear and DequantizeLinear around float ones.
	Integer bool
	// NBits are the widths of weights for which products with groups of codes
	// are MatMulNBits; nil: DequantizeLinear with a block size stays.
	NBits []int
	// ChannelsLast leaves spatial operators channels-last where they are.
	ChannelsLast bool
	// Arithmetic is what integer regions mean to who reads the file. With
	// TFLite's, they become op.Quantized where it has a kernel on integers, and
	// spatial operators channels-last.
	Arithmetic ir.Arithmetic
	// Floats are the nodes that TFLite's arithmetic leaves on floats although
	// integers stand around them.
	Floats map[*ir.Node]bool
}

// Lower brings a quantized graph into the form that a file is to hold. Regions
// without an integer operator stay QDQ.
func Lower(g *ir.Graph, f Form) error {
	if f.Arithmetic == ir.TFLite {
		return lowerFixedPoint(g, f.Floats)
	}
	if !f.ChannelsLast {
		if err := LowerLayout(g); err != nil {
			return err
		}
	}
	replaceMeans(g)
	lowerRounding(g, ir.ONNX)
	if err := LowerDynamic(g); err != nil {
		return err
	}
	if err := LowerRanges(g); err != nil {
		return err
	}
	if err := LowerBlocks(g, f.NBits); err != nil {
		return err
	}
	if !f.Integer {
		return nil
	}
	if err := FuseQDQ(g, hasIntegerOperator); err != nil {
		return err
	}
	l := &integerLowering{names: ir.NewNamer(g)}
	for i, n := range g.Nodes {
		q, ok := n.Op.(*op.Quantized)
		if !ok {
			continue
		}
		m, err := l.node(n, q)
		if err != nil {
			return fmt.Errorf("lower: %s: %w", n.Label(), err)
		}
		g.Nodes[i] = m
	}
	return nil
}

// lowerRounding makes integers mean what a does, also those that are found as the
// model runs: halves go to even in ONNX, and away from zero in TensorFlow Lite.
// Results differ where a quotient lies half-way between two integers.
func lowerRounding(g *ir.Graph, a ir.Arithmetic) {
	g.Arithmetic = a
	round := affine.RoundHalfEven
	if a == ir.TFLite {
		round = affine.RoundHalfAway
	}
	for _, n := range g.Nodes {
		if q, ok := n.Op.(*op.QuantizeLinear); ok && q.Round != round {
			n.Op = with(q, func(c *op.QuantizeLinear) { c.Round = round })
		}
		if q, ok := n.Op.(*op.DequantizeLinear); ok && q.Apart && a == ir.ONNX {
			n.Op = with(q, func(c *op.DequantizeLinear) { c.Apart = false }) // all are operators there
		}
		if q, ok := n.Op.(*op.DynamicQuantize); ok && q.Type == dtype.Int8 {
			n.Op = with(q, func(c *op.DynamicQuantize) { c.TFLite = a == ir.TFLite })
		}
		if q, ok := n.Op.(*op.LSTM); ok && a == ir.ONNX && q.LiveState != "" {
			n.Op = with(q, func(c *op.LSTM) { c.LiveState = "" }) // ONNX keeps states as floats
		}
		for _, b := range n.Bodies {
			lowerRounding(b, a)
		}
	}
}

// hasIntegerOperator reports whether ONNX or ONNX Runtime's contrib operators
// have an integer form of a region.
func hasIntegerOperator(r Region) bool {
	if r.Clamp != nil && !absorbed(*r.Clamp, r.Out[0]) {
		return false
	}
	integer := func(i int) bool { return i < len(r.In) && len(r.In[i].Scale) > 0 }
	perTensor := func(i int) bool { return integer(i) && r.In[i].IsPerTensor() }
	out := len(r.Out) == 1 && len(r.Out[0].Scale) == 1
	biased := len(r.In) < 3 || r.Node.In[2] == nil || integer(2)
	switch o := r.Node.Op.(type) {
	case *op.Conv:
		return out && perTensor(0) && integer(1) && biased
	case *op.MatMul:
		return out && perTensor(0) && integer(1)
	case *op.Gemm:
		return out && perTensor(0) && integer(1) && biased && o.Beta == 1
	case *op.Add, *op.Mul:
		return out && perTensor(0) && perTensor(1) && r.In[0].Type == r.In[1].Type
	case *op.Sigmoid, *op.LeakyRelu, *op.GlobalAveragePool, *op.Softmax:
		return out && perTensor(0)
	case *op.AveragePool:
		return out && perTensor(0) && len(o.Dilations) == 0
	case *op.Concat:
		for i := range r.In {
			if !perTensor(i) {
				return false
			}
		}
		return out
	}
	return false
}

// absorbed reports whether quantizing with p limits values to iv by itself.
func absorbed(iv op.Interval, p affine.Params) bool {
	lo, hi := p.Type.Range()
	zero := int64(0)
	if len(p.ZeroPoint) > 0 {
		zero = p.ZeroPoint[0]
	}
	s := float64(p.Scale[0])
	half := float64(s / 2)
	return float64(float64(lo-zero)*s) >= iv.Lo-half && (math.IsInf(iv.Hi, 1) || float64(float64(hi-zero)*s) <= iv.Hi+half)
}

type integerLowering struct{ names *ir.Namer }

// params returns the constants of operand or result v.
func (l *integerLowering) params(v *ir.Value, p affine.Params) []*ir.Value {
	var shape []int
	if !p.IsPerTensor() {
		shape = []int{len(p.Scale)}
	}
	zeros := make([]int64, len(p.Scale))
	copy(zeros, p.ZeroPoint)
	return []*ir.Value{
		ir.NewConst(l.names.Name(v.Name+"_scale"), tensor.FromSlice(p.Scale, shape...)),
		ir.NewConst(l.names.Name(v.Name+"_zero_point"), tensor.FromInts(p.Type, zeros, shape...)),
	}
}

// operand returns v with its scale and zero point.
func (l *integerLowering) operand(v *ir.Value, p affine.Params) []*ir.Value {
	return append([]*ir.Value{v}, l.params(v, p)...)
}

func (l *integerLowering) node(n *ir.Node, q *op.Quantized) (*ir.Node, error) {
	out := l.params(n.Out[0], q.Out[0])
	var in []*ir.Value
	for i, v := range n.In {
		if i < 2 && v != nil {
			in = append(in, l.operand(v, q.In[i])...)
		}
	}
	bias := func() *ir.Value {
		if len(n.In) > 2 {
			return n.In[2]
		}
		return nil
	}
	m := &ir.Node{Name: n.Name, Out: n.Out, Origin: n.Origin}
	switch o := q.Inner.(type) {
	case *op.Conv:
		c := op.New[op.QLinearConv]()
		c.AutoPad, c.Dilations, c.Group, c.KernelShape, c.Pads, c.Strides = o.AutoPad, o.Dilations, o.Group, o.KernelShape, o.Pads, o.Strides
		m.Op = c
		in = append(in, out...)
		if b := bias(); b != nil {
			in = append(in, b)
		}
	case *op.MatMul:
		m.Op = op.New[op.QLinearMatMul]()
		in = append(in, out...)
	case *op.Gemm:
		c := op.New[op.QGemm]()
		c.Alpha, c.TransA, c.TransB = o.Alpha, o.TransA, o.TransB
		m.Op = c
		in = append(append(in, bias()), out...)
	case *op.Add:
		m.Op, in = op.New[op.QLinearAdd](), append(in, out...)
	case *op.Mul:
		m.Op, in = op.New[op.QLinearMul](), append(in, out...)
	case *op.Sigmoid:
		m.Op, in = op.New[op.QLinearSigmoid](), append(in, out...)
	case *op.LeakyRelu:
		c := op.New[op.QLinearLeakyRelu]()
		c.Alpha = o.Alpha
		m.Op, in = c, append(in, out...)
	case *op.GlobalAveragePool:
		m.Op, in = op.New[op.QLinearGlobalAveragePool](), append(in, out...)
	case *op.AveragePool:
		c := op.New[op.QLinearAveragePool]()
		c.AutoPad, c.CeilMode, c.CountIncludePad, c.KernelShape, c.Pads, c.Strides = o.AutoPad, o.CeilMode, o.CountIncludePad, o.KernelShape, o.Pads, o.Strides
		m.Op, in = c, append(in, out...)
	case *op.Softmax:
		c := op.New[op.QLinearSoftmax]()
		c.Axis, c.Opset = o.Axis, 13
		m.Op, in = c, append(in, out...)
	case *op.Concat:
		c := op.New[op.QLinearConcat]()
		c.Axis = o.Axis
		m.Op, in = c, out
		for i, v := range n.In {
			in = append(in, l.operand(v, q.In[i])...)
		}
	default:
		return nil, fmt.Errorf("no integer operator stands for %s", o.Name())
	}
	m.In = in
	return m, nil
}
