package affine

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Quantize returns round(t/scale) + zero point, clamped to the whole range of
// p.Type. t is a float tensor or Int32; the quotient is a float32, except for
// Int32 and Int64 results (biases), which are computed in float64. NaN gives the least
// integer. 8-bit floats saturate.
func Quantize(t *tensor.Tensor, p Params, r Rounding) (*tensor.Tensor, error) {
	return quantize(t, p, r, true)
}

// QuantizeOverflow is Quantize to an 8-bit float whose overflow becomes an
// infinity or, in formats without one, NaN.
func QuantizeOverflow(t *tensor.Tensor, p Params) (*tensor.Tensor, error) {
	return quantize(t, p, RoundHalfEven, false)
}

func quantize(t *tensor.Tensor, p Params, r Rounding, saturate bool) (*tensor.Tensor, error) {
	if err := p.Validate(t.Shape()); err != nil {
		return nil, err
	}
	x, err := floats(t)
	if err != nil {
		return nil, err
	}
	if f := float8(p.Type); f != nil {
		codes := make([]uint8, len(x))
		p.eachElement(t.Shape(), func(i, k int) {
			v := x[i] / p.Scale[k]
			if v == 0 {
				v = 0 // adding the zero point takes the sign off a zero
			}
			codes[i] = f.Encode(v, saturate)
		})
		if p.Type.Bits() < 8 {
			return tensor.Pack(p.Type, signed(codes), t.Shape()...), nil
		}
		return tensor.FromBytes(p.Type, t.Shape(), codes)
	}
	switch p.Type {
	case dtype.Int8:
		return tensor.FromSlice(quantizeAs[int8](x, t.Shape(), p, r), t.Shape()...), nil
	case dtype.Uint8:
		return tensor.FromSlice(quantizeAs[uint8](x, t.Shape(), p, r), t.Shape()...), nil
	case dtype.Int16:
		return tensor.FromSlice(quantizeAs[int16](x, t.Shape(), p, r), t.Shape()...), nil
	case dtype.Uint16:
		return tensor.FromSlice(quantizeAs[uint16](x, t.Shape(), p, r), t.Shape()...), nil
	case dtype.Int32:
		out := make([]int32, len(x))
		p.eachElement(t.Shape(), func(i, k int) {
			v := round(float64(x[i])/float64(p.Scale[k]), r) + float64(p.Zero(k))
			out[i] = convert.Int[int32](v)
		})
		return tensor.FromSlice(out, t.Shape()...), nil
	case dtype.Int64:
		out := make([]int64, len(x))
		p.eachElement(t.Shape(), func(i, k int) {
			v := round(float64(x[i])/float64(p.Scale[k]), r) + float64(p.Zero(k))
			out[i] = convert.Int[int64](v)
		})
		return tensor.FromSlice(out, t.Shape()...), nil
	}
	return tensor.Pack(p.Type, quantizeAs[int8](x, t.Shape(), p, r), t.Shape()...), nil
}

// grid returns the integers around the k-th zero point.
func (p Params) grid(k int) convert.Grid {
	lo, hi := p.Type.Range()
	return convert.Grid{ZeroPoint: int32(p.Zero(k)), QMin: int32(lo), QMax: int32(hi)}
}

