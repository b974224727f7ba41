package op

import (
	"math"
	mathbits "math/bits"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// FixedRows returns what o, which FixedPoint accepts, makes of a row of
// integers along its axis, and that axis; nil where it works on no rows.
func (o *Quantized) FixedRows() (f func(dst, x []int32), axis int) {
	x := o.In[0]
	switch inner := o.Inner.(type) {
	case *Softmax:
		return FixedSoftmax(x.Type, x.Scale[0]), inner.Axis
	case *LogSoftmax:
		return fixedLogSoftmax(x.Scale[0]), inner.Axis
	case *LpNormalization:
		return fixedUnit(x, o.Out[0]), inner.Axis
	}
	return nil, 0
}

// fixedRows computes a function of rows.
func (o *Quantized) fixedRows(in []Datum) (*tensor.Tensor, error) {
	f, axis := o.FixedRows()
	y, err := rows(arg(in, 0), axis, int32s, f)
	if err != nil {
		return nil, err
	}
	return tensor.FromInts(o.Out[0].Type, widened(tensor.Data[int32](y)), y.Shape()...), nil
}

// int32s returns the elements of a tensor of narrow integers.
func int32s(t *tensor.Tensor) []int32 {
	v, _ := tensor.Ints(t)
	out := make([]int32, len(v))
	for i, q := range v {
		out[i] = int32(q)
	}
	return out
}

// rowsFit reports whether the result has the steps that TensorFlow Lite writes:
// sixteenths up to 127 for LogSoftmax, 128ths around 0 for L2 normalization.
func (o *Quantized) rowsFit(step float64, zero int64) bool {
	y := o.Out[0]
	return o.Clamp == nil && o.In[0].Type == y.Type && float64(y.Scale[0]) == step && y.Zero(0) == zero
}

// fixedLogSoftmax is x − top − log Σ e^(x−top) of int8, in numbers with 26
// fractional bits.
func fixedLogSoftmax(scale float32) func(dst, x []int32) {
	t := exponentsOf(dtype.Int8, scale)
	back := affine.FixedOf(float64(int64(1)<<(31-t.factor.Shift)) / float64(t.factor.M))
	return func(dst, x []int32) {
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
		log := logOf(sum)
		// What lies further below would leave the range.
		least := max(int32(-t.radius-1), back.Of(log+math.MinInt32))
		for i, q := range x {
			dst[i] = t.least
			if d := q - top; d > least {
				dst[i] = min(max(affine.RoundingShift(t.factor.Of(d)-log, 22)+127, t.least), t.most)
			}
		}
	}
}

// logOf returns log x with 26 fractional bits, for x ≥ 1 with 19
// (log_x_for_x_greater_than_or_equal_to_1 of TensorFlow Lite's common.h): x is
// 2^k times a rest around √½, whose logarithm is a quotient of polynomials.
func logOf(x int32) int32 {
	const integer, fraction = 12, 25 // 25 bits hold k·log 2
	const (
		log2         = 1488522236
		rootRootHalf = 1805811301
		rootHalf     = 1518500250
		quarter      = 536870912
		alphaN       = 117049297  // 11/240·√√2
		alphaD       = 127690142  // 1/20·√√2
		alphaI       = 1057819769 // 2/√√2 − √√2
		alphaF       = 638450708  // ¼·√√2
	)
	mul := affine.HighMul
	small := affine.RoundingShift(quarter, 31-fraction)
	zeros := mathbits.LeadingZeros32(uint32(x))
	restA := affine.SaturatingShift(mul(affine.SaturatingShift(x, zeros-1), rootHalf), 1)
	powerA := affine.SaturatingShift(int32(integer-zeros), fraction) + small
	zeros = mathbits.LeadingZeros32(uint32(mul(x, rootHalf))) - 1
	restB := affine.SaturatingShift(x, zeros)
	powerB := affine.SaturatingShift(int32(integer-zeros), fraction) - small

	r, power := min(restA, restB), max(powerA, powerB)
	p := halfSum(r, rootRootHalf)
	q := 2 * (r - rootRootHalf)
	square := mul(q, q)
	num := mul(q, r) + mul(mul(q, square), alphaN)
	over := inverseAboveOne(mul(p, alphaI+q+mul(alphaD, square)) + mul(alphaF, q))
	return affine.SaturatingShift(mul(power, log2)+mul(affine.RoundingShift(num, 31-fraction), over), 1)
}

// fixedUnit divides a row by its length.
func fixedUnit(x, y affine.Params) func(dst, v []int32) {
	zero, out := int32(x.Zero(0)), int32(y.Zero(0))
	least, most := y.Type.Range()
	return func(dst, v []int32) {
		var sum int32
		for _, q := range v {
			sum += (q - zero) * (q - zero)
		}
		f := affine.InverseRoot(sum).Times(7)
		for i, q := range v {
			dst[i] = int32(limited(f.Of(q-zero), out, int32(least), int32(most)))
		}
	}
}
