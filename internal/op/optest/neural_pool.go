package optest

import (
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

func poolCases() []Case {
	x := ten(dims(1, 1, 3), float32(3), 6, 9)
	average := func(name string, x, want *tensor.Tensor, set func(*op.AveragePool)) Case {
		return Case{Name: "AveragePool/" + name, Op: with(set), In: these(x), Want: these(want)}
	}
	planes := ten(dims(2, 2, 2), float32(1), 3, -4, 3, 0, 2, 5, 12)
	last := ten(dims(2, 2, 2), float32(1), -4, 3, 3, 0, 5, 2, 12)
	return []Case{
		average("pads", x, ten(dims(1, 1, 3), float32(4.5), 6, 7.5),
			func(o *op.AveragePool) { o.KernelShape, o.Pads = dims(3), dims(1, 1) }),
		average("countIncludePad", x, ten(dims(1, 1, 3), float32(3), 6, 5),
			func(o *op.AveragePool) { o.KernelShape, o.Pads, o.CountIncludePad = dims(3), dims(1, 1), true }),
		average("ceil", series(1, 1, 1, 5), ten(dims(1, 1, 2), float32(2), 4.5),
			func(o *op.AveragePool) { o.KernelShape, o.Strides, o.CeilMode = dims(3), dims(3), true }),
		// Elements beyond the padding never count.
		average("ceilAndPad", series(1, 1, 1, 5), ten(dims(1, 1, 2), float32(1.5), 4),
			func(o *op.AveragePool) {
				o.KernelShape, o.Strides, o.Pads, o.CeilMode, o.CountIncludePad = dims(4), dims(3), dims(1, 0), true, true
			}),
		average("dilation", series(1, 1, 1, 4), ten(dims(1, 1, 2), float32(2), 3),
			func(o *op.AveragePool) { o.KernelShape, o.Dilations = dims(2), dims(2) }),
		average("sameUpper", x, ten(dims(1, 1, 3), float32(4.5), 7.5, 9),
			func(o *op.AveragePool) { o.KernelShape, o.AutoPad = dims(2), "SAME_UPPER" }),
		average("square", series(1, 1, 1, 3, 3), ten(dims(1, 1, 2, 2), float32(3), 4, 6, 7),
			func(o *op.AveragePool) { o.KernelShape = dims(2, 2) }),
		average("channelsLast", last, ten(dims(2, 1, 2), float32(2), -0.5, 1, 8.5),
			func(o *op.AveragePool) { o.KernelShape, o.Layout = dims(2), op.ChannelsLast }),
		{Name: "LpPool/p2", Op: with(func(o *op.LpPool) { o.KernelShape = dims(2) }),
			In: these(ten(dims(1, 1, 3), float32(3), -4, 3)), Want: these(ten(dims(1, 1, 2), float32(5), 5))},
		{Name: "LpPool/p1", Op: with(func(o *op.LpPool) { o.KernelShape, o.P, o.Pads = dims(2), 1, dims(1, 0) }),
			In: these(ten(dims(1, 1, 3), float32(3), -4, 3)), Want: these(ten(dims(1, 1, 3), float32(3), 7, 7))},
		{Name: "LpPool/p3", Op: with(func(o *op.LpPool) { o.KernelShape, o.P = dims(2), 3 }),
			In: these(ten(dims(1, 1, 2), float32(1), 1)), Want: these(ten(dims(1, 1, 1), float32(1.2599211))), Tol: 1e-6},
		{Name: "GlobalAveragePool/planes", Op: op.New[op.GlobalAveragePool](), In: these(planes),
			Want: these(ten(dims(2, 2, 1), float32(2), -0.5, 1, 8.5))},
		{Name: "GlobalAveragePool/channelsLast", Op: with(func(o *op.GlobalAveragePool) { o.Layout = op.ChannelsLast }),
			In: these(last), Want: these(ten(dims(2, 1, 2), float32(2), -0.5, 1, 8.5))},
		{Name: "GlobalAveragePool/noSpace", Op: op.New[op.GlobalAveragePool](), In: these(series(1, 2, 2)),
			Want: these(series(1, 2, 2))},
		{Name: "GlobalMaxPool/planes", Op: op.New[op.GlobalMaxPool](), In: these(planes),
			Want: these(ten(dims(2, 2, 1), float32(3), 3, 2, 12))},
		{Name: "GlobalMaxPool/channelsLast", Op: with(func(o *op.GlobalMaxPool) { o.Layout = op.ChannelsLast }),
			In: these(last), Want: these(ten(dims(2, 1, 2), float32(3), 3, 2, 12))},
		{Name: "GlobalLpPool/p2", Op: op.New[op.GlobalLpPool](), In: these(ten(dims(1, 2, 1, 2), float32(3), 4, 5, -12)),
			Want: these(ten(dims(1, 2, 1, 1), float32(5), 13))},
		{Name: "GlobalLpPool/p1", Op: with(func(o *op.GlobalLpPool) { o.P = 1 }), In: these(planes),
			Want: these(ten(dims(2, 2, 1), float32(4), 7, 2, 17))},
	}
}

func roiCases() []Case {
	// Every pixel is its column.
	ramp := ten(dims(1, 1, 4, 4), float32(0), 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3)
	boxes := ten(dims(2, 4), float32(0), 0, 4, 4, 1, 1, 3, 3)
	roi := func(name string, want *tensor.Tensor, set func(*op.RoiAlign)) Case {
		return Case{Name: "RoiAlign/" + name, Op: with(set), In: these(ramp, boxes, vec[int64](0, 0)), Want: these(want)}
	}
	return []Case{
		roi("oneSample", ten(dims(2, 1, 1, 2), float32(0.5), 2.5, 1, 2),
			func(o *op.RoiAlign) { o.OutputWidth, o.SamplingRatio = 2, 1 }),
		roi("adaptive", ten(dims(2, 1, 1, 1), float32(1.5), 1.5), func(*op.RoiAlign) {}),
		roi("outputHalfPixel", ten(dims(2, 1, 1, 1), float32(2), 2),
			func(o *op.RoiAlign) { o.Coordinates, o.SamplingRatio = "output_half_pixel", 1 }),
		// The greatest of the weighted neighbours, not of the samples.
		roi("max", ten(dims(2, 1, 1, 1), float32(0.5), 0.5),
			func(o *op.RoiAlign) { o.Mode, o.SamplingRatio = "max", 1 }),
	}
}
