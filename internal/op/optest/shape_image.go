package optest

import (
	"math"

	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// resizeCases work along one line, so that each result can be followed by
// hand.
func resizeCases() []Case {
	line := vec[float32](1, 2, 3, 4)
	by := func(s ...float32) *tensor.Tensor { return vec(s...) }
	resize := func(mode, coordinates string) *op.Resize {
		return with(func(o *op.Resize) { o.Mode, o.Coordinates = mode, coordinates })
	}
	nearest := func(rounding string) *op.Resize {
		return with(func(o *op.Resize) { o.Coordinates, o.NearestMode = "asymmetric", rounding })
	}
	inf := float32(math.Inf(1))
	return []Case{
		{"Resize/nearest", op.New[op.Resize](), tensors{ten[int8](dims(1, 2), 1, 2), nil, by(2, 2)}, tensors{ten[int8](dims(2, 4), 1, 1, 2, 2, 1, 1, 2, 2)}, 0},
		{"Resize/nearest_floor", nearest("floor"), tensors{line, nil, by(1.5)}, tensors{vec[float32](1, 1, 2, 3, 3, 4)}, 0},
		{"Resize/nearest_ceil", nearest("ceil"), tensors{line, nil, by(2)}, tensors{vec[float32](1, 2, 2, 3, 3, 4, 4, 4)}, 0},
		{"Resize/nearest_prefer_floor", nearest("round_prefer_floor"), tensors{line, nil, by(2)}, tensors{vec[float32](1, 1, 2, 2, 3, 3, 4, 4)}, 0},
		{"Resize/nearest_prefer_ceil", nearest("round_prefer_ceil"), tensors{line, nil, by(2)}, tensors{vec[float32](1, 2, 2, 3, 3, 4, 4, 4)}, 0},
		{"Resize/nearest_sizes_and_axes", with(func(o *op.Resize) { o.Axes = dims(-1) }), tensors{ten[float32](dims(2, 2), 1, 2, 3, 4), nil, nil, vec[int64](1)},
			tensors{ten[float32](dims(2, 1), 1, 3)}, 0},
		{"Resize/linear_half_pixel", resize("linear", "half_pixel"), tensors{vec[float32](1, 3), nil, by(2)}, tensors{vec[float32](1, 1.5, 2.5, 3)}, 0},
		{"Resize/linear_align_corners", resize("linear", "align_corners"), tensors{vec[float32](0, 4), nil, nil, vec[int64](5)}, tensors{vec[float32](0, 1, 2, 3, 4)}, 0},
		{"Resize/linear_pytorch_one", resize("linear", "pytorch_half_pixel"), tensors{line, nil, nil, vec[int64](1)}, tensors{vec[float32](1)}, 0},
		{"Resize/linear_symmetric", resize("linear", "half_pixel_symmetric"), tensors{vec[float32](0, 1, 2), nil, by(0.5)}, tensors{vec[float32](1)}, 0},
		{"Resize/linear_infinite_neighbour", resize("linear", "asymmetric"), tensors{vec(1, inf), nil, by(2)}, tensors{vec(1, inf, inf, inf)}, 0},
		{"Resize/linear_planes", resize("linear", "asymmetric"), tensors{ten(dims(2, 2), 1, 2, 3, 4.0), nil, by(2, 1)}, tensors{ten(dims(4, 2), 1, 2, 2, 3, 3, 4, 3, 4.0)}, 0},
		{"Resize/linear_integers_round_to_even", resize("linear", "half_pixel"), tensors{vec[uint8](2, 4, 250), nil, by(2)}, tensors{vec[uint8](2, 2, 4, 66, 188, 250)}, 0},
		{"Resize/linear_antialias", with(func(o *op.Resize) { o.Mode, o.Antialias = "linear", true }), tensors{line, nil, by(0.5)},
			tensors{vec[float32](1.625, 3.375)}, 1e-6},
		{"Resize/linear_exclude_outside", with(func(o *op.Resize) { o.Mode, o.ExcludeOutside = "linear", true }), tensors{vec[float32](1, 3), nil, by(2)},
			tensors{vec[float32](1, 1.5, 2.5, 3)}, 0},
		{"Resize/cubic_of_a_line", resize("cubic", "asymmetric"), tensors{vec[float32](0, 0, 1, 0, 0), nil, by(2)},
			tensors{vec[float32](0, -0.09375, 0, 0.59375, 1, 0.59375, 0, -0.09375, 0, 0)}, 1e-6},
		{"Resize/crop", with(func(o *op.Resize) { o.Mode, o.Coordinates, o.Extrapolation = "linear", "tf_crop_and_resize", -1 }),
			tensors{vec[float32](0, 1, 2), vec[float32](0.5, 1.5), nil, vec[int64](3)}, tensors{vec[float32](1, 2, -1)}, 0},
		{"Resize/crop_nearest", with(func(o *op.Resize) { o.Coordinates, o.Extrapolation = "tf_crop_and_resize", 9 }),
			tensors{vec[int32](5, 6, 7), vec[float32](-0.5, 0.5), nil, vec[int64](3)}, tensors{vec[int32](9, 5, 6)}, 0},
		{"Resize/not_larger", with(func(o *op.Resize) { o.AspectRatio = "not_larger" }), tensors{ten[float32](dims(1, 2), 1, 2), nil, nil, vec[int64](3, 4)},
			tensors{ten[float32](dims(2, 4), 1, 1, 2, 2, 1, 1, 2, 2)}, 0},
		{"Resize/not_smaller", with(func(o *op.Resize) { o.AspectRatio = "not_smaller" }), tensors{ten[float32](dims(1, 2), 1, 2), nil, nil, vec[int64](2, 2)},
			tensors{ten[float32](dims(2, 4), 1, 1, 2, 2, 1, 1, 2, 2)}, 0},
		{"Resize/to_nothing", op.New[op.Resize](), tensors{line, nil, by(0.2)}, tensors{vec[float32]()}, 0},
	}
}

// imageCases are the other spatial operators, in both layouts.
func imageCases() []Case {
	deep := ten[int32](dims(1, 8, 1, 1), 0, 1, 2, 3, 4, 5, 6, 7)
	wide := ten[int32](dims(1, 2, 2, 2), 0, 2, 4, 6, 1, 3, 5, 7)
	toSpace := func(mode string, l op.Layout) *op.DepthToSpace {
		return with(func(o *op.DepthToSpace) { o.BlockSize, o.Mode, o.Layout = 2, mode, l })
	}
	toDepth := func(mode string, l op.Layout) *op.SpaceToDepth {
		return with(func(o *op.SpaceToDepth) { o.BlockSize, o.Mode, o.Layout = 2, mode, l })
	}
	crd := ten[int32](dims(1, 2, 2, 2), 0, 1, 2, 3, 4, 5, 6, 7)
	deepLast := ten[int32](dims(1, 1, 1, 8), 0, 1, 2, 3, 4, 5, 6, 7)
	wideLast := ten[int32](dims(1, 2, 2, 2), 0, 1, 2, 3, 4, 5, 6, 7)
	image := ten[float32](dims(1, 1, 2, 2), 1, 2, 3, 4)
	grid := ten[float32](dims(1, 1, 3, 2), 0, 0, -1, -1, 3, 1)
	sample := func(set func(*op.GridSample)) *op.GridSample { return with(set) }
	return []Case{
		{"DepthToSpace/dcr", toSpace("DCR", op.ChannelsFirst), tensors{deep}, tensors{wide}, 0},
		{"DepthToSpace/crd", toSpace("CRD", op.ChannelsFirst), tensors{deep}, tensors{crd}, 0},
		{"DepthToSpace/channels_last", toSpace("DCR", op.ChannelsLast), tensors{deepLast}, tensors{wideLast}, 0},
		{"DepthToSpace/two_columns", toSpace("DCR", op.ChannelsFirst), tensors{ten[int8](dims(1, 4, 1, 2), 0, 1, 2, 3, 4, 5, 6, 7)},
			tensors{ten[int8](dims(1, 1, 2, 4), 0, 2, 1, 3, 4, 6, 5, 7)}, 0},
		{"SpaceToDepth/dcr", toDepth("DCR", op.ChannelsFirst), tensors{wide}, tensors{deep}, 0},
		{"SpaceToDepth/crd", toDepth("CRD", op.ChannelsFirst), tensors{crd}, tensors{deep}, 0},
		{"SpaceToDepth/channels_last", toDepth("DCR", op.ChannelsLast), tensors{wideLast}, tensors{deepLast}, 0},
		{"GridSample/zeros", op.New[op.GridSample](), tensors{image, grid}, tensors{ten[float32](dims(1, 1, 1, 3), 2.5, 0.25, 0)}, 0},
		{"GridSample/align_corners_border", sample(func(o *op.GridSample) { o.AlignCorners, o.PaddingMode = true, "border" }), tensors{image, grid},
			tensors{ten[float32](dims(1, 1, 1, 3), 2.5, 1, 4)}, 0},
		{"GridSample/nearest_reflection", sample(func(o *op.GridSample) { o.Mode, o.AlignCorners, o.PaddingMode = "nearest", true, "reflection" }), tensors{image, grid},
			tensors{ten[float32](dims(1, 1, 1, 3), 1, 1, 3)}, 0},
		{"GridSample/channels_last", sample(func(o *op.GridSample) { o.Layout = op.ChannelsLast }), tensors{ten[float32](dims(1, 1, 2, 2), 1, 10, 3, 30), ten[float32](dims(1, 1, 1, 2), 0, 0)},
			tensors{ten[float32](dims(1, 1, 1, 2), 2, 20)}, 0},
		{"Col2Im/overlap", op.New[op.Col2Im](), tensors{ten[float32](dims(1, 2, 2), 1, 2, 3, 4), vec[int64](1, 3), vec[int64](1, 2)}, tensors{ten[float32](dims(1, 1, 1, 3), 1, 5, 4)}, 0},
		{"Col2Im/pads_and_strides", with(func(o *op.Col2Im) { o.Pads, o.Strides = dims(1, 0), dims(2) }), tensors{ten[float64](dims(1, 2, 2), 1, 2, 3, 4), vec[int64](3), vec[int64](2)},
			tensors{ten[float64](dims(1, 1, 3), 3, 2, 4)}, 0},
	}
}
