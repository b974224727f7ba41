package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// fixedMap applies f, which takes the integers of operand 0 minus their zero
// point, and limits what it makes of them.
func (o *Quantized) fixedMap(in []Datum, f func(int32) int32) *tensor.Tensor {
	x := arg(in, 0)
	v, _ := tensor.Ints(x)
	lo, hi := o.fixedBounds()
	zx, zy := int32(o.In[0].Zero(0)), int32(o.Out[0].Zero(0))
	out := make([]int64, len(v))
	for i, q := range v {
		out[i] = limited(f(int32(q)-zx), zy, int32(lo), int32(hi))
	}
	return tensor.FromInts(o.Out[0].Type, out, x.Shape()...)
}

// rescaling takes integers from one scale to another.
func (o *Quantized) rescaling() func(int32) int32 {
	m := float64(o.In[0].Scale[0]) / float64(o.Out[0].Scale[0])
	if o.Clamp != nil {
		m = float64(o.In[0].Scale[0] / o.Out[0].Scale[0])
	}
	return affine.FixedOf(m).Of
}

// leaking is rescaling with alpha for negative numbers.
func (o *Quantized) leaking(alpha float32) func(int32) int32 {
	s, y := o.In[0].Scale[0], o.Out[0].Scale[0]
	plain := affine.FixedOf(float64(s / y))
	m, sign := float64(float32(s*alpha)/y), int32(1)
	if m < 0 {
		m, sign = -m, -1
	}
	steep := affine.FixedOf(m)
	return func(q int32) int32 {
		if q >= 0 {
			return plain.Of(q)
		}
		return sign * steep.Of(q)
	}
}

// fixedBinary broadcasts integers minus their zero points.
func (o *Quantized) fixedBinary(in []Datum, shape []int, f func(a, b int32) int32) (*tensor.Tensor, error) {
	a, b := arg(in, 0), arg(in, 1)
	sa, ok := eltwise.BroadcastStrides(a.Shape(), shape)
	sb, fits := eltwise.BroadcastStrides(b.Shape(), shape)
	if !ok || !fits {
		return nil, fmt.Errorf("shapes %v and %v do not broadcast to %v", a.Shape(), b.Shape(), shape)
	}
	va, err := affine.Center(a, o.In[0])
	if err != nil {
		return nil, err
	}
	vb, err := affine.Center(b, o.In[1])
	if err != nil {
		return nil, err
	}
	n, _ := tensor.Count(shape)
	lo, hi := o.fixedBounds()
	zy := int32(o.Out[0].Zero(0))
	out := make([]int64, n)
	eltwise.Broadcast(out, shape, va, sa, vb, sb, func(dst []int64, a, b []int32) {
		for i := range dst {
			dst[i] = limited(f(a[min(i, len(a)-1)], b[min(i, len(b)-1)]), zy, int32(lo), int32(hi))
		}
	})
	return tensor.FromInts(o.Out[0].Type, out, shape...), nil
}

// Addition is the sum of two integers, or their difference, as the table of
// fixed.go has it.
type Addition struct {
	A, B, Y affine.Fixed
	Shift   int
	Sign    int32
}

// Addition returns the factors of o, an Add (sign 1) or a Sub (sign -1).
func (o *Quantized) addition(sign int32) Addition {
	a, b, y := o.In[0].Scale[0], o.In[1].Scale[0], o.Out[0].Scale[0]
	shift := 20
	if o.In[0].Type == dtype.Int16 {
		shift = 15
	}
	twice := float64(2 * max(a, b))
	return Addition{
		A: affine.FixedOf(float64(a) / twice), B: affine.FixedOf(float64(b) / twice),
		Y: affine.FixedOf(twice / float64(float32(int(1)<<shift)*y)), Shift: shift, Sign: sign,
	}
}

// Of returns the sum of integers without their zero points.
func (s *Addition) Of(a, b int32) int32 {
	return s.Y.Of(s.A.Of(a<<s.Shift) + s.Sign*s.B.Of(b<<s.Shift))
}

