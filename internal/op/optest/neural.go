package optest

import (
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

func neuralCases() []Case {
	return slices.Concat(convCases(), convTransposeCases(), maxPoolCases(), poolCases(), roiCases(),
		statisticsCases(), rowCases(), productCases(), einsumCases(), recurrentCases())
}

// these lists inputs or outputs; nil is absent or not checked.
func these(ts ...*tensor.Tensor) []*tensor.Tensor { return ts }

// series returns lo, lo+1, … as a tensor.
func series(lo float32, shape ...int) *tensor.Tensor {
	n, _ := tensor.Count(shape)
	vals := make([]float32, n)
	for i := range vals {
		vals[i] = lo + float32(i)
	}
	return tensor.FromSlice(vals, shape...)
}

func convCases() []Case {
	line, pair := series(1, 1, 1, 6), ten(dims(1, 1, 2), float32(1), 10)
	short, step := series(1, 1, 1, 4), ten(dims(1, 1, 2), float32(1), 1)
	two := ten(dims(2, 1, 2), float32(1), 1, 1, -1)
	inf := float32(math.Inf(1))
	conv := func(name string, x, w, b, want *tensor.Tensor, set func(*op.Conv)) Case {
		in := these(x, w, b)
		if b == nil {
			in = in[:2]
		}
		return Case{Name: "Conv/" + name, Op: with(set), In: in, Want: these(want)}
	}
	ones := func(shape ...int) *tensor.Tensor {
		t := series(1, shape...)
		d := tensor.Data[float32](t)
		for i := range d {
			d[i] = 1
		}
		return t
	}
	return []Case{
		conv("pads", series(1, 1, 1, 3, 3), ones(1, 1, 3, 3), nil,
			ten(dims(1, 1, 3, 3), float32(12), 21, 16, 27, 45, 33, 24, 39, 28),
			func(o *op.Conv) { o.Pads = dims(1, 1, 1, 1) }),
		conv("strideAndBias", line, pair, vec(float32(100)), ten(dims(1, 1, 3), float32(121), 143, 165),
			func(o *op.Conv) { o.Strides = dims(2) }),
		conv("dilation", line, pair, nil, ten(dims(1, 1, 4), float32(31), 42, 53, 64),
			func(o *op.Conv) { o.Dilations, o.KernelShape = dims(2), dims(2) }),
		conv("groups", series(1, 1, 2, 3), two, nil, ten(dims(1, 2, 2), float32(3), 5, -1, -1),
			func(o *op.Conv) { o.Group = 2 }),
		conv("channelsLast", ten(dims(1, 3, 2), float32(1), 4, 2, 5, 3, 6), two, vec(float32(10), 20),
			ten(dims(1, 2, 2), float32(13), 19, 15, 19),
			func(o *op.Conv) { o.Group, o.Layout = 2, op.ChannelsLast }),
		conv("sameUpper", short, step, nil, ten(dims(1, 1, 4), float32(3), 5, 7, 4),
			func(o *op.Conv) { o.AutoPad = "SAME_UPPER" }),
		conv("sameLower", short, step, nil, ten(dims(1, 1, 4), float32(1), 3, 5, 7),
			func(o *op.Conv) { o.AutoPad = "SAME_LOWER" }),
		conv("sameWithStride", line, pair, nil, ten(dims(1, 1, 2), float32(21), 54),
			func(o *op.Conv) { o.AutoPad, o.Strides = "SAME_UPPER", dims(3) }),
		conv("valid", short, step, nil, ten(dims(1, 1, 3), float32(3), 5, 7),
			func(o *op.Conv) { o.AutoPad = "VALID" }),
		conv("volume", series(1, 1, 1, 2, 2, 2), ones(1, 1, 2, 2, 2), nil, ten(dims(1, 1, 1, 1, 1), float32(36)),
			func(*op.Conv) {}),
		conv("channels", series(1, 1, 2, 2), ten(dims(1, 2, 1), float32(1), 10), nil, ten(dims(1, 1, 2), float32(31), 42),
			func(*op.Conv) {}),
		conv("emptyBatch", series(1, 0, 1, 3), step, nil, series(1, 0, 1, 2), func(*op.Conv) {}),
		// Padding takes part in the sum: 0·∞ is NaN.
		conv("infinityOnPadding", ten(dims(1, 1, 2), float32(2), 3), ten(dims(1, 1, 2), inf, 1), nil,
			ten(dims(1, 1, 2), float32(math.NaN()), inf), func(o *op.Conv) { o.Pads = dims(1, 0) }),
		conv("float64", ten(dims(1, 1, 2), 1.0, 2), ten(dims(1, 1, 2), 3.0, 0.5), vec(1.0), ten(dims(1, 1, 1), 5.0),
			func(*op.Conv) {}),
	}
}

func convTransposeCases() []Case {
	x, pair := series(1, 1, 1, 3), ten(dims(1, 1, 2), float32(1), 10)
	conv := func(name string, in []*tensor.Tensor, want *tensor.Tensor, set func(*op.ConvTranspose)) Case {
		return Case{Name: "ConvTranspose/" + name, Op: with(set), In: in, Want: these(want)}
	}
	two := ten(dims(2, 1, 2), float32(1), 1, 1, -1)
	return []Case{
		conv("stride", these(x, pair), ten(dims(1, 1, 6), float32(1), 10, 2, 20, 3, 30),
			func(o *op.ConvTranspose) { o.Strides = dims(2) }),
		conv("overlap", these(x, pair, vec(float32(5))), ten(dims(1, 1, 4), float32(6), 17, 28, 35),
			func(*op.ConvTranspose) {}),
		conv("pads", these(x, pair), ten(dims(1, 1, 2), float32(12), 23),
			func(o *op.ConvTranspose) { o.Pads = dims(1, 1) }),
		conv("outputPadding", these(x, pair), ten(dims(1, 1, 7), float32(1), 10, 2, 20, 3, 30, 0),
			func(o *op.ConvTranspose) { o.Strides, o.OutputPadding = dims(2), dims(1) }),
		conv("outputShape", these(x, pair), ten(dims(1, 1, 5), float32(10), 2, 20, 3, 30),
			func(o *op.ConvTranspose) { o.Strides, o.OutputShape = dims(2), dims(5) }),
		conv("outputShapeSameUpper", these(x, pair), ten(dims(1, 1, 5), float32(1), 10, 2, 20, 3),
			func(o *op.ConvTranspose) {
				o.Strides, o.OutputShape, o.AutoPad = dims(2), dims(5), "SAME_UPPER"
			}),
		conv("same", these(x, pair), ten(dims(1, 1, 3), float32(1), 12, 23),
			func(o *op.ConvTranspose) { o.AutoPad = "SAME_UPPER" }),
		conv("sameWithGaps", these(series(1, 1, 1, 2), ten(dims(1, 1, 1), float32(1))),
			ten(dims(1, 1, 4), float32(1), 0, 0, 2),
			func(o *op.ConvTranspose) { o.Strides, o.AutoPad = dims(3), "SAME_UPPER" }),
		conv("dilation", these(series(1, 1, 1, 2), pair), ten(dims(1, 1, 4), float32(1), 2, 10, 20),
			func(o *op.ConvTranspose) { o.Dilations = dims(2) }),
		conv("groups", these(series(1, 1, 2, 2), two), ten(dims(1, 2, 3), float32(1), 3, 2, 3, 1, -4),
			func(o *op.ConvTranspose) { o.Group = 2 }),
		conv("channelsLast", these(ten(dims(1, 2, 2), float32(1), 3, 2, 4), two),
			ten(dims(1, 3, 2), float32(1), 3, 3, 1, 2, -4),
			func(o *op.ConvTranspose) { o.Group, o.Layout = 2, op.ChannelsLast }),
		conv("square", these(series(1, 1, 1, 2, 2), ten(dims(1, 1, 2, 2), float32(1), 1, 1, 1)),
			ten(dims(1, 1, 3, 3), float32(1), 3, 2, 4, 10, 6, 3, 7, 4), func(*op.ConvTranspose) {}),
	}
}

func maxPoolCases() []Case {
	nan := float32(math.NaN())
	pool := func(name string, x, want, at *tensor.Tensor, set func(*op.MaxPool)) Case {
		return Case{Name: "MaxPool/" + name, Op: with(set), In: these(x), Want: these(want, at)}
	}
	edges := func(order int) func(*op.MaxPool) {
		return func(o *op.MaxPool) {
			o.KernelShape, o.Strides, o.Pads, o.StorageOrder = dims(2, 2), dims(2, 2), dims(1, 1, 1, 1), order
		}
	}
	corners := ten(dims(1, 1, 2, 2), float32(1), 3, 7, 9)
	return []Case{
		pool("indices", series(1, 1, 1, 3, 3), corners, ten(dims(1, 1, 2, 2), int64(0), 2, 6, 8), edges(0)),
		pool("columnMajor", series(1, 1, 1, 3, 3), corners, ten(dims(1, 1, 2, 2), int64(0), 6, 2, 8), edges(1)),
		pool("floor", series(1, 1, 1, 6), ten(dims(1, 1, 2), float32(3), 5), nil,
			func(o *op.MaxPool) { o.KernelShape, o.Strides = dims(3), dims(2) }),
		pool("ceil", series(1, 1, 1, 6), ten(dims(1, 1, 3), float32(3), 5, 6), nil,
			func(o *op.MaxPool) { o.KernelShape, o.Strides, o.CeilMode = dims(3), dims(2), true }),
		pool("ceilStaysInside", series(1, 1, 1, 3), ten(dims(1, 1, 1), float32(1)), nil,
			func(o *op.MaxPool) { o.KernelShape, o.Strides, o.CeilMode = dims(1), dims(3), true }),
		pool("dilation", ten(dims(1, 1, 5), float32(1), 5, 2, 6, 3), ten(dims(1, 1, 3), float32(2), 6, 3),
			ten(dims(1, 1, 3), int64(2), 3, 4), func(o *op.MaxPool) { o.KernelShape, o.Dilations = dims(2), dims(2) }),
		pool("firstOfEquals", ten(dims(1, 2, 2), float32(7), 7, 8, 8), ten(dims(1, 2, 1), float32(7), 8),
			ten(dims(1, 2, 1), int64(0), 2), func(o *op.MaxPool) { o.KernelShape = dims(2) }),
		pool("NaN", ten(dims(1, 1, 4), 1, nan, 2, 3), ten(dims(1, 1, 3), nan, nan, 3), ten(dims(1, 1, 3), int64(1), 1, 3),
			func(o *op.MaxPool) { o.KernelShape = dims(2) }),
		pool("int8", ten(dims(1, 1, 3), int8(-5), 3, -7), ten(dims(1, 1, 3), int8(3), 3, 3), nil,
			func(o *op.MaxPool) { o.KernelShape, o.Pads = dims(3), dims(1, 1) }),
		pool("uint8", ten(dims(1, 1, 3), uint8(5), 200, 7), ten(dims(1, 1, 2), uint8(200), 200), nil,
			func(o *op.MaxPool) { o.KernelShape = dims(2) }),
		pool("channelsLast", ten(dims(1, 3, 2), float32(1), 6, 2, 5, 3, 4), ten(dims(1, 2, 2), float32(2), 6, 3, 5),
			ten(dims(1, 2, 2), int64(1), 3, 2, 4), func(o *op.MaxPool) { o.KernelShape, o.Layout = dims(2), op.ChannelsLast }),
		{Name: "MaxUnpool/strides", Op: with(func(o *op.MaxUnpool) { o.KernelShape, o.Strides = dims(2), dims(2) }),
			In:   these(ten(dims(1, 1, 2), float32(5), 6), ten(dims(1, 1, 2), int64(1), 2)),
			Want: these(ten(dims(1, 1, 4), float32(0), 5, 6, 0))},
		{Name: "MaxUnpool/outputShape", Op: with(func(o *op.MaxUnpool) { o.KernelShape, o.Strides = dims(1, 2), dims(1, 2) }),
			In:   these(ten(dims(1, 1, 2, 1), float32(5), 6), ten(dims(1, 1, 2, 1), int64(1), 2), vec[int64](1, 1, 2, 3)),
			Want: these(ten(dims(1, 1, 2, 3), float32(0), 5, 0, 6, 0, 0))},
	}
}
