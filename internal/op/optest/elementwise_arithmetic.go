package optest

import (
	"math"

	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

func arithmeticCases() []Case {
	column, row := ten(dims(2, 1), float32(1), 2), vec[float32](10, 20, 30)
	far := uint64(1 << 63)
	return []Case{
		gives("Add/broadcast", &op.Add{}, ten(dims(2, 3), float32(11), 21, 31, 12, 22, 32), column, row),
		gives("Add/scalar", &op.Add{}, vec[float32](11, 21, 31), row, tensor.Scalar[float32](1)),
		gives("Add/middle", &op.Add{}, ten(dims(2, 2, 2), int32(1), 2, 11, 12, 5, 6, 15, 16),
			ten(dims(2, 1, 2), int32(1), 2, 5, 6), ten(dims(2, 1), int32(0), 10)),
		gives("Add/wraps", &op.Add{}, vec[uint8](4), vec[uint8](250), vec[uint8](10)),
		gives("Add/int32_wraps", &op.Add{}, vec[int32](math.MinInt32), vec[int32](math.MaxInt32), vec[int32](1)),
		gives("Add/float64", &op.Add{}, vec(1+0x1p-50), vec(1.0), vec(0x1p-50)),
		gives("Add/empty", &op.Add{}, ten[float32](dims(0, 3)), ten[float32](dims(0, 3)), row),
		gives("Add/scalars", &op.Add{}, tensor.Scalar[int64](7), tensor.Scalar[int64](3), tensor.Scalar[int64](4)),
		gives("Sub/broadcast", &op.Sub{}, ten(dims(2, 3), float32(-9), -19, -29, -8, -18, -28), column, row),
		gives("Sub/uint8_wraps", &op.Sub{}, vec[uint8](255, 2), vec[uint8](1, 4), tensor.Scalar[uint8](2)),
		gives("Mul/broadcast", &op.Mul{}, ten(dims(2, 3), float32(10), 20, 30, 20, 40, 60), column, row),
		gives("Mul/special", &op.Mul{}, vec(nan32, -inf32, 0), vec(inf32, inf32, 0), vec[float32](0, -1, 5)),
		gives("Mul/int64", &op.Mul{}, vec[int64](1<<40, -6), vec[int64](1<<20, 2), vec[int64](1<<20, -3)),
		gives("Div/float", &op.Div{}, vec(0.5, inf32, nan32, -inf32), vec[float32](1, 1, 0, -1), vec[float32](2, 0, 0, 0)),
		gives("Div/truncates", &op.Div{}, vec[int64](3, -3, -3, 3), vec[int64](7, -7, 7, -7), vec[int64](2, 2, -2, -2)),
		gives("Div/by_zero", &op.Div{}, vec[int32](0, 0), vec[int32](5, -5), vec[int32](0, 0)),
		gives("Div/least_by_minus_one", &op.Div{}, vec[int8](-128), vec[int8](-128), vec[int8](-1)),
		gives("Div/uint64", &op.Div{}, vec[uint64](1<<62, 0), vec[uint64](far, 1), vec[uint64](2, far)),
		gives("BitShift/left", with(func(o *op.BitShift) { o.Direction = "LEFT" }), vec[uint8](8, 128, 0), vec[uint8](1, 64, 255), vec[uint8](3, 1, 8)),
		gives("BitShift/right", with(func(o *op.BitShift) { o.Direction = "RIGHT" }), vec[uint64](1, 0, 1), vec[uint64](far, far, 2), vec[uint64](63, 64, 1)),
	}
}

func foldedCases() []Case {
	minusZero := float32(math.Copysign(0, -1))
	far := uint64(1 << 63)
	return []Case{
		gives("Max/three", &op.Max{}, vec[float32](3, 5, 9), vec[float32](3, 2, 1), vec[float32](1, 5, 2), vec[float32](2, 2, 9)),
		gives("Max/broadcast", &op.Max{}, ten(dims(2, 2), int32(1), 5, 3, 5), ten(dims(2, 1), int32(1), 3), vec[int32](0, 5)),
		gives("Max/growing", &op.Max{}, ten(dims(2, 2), float32(1), 5, 3, 5), tensor.Scalar[float32](0), vec[float32](0, 5), ten(dims(2, 1), float32(1), 3)),
		gives("Max/NaN", &op.Max{}, vec(nan32, nan32, inf32), vec(nan32, 1, inf32), vec(1, nan32, 0)),
		gives("Max/uint64", &op.Max{}, vec(far), vec(far), vec[uint64](2)),
		gives("Max/one", &op.Max{}, vec[float32](1, 2), vec[float32](1, 2)),
		gives("Min/zeros", &op.Min{}, vec(minusZero, -inf32), vec(minusZero, -inf32), vec[float32](0, 0)),
		gives("Min/uint64", &op.Min{}, vec[uint64](2), vec(far), vec[uint64](2)),
		gives("Min/int8", &op.Min{}, vec[int8](-5, -1), vec[int8](-5, 4), vec[int8](5, -1)),
		gives("Sum/three", &op.Sum{}, vec[float32](6, 9), vec[float32](1, 2), vec[float32](2, 4), tensor.Scalar[float32](3)),
		gives("Sum/in_order", &op.Sum{}, vec[float32](0), vec[float32](1), vec[float32](1e10), vec[float32](-1e10)),
		gives("Sum/one", &op.Sum{}, vec(2.0), vec(2.0)),
		gives("Mean/three", &op.Mean{}, vec[float32](2, 4), vec[float32](1, 3), vec[float32](2, 4), vec[float32](3, 5)),
		gives("Mean/one", &op.Mean{}, vec[float32](7), vec[float32](7)),
		gives("Mean/float64", &op.Mean{}, vec(1.5, 2), vec(1.0, 2), vec(2.0)),
	}
}

func powCases() []Case {
	return []Case{
		gives("Pow/exact", &op.Pow{}, vec[float32](1, 4, 27, 0.25), vec[float32](1, 2, 3, 2), vec[float32](9, 2, 3, -2)),
		gives("Pow/special", &op.Pow{}, vec(1, 1, nan32, inf32, -inf32, nan32),
			vec(nan32, 1, nan32, 0, float32(math.Copysign(0, -1)), -2), vec(0, nan32, 1, -1, -1, 0.5)),
		gives("Pow/int_exponent", &op.Pow{}, vec[float32](8, -0.5), vec[float32](2, -2), vec[int64](3, -1)),
		gives("Pow/int", &op.Pow{}, vec[int32](81, -8, 1), vec[int32](3, -2, 5), vec[int32](4, 3, 0)),
		gives("Pow/int_to_float", &op.Pow{}, vec[int64](25010001, 3), vec[int64](5001, 10), vec[float32](2, 0.5)),
		gives("Pow/int_inverse", &op.Pow{}, vec[int32](0, 1, -1), vec[int32](2, 1, -1), vec[int32](-1, -5, -3)),
		gives("Pow/broadcast", &op.Pow{}, ten(dims(2, 2), float32(2), 4, 3, 9), ten(dims(2, 1), float32(2), 3), vec[float32](1, 2)),
		gives("Pow/float64", &op.Pow{}, vec(1+0x1p-29+0x1p-60, math.Sqrt2, 1e-300), vec(1+0x1p-30, 2, 1e100), vec(2.0, 0.5, -3)),
		{Name: "Pow/fraction", Op: &op.Pow{}, In: tensors{vec[float32](2, 2), vec[float32](0.3, -0.5)}, Want: tensors{vec[float32](1.23114443, 0.707106769)}, Tol: oneUlp},
	}
}

func modCases() []Case {
	fmod := with(func(o *op.Mod) { o.Fmod = true })
	a, b := vec[int64](-4, 7, 5, 4, -7, 8), vec[int64](2, -3, 8, -2, 3, 5)
	return []Case{
		gives("Mod/sign_of_divisor", op.New[op.Mod](), vec[int64](0, -2, 5, 0, 2, 3), a, b),
		gives("Mod/sign_of_dividend", fmod, vec[int64](0, 1, 5, 0, -1, 3), a, b),
		gives("Mod/float", fmod, vec(float32(-0.25), 1, nan32, 2), vec(float32(-4.25), 7, 1, 2), vec(float32(2), -3, 0, inf32)),
		gives("Mod/by_zero", op.New[op.Mod](), vec[int32](0), vec[int32](5), vec[int32](0)),
		gives("Mod/uint64", op.New[op.Mod](), vec[uint64](1<<63), vec[uint64](1<<63), vec[uint64](1<<63+1)),
		gives("Mod/broadcast", op.New[op.Mod](), ten(dims(2, 2), uint8(1), 0, 0, 2), ten(dims(2, 1), uint8(3), 2), vec[uint8](2, 3)),
	}
}
