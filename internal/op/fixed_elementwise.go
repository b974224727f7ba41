package op

import (
	"fmt"
	"math"
	mathbits "math/bits"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// FixedMap returns what o, which FixedPoint accepts, makes of each integer of
// its only operand; nil where it is no function of single integers.
func (o *Quantized) FixedMap() func(int32) int32 {
	var f func(int32) int32 // of integers without their zero point
	switch inner := o.Inner.(type) {
	case *Identity:
		f = o.rescaling()
	case *LeakyRelu:
		f = o.leaking(inner.Alpha)
	case *HardSwish:
		f = fixedHardSwish(o.In[0], o.Out[0])
	case *Abs:
		f = o.absolute()
	case *Sqrt:
		f = o.root()
	case *ReciprocalSqrt:
		if f = o.reciprocalRoot(); o.In[0].Type == dtype.Int16 {
			f = o.fixedFunction()
		}
	case *Sigmoid, *Tanh, *Gelu, *Elu, *Exp, *Log:
		f = o.fixedFunction()
	default:
		return nil
	}
	lo, hi := o.FixedLimits()
	zx, zy := int32(o.In[0].Zero(0)), int32(o.Out[0].Zero(0))
	return func(q int32) int32 { return int32(limited(f(q-zx), zy, int32(lo), int32(hi))) }
}

// fixedMap applies FixedMap.
func (o *Quantized) fixedMap(in []Datum) *tensor.Tensor {
	x, f := arg(in, 0), o.FixedMap()
	v, _ := tensor.Ints(x)
	out := make([]int64, len(v))
	for i, q := range v {
		out[i] = int64(f(int32(q)))
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

// absolute is rescaling without the sign.
func (o *Quantized) absolute() func(int32) int32 {
	x, y := o.In[0].Scale[0], o.Out[0].Scale[0]
	f := affine.FixedOf(float64(x / y))
	return func(q int32) int32 {
		if q = max(q, -q); x == y {
			return q
		}
		return f.Of(q)
	}
}

// root is the square root of real numbers, rounded towards 0.
func (o *Quantized) root() func(int32) int32 {
	x, y := o.In[0].Scale[0], o.Out[0].Scale[0]
	return func(q int32) int32 {
		v := float32(math.Sqrt(float64(x*float32(max(q, 0))))) / y
		return int32(min(v, 1<<30))
	}
}

// reciprocalRoot is 1/√q with 20 fractional bits, rescaled. That of 0, or less,
// is the greatest number.
func (o *Quantized) reciprocalRoot() func(int32) int32 {
	const fraction = 20
	x, y := o.In[0].Scale[0], o.Out[0].Scale[0]
	f := affine.FixedOf(1 / float64(float32(math.Sqrt(float64(x)))*y)).Times(-fraction)
	return func(q int32) int32 {
		if q <= 0 {
			return 1 << 30
		}
		return f.Of(affine.InverseRoot(q).Times(fraction).Of(1))
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
	lo, hi := o.FixedLimits()
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

// Addition returns the factors of o, an Add or a Sub.
func (o *Quantized) Addition() Addition {
	sign := int32(1)
	if _, less := o.Inner.(*Sub); less {
		sign = -1
	}
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

// MulFactor returns the factor of o, a Mul.
func (o *Quantized) MulFactor() affine.Fixed {
	return affine.FixedOf(float64(float32(o.In[0].Scale[0]*o.In[1].Scale[0]) / o.Out[0].Scale[0]))
}

// Quotient returns a/b, for integers without their zero points, as the table of
// fixed.go has it; a quotient by 0 is 0.
func (o *Quantized) Quotient() func(a, b int32) int32 {
	f := affine.FixedOf(float64(o.In[0].Scale[0] / float32(o.In[1].Scale[0]*o.Out[0].Scale[0])))
	return func(a, b int32) int32 {
		if b == 0 {
			return 0
		}
		if b < 0 {
			a, b = -a, -b
		}
		inverse, over := inverseOf(b, 31)
		headroom := signBits(a)
		return f.Times(-over - headroom).Of(affine.HighMul(a<<headroom, inverse))
	}
}

// signBits returns how often x can be doubled.
func signBits(x int32) int {
	if x < 0 {
		x = ^x
	}
	return mathbits.LeadingZeros32(uint32(x)) - 1
}

// Distance returns (a−b)², for integers without their zero points, as the table
// of fixed.go has it.
func (o *Quantized) Distance() func(a, b int32) int32 {
	a, b, y := o.In[0].Scale[0], o.In[1].Scale[0], o.Out[0].Scale[0]
	const shift = 7
	twice := float64(2 * max(a, b))
	fa, fb := affine.FixedOf(float64(a)/twice), affine.FixedOf(float64(b)/twice)
	fy := affine.FixedOf(float64(twice*twice) / float64(float32(1<<(2*shift))*y))
	return func(p, q int32) int32 {
		d := fa.Of(p<<shift) - fb.Of(q<<shift)
		return fy.Of(d * d)
	}
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
	lo, hi := o.FixedLimits()
	parts := make([]Datum, len(in))
	for i, d := range in {
		parts[i] = d
		p := o.In[i]
		if p.Equal(y) {
			continue
		}
		m := p.Scale[0] * (1 / y.Scale[0])
		off := float32(float32(-p.Zero(0)) * m)
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
