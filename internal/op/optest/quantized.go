package optest

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// QuantizedCases returns the cases of the operators of quantized models.
func QuantizedCases() []Case { return quantizedCases() }

func quantizedCases() []Case {
	return slices.Concat(quantizingCases(), qlinearProductCases(), qlinearOtherCases(), tieCases())
}

// quantized returns a case with tolerance 0 and one output.
func quantized(name string, o op.Op, want *tensor.Tensor, in ...*tensor.Tensor) Case {
	return Case{Name: name, Op: o, In: in, Want: []*tensor.Tensor{want}}
}

// f32 and u8 are scalars, as scales and zero points are.
func f32(v float32) *tensor.Tensor { return tensor.Scalar(v) }
func u8(v uint8) *tensor.Tensor    { return tensor.Scalar(v) }
func i8(v int8) *tensor.Tensor     { return tensor.Scalar(v) }

func quantizingCases() []Case {
	blocks := with(func(o *op.QuantizeLinear) { o.Axis, o.BlockSize = 0, 2 })
	deblocks := with(func(o *op.DequantizeLinear) { o.Axis, o.BlockSize = -2, 2 })
	return []Case{
		quantized("QuantizeLinear/uint8", op.New[op.QuantizeLinear](), vec[uint8](128, 129, 130, 255, 1, 0),
			vec[float32](0, 2, 3, 1000, -254, -1000), f32(2), u8(128)),
		quantized("QuantizeLinear/no_zero_point", op.New[op.QuantizeLinear](), vec[uint8](1, 0, 2), vec[float32](1, -1, 2.5), f32(1)),
		quantized("QuantizeLinear/negative_axis", with(func(o *op.QuantizeLinear) { o.Axis = -1 }), ten(dims(2, 2), int8(1), 2, 3, -1),
			ten(dims(2, 2), float32(1), 2, 3, -4), vec[float32](1, 2), vec[int8](0, 1)),
		quantized("QuantizeLinear/blocks", blocks, ten(dims(5, 1), int8(1), 2, 3, 4, 5),
			ten(dims(5, 1), float32(1), 2, 30, 40, 5), ten(dims(3, 1), float32(1), 10, 1), ten(dims(3, 1), int8(0), 0, 0)),
		quantized("QuantizeLinear/int4", with(func(o *op.QuantizeLinear) { o.OutputType = dtype.Int4 }), tensor.Pack(dtype.Int4, []int8{-8, 4, 2}, 3),
			vec[float32](-100, 3.5, 2), f32(1)),
		quantized("QuantizeLinear/half_away", with(func(o *op.QuantizeLinear) { o.Round = 1 }), vec[int8](3, -3, 1), vec[float32](2.5, -2.5, 0.5), f32(1), i8(0)),
		quantized("QuantizeLinear/int32", op.New[op.QuantizeLinear](), vec[int8](2, -2), vec[int32](3, -5), f32(2), i8(0)),
		quantized("QuantizeLinear/empty", op.New[op.QuantizeLinear](), ten[uint8](dims(0, 3)), ten[float32](dims(0, 3)), f32(1), u8(0)),
		quantized("DequantizeLinear/uint8", op.New[op.DequantizeLinear](), vec[float32](-256, -250, 0, 254), vec[uint8](0, 3, 128, 255), f32(2), u8(128)),
		quantized("DequantizeLinear/axis", with(func(o *op.DequantizeLinear) { o.Axis = 0 }), ten(dims(2, 2), float32(1), 2, 1, 3),
			ten(dims(2, 2), int8(1), 2, 3, 7), vec[float32](1, 0.5), vec[int8](0, 1)),
		quantized("DequantizeLinear/int32_bias", op.New[op.DequantizeLinear](), vec[float32](500, -0.5), vec[int32](1000, -1), f32(0.5)),
		quantized("DequantizeLinear/blocks_uint4", deblocks, ten(dims(3, 2), float32(-7), 0, -6, 12, 40, -8),
			tensor.FromInts(dtype.Uint4, []int64{1, 2, 2, 14, 12, 0}, 3, 2), ten(dims(2, 2), float32(1), 1, 10, 2),
			tensor.FromInts(dtype.Uint4, []int64{8, 2, 8, 4}, 2, 2)),
		quantized("DequantizeLinear/real_zero_point", op.New[op.DequantizeLinear](), vec[float32](-3.75, 0.25), tensor.FromInts(dtype.Uint4, []int64{0, 8}, 2), f32(0.5), f32(7.5)),
		quantized("DequantizeLinear/negative_scale", op.New[op.DequantizeLinear](), vec[float32](2, -4), vec[int8](-1, 2), f32(-2)),
		quantized("DequantizeLinear/float64", with(func(o *op.DequantizeLinear) { o.OutputType = dtype.Float64 }), vec[float64](1.5, -1.5), vec[int8](3, -3), f32(0.5)),
		{Name: "DynamicQuantizeLinear/specification", Op: op.New[op.DynamicQuantizeLinear](), In: []*tensor.Tensor{vec[float32](0, 2, -3, -2.5, 1.34, 0.5)},
			Want: []*tensor.Tensor{vec[uint8](153, 255, 0, 26, 221, 179), f32(5.0 / 255), u8(153)}},
		{Name: "DynamicQuantizeLinear/zeros", Op: op.New[op.DynamicQuantizeLinear](), In: []*tensor.Tensor{vec[float32](0, 0)},
			Want: []*tensor.Tensor{vec[uint8](0, 0), f32(1), u8(0)}},
		{Name: "DynamicQuantize/rows", Op: with(func(o *op.DynamicQuantize) { o.Type, o.Symmetric, o.Axis = dtype.Int8, true, op.Some(-1) }),
			In:   []*tensor.Tensor{ten(dims(2, 2), float32(1), -3, 0, 0)},
			Want: []*tensor.Tensor{ten(dims(2, 2), int8(42), -127, 0, 0), ten(dims(2, 1), float32(6.0/254), 1), ten(dims(2, 1), int8(0), 0)}},
		{Name: "DynamicQuantize/columns", Op: with(func(o *op.DynamicQuantize) { o.Axis = op.Some(0) }),
			In:   []*tensor.Tensor{ten(dims(2, 2), float32(0), -51, 255, 204)},
			Want: []*tensor.Tensor{ten(dims(2, 2), uint8(0), 0, 255, 255), ten(dims(1, 2), float32(1), 1), ten(dims(1, 2), uint8(0), 51)}},
	}
}

