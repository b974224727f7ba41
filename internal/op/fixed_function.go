package op

import (
	"math"
	"sync"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
)

// fixedFunction computes functions that have a table of all integers, or are
// interpolated where those have 16 bits.
func (o *Quantized) fixedFunction() func(int32) int32 {
	x, y := o.In[0], o.Out[0]
	if x.Type == dtype.Int16 {
		switch o.Inner.(type) {
		case *Tanh:
			return fixedTanh(x.Scale[0])
		case *Sigmoid:
			return fixedSigmoid(x.Scale[0])
		}
		return singleCurve(x.Scale[0], y.Scale[0], o.function()).of
	}
	f, s, inverse := o.function(), x.Scale[0], 1/y.Scale[0]
	return func(q int32) int32 { return round32(float64(f(s*float32(q)) * inverse)) }
}

// function returns the function of the operator for single numbers. Where the
// reference calls the C library, the result is that of float64 arithmetic,
// rounded once.
func (o *Quantized) function() func(float32) float32 {
	exp := func(x float32) float32 { return float32(eltwise.Exp64(float64(x))) }
	switch inner := o.Inner.(type) {
	case *Tanh:
		return func(x float32) float32 { return float32(eltwise.Tanh64(float64(x))) }
	case *Exp:
		return exp
	case *Log:
		least, _ := o.Out[0].Type.Range()
		lowest := float32(least-o.Out[0].Zero(0)) * o.Out[0].Scale[0]
		return func(x float32) float32 {
			if x <= 0 {
				return lowest
			}
			return float32(eltwise.Log64(float64(x)))
		}
	case *ReciprocalSqrt:
		most := math.MaxInt16 * o.Out[0].Scale[0]
		return func(x float32) float32 {
			if x <= 0 {
				return most
			}
			return 1 / float32(math.Sqrt(float64(x)))
		}
	case *Elu:
		return func(x float32) float32 {
			if x < 0 {
				return eltwise.Expm1(x) * inner.Alpha
			}
			return x
		}
	case *Gelu:
		if inner.Approximate == "tanh" {
			return func(x float32) float32 { return float32(eltwise.GeluTanh64(float64(x))) }
		}
		return func(x float32) float32 { return float32(eltwise.Gelu64(float64(x))) }
	}
	return func(x float32) float32 { return 1 / (1 + exp(-x)) }
}

// sigmoids returns sigmoid(i/24)·2¹⁶ for i of 0 to 255, TensorFlow Lite's table
// for 16-bit activations. It is 1 above the nearest integer where the points of
// a line between two entries are nearer to the curve then, and at its end.
var sigmoids = sync.OnceValue(func() *[256]int32 {
	const raised = "0000100010001011110111100101111101110101110111100110001000000011" +
		"1010000000000000001000100000010000001001000000001000100000000000" +
		"00000001"
	var t [256]int32
	for i := range t {
		v := math.RoundToEven(65536 / (1 + eltwise.Exp64(float64(-i)/24)))
		t[i] = int32(v)
		if i < len(raised) {
			t[i] += int32(raised[i] - '0')
		}
	}
	t[255] = math.MaxUint16
	return &t
})

// gate takes integers of the given scale to multiples of 1/(3·2¹²), and says
// whether the scale is 2^-12 (or, with twice, 2^-11), for which that is exact.
func gate(scale float32, twice bool) func(int32) int32 {
	log := float64(eltwise.Log2(scale))
	near := math.Abs(log-math.Round(log)) < 1e-3
	if left := int(math.Round(log)) + 12; near && (left == 0 || twice && left == 1) {
		return func(q int32) int32 { return q * (3 << left) }
	}
	m, n := float64(float64(scale)*4096)*3, 0
	for m <= 32767.0/2 && n <= 30 {
		m, n = 2*m, n+1
	}
	factor, half := int32(min(m, math.MaxInt32)), int32(0)
	if n > 0 {
		half = 1 << (n - 1)
	}
	return func(q int32) int32 { return (q*factor + half) >> n }
}

