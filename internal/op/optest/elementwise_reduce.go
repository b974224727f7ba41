package optest

import (
	"math"

	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

func alongCases() []Case {
	third := float32(1) / 3
	two := ten(dims(2, 2), float32(0), 1, 2, 1)
	first := with(func(o *op.Softmax) { o.Axis = 0 })
	logFirst := with(func(o *op.LogSoftmax) { o.Axis = -2 })
	return []Case{
		near("Softmax/values", op.New[op.Softmax](), row{0, 1, 2}, row{0.0900305733, 0.244728476, 0.665240943}),
		near("Softmax/shift", op.New[op.Softmax](), row{1000, 1001, 1002}, row{0.0900305733, 0.244728476, 0.665240943}),
		near("Softmax/infinity", op.New[op.Softmax](), row{-inf32, 0, 0}, row{0, 0.5, 0.5}),
		{Name: "Softmax/first_axis", Op: first, In: tensors{ten(dims(3, 1), float32(5), 5, 5)}, Want: tensors{ten(dims(3, 1), third, third, third)}, Tol: oneUlp},
		{Name: "Softmax/middle_axis", Op: with(func(o *op.Softmax) { o.Axis = 1 }), In: tensors{ten(dims(1, 2, 2), float32(3), 0, 3, 0)},
			Want: tensors{ten(dims(1, 2, 2), float32(0.5), 0.5, 0.5, 0.5)}},
		gives("Softmax/empty", op.New[op.Softmax](), ten[float32](dims(2, 0)), ten[float32](dims(2, 0))),
		near("LogSoftmax/values", op.New[op.LogSoftmax](), row{0, 1, 2}, row{-2.40760589, -1.40760601, -0.407605976}),
		{Name: "LogSoftmax/negative_axis", Op: logFirst, In: tensors{ten(dims(2, 1), float32(7), 7)}, Want: tensors{ten(dims(2, 1), float32(-0.693147182), -0.693147182)}, Tol: oneUlp},
		gives("Hardmax/first_of_equals", op.New[op.Hardmax](), vec[float32](0, 1, 0), vec[float32](1, 3, 3)),
		gives("Hardmax/first_axis", with(func(o *op.Hardmax) { o.Axis = 0 }), ten(dims(2, 2), float32(0), 1, 1, 0), two),
		gives("Hardmax/float64", op.New[op.Hardmax](), vec[float64](0, 1), vec(1, 1+0x1p-40)),
	}
}

func reduceCases() []Case {
	x := ten(dims(2, 3), float32(1), 2, 3, 4, 5, 6)
	cube := series(1, 2, 2, 2)
	first, last, outer := vec[int64](0), vec[int64](-1), vec[int64](2, 0)
	flat := with(func(o *op.ReduceSum) { o.Keepdims = false })
	noop := with(func(o *op.ReduceSum) { o.NoopWithEmptyAxes = true })
	far := uint64(1 << 63)
	return []Case{
		gives("ReduceSum/all", op.New[op.ReduceSum](), ten(dims(1, 1), float32(21)), x),
		gives("ReduceSum/first", op.New[op.ReduceSum](), ten(dims(1, 3), float32(5), 7, 9), x, first),
		gives("ReduceSum/last", flat, vec[float32](6, 15), x, last),
		gives("ReduceSum/scalar", flat, tensor.Scalar[float32](21), x),
		gives("ReduceSum/outer_axes", op.New[op.ReduceSum](), ten(dims(1, 2, 1), float32(14), 22), cube, outer),
		gives("ReduceSum/no_axes", noop, x, x, vec[int64]()),
		gives("ReduceSum/no_axes_means_all", flat, tensor.Scalar[float32](21), x, vec[int64]()),
		gives("ReduceSum/int8_wraps", flat, tensor.Scalar[int8](-56), vec[int8](100, 100)),
		gives("ReduceSum/float64", flat, tensor.Scalar(1+0x1p-50), vec(1, 0x1p-50)),
		gives("ReduceSum/of_scalar", op.New[op.ReduceSum](), tensor.Scalar[float32](3), tensor.Scalar[float32](3)),
		// 17 elements: the last joins the lane of the first.
		gives("ReduceSum/lanes", flat, tensor.Scalar[float32](1), ten(dims(17), append(append([]float32{1e8}, make([]float32, 14)...), 1, -1e8)...)),
		gives("ReduceMean/last", op.New[op.ReduceMean](), ten(dims(2, 1), float32(2), 5), x, last),
		gives("ReduceMean/middle", op.New[op.ReduceMean](), ten(dims(2, 1, 2), float32(2), 3, 6, 7), cube, vec[int64](1)),
		gives("ReduceMean/int32_truncates", op.New[op.ReduceMean](), vec[int32](-2), vec[int32](-3, -2)),
		gives("ReduceMean/uint64", op.New[op.ReduceMean](), vec(far), vec(far)),
		gives("ReduceMax/first", op.New[op.ReduceMax](), ten(dims(1, 3), float32(4), 5, 6), x, first),
		gives("ReduceMax/NaN", op.New[op.ReduceMax](), vec(nan32), vec(1, nan32, inf32)),
		gives("ReduceMax/uint64", op.New[op.ReduceMax](), vec(far), vec(1, far)),
		gives("ReduceMax/bool", op.New[op.ReduceMax](), ten(dims(2, 1), true, false), ten(dims(2, 2), false, true, false, false), last),
		gives("ReduceMin/outer_axes", op.New[op.ReduceMin](), ten(dims(1, 2, 1), float32(1), 3), cube, outer),
		gives("ReduceMin/uint8", op.New[op.ReduceMin](), vec[uint8](3), vec[uint8](200, 3)),
		gives("ReduceMin/uint64", op.New[op.ReduceMin](), vec[uint64](1), vec(1, far)),
		gives("ReduceMin/bool", op.New[op.ReduceMin](), vec(false), vec(true, false)),
		gives("ReduceProd/last", op.New[op.ReduceProd](), ten(dims(2, 1), float32(6), 120), x, last),
		gives("ReduceProd/int64", op.New[op.ReduceProd](), vec[int64](-24), vec[int64](2, -3, 4)),
		gives("ReduceL1/float32", op.New[op.ReduceL1](), vec[float32](6), vec[float32](1, -2, 3)),
		gives("ReduceL1/int32", op.New[op.ReduceL1](), vec[int32](6), vec[int32](1, -2, 3)),
		gives("ReduceL1/uint64", op.New[op.ReduceL1](), vec(far+1), vec(far, 1)),
		gives("ReduceL2/float32", op.New[op.ReduceL2](), vec[float32](5), vec[float32](3, -4)),
		gives("ReduceL2/float64", op.New[op.ReduceL2](), vec(1e100), vec(1e100)),
		gives("ReduceL2/int32", op.New[op.ReduceL2](), vec[int32](5), vec[int32](3, 4)),
		gives("ReduceSumSquare/first", op.New[op.ReduceSumSquare](), ten(dims(1, 3), float32(17), 29, 45), x, first),
		gives("ReduceSumSquare/int64", op.New[op.ReduceSumSquare](), vec[int64](25), vec[int64](-3, 4)),
		near("ReduceLogSum/float32", op.New[op.ReduceLogSum](), row{1, 2, 3}, row{1.79175949}),
		{Name: "ReduceLogSum/float64", Op: op.New[op.ReduceLogSum](), In: tensors{vec(1.0, 2, 3)}, Want: tensors{vec(1.791759469228055)}, Tol: 1e-14},
		near("ReduceLogSumExp/float32", op.New[op.ReduceLogSumExp](), row{1, 2, 3}, row{3.40760589}),
		near("ReduceLogSumExp/large", op.New[op.ReduceLogSumExp](), row{1000, 1000}, row{1000.69318}),
		near("ReduceLogSumExp/infinity", op.New[op.ReduceLogSumExp](), row{-inf32, -inf32}, row{-inf32}),
	}
}

// emptyReduceCases reduce an axis of length 0: each gives what changes nothing.
func emptyReduceCases() []Case {
	none, at := ten[float32](dims(2, 0)), vec[int64](1)
	both := func(v float32) *tensor.Tensor { return ten(dims(2, 1), v, v) }
	return []Case{
		gives("ReduceSum/empty", op.New[op.ReduceSum](), both(0), none, at),
		gives("ReduceProd/empty", op.New[op.ReduceProd](), both(1), none, at),
		gives("ReduceMax/empty", op.New[op.ReduceMax](), both(-inf32), none, at),
		gives("ReduceMin/empty", op.New[op.ReduceMin](), both(inf32), none, at),
		gives("ReduceL2/empty", op.New[op.ReduceL2](), both(0), none, at),
		gives("ReduceLogSum/empty", op.New[op.ReduceLogSum](), both(-inf32), none, at),
		gives("ReduceLogSumExp/empty", op.New[op.ReduceLogSumExp](), both(-inf32), none, at),
		gives("ReduceMax/empty_int32", op.New[op.ReduceMax](), vec[int32](math.MinInt32), vec[int32]()),
		gives("ReduceMin/empty_int32", op.New[op.ReduceMin](), vec[int32](math.MaxInt32), vec[int32]()),
		gives("ReduceMin/empty_uint64", op.New[op.ReduceMin](), vec[uint64](math.MaxUint64), vec[uint64]()),
		gives("ReduceMin/empty_bool", op.New[op.ReduceMin](), vec(true), vec[bool]()),
		gives("ReduceSum/empty_result", op.New[op.ReduceSum](), ten[float32](dims(1, 0)), none, vec[int64](0)),
	}
}

func argCases() []Case {
	x := ten(dims(2, 3), float32(3), 1, 3, 0, 5, 0)
	flat := with(func(o *op.ArgMax) { o.Axis, o.Keepdims = -1, false })
	latest := with(func(o *op.ArgMax) { o.Axis, o.SelectLastIndex = 1, true })
	return []Case{
		gives("ArgMax/first_axis", op.New[op.ArgMax](), ten(dims(1, 3), int64(0), 1, 0), x),
		gives("ArgMax/flat", flat, vec[int64](0, 1), x),
		gives("ArgMax/last_of_equals", latest, ten(dims(2, 1), int64(2), 1), x),
		gives("ArgMax/float64", op.New[op.ArgMax](), vec[int64](1), vec(1, 1+0x1p-40)),
		gives("ArgMax/uint64", op.New[op.ArgMax](), vec[int64](1), vec[uint64](2, 1<<63)),
		gives("ArgMax/int8", op.New[op.ArgMax](), vec[int64](2), vec[int8](-128, -3, 7)),
		gives("ArgMin/first_of_equals", with(func(o *op.ArgMin) { o.Axis = 1 }), ten(dims(2, 1), int64(1), 0), x),
		gives("ArgMin/last_of_equals", with(func(o *op.ArgMin) { o.Axis, o.SelectLastIndex = 1, true }), ten(dims(2, 1), int64(1), 2), x),
		gives("ArgMin/NaN", op.New[op.ArgMin](), vec[int64](1), vec(-1, nan32, 0)),
		gives("ArgMax/nothing_of_nothing", with(func(o *op.ArgMax) { o.Axis = 1 }), ten[int64](dims(0, 1)), ten[float32](dims(0, 0))),
		gives("ArgMin/empty_result", with(func(o *op.ArgMin) { o.Axis = 1 }), ten[int64](dims(0, 1)), ten[float32](dims(0, 3))),
	}
}

func cumSumCases() []Case {
	x := ten(dims(2, 3), float32(1), 2, 3, 4, 5, 6)
	last := tensor.Scalar[int64](-1)
	return []Case{
		gives("CumSum/first", op.New[op.CumSum](), ten(dims(2, 3), float32(1), 2, 3, 5, 7, 9), x, tensor.Scalar[int32](0)),
		gives("CumSum/last", op.New[op.CumSum](), ten(dims(2, 3), float32(1), 3, 6, 4, 9, 15), x, last),
		gives("CumSum/exclusive", with(func(o *op.CumSum) { o.Exclusive = true }), ten(dims(2, 3), float32(0), 1, 3, 0, 4, 9), x, last),
		gives("CumSum/reverse", with(func(o *op.CumSum) { o.Reverse = true }), ten(dims(2, 3), float32(6), 5, 3, 15, 11, 6), x, last),
		gives("CumSum/reverse_exclusive", with(func(o *op.CumSum) { o.Exclusive, o.Reverse = true, true }), ten(dims(2, 3), float32(5), 3, 0, 11, 6, 0), x, last),
		gives("CumSum/int32", op.New[op.CumSum](), vec[int32](1, -1, 2), vec[int32](1, -2, 3), vec[int64](0)),
		gives("CumSum/empty", op.New[op.CumSum](), ten[float32](dims(2, 0)), ten[float32](dims(2, 0)), last),
	}
}