func qlinearProductCases() []Case {
	nbits := func(bits int) *op.MatMulNBits {
		return with(func(o *op.MatMulNBits) { o.K, o.N, o.Bits, o.BlockSize = 16, 1, bits, 16 })
	}
	ones := make([]float32, 16)
	for i := range ones {
		ones[i] = 1
	}
	row := ten(dims(1, 16), ones...)
	return []Case{
		// Centered x is 2 4 6; the sums with bias are 11 17 and 8 12.
		quantized("QLinearConv/channels", op.New[op.QLinearConv](), ten(dims(1, 2, 2), uint8(13), 14, 11, 12),
			ten(dims(1, 1, 3), uint8(3), 5, 7), f32(2), u8(1),
			ten(dims(2, 1, 2), int8(1), 2, -1, 3), vec[float32](0.5, 0.25), vec[int8](0, 0), f32(4), u8(10), vec[int32](1, -2)),
		quantized("QLinearConv/padding_is_the_zero_point", with(func(o *op.QLinearConv) { o.Pads = dims(1, 0) }), ten(dims(1, 1, 2), uint8(2), 6),
			ten(dims(1, 1, 2), uint8(3), 5), f32(1), u8(1), ten(dims(1, 1, 2), uint8(4), 4), f32(1), u8(3), f32(1), u8(0)),
		quantized("QLinearConv/groups", with(func(o *op.QLinearConv) { o.Group = 2 }), ten(dims(1, 2, 1), int8(6), -20),
			ten(dims(1, 2, 1), int8(3), 4), f32(1), i8(0), ten(dims(2, 1, 1), int8(2), -5), f32(1), i8(0), f32(1), i8(0)),
		quantized("ConvInteger/zero_points", op.New[op.ConvInteger](), ten(dims(1, 1, 2), int32(2), 4),
			ten(dims(1, 1, 3), uint8(2), 3, 5), ten(dims(1, 1, 2), uint8(2), 3), u8(1), u8(2)),
		// Centered x is 2 4 6, and the sums are 10 16 and 10 14.
		quantized("ConvIntegerToFloat/channels", op.New[op.ConvIntegerToFloat](), ten(dims(1, 2, 2), float32(10), 16, 2.5, 3.5),
			ten(dims(1, 1, 3), uint8(3), 5, 7), ten(dims(2, 1, 2), int8(1), 2, -1, 3), f32(2), vec[float32](0.5, 0.125), u8(1)),
		quantized("ConvIntegerToFloat/channels_last", with(func(o *op.ConvIntegerToFloat) { o.Layout = op.ChannelsLast }), ten(dims(1, 2, 2), float32(10), 2.5, 16, 3.5),
			ten(dims(1, 3, 1), uint8(3), 5, 7), ten(dims(2, 1, 2), int8(1), 2, -1, 3), f32(2), vec[float32](0.5, 0.125), u8(1)),
		quantized("ConvInteger/no_zero_points", with(func(o *op.ConvInteger) { o.Strides = dims(2) }), ten(dims(1, 1, 2), int32(-4), -502),
			ten(dims(1, 1, 3), uint8(2), 3, 251), ten(dims(1, 1, 1), int8(-2)), u8(0), nil),
		quantized("QLinearMatMul/columns", op.New[op.QLinearMatMul](), ten(dims(1, 2), uint8(11), 9),
			ten(dims(1, 2), uint8(1), 2), f32(1), u8(1), ten(dims(2, 2), int8(1), 2, 3, 4), vec[float32](1, 0.5), vec[int8](0, 0), f32(0.5), u8(5)),
		quantized("QLinearMatMul/rows", op.New[op.QLinearMatMul](), ten(dims(2, 2), uint8(2), 1, 8, 4),
			ten(dims(2, 1), uint8(1), 3), vec[float32](1, 2), vec[uint8](0, 1), ten(dims(1, 2), int8(2), 1), vec[float32](1, 1), vec[int8](0, 0), f32(1), u8(0)),
		quantized("MatMulInteger/zero_points", op.New[op.MatMulInteger](), ten(dims(1, 2), int32(4), 4),
			ten(dims(1, 2), uint8(11), 14), ten(dims(2, 2), uint8(1), 4, 3, 5), u8(12), vec[uint8](1, 2)),
		// Centered A is 1 2; the sums with C are 13 20, alpha·a·b is 1.
		quantized("QGemm/float", with(func(o *op.QGemm) { o.Alpha, o.TransB = 0.5, true }), ten(dims(1, 2), float32(13), 20),
			ten(dims(1, 2), uint8(2), 3), f32(2), u8(1), ten(dims(2, 2), int8(1), 1, 2, -1), f32(1), i8(0), vec[int32](10, 20)),
		quantized("QGemm/integer", with(func(o *op.QGemm) { o.Alpha, o.TransB = 0.5, true }), ten(dims(1, 2), uint8(6), 10),
			ten(dims(1, 2), uint8(2), 3), f32(2), u8(1), ten(dims(2, 2), int8(1), 1, 2, -1), f32(1), i8(0), vec[int32](10, 20), f32(2), u8(0)),
		quantized("QGemm/transposed_A_without_C", with(func(o *op.QGemm) { o.TransA = true }), ten(dims(1, 1), float32(11)),
			ten(dims(2, 1), uint8(1), 2), f32(1), u8(0), ten(dims(2, 1), int8(3), 4), vec[float32](1), vec[int8](0), nil),
		quantized("MatMulIntegerToFloat/bias", op.New[op.MatMulIntegerToFloat](), ten(dims(1, 2), float32(4), -1),
			ten(dims(1, 2), uint8(11), 14), ten(dims(2, 2), uint8(1), 4, 3, 5), f32(0.5), vec[float32](1, 2), u8(12), vec[uint8](1, 2), vec[float32](2, -5)),
		quantized("DynamicQuantizeMatMul/bias", op.New[op.DynamicQuantizeMatMul](), ten(dims(1, 1), float32(256)),
			ten(dims(1, 2), float32(0), 255), ten(dims(2, 1), int8(1), 2), f32(0.5), nil, vec[float32](1)),
		quantized("MatMulNBits/int4", nbits(4), ten(dims(1, 1), float32(4)), row, ten(dims(1, 1, 8), slices.Repeat([]uint8{0x98}, 8)...), vec[float32](0.5)),
		quantized("MatMulNBits/int2_zero_point_and_bias", nbits(2), ten(dims(1, 1), float32(9)), row, ten(dims(1, 1, 4), slices.Repeat([]uint8{0b11100100}, 4)...), vec[float32](1), vec[uint8](1), nil, vec[float32](1)),
		quantized("MatMulNBits/int8_real_zero_point", nbits(8), ten(dims(1, 1), float32(-16)), row, ten(dims(1, 1, 16), slices.Repeat([]uint8{2}, 16)...), vec[float32](2), vec[float32](2.5)),
	}
}

