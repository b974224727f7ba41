package optest

import (
	"github.com/octavo-ml/octavo/internal/op"
)

func statisticsCases() []Case {
	x := ten(dims(1, 2, 2), float32(1), 3, 2, 6)
	last := ten(dims(1, 2, 2), float32(1), 2, 3, 6)
	factors := these(x, vec[float32](2, 1), vec[float32](10, 0))
	batch := func(o *op.BatchNormalization) { o.Epsilon = 0 }
	stats := these(x, vec[float32](2, 1), vec[float32](3, 0), vec[float32](1, 2), vec[float32](4, 1))
	return []Case{
		{Name: "BatchNormalization/statistics", Op: with(batch), In: stats,
			Want: these(ten(dims(1, 2, 2), float32(3), 5, 0, 4))},
		{Name: "BatchNormalization/channelsLast",
			Op:   with(func(o *op.BatchNormalization) { o.Epsilon, o.Layout = 0, op.ChannelsLast }),
			In:   append(these(last), stats[1:]...),
			Want: these(ten(dims(1, 2, 2), float32(3), 0, 5, 4))},
		{Name: "BatchNormalization/epsilon", Op: with(func(o *op.BatchNormalization) { o.Epsilon = 3 }),
			In:   these(series(1, 2, 1), vec[float32](4), vec[float32](0), vec[float32](1), vec[float32](1)),
			Want: these(ten(dims(2, 1), float32(0), 2))},
		{Name: "BatchNormalization/training",
			Op: with(func(o *op.BatchNormalization) { o.Epsilon, o.Momentum, o.TrainingMode = 0, 0.5, true }),
			In: these(ten(dims(2, 1), float32(1), 3), vec[float32](1), vec[float32](0), vec[float32](0), vec[float32](3)),
			Want: these(ten(dims(2, 1), float32(-1), 1), vec[float32](1),
				vec[float32](2))},
		{Name: "InstanceNormalization/channels", Op: with(func(o *op.InstanceNormalization) { o.Epsilon = 0 }), In: factors,
			Want: these(ten(dims(1, 2, 2), float32(8), 12, -1, 1))},
		{Name: "InstanceNormalization/channelsLast",
			Op:   with(func(o *op.InstanceNormalization) { o.Epsilon, o.Layout = 0, op.ChannelsLast }),
			In:   append(these(last), factors[1:]...),
			Want: these(ten(dims(1, 2, 2), float32(8), -1, 12, 1))},
		{Name: "GroupNormalization/twoGroups",
			Op: with(func(o *op.GroupNormalization) { o.Epsilon, o.NumGroups = 0, 2 }), In: factors,
			Want: these(ten(dims(1, 2, 2), float32(8), 12, -1, 1))},
		{Name: "GroupNormalization/oneGroup",
			Op:   with(func(o *op.GroupNormalization) { o.Epsilon, o.NumGroups = 0, 1 }),
			In:   these(ten(dims(1, 2, 1, 1), float32(1), 3), vec[float32](2, 1), vec[float32](10, 0)),
			Want: these(ten(dims(1, 2, 1, 1), float32(8), 1))},
		{Name: "GroupNormalization/channelsLast",
			Op:   with(func(o *op.GroupNormalization) { o.Epsilon, o.NumGroups, o.Layout = 0, 2, op.ChannelsLast }),
			In:   append(these(last), factors[1:]...),
			Want: these(ten(dims(1, 2, 2), float32(8), -1, 12, 1))},
		{Name: "LRN/odd", Op: with(func(o *op.LRN) { o.Size, o.Alpha, o.Beta = 3, 3, 1 }),
			In:   these(ten(dims(1, 3, 1), float32(1), 1, 1)),
			Want: these(ten(dims(1, 3, 1), float32(1)/3, 0.25, float32(1)/3))},
		{Name: "LRN/even", Op: with(func(o *op.LRN) { o.Size, o.Alpha, o.Beta, o.Layout = 2, 2, 1, op.ChannelsLast }),
			In:   these(ten(dims(1, 1, 3), float32(1), 1, 1)),
			Want: these(ten(dims(1, 1, 3), float32(1)/3, float32(1)/3, 0.5))},
		{Name: "MeanVarianceNormalization/batchAndSpace", Op: op.New[op.MeanVarianceNormalization](),
			In:   these(ten(dims(2, 2, 1, 1), float32(1), 2, 3, 6)),
			Want: these(ten(dims(2, 2, 1, 1), float32(-1), -1, 1, 1))},
		{Name: "MeanVarianceNormalization/axes",
			Op:   with(func(o *op.MeanVarianceNormalization) { o.Axes = op.Some(dims(-1)) }),
			In:   these(ten(dims(2, 2), float32(1), 3, 2, 6)),
			Want: these(ten(dims(2, 2), float32(-1), 1, -1, 1))},
	}
}

