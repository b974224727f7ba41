package optest

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

func logicCases() []Case {
	a, b := ten(dims(2, 1), false, true), vec(false, true)
	six := ten(dims(2, 2), float32(1), 2, 3, 4)
	return []Case{
		gives("And/broadcast", &op.And{}, ten(dims(2, 2), false, false, false, true), a, b),
		gives("Or/broadcast", &op.Or{}, ten(dims(2, 2), false, true, true, true), a, b),
		gives("Xor/broadcast", &op.Xor{}, ten(dims(2, 2), false, true, true, false), a, b),
		gives("And/scalar", &op.And{}, vec(false, true), vec(false, true), tensor.Scalar(true)),
		gives("Or/empty", &op.Or{}, ten[bool](dims(0, 2)), ten[bool](dims(0, 1)), vec(true, false)),
		gives("Xor/scalars", &op.Xor{}, tensor.Scalar(true), tensor.Scalar(true), tensor.Scalar(false)),
		gives("Not/scalar", &op.Not{}, tensor.Scalar(false), tensor.Scalar(true)),
		gives("Not/both", &op.Not{}, vec(true, false), vec(false, true)),
		gives("BitwiseAnd/uint8", &op.BitwiseAnd{}, vec[uint8](0x10, 0), vec[uint8](0xf0, 0x0f), tensor.Scalar[uint8](0x10)),
		gives("BitwiseOr/int32", &op.BitwiseOr{}, vec[int32](-1, 7), vec[int32](-2, 5), vec[int32](1, 2)),
		gives("BitwiseXor/uint64", &op.BitwiseXor{}, vec[uint64](1<<63|1), vec[uint64](1<<63|3), vec[uint64](2)),
		gives("BitwiseAnd/broadcast", &op.BitwiseAnd{}, ten(dims(2, 2), int64(1), 0, 1, 2), ten(dims(2, 1), int64(1), 3), vec[int64](1, 2)),
		gives("BitwiseOr/uint16", &op.BitwiseOr{}, vec[uint16](0xf00f), vec[uint16](0xf000), vec[uint16](0x000f)),
		gives("BitwiseXor/int8", &op.BitwiseXor{}, vec[int8](-1, 0), vec[int8](127, -5), vec[int8](-128, -5)),
		gives("BitwiseNot/int8", &op.BitwiseNot{}, vec[int8](-1, 0, 127), vec[int8](0, -1, -128)),
		gives("BitwiseNot/uint16", &op.BitwiseNot{}, vec[uint16](0xffff, 0xff00), vec[uint16](0, 0xff)),
		gives("Where/broadcast", &op.Where{}, ten(dims(2, 2), float32(1), -1, 3, -1), vec(true, false), six, tensor.Scalar[float32](-1)),
		gives("Where/condition_column", &op.Where{}, ten(dims(2, 2), int64(7), 8, 0, 0), ten(dims(2, 1), true, false), vec[int64](7, 8), tensor.Scalar[int64](0)),
		gives("Where/NaN_not_chosen", &op.Where{}, vec[float32](1, 2), vec(true, false), vec(1, nan32), vec(nan32, 2)),
		gives("Where/bool", &op.Where{}, vec(true, false), vec(true, false), vec(true, true), vec(false, false)),
		gives("Where/float16", &op.Where{}, bits16(dtype.Float16, 0x3c00, 0x4000), vec(true, false), bits16(dtype.Float16, 0x3c00, 0), bits16(dtype.Float16, 0, 0x4000)),
		gives("Where/empty", &op.Where{}, ten[int32](dims(0)), ten[bool](dims(0)), vec[int32](1), vec[int32](2)),
	}
}

func compareCases() []Case {
	a, b := vec(float32(1), 2, 3, nan32, inf32), vec(float32(2), 2, 2, nan32, inf32)
	far := vec[uint64](1<<63, 1)
	return []Case{
		gives("Equal/float", &op.Equal{}, vec(false, true, false, false, true), a, b),
		gives("Greater/float", &op.Greater{}, vec(false, false, true, false, false), a, b),
		gives("Less/float", &op.Less{}, vec(true, false, false, false, false), a, b),
		gives("GreaterOrEqual/float", &op.GreaterOrEqual{}, vec(false, true, true, false, true), a, b),
		gives("LessOrEqual/float", &op.LessOrEqual{}, vec(true, true, false, false, true), a, b),
		gives("Equal/zeros", &op.Equal{}, vec(true), vec(0.0), vec(-1/inf64)),
		gives("Equal/bool", &op.Equal{}, vec(true, false), vec(true, false), tensor.Scalar(true)),
		gives("Equal/int64", &op.Equal{}, vec(false, true), vec[int64](1<<53+1, 5), vec[int64](1<<53, 5)),
		gives("Equal/broadcast", &op.Equal{}, ten(dims(2, 2), true, false, false, true), ten(dims(2, 1), int32(1), 2), vec[int32](1, 2)),
		gives("Greater/uint64", &op.Greater{}, vec(true, false), far, vec[uint64](2, 2)),
		gives("Less/int8", &op.Less{}, vec(true, false), vec[int8](-1, 1), tensor.Scalar[int8](0)),
		gives("GreaterOrEqual/float64", &op.GreaterOrEqual{}, vec(true, false), vec(1+0x1p-50, 1), vec(1+0x1p-50, 1+0x1p-50)),
		gives("LessOrEqual/uint64", &op.LessOrEqual{}, vec(false, true), far, vec[uint64](2, 2)),
	}
}

func testCases() []Case {
	x := vec(inf32, -inf32, nan32, 1)
	return []Case{
		gives("IsNaN/float32", &op.IsNaN{}, vec(false, false, true, false), x),
		gives("IsNaN/float16", &op.IsNaN{}, vec(true, false), bits16(dtype.Float16, 0x7e00, 0x7c00)),
		gives("IsInf/both", op.New[op.IsInf](), vec(true, true, false, false), x),
		gives("IsInf/positive", with(func(o *op.IsInf) { o.Negative = false }), vec(true, false, false, false), x),
		gives("IsInf/negative", with(func(o *op.IsInf) { o.Positive = false }), vec(false, true, false, false), x),
		gives("IsInf/float64", op.New[op.IsInf](), vec(false, true), vec(1e300, inf64)),
	}
}