func qlinearOtherCases() []Case {
	pool := func(set func(*op.QLinearAveragePool)) *op.QLinearAveragePool {
		return with(func(o *op.QLinearAveragePool) {
			o.KernelShape, o.Strides = dims(2), dims(2)
			set(o)
		})
	}
	return []Case{
		quantized("QLinearAdd/broadcast", op.New[op.QLinearAdd](), vec[uint8](101, 104), vec[uint8](10, 20), f32(0.5), u8(10), vec[uint8](4), f32(1), u8(2), f32(2), u8(100)),
		quantized("QLinearAdd/no_zero_points", op.New[op.QLinearAdd](), vec[int8](127, -1), vec[int8](100, -2), f32(1), nil, vec[int8](100, 1), f32(1), nil, f32(1)),
		quantized("QLinearMul/broadcast", op.New[op.QLinearMul](), ten(dims(2, 1), uint8(100), 103), ten(dims(2, 1), uint8(10), 16), f32(0.5), u8(10), u8(4), f32(1), u8(2), f32(2), u8(100)),
		quantized("QLinearSigmoid/uint8", op.New[op.QLinearSigmoid](), vec[uint8](128, 255), vec[uint8](128, 255), f32(1), u8(128), f32(1.0/256), u8(0)),
		quantized("QLinearLeakyRelu/alpha", with(func(o *op.QLinearLeakyRelu) { o.Alpha = 0.5 }), vec[uint8](8, 14), vec[uint8](0, 4), f32(1), u8(2), f32(0.5), u8(10)),
		quantized("QLinearSoftmax/axis", with(func(o *op.QLinearSoftmax) { o.Axis = 0 }), ten(dims(2, 1), int8(0), 0), ten(dims(2, 1), int8(5), 5), f32(1), i8(0), f32(1.0/256), i8(-128)),
		quantized("QLinearSoftmax/before_opset_13", with(func(o *op.QLinearSoftmax) { o.Axis, o.Opset = 1, 11 }), ten(dims(1, 2, 2), uint8(64), 64, 64, 64), ten(dims(1, 2, 2), uint8(5), 5, 5, 5), f32(1), u8(0), f32(1.0/256), u8(0)),
		quantized("QLinearAveragePool/scale", pool(func(*op.QLinearAveragePool) {}), ten(dims(1, 1, 2), uint8(2), 5), ten(dims(1, 1, 4), uint8(2), 4, 6, 9), f32(1), u8(0), f32(1.5), u8(0)),
		quantized("QLinearAveragePool/padding", pool(func(o *op.QLinearAveragePool) { o.Pads = dims(1, 1) }), ten(dims(1, 1, 2), uint8(6), 14), ten(dims(1, 1, 2), uint8(4), 8), f32(1), u8(2), f32(0.5), u8(2)),
		quantized("QLinearAveragePool/counted_padding_channels_last", pool(func(o *op.QLinearAveragePool) {
			o.Pads, o.CountIncludePad, o.ChannelsLast = dims(1, 1), true, true
		}), ten(dims(1, 2, 1), uint8(4), 8), ten(dims(1, 2, 1), uint8(4), 8), f32(1), u8(2), f32(0.5), u8(2)),
		quantized("QLinearGlobalAveragePool/half_to_even", op.New[op.QLinearGlobalAveragePool](), ten(dims(1, 2, 1, 1), int8(2), -2), ten(dims(1, 2, 1, 2), int8(2), 3, -2, -3), f32(1), i8(0), f32(1), i8(0)),
		quantized("QLinearGlobalAveragePool/channels_last", with(func(o *op.QLinearGlobalAveragePool) { o.ChannelsLast = true }), ten(dims(1, 1, 2), int8(0), 1), ten(dims(1, 2, 2), int8(2), 4, -2, -2), f32(1), i8(0), f32(1), i8(0)),
		quantized("QLinearConcat/rescales", with(func(o *op.QLinearConcat) { o.Axis = -1 }), vec[uint8](12, 14, 11), f32(1), u8(10), vec[uint8](2, 4), f32(1), u8(0), vec[uint8](3), f32(0.5), u8(1)),
		quantized("QLinearWhere/rescales", op.New[op.QLinearWhere](), vec[uint8](12, 11), vec(true, false), vec[uint8](2, 4), f32(1), u8(0), u8(3), f32(0.5), u8(1), f32(1), u8(10)),
		quantized("QLinearReduceMean/axes", with(func(o *op.QLinearReduceMean) { o.Axes, o.Keepdims = dims(-1), false }), vec[uint8](3, 7), ten(dims(2, 2), uint8(2), 4, 6, 8), f32(1), u8(0), f32(1), u8(0)),
	}
}