func rowCases() []Case {
	x := ten(dims(2, 2), float32(1), 3, 2, 6)
	layer := func(o *op.LayerNormalization) { o.Epsilon = 0 }
	return []Case{
		{Name: "LayerNormalization/statistics", Op: with(layer), In: these(x, vec[float32](2, 1), vec[float32](10, 0)),
			Want: these(ten(dims(2, 2), float32(8), 1, 8, 1), ten(dims(2, 1), float32(2), 4), ten(dims(2, 1), float32(1), 0.5))},
		{Name: "LayerNormalization/noBias", Op: with(layer), In: these(x, vec[float32](2, 1)),
			Want: these(ten(dims(2, 2), float32(-2), 1, -2, 1))},
		{Name: "LayerNormalization/firstAxis",
			Op:   with(func(o *op.LayerNormalization) { o.Axis, o.Epsilon = 0, 0 }),
			In:   these(ten(dims(2, 1, 1), float32(1), 3), ten(dims(2, 1, 1), float32(1), 2)),
			Want: these(ten(dims(2, 1, 1), float32(-1), 2), ten(dims(1, 1, 1), float32(2)))},
		{Name: "LayerNormalization/broadcastScale", Op: with(layer),
			In:   these(x, vec[float32](3), ten(dims(2, 1), float32(0), 100)),
			Want: these(ten(dims(2, 2), float32(-3), 3, 97, 103))},
		{Name: "LayerNormalization/float64", Op: with(layer), In: these(ten(dims(1, 2), 1.0, 3), vec(2.0, 1)),
			Want: these(ten(dims(1, 2), -2.0, 1), ten(dims(1, 1), float32(2)), ten(dims(1, 1), float32(1)))},
		{Name: "RMSNormalization/last", Op: with(func(o *op.RMSNormalization) { o.Epsilon = 0 }),
			In:   these(ten(dims(2, 2), float32(2), -2, 0.5, 0.5), vec[float32](1, 3)),
			Want: these(ten(dims(2, 2), float32(1), -3, 1, 3))},
		{Name: "RMSNormalization/allAxes", Op: with(func(o *op.RMSNormalization) { o.Axis, o.Epsilon = -2, 12 }),
			In:   these(ten(dims(2, 2), float32(2), -2, 2, 2), vec[float32](4)),
			Want: these(ten(dims(2, 2), float32(2), -2, 2, 2))},
		{Name: "LpNormalization/p2", Op: op.New[op.LpNormalization](), In: these(ten(dims(2, 2), float32(3), -4, 0, 0)),
			Want: these(ten(dims(2, 2), float32(0.6), -0.8, 0, 0))},
		{Name: "LpNormalization/p1", Op: with(func(o *op.LpNormalization) { o.Axis, o.P = 0, 1 }),
			In: these(ten(dims(2, 2), float32(1), -4, 3, 0)), Want: these(ten(dims(2, 2), float32(0.25), -1, 0.75, 0))},
	}
}