func quantizeAs[T convert.Quantized](x []float32, shape []int, p Params, r Rounding) []T {
	out := make([]T, len(x))
	if r == RoundHalfAway && p.IsPerTensor() {
		convert.QuantizeAway(out, x, p.Scale[0], p.grid(0))
		return out
	}
	if r == RoundHalfAway {
		p.eachElement(shape, func(i, k int) {
			g := p.grid(k)
			out[i] = T(max(float64(g.QMin), min(float64(g.QMax), nanLow(round(float64(x[i]/p.Scale[k]), r))+float64(g.ZeroPoint))))
		})
		return out
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	quantizePart(out, x, 0, shape, p, s)
	return out
}

func nanLow(x float64) float64 {
	if math.IsNaN(x) {
		return math.Inf(-1)
	}
	return x
}

func round(x float64, r Rounding) float64 {
	if r == RoundHalfAway {
		return math.Round(x)
	}
	return math.RoundToEven(x)
}

// eachElement calls fn with the index of every element and of its scale.
func (p Params) eachElement(shape []int, fn func(i, k int)) {
	p.each(shape, func(lo, hi, k, n int) {
		for i := lo; i < hi; i++ {
			fn(i, k+(i-lo)%n)
		}
	})
}

// Dequantize returns scale·(q − zero point) as Float32, Float16, BFloat16 or
// Float64. The difference is exact, the product one float32 operation.
func Dequantize(q *tensor.Tensor, p Params, to dtype.Type) (*tensor.Tensor, error) {
	if q.Type() != p.Type {
		return nil, fmt.Errorf("affine: tensor of %v with parameters of %v", q.Type(), p.Type)
	}
	if err := p.Validate(q.Shape()); err != nil {
		return nil, err
	}
	x := make([]float32, q.Len())
	switch p.Type {
	case dtype.Int8:
		dequantizeAs(x, tensor.Data[int8](q), q.Shape(), p)
	case dtype.Uint8:
		dequantizeAs(x, tensor.Data[uint8](q), q.Shape(), p)
	case dtype.Int16:
		dequantizeAs(x, tensor.Data[int16](q), q.Shape(), p)
	case dtype.Uint16:
		dequantizeAs(x, tensor.Data[uint16](q), q.Shape(), p)
	case dtype.Int32:
		dequantizeAs(x, tensor.Data[int32](q), q.Shape(), p)
	case dtype.Int64:
		v := tensor.Data[int64](q)
		p.eachElement(q.Shape(), func(i, k int) { x[i] = float32(v[i]-p.Zero(k)) * p.Scale[k] })
	default:
		if f := float8(p.Type); f != nil {
			codes := q.Bytes()
			if p.Type.Bits() < 8 {
				codes = unsigned(tensor.Unpack(q))
			}
			p.eachElement(q.Shape(), func(i, k int) { x[i] = f.Decode(codes[i]) * p.Scale[k] })
			break
		}
		dequantizeAs(x, tensor.Unpack(q), q.Shape(), p)
	}
	return fromFloats(x, to, q.Shape())
}

func dequantizeAs[T convert.Quantized | int32](x []float32, q []T, shape []int, p Params) {
	var zeros []int32
	p.each(shape, func(lo, hi, k, n int) {
		if n == 1 {
			convert.Dequantize(x[lo:hi], q[lo:hi], p.Scale[k], int32(p.Zero(k)))
			return
		}
		zeros = zeros[:0]
		for i := range n {
			zeros = append(zeros, int32(p.Zero(k+i)))
		}
		convert.DequantizeColumns(x[lo:hi], q[lo:hi], p.Scale[k:k+n], zeros)
	})
}

// DequantizeAround is Dequantize with real zero points, as long as p.Scale:
// (q − zero)·scale in float32 steps. p has no zero points of its own.
func DequantizeAround(q *tensor.Tensor, p Params, zero []float32, to dtype.Type) (*tensor.Tensor, error) {
	if len(zero) != len(p.Scale) || p.ZeroPoint != nil {
		return nil, fmt.Errorf("affine: %d real zero points for %d scales", len(zero), len(p.Scale))
	}
	if err := p.Validate(q.Shape()); err != nil {
		return nil, err
	}
	ones, err := Dequantize(q, PerTensor(q.Type(), 1, 0), dtype.Float32)
	if err != nil {
		return nil, err
	}
	x := tensor.Data[float32](ones)
	p.eachElement(q.Shape(), func(i, k int) { x[i] = (x[i] - zero[k]) * p.Scale[k] })
	return fromFloats(x, to, q.Shape())
}

// Center returns the elements minus their zero points, for integers of at most
// 16 bits.
func Center(q *tensor.Tensor, p Params) ([]int32, error) {
	if q.Type() != p.Type || !p.Type.IsInteger() || p.Type.Bits() > 16 {
		return nil, fmt.Errorf("affine: cannot center %v with parameters of %v", q.Type(), p.Type)
	}
	if err := p.Validate(q.Shape()); err != nil {
		return nil, err
	}
	if p.IsPerTensor() && q.Type() == dtype.Uint8 {
		return less(tensor.Data[uint8](q), int32(p.Zero(0))), nil
	}
	if p.IsPerTensor() && q.Type() == dtype.Int8 {
		return less(tensor.Data[int8](q), int32(p.Zero(0))), nil
	}
	v, _ := tensor.Ints(q)
	out := make([]int32, len(v))
	p.eachElement(q.Shape(), func(i, k int) { out[i] = int32(v[i] - p.Zero(k)) })
	return out, nil
}

// less returns the elements of q minus zero.
func less[T uint8 | int8](q []T, zero int32) []int32 {
	out := make([]int32, len(q))
	for i, v := range q {
		out[i] = int32(v) - zero
	}
	return out
}

// FakeQuantize returns what is left of t after Quantize and Dequantize, in t's
// type.
func FakeQuantize(t *tensor.Tensor, p Params, r Rounding) (*tensor.Tensor, error) {
	q, err := Quantize(t, p, r)
	if err != nil {
		return nil, err
	}
	return Dequantize(q, p, t.Type())
}

// floats returns the elements of a float or Int32 tensor as float32.
func floats(t *tensor.Tensor) ([]float32, error) {
	if t.Type() == dtype.Float32 {
		return tensor.Data[float32](t), nil
	}
	x := make([]float32, t.Len())
	switch t.Type() {
	case dtype.Float16:
		convert.DecodeF16(x, tensor.Data[uint16](t))
	case dtype.BFloat16:
		convert.DecodeBF16(x, tensor.Data[uint16](t))
	case dtype.Float64:
		convert.Numbers(x, tensor.Data[float64](t))
	case dtype.Int32:
		convert.Numbers(x, tensor.Data[int32](t))
	default:
		return nil, fmt.Errorf("affine: elements of %v are not real numbers to quantize", t.Type())
	}
	return x, nil
}

func fromFloats(x []float32, to dtype.Type, shape []int) (*tensor.Tensor, error) {
	if to == dtype.Float32 {
		return tensor.FromSlice(x, shape...), nil
	}
	out := tensor.New(to, shape...)
	switch to {
	case dtype.Float16:
		convert.EncodeF16(tensor.Data[uint16](out), x)
	case dtype.BFloat16:
		convert.EncodeBF16(tensor.Data[uint16](out), x)
	case dtype.Float64:
		convert.Numbers(tensor.Data[float64](out), x)
	default:
		return nil, fmt.Errorf("affine: no dequantization to %v", to)
	}
	return out, nil
}

// float8 returns the format of an 8- or 4-bit float, nil for other types.
func float8(t dtype.Type) *convert.Format {
	switch t {
	case dtype.Float8E4M3FN:
		return convert.E4M3FN
	case dtype.Float8E4M3FNUZ:
		return convert.E4M3FNUZ
	case dtype.Float8E5M2:
		return convert.E5M2
	case dtype.Float8E5M2FNUZ:
		return convert.E5M2FNUZ
	case dtype.Float4E2M1:
		return convert.E2M1
	}
	return nil
}

func signed(codes []uint8) []int8 {
	out := make([]int8, len(codes))
	for i, c := range codes {
		out[i] = int8(c)
	}
	return out
}

func unsigned(codes []int8) []uint8 {
	out := make([]uint8, len(codes))
	for i, c := range codes {
		out[i] = uint8(c)
	}
	return out
}