// tieCases hold what ONNX Runtime 1.32 computes where many real results lie
// half-way between two integers.
func tieCases() []Case {
	return []Case{
		quantized("QLinearAdd/ties_uint8", op.New[op.QLinearAdd](), vec[uint8](154, 97, 144, 212, 9, 46, 110, 168, 146, 46, 150, 95, 140, 121, 86, 75, 74, 156, 8, 28, 164, 148, 111, 184),
			vec[uint8](121, 131, 193, 243, 8, 36, 210, 242, 63, 79, 222, 108, 69, 211, 65, 104, 164, 140, 21, 7, 221, 192, 214, 137), f32(0.05), u8(13),
			vec[uint8](209, 84, 115, 201, 31, 77, 31, 116, 250, 34, 98, 103, 231, 52, 128, 67, 5, 192, 15, 71, 127, 124, 29, 251), f32(0.05), u8(200), f32(0.1), u8(96)),
		quantized("QLinearAdd/ties_int8", op.New[op.QLinearAdd](), vec[int8](41, 56, -34, 42, -2, 16, 62, -31, 39, -27, -2, 83, -8, 17, -5, -45, -3, 38, 9, 47, 0, 26, 62, 73),
			vec[int8](63, 118, -105, 57, -53, 10, 108, -58, 57, -87, -46, 120, -21, 4, -54, -99, -20, 31, -12, 70, -36, 28, 69, 106), f32(0.05), i8(-20),
			vec[int8](-19, -118, 55, 7, 95, -11, -34, -113, -11, 36, 69, 90, -73, 23, 77, -62, -40, 87, 20, 2, 44, 2, 123, 64), f32(0.0125), i8(7), f32(0.1), i8(3)),
		quantized("QLinearMul/ties_uint8", op.New[op.QLinearMul](), vec[uint8](87, 114, 86, 104, 98, 98, 92, 128, 100, 92, 94, 82, 60, 104, 94, 78, 92, 94, 96, 118, 99, 86, 96, 102),
			vec[uint8](10, 20, 18, 11, 14, 14, 20, 4, 12, 16, 12, 20, 21, 18, 12, 19, 5, 15, 8, 8, 16, 17, 19, 7), f32(0.05), u8(13),
			vec[uint8](206, 205, 196, 192, 204, 205, 199, 193, 193, 197, 204, 196, 191, 203, 204, 194, 201, 198, 200, 191, 202, 195, 200, 198), f32(0.05), u8(200), f32(0.005), u8(96)),
		quantized("QLinearMul/ties_int8", op.New[op.QLinearMul](), vec[int8](24, 7, 0, 15, -8, 13, 4, -3, -3, 2, 1, -8, -25, -9, 17, 3, 2, 19, 27, 5, 4, 15, -15, -1),
			vec[int8](-26, -19, -21, -14, -17, -16, -19, -23, -24, -21, -19, -23, -27, -28, -29, -26, -22, -24, -26, -24, -17, -24, -13, -19), f32(0.05), i8(-20),
			vec[int8](0, 15, 13, 11, 0, 12, 10, 11, 10, 8, 4, 14, 15, 10, 4, 7, 8, -1, -1, 6, 8, 1, 2, 0), f32(0.0125), i8(7), f32(0.00125), i8(3)),
	}
}