// fixedSigmoid returns the sigmoid of 16-bit integers as multiples of 2⁻¹⁵:
// entries of sigmoids, with straight lines between them.
func fixedSigmoid(scale float32) func(int32) int32 {
	t, g := sigmoids(), gate(scale, false)
	return func(q int32) int32 {
		x := g(q)
		a := uint32(max(x, -x))
		y := uint32(0x7fff << 10)
		if i := a >> 9; i < 255 {
			y = uint32(t[i])<<9 + a&0x1ff*uint32(t[i+1]-t[i])
		}
		if x >= 0 {
			y += 1 << 9
		} else {
			y = 1<<25 - y + 1<<9 - 1
		}
		return int32(int16(y >> 10))
	}
}

// fixedTanh returns tanh(x) = 2·sigmoid(2x) − 1 as fixedSigmoid does.
func fixedTanh(scale float32) func(int32) int32 {
	t, g := sigmoids(), gate(scale, true)
	return func(q int32) int32 {
		x := g(q)
		a := uint32(max(x, -x))
		y := int32(0xffff << 8)
		if i := a >> 8; i < 255 {
			y = t[i]<<8 + int32(a&0xff)*(t[i+1]-t[i])
		}
		if x >= 0 {
			y += -1<<23 + 1<<7
		} else {
			y = -y + 1<<23 + 1<<7 - 1
		}
		return int32(int16(y >> 8))
	}
}

// singleCurve is curveOf around 0 in float32, as the reference has it for
// functions of activations.
func singleCurve(scaleX, scaleY float32, f func(float32) float32) *curve {
	const steps = 512
	from, to := float32(scaleX*math.MinInt16), float32(scaleX*math.MaxInt16)
	step := (to - from) / steps
	inverse := 65536 / (float32(scaleY*math.MaxInt16) - float32(scaleY*math.MinInt16))
	value := func(x float32) float32 { return float32(f(x) * inverse) }
	round := func(x float32) float32 { return float32(math.Round(float64(x))) }
	var t curve
	for i := range steps {
		x := from + float32(float32(i)*step)
		here, next := round(value(x)), value(from+float32(float32(i+1)*step))
		off := round((round((next+here)/2) - round(value(x+float32(step/2)))) / 2)
		t[i] = int32(max(math.MinInt16, min(math.MaxInt16, here-off)))
	}
	t[steps] = int32(max(math.MinInt16, min(math.MaxInt16, round(value(to)))))
	return &t
}

// curve is a function of int16 as 512 straight lines.
type curve [513]int32

// curveOf makes the entries of f over all int16 of x, in steps of y, in float64:
// each is lowered by half of what the middle of its line lies above the curve.
func curveOf(x, y affine.Params, scaleX, scaleY float64, f func(float64) float64) *curve {
	const steps = 512
	at := func(scale float64, q int, zero int64) float64 { return float64(scale * float64(int64(q)-zero)) }
	from, to := at(scaleX, math.MinInt16, x.Zero(0)), at(scaleX, math.MaxInt16, x.Zero(0))
	least, most := at(scaleY, math.MinInt16, y.Zero(0)), at(scaleY, math.MaxInt16, y.Zero(0))
	step := float64((to - from) / steps)
	inverse := 65536 / (most - least)
	value := func(x float64) float64 { return float64(f(x) * inverse) }
	var t curve
	for i := range steps {
		x := from + float64(float64(i)*step)
		here, middle, next := math.Round(value(x)), math.Round(value(x+float64(step/2))), value(from+float64(float64(i+1)*step))
		off := math.Round((math.Round(float64((next+here)/2)) - middle) / 2)
		t[i] = short(int64(here - off))
	}
	t[steps] = short(int64(math.Round(value(to))))
	return &t
}

// of returns the function of an int16.
func (t *curve) of(x int32) int32 {
	i := 256 + x>>7
	slope := int32(int16(t[i+1] - t[i]))
	return int32(int16(t[i] + (slope*(x&0x7f)+64)>>7))
}
