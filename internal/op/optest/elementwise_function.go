package optest

import (
	"math"

	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

var inf64 = math.Inf(1)

func roundingCases() []Case {
	x := vec(float32(1.5), -1.5, 2.5, -0.5, inf32, nan32)
	return []Case{
		gives("Floor/float32", &op.Floor{}, vec(float32(1), -2, 2, -1, inf32, nan32), x),
		gives("Ceil/float32", &op.Ceil{}, vec(float32(2), -1, 3, 0, inf32, nan32), x),
		gives("Round/half_to_even", &op.Round{}, vec(float32(2), -2, 2, 0, inf32, nan32), x),
		gives("Floor/float64", &op.Floor{}, vec(16777217.0, 1e300), vec(16777217.5, 1e300)),
		gives("Ceil/float64", &op.Ceil{}, vec(16777218.0), vec(16777217.5)),
		gives("Round/float64", &op.Round{}, vec(16777218.0), vec(16777217.5)),
		gives("Abs/float32", &op.Abs{}, vec(1.5, 2, inf32, nan32), vec(1.5, -2, -inf32, nan32)),
		gives("Abs/int8", &op.Abs{}, vec[int8](5, 5, -128), vec[int8](5, -5, -128)),
		gives("Abs/uint64", &op.Abs{}, vec[uint64](1<<63+1), vec[uint64](1<<63+1)),
		gives("Neg/float64", &op.Neg{}, vec(-1.5, inf64), vec(1.5, -inf64)),
		gives("Neg/int32", &op.Neg{}, vec[int32](-5, 5, math.MinInt32), vec[int32](5, -5, math.MinInt32)),
		gives("Sign/float32", &op.Sign{}, vec(float32(1), -1, 0, 1, nan32), vec(float32(0.25), -3, 0, inf32, nan32)),
		gives("Sign/uint64", &op.Sign{}, vec[uint64](1, 0), vec[uint64](1<<63, 0)),
		gives("Sign/int16", &op.Sign{}, vec[int16](1, -1, 0), vec[int16](9, -9, 0)),
		gives("Sqrt/float32", &op.Sqrt{}, vec(float32(2), 1.41421354, nan32, inf32), vec(float32(4), 2, -1, inf32)),
		gives("Sqrt/float64", &op.Sqrt{}, vec(math.Sqrt2), vec(2.0)),
		gives("Reciprocal/float32", &op.Reciprocal{}, vec(0.5, -4, inf32, 0), vec(2, -0.25, 0, inf32)),
		gives("Reciprocal/float64", &op.Reciprocal{}, vec(1.0/3), vec(3.0)),
		gives("Floor/empty", &op.Floor{}, ten[float32](dims(2, 0)), ten[float32](dims(2, 0))),
	}
}

// near is a case of a function: values to one unit in the last place of the
// largest.
func near(name string, o op.Op, x, want []float32) Case {
	return Case{Name: name, Op: o, In: tensors{vec(x...)}, Want: tensors{vec(want...)}, Tol: oneUlp}
}

type row = []float32

// functionCases have values rounded from 17 digits.
func functionCases() []Case {
	return []Case{
		near("Exp/small", &op.Exp{}, row{0, 1, -1}, row{1, 2.71828175, 0.36787945}),
		near("Exp/limits", &op.Exp{}, row{88.5, 89, -inf32, nan32}, row{2.72308792e+38, inf32, 0, nan32}),
		near("Exp/subnormal", &op.Exp{}, row{-87, -200}, row{1.64581145e-38, 0}),
		near("Log/values", &op.Log{}, row{1, 2, 0.5, 3e38, 1e-40}, row{0, 0.693147182, -0.693147182, 88.5968475, -92.1034088}),
		near("Log/limits", &op.Log{}, row{0, -1, inf32}, row{-inf32, nan32, inf32}),
		near("Erf/values", &op.Erf{}, row{0, 0.5, -1, 2.5, -inf32}, row{0, 0.520499885, -0.842700779, 0.999593019, -1}),
		near("Sin/values", &op.Sin{}, row{0.5, -2, 100}, row{0.47942555, -0.909297407, -0.506365657}),
		near("Cos/values", &op.Cos{}, row{0.5, -2, 100}, row{0.87758255, -0.416146845, 0.862318873}),
		near("Tan/values", &op.Tan{}, row{0.5, -1.25, 3}, row{0.546302497, -3.00956964, -0.142546549}),
		near("Sin/infinity", &op.Sin{}, row{inf32, nan32}, row{nan32, nan32}),
		near("Asin/values", &op.Asin{}, row{0.5, -1, 0.25, 1.5}, row{0.52359879, -1.57079637, 0.252680242, nan32}),
		near("Acos/values", &op.Acos{}, row{0.5, -1, 0.25, 1}, row{1.04719758, 3.14159274, 1.31811607, 0}),
		near("Atan/values", &op.Atan{}, row{0.5, -3, 1e10, -inf32}, row{0.463647604, -1.24904573, 1.57079637, -1.57079637}),
		near("Sinh/values", &op.Sinh{}, row{0.5, -2, 3}, row{0.521095276, -3.62686038, 10.0178747}),
		near("Cosh/values", &op.Cosh{}, row{0.5, -2, 3}, row{1.12762594, 3.76219559, 10.0676622}),
		near("Asinh/values", &op.Asinh{}, row{0.5, -20}, row{0.481211811, -3.68950391}),
		near("Asinh/small", &op.Asinh{}, row{1e-3}, row{0.000999999931}),
		near("Acosh/values", &op.Acosh{}, row{1, 1.5, 20, 0.5}, row{0, 0.962423623, 3.68825388, nan32}),
		near("Atanh/values", &op.Atanh{}, row{0.5, -0.75, 1}, row{0.549306154, -0.972955048, inf32}),
		near("Atanh/small", &op.Atanh{}, row{1e-3}, row{0.0010000004}),
		near("Sigmoid/values", &op.Sigmoid{}, row{0, 2, -2, -inf32, inf32}, row{0.5, 0.880797088, 0.119202919, 0, 1}),
		near("Sigmoid/small", &op.Sigmoid{}, row{-80}, row{1.80485133e-35}),
		near("Tanh/values", &op.Tanh{}, row{0, 0.5, -2, 30, nan32}, row{0, 0.462117165, -0.964027584, 1, nan32}),
		near("Softplus/values", &op.Softplus{}, row{0, 1, -2, 20}, row{0.693147182, 1.31326163, 0.126928017, 20}),
		near("Softplus/large", &op.Softplus{}, row{1000, -inf32, inf32}, row{1000, 0, inf32}),
		near("Softsign/values", &op.Softsign{}, row{0, 1, -3, 1e30}, row{0, 0.5, -0.75, 1}),
		near("Mish/values", &op.Mish{}, row{0, 1, -2, 20}, row{0, 0.865098417, -0.252501488, 20}),
		near("Swish/values", op.New[op.Swish](), row{0, 1, -2, 20}, row{0, 0.731058598, -0.238405839, 20}),
		near("Swish/alpha", with(func(o *op.Swish) { o.Alpha = 2 }), row{0, 1, -2}, row{0, 0.880797088, -0.0359724201}),
		near("Gelu/exact", op.New[op.Gelu](), row{0, 1, -1, 3}, row{0, 0.841344774, -0.158655256, 2.99595022}),
		near("Gelu/tanh", with(func(o *op.Gelu) { o.Approximate = "tanh" }), row{0, 1, -1, 3}, row{0, 0.841192007, -0.158808008, 2.99636269}),
		near("Elu/alpha", with(func(o *op.Elu) { o.Alpha = 2 }), row{2, 0, -1, -50}, row{2, 0, -1.2642411, -2}),
		near("Selu/values", op.New[op.Selu](), row{2, 0, -1}, row{2.10140204, 0, -1.11133075}),
		near("Celu/alpha", with(func(o *op.Celu) { o.Alpha = 2 }), row{2, 0, -1}, row{2, 0, -0.786938667}),
		near("Cos/infinity", &op.Cos{}, row{inf32, 0}, row{nan32, 1}),
		near("Tan/zero", &op.Tan{}, row{0, -inf32}, row{0, nan32}),
		near("Acos/outside", &op.Acos{}, row{-1.5, 2}, row{nan32, nan32}),
		near("Asin/small", &op.Asin{}, row{1e-4}, row{1e-4}),
		near("Atan/small", &op.Atan{}, row{-1e-4}, row{-1e-4}),
		near("Sinh/limits", &op.Sinh{}, row{-inf32, 100}, row{-inf32, inf32}),
		near("Cosh/limits", &op.Cosh{}, row{-inf32, 0}, row{inf32, 1}),
		near("Acosh/infinity", &op.Acosh{}, row{inf32}, row{inf32}),
		near("Erf/small", &op.Erf{}, row{1e-10}, row{1.12837919e-10}),
		near("Tanh/small", &op.Tanh{}, row{1e-4}, row{1e-4}),
		near("Softsign/special", &op.Softsign{}, row{nan32, -1e30}, row{nan32, -1}),
		near("Mish/far_left", &op.Mish{}, row{-40, nan32}, row{-1.69934171e-16, nan32}),
		near("Elu/small", op.New[op.Elu](), row{-1e-6}, row{-9.999995e-07}),
		near("Selu/far_left", op.New[op.Selu](), row{-inf32, 1}, row{-1.75809932, 1.05070102}),
		near("Celu/far_left", op.New[op.Celu](), row{-inf32, 3}, row{-1, 3}),
		near("HardSwish/special", &op.HardSwish{}, row{inf32, nan32, -3}, row{inf32, nan32, 0}),
		{Name: "Tanh/float64", Op: &op.Tanh{}, In: tensors{vec(0.5)}, Want: tensors{vec(0.46211715726000975)}, Tol: oneUlp},
		near("HardSwish/values", &op.HardSwish{}, row{-4, -1.5, 0, 1.5, 4}, row{0, -0.375, 0, 1.125, 4}),
	}
}

func activationCases() []Case {
	x := vec[float32](-2, -0.5, 0, 0.5, 2)
	leaky := with(func(o *op.LeakyRelu) { o.Alpha = 0.25 })
	hard := with(func(o *op.HardSigmoid) { o.Alpha, o.Beta = 0.5, 0.5 })
	threshold := with(func(o *op.ThresholdedRelu) { o.Alpha = 0.5 })
	soft := with(func(o *op.Shrink) { o.Lambd, o.Bias = 0.5, 0.5 })
	one := tensor.Scalar[float32](1)
	return []Case{
		gives("Relu/float32", &op.Relu{}, vec(float32(0), 0, 0, 0.5, 2), x),
		gives("Relu/special", &op.Relu{}, vec(nan32, inf32, 0), vec(nan32, inf32, -inf32)),
		gives("Relu/int8", &op.Relu{}, vec[int8](0, 5), vec[int8](-5, 5)),
		gives("Relu/float64", &op.Relu{}, vec(0, 1+0x1p-50), vec(-1, 1+0x1p-50)),
		gives("LeakyRelu/alpha", leaky, vec(float32(-0.5), -0.125, 0, 0.5, 2), x),
		gives("LeakyRelu/float64", leaky, vec(-(1+0x1p-50)/4, 3), vec(-(1+0x1p-50), 3)),
		gives("PRelu/channels", &op.PRelu{}, ten(dims(1, 2, 2), float32(-0.5), 2, -8, 2), ten(dims(1, 2, 2), float32(-1), 2, -4, 2), ten(dims(2, 1), float32(0.5), 2)),
		gives("PRelu/int32", &op.PRelu{}, vec[int32](-6, 4), vec[int32](-2, 4), vec[int32](3)),
		gives("PRelu/uint64", &op.PRelu{}, vec[uint64](1<<63), vec[uint64](1<<63), vec[uint64](3)),
		gives("ThresholdedRelu/alpha", threshold, vec(float32(0), 0, 0, 0, 2), x),
		gives("ThresholdedRelu/special", op.New[op.ThresholdedRelu](), vec(0, inf32, 0, 0), vec(nan32, inf32, -inf32, 1)),
		gives("HardSigmoid/values", hard, vec(float32(0), 0.25, 0.5, 0.75, 1), x),
		gives("HardSigmoid/float64", hard, vec(0.5+0x1p-40, 1), vec(0x1p-39, 9)),
		gives("Shrink/hard", with(func(o *op.Shrink) { o.Lambd = 1 }), vec(float32(-2), 0, 0, 0, 2), x),
		gives("Shrink/soft", soft, vec(float32(-1.5), 0, 0, 0, 1.5), x),
		gives("Shrink/int32", with(func(o *op.Shrink) { o.Lambd, o.Bias = 1.5, 1 }), vec[int32](-2, 0, 2), vec[int32](-3, 1, 3)),
		gives("Clip/both", &op.Clip{}, vec(float32(-1), -0.5, 0, 0.5, 1), x, tensor.Scalar[float32](-1), one),
		gives("Clip/none", &op.Clip{}, x, x),
		gives("Clip/upper", &op.Clip{}, vec(float32(-2), -0.5, 0, 0.5, 1), x, nil, one),
		gives("Clip/lower", &op.Clip{}, vec(float32(1), 1, 1, 1, 2), x, one),
		gives("Clip/crossed", &op.Clip{}, vec(float32(-3), -3, -3, -3, -3), x, one, tensor.Scalar[float32](-3)),
		gives("Clip/NaN", &op.Clip{}, vec(nan32, 1), vec(nan32, inf32), tensor.Scalar[float32](0), one),
		gives("Clip/int8", &op.Clip{}, vec[int8](-1, 3, 5), vec[int8](-9, 3, 9), tensor.Scalar[int8](-1), tensor.Scalar[int8](5)),
		gives("Clip/uint64", &op.Clip{}, vec[uint64](1<<63, 7), vec[uint64](1<<63, 3), tensor.Scalar[uint64](7), tensor.Scalar[uint64](1<<63+1)),
		gives("Clip/empty", &op.Clip{}, ten[float32](dims(0)), ten[float32](dims(0)), one),
	}
}
