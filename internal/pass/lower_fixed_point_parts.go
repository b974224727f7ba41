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

// speller puts operators that TensorFlow Lite has in the place of those it has
// not.
type speller struct {
	*matcher
	names *ir.Namer
	nodes []*ir.Node
	// divisible are the quotients of integers that no integer is zero in.
	divisible map[*ir.Node]bool
}

// spellOut rewrites a BatchNormalization that no layer took in, an AveragePool
// whose padding the format cannot say, and a Sum of many; and where they are of
// integers and no floats, sums, quotients and comparisons. It returns the quotients
// of integers that are never by zero.
//
// Before: y = BatchNormalization(DQ(x))     After: y = Conv(DQ(x), DQ(w), DQ(b)), depthwise
// Before: y = BatchNormalization(x)         After: y = Add(Mul(x, s), b)
// Before: y = AveragePool(x; pads)          After: y = Mul(AveragePool(Pad(x)), counts)
// Before: y = Sum(a, b, c)                  After: y = Add(Add(a, b), c)
//
// Integers stay integers: between the parts stand Q and DQ of the operand's
// parameters.
func spellOut(g *ir.Graph, floats map[*ir.Node]bool) (divisible map[*ir.Node]bool, err error) {
	s := &speller{matcher: newMatcher(g), names: ir.NewNamer(g), divisible: map[*ir.Node]bool{}}
	for _, n := range g.Nodes {
		switch o := n.Op.(type) {
		case *op.BatchNormalization:
			s.norm(n, o)
			continue
		case *op.AveragePool:
			s.pool(n, o)
			continue
		case *op.Sum:
			s.sum(n)
			continue
		}
		if floats[n] {
			s.add(n)
			continue
		}
		switch o := n.Op.(type) {
		case *op.ReduceSum:
			s.total(n, o)
		case *op.Div:
			s.quotient(n)
		case *op.Equal, *op.Greater, *op.GreaterOrEqual, *op.Less, *op.LessOrEqual:
			s.comparison(n)
		default:
			s.add(n)
		}
	}
	g.Nodes = s.nodes
	return s.divisible, ir.Infer(g)
}

func (s *speller) add(n *ir.Node) { s.nodes = append(s.nodes, n) }

// node appends an operator with one result of a given shape.
func (s *speller) node(name string, o op.Op, shape op.Shape, in ...*ir.Value) *ir.Value {
	y := &ir.Value{Name: s.names.Name(name), Fact: op.TensorFact(dtype.Float32, shape.Clone())}
	s.add(&ir.Node{Name: y.Name, Op: o, In: in, Out: []*ir.Value{y}})
	return y
}

// integers returns the parameters of a value that was dequantized with one scale.
func (s *speller) integers(v *ir.Value) (affine.Params, bool) {
	dq, _, ok := from[*op.DequantizeLinear](s.matcher, v)
	if !ok {
		return affine.Params{}, false
	}
	return oneScale(dq)
}

// rounded reports whether a value, or a limit of it, is quantized.
func (s *speller) rounded(v *ir.Value) bool {
	for range 2 {
		if !s.only(v) {
			return false
		}
		u := s.uses[v][0]
		if _, ok := u.Node.Op.(*op.QuantizeLinear); ok {
			return true
		}
		if _, ok := clamp(u.Node); !ok || u.Index != 0 {
			return false
		}
		v = u.Node.Out[0]
	}
	return false
}

func (s *speller) sum(n *ir.Node) {
	if len(n.In) < 2 {
		s.add(n)
		return
	}
	x := n.In[0]
	for _, v := range n.In[1 : len(n.In)-1] {
		shape, err := op.Broadcast(x.Shape, v.Shape)
		if err != nil {
			shape = n.Out[0].Shape
		}
		x = s.node(n.Out[0].Name+"_part", op.New[op.Add](), shape, x, v)
	}
	n.Op, n.In = op.New[op.Add](), []*ir.Value{x, n.In[len(n.In)-1]}
	s.add(n)
}

