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

// Operators of which TensorFlow Lite has kernels on integers that are of use
// only in other words.

// total says a sum of integers as a mean on a scale that is n times finer, times
// n: the reference kernel of SUM in LiteRT 2.3 reads int8 and int16 as uint8
// (kernels/reduce.cc, QuantizedMeanOrSum). The factor is the integer 1, so that
// MUL hands the integers of the mean on as they are.
//
// Before: Q(ReduceSum(DQ(x)))    After: Q(Mul(DQ(Q(ReduceMean(DQ(x)))), DQ(1)))
func (s *speller) total(n *ir.Node, o *op.ReduceSum) {
	defer s.add(n)
	count, known := reduced(n, o.NoopWithEmptyAxes)
	if _, integers := s.integers(n.In[0]); !integers || !known {
		return
	}
	y, ok := s.roundedTo(n.Out[0])
	if !ok {
		return
	}
	mean := op.ReduceMean(*o)
	name := n.Out[0].Name
	fine := affine.PerTensor(y.Type, y.Scale[0]/float32(count), y.Zero(0))
	means := s.again(s.node(name+"_mean", &mean, n.Out[0].Shape, n.In...), fine)
	n.Op, n.In = op.New[op.Mul](), []*ir.Value{means, s.steps(name+"_count", y.Type, float32(count))}
}

// reduced returns how many elements a reduction makes one of; false where that
// is not known, or it is none.
func reduced(n *ir.Node, noop bool) (count int, ok bool) {
	var axes []int
	if len(n.In) > 1 && n.In[1] != nil {
		if axes, ok = n.In[1].Fact.Numbers(); !ok {
			return 0, false
		}
	}
	shape := n.In[0].Shape
	if len(axes) == 0 {
		if noop {
			return 0, false
		}
		for i := range shape {
			axes = append(axes, i)
		}
	}
	count = 1
	for _, a := range axes {
		at, err := op.Axis(a, len(shape))
		if err != nil {
			return 0, false
		}
		d, known := shape[at].Int()
		if count *= d; !known || count <= 0 || count > math.MaxInt16 {
			return 0, false
		}
	}
	return count, true
}

// roundedTo returns the parameters of the integers that a value, or a limit of
// it, becomes, and nothing else reads.
func (s *speller) roundedTo(v *ir.Value) (affine.Params, bool) {
	if !s.rounded(v) {
		return affine.Params{}, false
	}
	n := s.uses[v][0].Node
	if _, ok := n.Op.(*op.QuantizeLinear); !ok {
		n = s.uses[n.Out[0]][0].Node
	}
	return oneScale(n)
}

// steps returns one integer above zero, dequantized.
func (s *speller) steps(name string, t dtype.Type, scale float32) *ir.Value {
	zero := int64(0)
	if t == dtype.Uint8 {
		zero = 128
	}
	return s.dequantized(name, tensor.FromInts(t, []int64{zero + 1}), []float32{scale}, tensor.FromInts(t, []int64{zero}))
}

// quotient keeps integers that DIV divides by from being zero, which its kernels
// refuse as they run: those that are never negative are at least 1. What a
// quotient by zero is, is for a Where behind it to say.
//
// Before: Q(Div(DQ(x), DQ(d)))    After: Q(Div(DQ(x), DQ(Q(Max(DQ(d), DQ(1))))))
func (s *speller) quotient(n *ir.Node) {
	defer s.add(n)
	d := n.In[1]
	dq, _, ok := from[*op.DequantizeLinear](s.matcher, d)
	_, integers := s.integers(n.In[0])
	if !ok || !integers || !s.rounded(n.Out[0]) {
		return
	}
	p, ok := oneScale(dq)
	if !ok {
		return
	}
	if c := dq.In[0].Const; c != nil {
		codes, known := tensor.Ints(c)
		s.divisible[n] = known && !slices.Contains(codes, p.Zero(0))
		return
	}
	if least, _ := p.Type.Range(); p.Zero(0) != least {
		return
	}
	name := d.Name + "_positive"
	one := s.dequantized(name+"_least", tensor.FromInts(p.Type, []int64{p.Zero(0) + 1}), p.Scale, tensor.FromInts(p.Type, []int64{p.Zero(0)}))
	n.In = []*ir.Value{n.In[0], s.again(s.node(name, op.New[op.Max](), d.Shape, d, one), p)}
	s.divisible[n] = true
}

// comparison reads a constant that integers are compared with on their grid,
// where it lies on that.
//
// Before: Equal(DQ(x), c)    After: Equal(DQ(x), DQ(c))
func (s *speller) comparison(n *ir.Node) {
	defer s.add(n)
	for i, c := range n.In {
		p, ok := s.integers(n.In[1-i])
		if !ok || c.Const == nil || c.Type != dtype.Float32 {
			continue
		}
		q, err := affine.Quantize(c.Const, p, affine.RoundHalfEven)
		if err != nil {
			return
		}
		back, err := affine.Dequantize(q, p, dtype.Float32)
		if err != nil || !slices.Equal(tensor.Data[float32](back), tensor.Data[float32](c.Const)) {
			return
		}
		n.In = slices.Clone(n.In)
		n.In[i] = s.dequantized(c.Name, q, p.Scale, tensor.FromInts(p.Type, []int64{p.Zero(0)}))
		return
	}
}

// isComparison reports whether an operator compares numbers.
func isComparison(o op.Op) bool {
	switch o.(type) {
	case *op.Equal, *op.Greater, *op.GreaterOrEqual, *op.Less, *op.LessOrEqual:
		return true
	}
	return false
}

// comparesExactly reports whether the kernels of comparisons tell all integers
// of 8 bits apart: they compare what F(scale)·256·(q−z) comes to, for scales
// below 1 alone (LiteRT, kernels/comparisons.cc, ComparisonQuantized; F as in the
// table of op.Quantized).
func comparesExactly(p affine.Params) bool {
	if !p.IsPerTensor() || p.Type.Bits() != 8 || p.Scale[0] >= 1 {
		return false
	}
	f := affine.FixedOf(float64(p.Scale[0]))
	least, most := p.Type.Range()
	for q := least; q < most; q++ {
		if f.Of(int32(q-p.Zero(0))*256) == f.Of(int32(q+1-p.Zero(0))*256) {
			return false
		}
	}
	return true
}