// fixedSum adds integers, or subtracts them.
func (o *Quantized) fixedSum(in []Datum, shape []int, sign int32) (*tensor.Tensor, error) {
	s := o.addition(sign)
	return o.fixedBinary(in, shape, s.Of)
}

// fixedMul multiplies integers.
func (o *Quantized) fixedMul(in []Datum, shape []int) (*tensor.Tensor, error) {
	m := affine.FixedOf(float64(float32(o.In[0].Scale[0]*o.In[1].Scale[0]) / o.Out[0].Scale[0]))
	return o.fixedBinary(in, shape, func(a, b int32) int32 { return m.Of(a * b) })
}

// fixedPRelu multiplies negative integers with slopes.
func (o *Quantized) fixedPRelu(in []Datum, shape []int) (*tensor.Tensor, error) {
	s, y := o.In[0].Scale[0], o.Out[0].Scale[0]
	plain := affine.FixedOf(float64(s / y))
	steep := affine.FixedOf(float64(float32(s*o.In[1].Scale[0]) / y))
	return o.fixedBinary(in, shape, func(x, slope int32) int32 {
		if x >= 0 {
			return plain.Of(x)
		}
		return steep.Of(x * slope)
	})
}

// fixedHardSwish returns x·min(max(x+3, 0), 6)/6 in 16-bit fixed point: x on a
// scale 128 times finer, h, is multiplied with m = (h·s/128 on a scale where 3
// is 2¹⁵, limited to int16, + 2¹⁵)/2, a number in [0, 1) with 15 bits.
func fixedHardSwish(x, y affine.Params) func(int32) int32 {
	fine := float32(1.0/128) * x.Scale[0]
	out, outShift := half(affine.FixedOf(float64(fine / y.Scale[0])))
	gate, gateShift := half(affine.FixedOf(float64(fine / (3.0 / 32768))))
	return func(q int32) int32 {
		h := int32(int16(q * 128))
		g := h
		if gateShift > 0 {
			g = short(int64(g) << min(gateShift-1, 31))
		}
		g = highMul16(g, gate)
		if gateShift > 0 {
			g = short(int64(g) << 1)
		}
		if gateShift < 0 {
			g = affine.RoundingShift(g, min(-gateShift, 31))
		}
		g = (g + 1<<15) >> 1
		p := g * highMul16(h, out) / (1 << 15)
		return affine.RoundingShift(p, max(0, min(-outShift, 31)))
	}
}

// half returns a factor with 15 bits.
func half(f affine.Fixed) (m int32, shift int) {
	if f.M >= math.MaxInt32-1<<15 {
		return math.MaxInt16, f.Shift
	}
	return (f.M + 1<<15) >> 16, f.Shift
}

func short(v int64) int32 { return int32(max(math.MinInt16, min(math.MaxInt16, v))) }

// highMul16 is affine.HighMul of 16 bits.
func highMul16(a, b int32) int32 { return short((int64(a)*int64(b) + 1<<14) >> 15) }

// fixedConcat joins integers, taking those of other parameters to the result's.
func (o *Quantized) fixedConcat(c *Concat, in []Datum, shape []int) (*tensor.Tensor, error) {
	y := o.Out[0]
	lo, hi := o.fixedBounds()
	parts := make([]Datum, len(in))
	for i, d := range in {
		parts[i] = d
		p := o.In[i]
		if p.Equal(y) {
			continue
		}
		m := p.Scale[0] * (1 / y.Scale[0])
		off := float32(-p.Zero(0)) * m
		v, _ := tensor.Ints(d.Tensor)
		out := make([]int64, len(v))
		for k, q := range v {
			out[k] = limited(round32(float64(float32(float32(q)*m)+off)), int32(y.Zero(0)), int32(lo), int32(hi))
		}
		parts[i].Tensor = tensor.FromInts(y.Type, out, d.Tensor.Shape()...)
	}
	out, err := c.Eval(parts)
	if err != nil {
		return nil, err
	}
	return out[0].Tensor, nil
}