// norm spells a BatchNormalization out.
func (s *speller) norm(n *ir.Node, o *op.BatchNormalization) {
	rank := len(n.In[0].Shape)
	if o.TrainingMode || rank < 2 || !allFloat32(n.In[1:5]) || n.In[0].Type != dtype.Float32 {
		s.add(n)
		return
	}
	at := func(i int) []float32 { return tensor.Data[float32](n.In[i].Const) }
	gamma, beta, mean, variance := at(1), at(2), at(3), at(4)
	scale, shift := make([]float32, len(gamma)), make([]float32, len(gamma))
	for c := range scale {
		scale[c] = gamma[c] / float32(math.Sqrt(float64(variance[c]+o.Epsilon)))
		shift[c] = beta[c] - float32(mean[c]*scale[c])
	}
	x, ok := s.integers(n.In[0])
	if ok && rank == 4 && s.rounded(n.Out[0]) && s.depthwise(n, o.Layout, x, scale, shift) {
		return
	}
	shape := []int{len(scale)}
	if o.Layout == op.ChannelsFirst {
		for range rank - 2 {
			shape = append(shape, 1)
		}
	}
	name := n.Out[0].Name
	y := s.node(name+"_scaled", op.New[op.Mul](), n.Out[0].Shape, n.In[0], ir.NewConst(s.names.Name(name+"_factor"), tensor.FromSlice(scale, shape...)))
	n.Op, n.In = op.New[op.Add](), []*ir.Value{y, ir.NewConst(s.names.Name(name+"_shift"), tensor.FromSlice(shift, shape...))}
	s.add(n)
}

// depthwise makes a convolution of one tap for each channel: its weights, ±127
// on a scale of their own, are what they were. False where a bias is beyond
// int32.
func (s *speller) depthwise(n *ir.Node, l op.Layout, x affine.Params, scale, shift []float32) bool {
	w := affine.Params{Type: dtype.Int8, ZeroPoint: make([]int64, len(scale)), Scale: make([]float32, len(scale))}
	codes := make([]int8, len(scale))
	for c, v := range scale {
		w.Scale[c] = max(float32(math.Abs(float64(v)))/127, 1e-20)
		codes[c] = int8(math.Round(float64(v) / float64(w.Scale[c])))
	}
	b, p, err := affine.QuantizeBias(tensor.FromSlice(shift, len(shift)), x.Scale[0], w, 1)
	if err != nil {
		return false
	}
	for c, v := range shift {
		if !(math.Abs(float64(v)) < 1<<30*float64(p.Scale[c])) {
			return false
		}
	}
	name := n.Out[0].Name
	zeros := tensor.New(dtype.Int8, len(scale))
	weight := s.dequantized(name+"_factor", tensor.FromSlice(codes, len(codes), 1, 1, 1), w.Scale, zeros)
	bias := s.dequantized(name+"_shift", b, p.Scale, nil)
	conv := op.New[op.Conv]()
	conv.Group, conv.KernelShape, conv.Layout = len(scale), []int{1, 1}, l
	n.Op, n.In = conv, []*ir.Value{n.In[0], weight, bias}
	s.add(n)
	return true
}

// dequantized returns a constant that is dequantized along axis 0, or as a whole
// where there is one scale.
func (s *speller) dequantized(name string, c *tensor.Tensor, scale []float32, zero *tensor.Tensor) *ir.Value {
	o, shape := op.New[op.DequantizeLinear](), []int{len(scale)}
	if o.Axis = 0; len(scale) == 1 {
		shape = nil
	}
	in := []*ir.Value{ir.NewConst(s.names.Name(name+"_quantized"), c), ir.NewConst(s.names.Name(name+"_scale"), tensor.FromSlice(scale, shape...))}
	if zero != nil {
		in = append(in, ir.NewConst(s.names.Name(name+"_zero_point"), zero))
	}
	return s.node(name, o, op.Known(c.Shape()...), in...)
}

// again returns v quantized with p and dequantized.
func (s *speller) again(v *ir.Value, p affine.Params) *ir.Value {
	params := edgeParams(s.names, v.Name, affine.PerTensor(p.Type, p.Scale[0], p.Zero(0)))
	q := &ir.Value{Name: s.names.Name(v.Name + "_QuantizeLinear_Output"), Fact: op.TensorFact(p.Type, v.Shape.Clone())}
	y := &ir.Value{Name: s.names.Name(v.Name + "_DequantizeLinear_Output"), Fact: floatFact(v)}
	quantize := quantizeNode(s.names, v, q, params)
	quantize.Op = with(op.New[op.QuantizeLinear](), func(o *op.QuantizeLinear) { o.Round = affine.RoundHalfAway })
	s.add(quantize)
	s.add(dequantizeNode(s.names, q, y, params))
	return y
}

