package optest

import (
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// signalCases: transforms of 1, 2, 3, 4 and of 1, 2, 3 by the definition.
func signalCases() []Case {
	h := float32(math.Sqrt(3) / 2)
	four, three := series(1, 1, 4, 1), series(1, 1, 3, 1)
	spectrum := ten(dims(1, 4, 2), float32(10), 0, -2, 2, -2, 0, -2, -2)
	half := ten(dims(1, 3, 2), float32(10), 0, -2, 2, -2, 0)
	odd := ten(dims(1, 3, 2), float32(6), 0, -1.5, h, -1.5, -h)
	dft := func(name string, inverse, onesided bool, want *tensor.Tensor, in ...*tensor.Tensor) Case {
		return Case{"DFT/" + name, with(func(o *op.DFT) { o.Inverse, o.Onesided = inverse, onesided }), in, these(want), 1e-6}
	}
	window := func(name string, o op.Op, size int64, want ...float32) Case {
		return Case{name, o, these(scalar(size)), these(vec(want...)), 1e-6}
	}
	// The specification's: bands of one frequency each.
	narrow := make([]float32, 9*8)
	for band, bin := range dims(0, 0, 1, 1, 2, 3, 4, 5) {
		narrow[bin*8+band] = 1
	}
	mel := func(bands, rate int64, high float32, want *tensor.Tensor) Case {
		return Case{"MelWeightMatrix/" + want.String(), op.New[op.MelWeightMatrix](),
			these(scalar(bands), scalar[int64](16), scalar(rate), scalar(float32(0)), scalar(high)), these(want), 1e-6}
	}
	return []Case{
		dft("real", false, false, spectrum, four),
		dft("onesided", false, true, half, four),
		dft("threeElements", false, false, odd, three),
		dft("inverse", true, false, ten(dims(1, 4, 2), float32(1), 0, 2, 0, 3, 0, 4, 0), spectrum),
		dft("inverseOfHalf", true, true, four, half),
		dft("inverseOfHalfOfThree", true, true, three, ten(dims(1, 2, 2), float32(6), 0, -1.5, h), scalar[int64](3)),
		dft("filledUp", false, false, ten(dims(1, 4, 2), float32(1), 0, 1, 0, 1, 0, 1, 0), ten(dims(1, 1, 1), float32(1)), scalar[int64](4)),
		dft("cut", false, false, odd, four, scalar[int64](3)),
		dft("axis", false, false, ten(dims(2, 2, 2), 4.0, 0, 6, 0, -2, 0, -2, 0), ten(dims(2, 2, 1), 1.0, 2, 3, 4), nil, scalar[int64](0)),
		dft("complexSteps", false, false, ten(dims(2, 2), float32(1), 1, 1, -1), ten(dims(2, 2), float32(1), 0, 0, 1)),
		{"STFT/onesided", op.New[op.STFT](), these(four, scalar[int64](2), nil, scalar[int64](2)),
			these(ten(dims(1, 2, 2, 2), float32(3), 0, -1, 0, 7, 0, -1, 0)), 1e-6},
		{"STFT/window", op.New[op.STFT](), these(four, scalar[int64](2), vec(float32(0.5), 2)),
			these(ten(dims(1, 2, 2, 2), float32(4.5), 0, -3.5, 0, 9.5, 0, -6.5, 0)), 1e-6},
		{"STFT/complex", with(func(o *op.STFT) { o.Onesided = false }), these(ten(dims(1, 2, 2), float32(1), 0, 0, 1), scalar[int64](1), nil, scalar[int64](2)),
			these(ten(dims(1, 1, 2, 2), float32(1), 1, 1, -1)), 1e-6},
		window("HannWindow/periodic", op.New[op.HannWindow](), 4, 0, 0.5, 1, 0.5),
		window("HannWindow/symmetric", with(func(o *op.HannWindow) { o.Periodic = false }), 3, 0, 1, 0),
		window("HannWindow/one", with(func(o *op.HannWindow) { o.Periodic = false }), 1, 0),
		window("HammingWindow/periodic", op.New[op.HammingWindow](), 4, 4.0/46, 25.0/46, 1, 25.0/46),
		window("BlackmanWindow/periodic", op.New[op.BlackmanWindow](), 4, 0, 0.34, 1, 0.34),
		{"BlackmanWindow/integers", with(func(o *op.BlackmanWindow) { o.OutputDatatype = dtype.Int32 }), these(scalar[int32](2)), these(vec[int32](0, 1)), 0},
		mel(8, 8192, 4096, ten(dims(9, 8), narrow...)),
		// Corners at 0, 427, 1114 and 2220 Hz are the frequencies 0, 0, 2 and 4.
		mel(2, 8000, 4000, ten(dims(9, 2), float32(1), 0, 0.5, 0.5, 0, 1, 0, 0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
	}
}

// samplingCases: grids, samples beside their places, and boxes.
func samplingCases() []Case {
	same, moved := ten(dims(1, 2, 3), float32(1), 0, 0, 0, 1, 0), ten(dims(1, 2, 3), 0.0, 1, 3, 2, 0, 0)
	size := vec[int64](1, 1, 2, 2)
	grid := func(name string, corners bool, theta, size, want *tensor.Tensor) Case {
		return Case{"AffineGrid/" + name, with(func(o *op.AffineGrid) { o.AlignCorners = corners }), these(theta, size), these(want), 0}
	}
	x, one := series(0, 1, 1, 3, 3), ten(dims(1, 1, 1, 1), float32(1))
	down := make([]float32, 2*9) // half an element down
	for i := range 9 {
		down[i] = 0.5
	}
	offset := ten(dims(1, 2, 3, 3), down...)
	between := ten(dims(1, 1, 3, 3), float32(1.5), 2.5, 3.5, 4.5, 5.5, 6.5, 3, 3.5, 4)
	roi := func(name string, scale float32, box, want *tensor.Tensor) Case {
		return Case{"MaxRoiPool/" + name, with(func(o *op.MaxRoiPool) { o.PooledShape, o.SpatialScale = dims(2, 2), scale }),
			these(series(0, 1, 1, 4, 4), box), these(want), 0}
	}
	return []Case{
		grid("corners", true, same, size, ten(dims(1, 2, 2, 2), float32(-1), -1, 1, -1, -1, 1, 1, 1)),
		grid("edges", false, same, size, ten(dims(1, 2, 2, 2), float32(-0.5), -0.5, 0.5, -0.5, -0.5, 0.5, 0.5, 0.5)),
		grid("moved", true, moved, size, ten(dims(1, 2, 2, 2), 2.0, -2, 2, 2, 4, -2, 4, 2)),
		grid("volume", true, ten(dims(1, 3, 4), float32(1), 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0), vec[int64](1, 1, 1, 1, 2), ten(dims(1, 1, 1, 2, 3), float32(-1), 0, 0, 1, 0, 0)),
		{"DeformConv/between", op.New[op.DeformConv](), these(x, one, offset), these(between), 0},
		{"DeformConv/biasAndMask", op.New[op.DeformConv](), these(x, one, offset, vec(float32(1)), ten(dims(1, 1, 3, 3), float32(2), 2, 2, 2, 2, 2, 0, 0, 0)),
			these(ten(dims(1, 1, 3, 3), float32(4), 6, 8, 10, 12, 14, 1, 1, 1)), 0},
		{"DeformConv/atPlace", with(func(o *op.DeformConv) { o.Pads, o.Strides = dims(1, 1, 0, 0), dims(2, 2) }),
			these(x, ten(dims(1, 1, 2, 2), float32(1), 10, 100, 1000), ten(dims(1, 8, 2, 2), make([]float32, 32)...)),
			these(ten(dims(1, 1, 2, 2), float32(0), 2100, 6030, 8754)), 0},
		{"DeformConv/groups", with(func(o *op.DeformConv) { o.Group, o.OffsetGroup = 2, 2 }),
			these(series(1, 1, 2, 1, 2), ten(dims(2, 1, 1, 1), float32(1), 10), ten(dims(1, 4, 1, 2), float32(0), 0, 0, 0, 0, 0, 0, 0.5)),
			these(ten(dims(1, 2, 1, 2), float32(1), 2, 30, 20)), 0},
		roi("whole", 1, ten(dims(1, 5), float32(0), 0, 0, 3, 3), ten(dims(1, 1, 2, 2), float32(5), 7, 13, 15)),
		// Corners 0 and 4: five elements, which cells of 2.5 cover with an overlap.
		roi("scaled", 0.5, ten(dims(1, 5), float32(0), 0, 0, 7, 7), ten(dims(1, 1, 2, 2), float32(10), 11, 14, 15)),
		roi("outside", 1, ten(dims(1, 5), float32(0), 10, 10, 12, 12), ten(dims(1, 1, 2, 2), float32(0), 0, 0, 0)),
	}
}

// bitCases: bits read otherwise, products in order, determinants and files.
func bitCases() []Case {
	n := vec(float32(1), 2, 3)
	product := func(name string, exclusive, reverse bool, want ...float32) Case {
		return Case{"CumProd/" + name, with(func(o *op.CumProd) { o.Exclusive, o.Reverse = exclusive, reverse }),
			these(n, scalar[int64](0)), these(vec(want...)), 0}
	}
	cast := func(name string, to dtype.Type, x, want *tensor.Tensor) Case {
		return Case{"BitCast/" + name, with(func(o *op.BitCast) { o.To = to }), these(x), these(want), 0}
	}
	picture := func(name, format, file string, want *tensor.Tensor) Case {
		return Case{"ImageDecoder/" + name, with(func(o *op.ImageDecoder) { o.PixelFormat = format }), these(vec([]uint8(file)...)), these(want), 0}
	}
	return []Case{
		// The first four are the specification's.
		product("inclusive", false, false, 1, 2, 6),
		product("exclusive", true, false, 1, 1, 2),
		product("reverse", false, true, 6, 6, 3),
		product("both", true, true, 6, 3, 1),
		{"CumProd/rows", op.New[op.CumProd](), these(ten(dims(2, 2), int32(2), 3, 4, 5), scalar[int32](-1)), these(ten(dims(2, 2), int32(2), 6, 4, 20)), 0},
		cast("float", dtype.Int32, vec(float32(1), -2), vec[int32](0x3f800000, -0x40000000)),
		cast("half", dtype.Float16, vec[uint16](0x3c00), bits16(dtype.Float16, 0x3c00)),
		cast("sign", dtype.Uint8, vec[int8](-1, 5), vec[uint8](255, 5)),
		cast("bool", dtype.Bool, vec[uint8](0, 1, 2), vec(false, true, true)),
		cast("nibbles", dtype.Uint4, tensor.Pack(dtype.Int4, []int8{-1, 7, 3}, 3), tensor.Pack(dtype.Uint4, []int8{15, 7, 3}, 3)),
		{"Det/two", &op.Det{}, these(ten(dims(2, 2), float32(1), 2, 3, 4)), these(scalar(float32(-2))), 1e-6},
		{"Det/batch", &op.Det{}, these(ten(dims(3, 2, 2), 2.0, 0, 0, 3, 1, 2, 2, 4, 0, 1, 1, 0)), these(vec(6.0, 0, -1)), 0},
		{"Det/empty", &op.Det{}, these(ten[float32](dims(1, 0, 0))), these(vec(float32(1))), 0},
		picture("grey", "RGB", "P5 2 1 255\n\x01\x02", ten(dims(1, 2, 3), uint8(1), 1, 1, 2, 2, 2)),
		picture("reversed", "BGR", "P6 1 1 255\n\x01\x02\x03", ten(dims(1, 1, 3), uint8(3), 2, 1)),
		// 0.299 of 255 is 76.2.
		picture("toGrey", "Grayscale", "P6 1 1 255\n\xff\x00\x00", ten(dims(1, 1, 1), uint8(76))),
	}
}
