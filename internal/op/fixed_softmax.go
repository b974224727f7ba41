package op

import (
	"math"
	mathbits "math/bits"
	"sync"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
)

// softmaxFits reports whether the result has the steps that TensorFlow Lite
// writes: 1/2ⁿ of its n bits from the least integer on, or 2⁻¹⁵ for int16.
func (o *Quantized) softmaxFits() bool {
	x, y := o.In[0], o.Out[0]
	if o.Clamp != nil {
		return false
	}
	near := func(s float64) bool { return math.Abs(float64(y.Scale[0])-s) <= 0.001*s }
	if x.Type == dtype.Int16 || y.Type == dtype.Int16 {
		return x.Type == y.Type && x.Symmetric() && y.Symmetric() && near(1.0/32768)
	}
	least, _ := y.Type.Range()
	return x.Type == y.Type && y.Zero(0) == least && near(1.0/256)
}

// FixedSoftmax returns the softmax of rows of integers of the given type and
// scale, whose results are of the same type.
func FixedSoftmax(typ dtype.Type, scale float32) func(dst, x []int32) {
	if typ == dtype.Int16 {
		m := affine.FixedOf(float64(scale) / (10.0 / 65535))
		return func(dst, x []int32) { fixedSoftmax16(dst, x, m) }
	}
	return exponentsOf(typ, scale).softmax
}

// FixedSoftmaxBytes is FixedSoftmax of rows of int8 or uint8 as they are stored.
func FixedSoftmaxBytes(typ dtype.Type, scale float32) func(dst, x []byte) {
	t, flip := exponentsOf(typ, scale), byte(0)
	if typ == dtype.Int8 {
		flip = 0x80
	}
	var of [256]int64
	var terms [256]int32 // of the sum
	for d := range t.count {
		of[d], terms[d] = int64(t.of[d]), affine.RoundingShift(t.of[d], 12)
	}
	return func(dst, x []byte) {
		dst = dst[:len(x)]
		var top byte
		for _, q := range x {
			top = max(top, q^flip)
		}
		var sum int32
		for _, q := range x {
			sum += terms[top-(q^flip)]
		}
		scale, over := inverseOf(sum, 12)
		n := max(0, min(over+31-8, 31))
		factor, half := int64(scale), int64(1)<<n>>1 // nothing is below 0: halves go up
		for i, q := range x {
			v := ((factor*of[top-(q^flip)]+1<<30)>>31 + half) >> n
			dst[i] = byte(min(v, 255)) ^ flip
		}
	}
}

// exponents are e^−d·scale with 31 fractional bits, for the differences d that
// 8-bit integers have; those from count on stand for 0.
type exponents struct {
	of          [256]int32
	count       int
	least, most int32
	factor      affine.Fixed // takes differences to 26 fractional bits
	radius      int          // differences behind it count nothing
}

// exponentsOf returns those of a type and a scale.
func exponentsOf(typ dtype.Type, scale float32) *exponents {
	m := affine.FixedOf(min(float64(scale)*(1<<26), math.MaxInt32))
	least, most := typ.Range()
	t := &exponents{least: int32(least), most: int32(most), factor: m}
	t.radius = int(math.Floor(31 * (1 << 26) / float64(int64(1)<<max(m.Shift, 0))))
	t.count = min(t.radius, 255) + 1
	for d := range t.count {
		t.of[d] = expOfNegative(m.Of(int32(-d)))
	}
	return t
}

// softmax sums the exponentials with 19 fractional bits, and multiplies with the
// reciprocal.
func (t *exponents) softmax(dst, x []int32) {
	top := t.least
	for _, q := range x {
		top = max(top, q)
	}
	var sum int32
	for _, q := range x {
		if d := int(top - q); d < t.count {
			sum += affine.RoundingShift(t.of[d], 12)
		}
	}
	scale, over := inverseOf(sum, 12)
	n := max(0, min(over+31-8, 31))
	for i, q := range x {
		dst[i] = t.least
		if d := int(top - q); d < t.count {
			v := affine.RoundingShift(affine.HighMul(scale, t.of[d]), n)
			dst[i] = min(max(v+t.least, t.least), t.most)
		}
	}
}