// pool says what an AveragePool's padding comes to in the words of the format:
// windows that leave padding out as SAME has it, or means of padded data, here
// times what they counted too much.
func (s *speller) pool(n *ir.Node, o *op.AveragePool) {
	defer s.add(n)
	x := n.In[0]
	if o.AutoPad != "" && o.AutoPad != "NOTSET" || o.CeilMode || len(o.Dilations) > 0 || len(x.Shape) < 3 {
		return
	}
	sizes := make([]int, len(x.Shape))
	for i, d := range x.Shape {
		k, ok := d.Int()
		if sizes[i] = k; !ok {
			sizes[i] = 1
			if i > 0 {
				return
			}
		}
	}
	g, err := o.Geometry(sizes)
	if err != nil || hasHollow(g) {
		return
	}
	c := *o
	n.Op, c.KernelShape = &c, slices.Clone(g.Kernel)
	c.Strides, c.Pads = slices.Clone(g.Strides), append(slices.Clone(g.Begin), g.End...)
	none, same := true, true
	for i, size := range g.In {
		begin, end := &c.Pads[i], &c.Pads[len(g.In)+i]
		*end = max((g.Out[i]-1)*g.Strides[i]+g.Kernel[i]-size-*begin, 0) // what windows reach
		if g.Out[i] == 1 && !o.CountIncludePad {
			// One window holds all that it covers.
			c.KernelShape[i], *begin, *end = min(g.Kernel[i]-*begin, size), 0, 0
			c.Strides[i] = max(c.Strides[i], size)
		}
		none = none && *begin == 0 && *end == 0
		total := max((g.Out[i]-1)*c.Strides[i]+c.KernelShape[i]-size, 0)
		same = same && g.Out[i] == (size+c.Strides[i]-1)/c.Strides[i] && *begin == total/2 && *end == total-total/2
	}
	if none || same || o.CountIncludePad {
		return
	}
	s.counted(n, &c, g)
}

// hasHollow reports whether a window lies in the padding alone.
func hasHollow(g op.Geometry) bool {
	for i := range g.In {
		if g.Begin[i] >= g.Kernel[i] || (g.Out[i]-1)*g.Strides[i]-g.Begin[i] >= g.In[i] {
			return true
		}
	}
	return false
}

// counted makes n the product of means of padded data with what they counted too
// much. As integers, the factors are whole multiples of one scale where they
// can be.
func (s *speller) counted(n *ir.Node, c *op.AveragePool, g op.Geometry) {
	x, y := n.In[0], n.Out[0]
	counts := [][]int{}
	for i := range g.In {
		var at []int
		for k := range g.Out[i] {
			from := k*g.Strides[i] - g.Begin[i]
			at = append(at, min(from+g.Kernel[i], g.In[i])-max(from, 0))
		}
		counts = append(counts, at)
	}
	all := []int{1}
	for _, at := range counts {
		var next []int
		for _, a := range all {
			for _, b := range at {
				next = append(next, a*b)
			}
		}
		all = next
	}
	shape := append([]int{1}, g.Out...)
	if c.Layout == op.ChannelsLast {
		shape = append(slices.Clone(g.Out), 1)
	}
	c.CountIncludePad = true
	means := s.node(y.Name+"_padded", c, y.Shape, x)
	common := 1
	factors := make([]float32, len(all))
	for i, k := range all {
		factors[i] = float32(g.Taps()) / float32(k)
		if common < 1<<20 {
			common = common / greatestDivisor(common, k) * k
		}
	}
	factor := ir.NewConst(s.names.Name(y.Name+"_counts"), tensor.FromSlice(factors, shape...))
	if p, ok := s.integers(x); ok {
		means = s.again(means, p)
		unit := float32(g.Taps()) / float32(common)
		most := slices.Max(factors)
		if most/unit > 127 {
			unit = most / 127
		}
		codes, zero := make([]int64, len(all)), int64(0)
		if p.Type == dtype.Uint8 {
			zero = 128
		}
		for i, f := range factors {
			codes[i] = zero + int64(math.Round(float64(f)/float64(unit)))
		}
		factor = s.dequantized(y.Name+"_counts", tensor.FromInts(p.Type, codes, shape...), []float32{unit}, tensor.FromInts(p.Type, []int64{zero}))
	}
	n.Op, n.In = op.New[op.Mul](), []*ir.Value{means, factor}
}

func greatestDivisor(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
