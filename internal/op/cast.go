package op

import (
	"fmt"
	"math"
	mathbits "math/bits"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// formats maps the floats narrower than 16 bits to their codecs.
var formats = map[dtype.Type]*convert.Format{
	dtype.Float8E4M3FN: convert.E4M3FN, dtype.Float8E4M3FNUZ: convert.E4M3FNUZ,
	dtype.Float8E5M2: convert.E5M2, dtype.Float8E5M2FNUZ: convert.E5M2FNUZ,
	dtype.Float4E2M1: convert.E2M1,
}

// Convert returns t in another element type with the meaning of ONNX Cast:
// floats round half to even, and go to integers towards zero; integers wrap;
// narrow floats saturate. String and complex types are not converted.
func Convert(t *tensor.Tensor, to dtype.Type) (*tensor.Tensor, error) {
	return castTensor(t, to, true, convert.RoundUp)
}

func castTensor(t *tensor.Tensor, to dtype.Type, saturate bool, round convert.Rounding) (*tensor.Tensor, error) {
	if t.Type() == to {
		return t, nil
	}
	if to.Bits() == 0 {
		return nil, fmt.Errorf("nothing is converted to %v", to)
	}
	if halves(t.Type(), to) {
		return castHalf(t, to), nil
	}
	if ints, ok := tensor.Ints(t); ok {
		if to.IsInteger() {
			return tensor.FromInts(to, ints, t.Shape()...), nil
		}
		reals := make([]float64, len(ints))
		for i, v := range ints {
			reals[i] = real(v, t.Type() == dtype.Uint64, to != dtype.Float64)
		}
		return encode(reals, to, t.Shape(), saturate, round)
	}
	reals, err := decodeFloats(t)
	if err != nil {
		return nil, err
	}
	return encode(reals, to, t.Shape(), saturate, round)
}

// real returns v, or the unsigned number with its bits, as a float64. Where
// that is rounded a second time, odd makes the first rounding one to odd, so
// that the two come to one.
func real(v int64, unsigned, odd bool) float64 {
	m, negative := uint64(v), !unsigned && v < 0
	if negative {
		m = -m
	}
	if excess := mathbits.Len64(m) - 53; odd && excess > 0 {
		low := m & (1<<excess - 1)
		m -= low
		if low != 0 {
			m |= 1 << excess
		}
	}
	if negative {
		return -float64(m)
	}
	return float64(m)
}

// halves reports whether one type is Float32 and the other a half of it, which
// kernels convert without a copy in float64.
func halves(from, to dtype.Type) bool {
	half := func(t dtype.Type) bool { return t == dtype.Float16 || t == dtype.BFloat16 }
	return from == dtype.Float32 && half(to) || half(from) && to == dtype.Float32
}

func castHalf(t *tensor.Tensor, to dtype.Type) *tensor.Tensor {
	out := tensor.New(to, t.Shape()...)
	switch {
	case to == dtype.Float16:
		convert.EncodeF16(tensor.Data[uint16](out), tensor.Data[float32](t))
	case to == dtype.BFloat16:
		convert.EncodeBF16(tensor.Data[uint16](out), tensor.Data[float32](t))
	case t.Type() == dtype.Float16:
		convert.DecodeF16(tensor.Data[float32](out), tensor.Data[uint16](t))
	default:
		convert.DecodeBF16(tensor.Data[float32](out), tensor.Data[uint16](t))
	}
	return out
}

// decodeFloats returns the values of a floating-point tensor.
func decodeFloats(t *tensor.Tensor) ([]float64, error) {
	out := make([]float64, t.Len())
	switch typ := t.Type(); typ {
	case dtype.Float64:
		copy(out, tensor.Data[float64](t))
	case dtype.Float32:
		for i, v := range tensor.Data[float32](t) {
			out[i] = float64(v)
		}
	case dtype.Float16:
		for i, v := range tensor.Data[uint16](t) {
			out[i] = float64(convert.F16ToF32(v))
		}
	case dtype.BFloat16:
		for i, v := range tensor.Data[uint16](t) {
			out[i] = float64(convert.BF16ToF32(v))
		}
	case dtype.Float8E8M0:
		for i, v := range tensor.Data[uint8](t) {
			out[i] = float64(convert.E8M0ToF32(v))
		}
	case dtype.Float4E2M1:
		for i, v := range nibbles(t) {
			out[i] = float64(convert.E2M1.Decode(v))
		}
	default:
		f := formats[typ]
		if f == nil {
			return nil, fmt.Errorf("%v has no numbers to convert", typ)
		}
		for i, v := range tensor.Data[uint8](t) {
			out[i] = float64(f.Decode(v))
		}
	}
	return out, nil
}

// nibbles returns the 4-bit codes of a Float4E2M1 tensor.
func nibbles(t *tensor.Tensor) []uint8 {
	b := t.Bytes()
	out := make([]uint8, t.Len())
	for i := range out {
		out[i] = b[i/2] >> (4 * uint(i%2)) & 15
	}
	return out
}

func encode(reals []float64, to dtype.Type, shape []int, saturate bool, round convert.Rounding) (*tensor.Tensor, error) {
	out := tensor.New(to, shape...)
	switch {
	case to == dtype.Float64:
		copy(tensor.Data[float64](out), reals)
	case to == dtype.Float32:
		dst := tensor.Data[float32](out)
		for i, v := range reals {
			dst[i] = float32(v)
		}
	case to == dtype.Float16, to == dtype.BFloat16:
		dst := tensor.Data[uint16](out)
		for i, v := range reals {
			// Rounding to odd first makes the second rounding exact.
			f := convert.RoundToOdd(v)
			if to == dtype.Float16 {
				dst[i] = convert.F32ToF16(f)
			} else {
				dst[i] = convert.F32ToBF16(f)
			}
		}
	case to == dtype.Float8E8M0:
		dst := tensor.Data[uint8](out)
		for i, v := range reals {
			dst[i] = convert.F32ToE8M0(convert.RoundToOdd(v), round, saturate)
		}
	case to == dtype.Float4E2M1:
		codes := make([]int8, len(reals))
		for i, v := range reals {
			codes[i] = int8(convert.E2M1.Encode(convert.RoundToOdd(v), saturate))
		}
		b := out.Bytes()
		for i, c := range codes {
			b[i/2] |= byte(c&15) << (4 * uint(i%2))
		}
	case formats[to] != nil:
		dst := tensor.Data[uint8](out)
		for i, v := range reals {
			dst[i] = formats[to].Encode(convert.RoundToOdd(v), saturate)
		}
	case to == dtype.Bool:
		dst := tensor.Data[uint8](out)
		for i, v := range reals {
			dst[i] = uint8(b2i(v != 0))
		}
	case to.IsInteger():
		ints := make([]int64, len(reals))
		for i, v := range reals {
			if to == dtype.Uint64 && v >= 1<<63 {
				ints[i] = int64(uint64(v))
				continue
			}
			ints[i] = toInt(v)
		}
		return tensor.FromInts(to, ints, shape...), nil
	default:
		return nil, fmt.Errorf("nothing is converted to %v", to)
	}
	return out, nil
}

// toInt truncates; what int64 cannot hold goes to its ends, NaN to 0.
func toInt(v float64) int64 {
	switch {
	case v != v:
		return 0
	case v >= 1<<63:
		return math.MaxInt64
	case v < -1<<63:
		return math.MinInt64
	}
	return int64(v)
}

// roundings are the values of round_mode; an operator made without its
// defaults rounds up.
var roundings = map[string]convert.Rounding{
	"": convert.RoundUp, "up": convert.RoundUp, "down": convert.RoundDown, "nearest": convert.RoundNearest,
}

// Cast changes the element type.
type Cast struct {
	To       dtype.Type `attr:"to"`
	Saturate bool       `attr:"saturate,default=1"`
	// RoundMode is how Float8E8M0 rounds: up, down or nearest.
	RoundMode string `attr:"round_mode,default=up"`
}

// Name returns "Cast".
func (o *Cast) Name() string { return "Cast" }

// Infer returns the input's shape with the new type.
func (o *Cast) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	if o.To.Class() == dtype.Other {
		return nil, fmt.Errorf("attribute to is missing")
	}
	if _, ok := roundings[o.RoundMode]; !ok {
		return nil, fmt.Errorf("round_mode %q, want up, down or nearest", o.RoundMode)
	}
	out := TensorFact(o.To, in[0].Shape.Clone())
	if v, ok := values(in[0]); ok {
		out.Values = held(v, o.To)
	}
	return []Fact{out}, nil
}

// Eval converts the elements.
func (o *Cast) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	x := arg(in, 0)
	if isText(o.To) {
		t, err := spell(x)
		return Of(t), err
	}
	if isText(x.Type()) {
		return o.parse(x)
	}
	t, err := castTensor(x, o.To, o.Saturate, roundings[o.RoundMode])
	return Of(t), err
}

// CastLike gives the first input the type of the second.
type CastLike struct {
	Saturate  bool   `attr:"saturate,default=1"`
	RoundMode string `attr:"round_mode,default=up"`
}

// Name returns "CastLike".
func (o *CastLike) Name() string { return "CastLike" }

func (o *CastLike) cast(to dtype.Type) *Cast {
	return &Cast{To: to, Saturate: o.Saturate, RoundMode: o.RoundMode}
}

// Infer returns the first input's shape with the second's type.
func (o *CastLike) Infer(in []Fact, outs int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	if in[1].Type == dtype.Invalid {
		return []Fact{{Shape: in[0].Shape.Clone()}}, nil
	}
	return o.cast(in[1].Type).Infer(in[:1], outs)
}

// Eval converts the elements.
func (o *CastLike) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	return o.cast(arg(in, 1).Type()).Eval(in[:1])
}