// expOfNegative returns e^x with 31 fractional bits, for x ≤ 0 with 26
// (gemmlowp's exp_on_negative_values): x is a multiple of −¼ and a rest in
// [−¼, 0), whose series around −⅛ is multiplied with the powers of e that are
// in the multiple.
func expOfNegative(x int32) int32 {
	if x == 0 {
		return math.MaxInt32
	}
	const quarter = 1 << 24
	rest := x&(quarter-1) - quarter
	multiple := rest - x
	y := expNearEighth(affine.SaturatingShift(rest, 5))
	for i, power := range [...]int32{1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242} {
		if multiple&(quarter<<i) != 0 {
			y = affine.HighMul(y, power) // e^(−2^(i−2))
		}
	}
	return y
}

// expNearEighth returns e^x for x in [−¼, 0), both with 31 fractional bits.
func expNearEighth(x int32) int32 {
	const eighth, third = 1895147668, 715827883 // e^−⅛, ⅓
	x += 1 << 28
	x2 := affine.HighMul(x, x)
	x3, x4 := affine.HighMul(x2, x), affine.HighMul(x2, x2)
	t := affine.HighMul(affine.RoundingShift(x4, 2)+x3, third) + x2
	return eighth + affine.HighMul(eighth, x+affine.RoundingShift(t, 1))
}

// inverseOf returns 1/x, for x > 0 with the given integer bits, as y·2^-over
// with 31 fractional bits of y.
func inverseOf(x int32, integer int) (y int32, over int) {
	zeros := mathbits.LeadingZeros32(uint32(x))
	return inverseAboveOne(int32(uint32(x)<<zeros - 1<<31)), integer - zeros // x on [1, 2)
}

// inverseAboveOne returns 1/(1+x) for x in [0, 1), both with 31 fractional bits:
// three steps of Newton's method (gemmlowp's one_over_one_plus_x_for_x_in_0_1).
func inverseAboveOne(x int32) int32 {
	half := halfSum(x, math.MaxInt32)
	r := int32(1515870810) + affine.HighMul(half, -1010580540) // 48/17 − 32/17·half, 29 fractional bits
	for range 3 {
		r += affine.SaturatingShift(affine.HighMul(r, 1<<29-affine.HighMul(half, r)), 2)
	}
	return affine.SaturatingShift(r, 1)
}

// halfSum returns (a+b)/2, halves away from zero.
func halfSum(a, b int32) int32 {
	s := int64(a) + int64(b)
	if s >= 0 {
		return int32((s + 1) / 2)
	}
	return int32((s - 1) / 2)
}

// exponentials is e^x over [−10, 0], and reciprocals 1/(1+x) over [0, 1], for
// softmax of int16, as multiples of 2⁻¹⁵.
var exponentials = sync.OnceValue(func() *curve {
	return curveOf(affine.PerTensor(dtype.Int16, 1, math.MaxInt16), affine.PerTensor(dtype.Int16, 1, 0), 10.0/65535, 2.0/65535, eltwise.Exp64)
})

var reciprocals = sync.OnceValue(func() *curve {
	return curveOf(affine.PerTensor(dtype.Int16, 1, math.MinInt16), affine.PerTensor(dtype.Int16, 1, 0), 1.0/65535, 2.0/65535, func(x float64) float64 { return 1 / (1 + x) })
})

// fixedSoftmax16 is the softmax of int16, by curves.
func fixedSoftmax16(dst, x []int32, m affine.Fixed) {
	top := int32(math.MinInt16)
	for _, q := range x {
		top = max(top, q)
	}
	var sum int32
	for i, q := range x {
		dst[i] = exponentials().of(short(int64(m.Of(q-top)) + math.MaxInt16))
		sum += dst[i]
	}
	// The greatest element adds 32767: other sums are those that wrap.
	zeros := min(max(mathbits.LeadingZeros32(uint32(sum)), 1), 17)
	shifted := int32((int64(sum)<<(zeros-1) + 1<<13) >> 14)
	scale := reciprocals().of(short(int64(shifted) - (1<<15 + 1<<16)))
	n := 31 - zeros
	for i, e := range dst {
		v := (int64(e)*int64(scale) + 1<<(n-1)) >> n
		dst[i] = int32(min(max(v, 0), math.MaxInt16))
	}
}
