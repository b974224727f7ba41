package optest

import (
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// ElementwiseCases returns the cases of the operators that work on each
// element, or along axes, without weights.
func ElementwiseCases() []Case { return elementwiseCases() }

func elementwiseCases() []Case {
	return slices.Concat(castCases(), halfCases(), arithmeticCases(), foldedCases(), powCases(), modCases(),
		logicCases(), compareCases(), testCases(), roundingCases(), functionCases(), activationCases(),
		alongCases(), reduceCases(), emptyReduceCases(), argCases(), cumSumCases())
}

// oneUlp is the error allowed of functions that cannot be worked out by hand.
const oneUlp = 1.2e-7

var (
	inf32 = float32(math.Inf(1))
	nan32 = float32(math.NaN())
)

// gives is a case with one output and equal bits.
func gives(name string, o op.Op, want *tensor.Tensor, in ...*tensor.Tensor) Case {
	return Case{Name: name, Op: o, In: in, Want: tensors{want}}
}

// bits16 and bits8 are tensors of types that are read as their bits.
func bits16(t dtype.Type, v ...uint16) *tensor.Tensor {
	out := tensor.New(t, len(v))
	copy(tensor.Data[uint16](out), v)
	return out
}

func bits8(t dtype.Type, v ...uint8) *tensor.Tensor {
	out := tensor.New(t, len(v))
	copy(out.Bytes(), v)
	return out
}

// nibbles is a tensor of n elements of 4 bits.
func nibbles(n int, b ...uint8) *tensor.Tensor {
	out := tensor.New(dtype.Float4E2M1, n)
	copy(out.Bytes(), b)
	return out
}

func to(t dtype.Type) *op.Cast { return with(func(o *op.Cast) { o.To = t }) }

func castCases() []Case {
	unsaturated := func(t dtype.Type) *op.Cast {
		return with(func(o *op.Cast) { o.To, o.Saturate = t, false })
	}
	rounded := func(mode string) *op.Cast {
		return with(func(o *op.Cast) { o.To, o.RoundMode = dtype.Float8E8M0, mode })
	}
	big := []float32{1e9, -1e9, inf32, nan32}
	return []Case{
		gives("Cast/truncates", to(dtype.Int32), vec[int32](1, -1, 0, -2), vec[float32](1.9, -1.9, 0.5, -2)),
		gives("Cast/wraps", to(dtype.Int8), vec[int8](-128, 1, -1), vec[int32](128, 257, -1)),
		gives("Cast/signed_to_unsigned", to(dtype.Uint64), vec[uint64](math.MaxUint64, 5), vec[int32](-1, 5)),
		gives("Cast/to_bool", to(dtype.Bool), vec(true, false, true), vec[float32](0.25, 0, nan32)),
		gives("Cast/from_bool", to(dtype.Float32), vec[float32](1, 0), vec(true, false)),
		gives("Cast/float64_rounds", to(dtype.Float32), vec[float32](1, 1+0x1p-23), vec(1+0x1p-24, 1+0x1p-24+0x1p-50)),
		gives("Cast/int64_rounds_once", to(dtype.Float32), vec[float32](0x1p60+0x1p37, -0x1p60-0x1p37), vec[int64](1<<60+1<<36+1, -(1<<60+1<<36+1))),
		gives("Cast/uint64_to_float64", to(dtype.Float64), vec(0x1p63), vec[uint64](1<<63+1)),
		gives("Cast/float16", to(dtype.Float16), bits16(dtype.Float16, 0x3c00, 0x3c00, 0x3c02, 0x7c00, 0x0001, 0x8000),
			vec(float32(1), 1+0x1p-11, 1+3*0x1p-11, 65520, 0x1p-24, float32(math.Copysign(0, -1)))),
		gives("Cast/float16_rounds_once", to(dtype.Float16), bits16(dtype.Float16, 0x3c01), vec(1+0x1p-11+0x1p-40)),
		gives("Cast/from_float16", to(dtype.Float32), vec[float32](-2, 0x1p-24, inf32), bits16(dtype.Float16, 0xc000, 1, 0x7c00)),
		gives("Cast/bfloat16", to(dtype.BFloat16), bits16(dtype.BFloat16, 0x3f80, 0x3f80, 0x3f82), vec(float32(1), 1+0x1p-8, 1+3*0x1p-8)),
		gives("Cast/from_bfloat16", to(dtype.Float64), vec(-1.5, 0x1p-100), bits16(dtype.BFloat16, 0xbfc0, 0x0d80)),
		gives("Cast/e4m3fn_saturates", to(dtype.Float8E4M3FN), bits8(dtype.Float8E4M3FN, 0x7e, 0xfe, 0x7e, 0x7f), vec(big...)),
		gives("Cast/e4m3fn_unsaturated", unsaturated(dtype.Float8E4M3FN), bits8(dtype.Float8E4M3FN, 0x7f, 0xff), vec(big[:2]...)),
		gives("Cast/e4m3fn_values", to(dtype.Float32), vec[float32](1, -448, 0x1p-9, 0), bits8(dtype.Float8E4M3FN, 0x38, 0xfe, 1, 0)),
		gives("Cast/e4m3fnuz", to(dtype.Float8E4M3FNUZ), bits8(dtype.Float8E4M3FNUZ, 0x40, 0x7f, 0x80, 0), vec(float32(1), 1e9, nan32, float32(math.Copysign(0, -1)))),
		gives("Cast/e5m2_unsaturated", unsaturated(dtype.Float8E5M2), bits8(dtype.Float8E5M2, 0x7c, 0xfc, 0x3c), vec[float32](1e9, -1e9, 1)),
		gives("Cast/e5m2fnuz", to(dtype.Float32), vec[float32](57344, 1, nan32), bits8(dtype.Float8E5M2FNUZ, 0x7f, 0x40, 0x80)),
		gives("Cast/e8m0_up", rounded("up"), bits8(dtype.Float8E8M0, 127, 128, 128), vec(1, 1+0x1p-52, 1.5)),
		gives("Cast/e8m0_down", rounded("down"), bits8(dtype.Float8E8M0, 127, 127, 126), vec(1, 1.9, 0.75)),
		gives("Cast/e8m0_nearest", rounded("nearest"), bits8(dtype.Float8E8M0, 127, 128, 128), vec(1.4, 1.5, 1.6)),
		gives("Cast/float4", to(dtype.Float4E2M1), nibbles(3, 0x52, 0x0f), vec[float32](1, 3, -100)),
		gives("Cast/int4_wraps", to(dtype.Int4), tensor.Pack(dtype.Int4, []int8{7, -8, -1}, 3), vec[int8](7, 8, -1)),
		gives("Cast/from_int4", to(dtype.Float32), vec[float32](-8, 7, 1), tensor.Pack(dtype.Int4, []int8{-8, 7, 1}, 3)),
		gives("Cast/uint4_to_uint8", to(dtype.Uint8), vec[uint8](15, 1), tensor.FromInts(dtype.Uint4, []int64{15, 1}, 2)),
		gives("Cast/to_itself", to(dtype.Float32), vec(nan32, 1), vec(nan32, 1)),
		gives("Cast/empty", to(dtype.Int64), ten[int64](dims(0, 2)), ten[float32](dims(0, 2))),
		gives("Cast/scalar", to(dtype.Int64), tensor.Scalar[int64](3), tensor.Scalar[float32](3.99)),
		gives("CastLike/int16", op.New[op.CastLike](), vec[int16](2, -2), vec[float32](2.5, -2.5), tensor.Scalar[int16](0)),
		gives("CastLike/unsaturated", with(func(o *op.CastLike) { o.Saturate = false }), bits8(dtype.Float8E5M2, 0x7c), vec[float32](1e9), bits8(dtype.Float8E5M2, 0)),
	}
}

// halfCases compute in float32 and round once.
func halfCases() []Case {
	half := func(v ...uint16) *tensor.Tensor { return bits16(dtype.Float16, v...) }
	return []Case{
		// 1 + 2^-11 is half a step: kept until the sum is whole.
		gives("Sum/float16_rounds_once", &op.Sum{}, half(0x3c01), half(0x3c00), half(0x1000), half(0x1000)),
		gives("Mean/float16", &op.Mean{}, half(0x3e00), half(0x3c00), half(0x4000)),
		gives("Mul/float16", &op.Mul{}, half(0x4200, 0x7c00), half(0x3e00, 0x7bff), half(0x4000, 0x4000)),
		gives("Relu/bfloat16", &op.Relu{}, bits16(dtype.BFloat16, 0x3f80, 0), bits16(dtype.BFloat16, 0x3f80, 0xbf80)),
		gives("Sigmoid/float16", &op.Sigmoid{}, half(0x3800, 0x3c00), half(0, 0x7c00)),
		gives("Clip/float16", &op.Clip{}, half(0x3c00, 0x3800), half(0x4000, 0x3800), half(0), half(0x3c00)),
		gives("Greater/bfloat16", &op.Greater{}, vec(true, false), bits16(dtype.BFloat16, 0x4000, 0x3f80), bits16(dtype.BFloat16, 0x3f80)),
		gives("ReduceSum/float16_rounds_once", op.New[op.ReduceSum](), half(0x3c01), half(0x3c00, 0x1000, 0x1000)),
		gives("Softmax/float16", op.New[op.Softmax](), half(0x3800, 0x3800), half(0x4000, 0x4000)),
	}
}
