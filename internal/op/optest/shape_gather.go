package optest

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// gatheringCases are the lookups and their counterparts that write.
func gatheringCases() []Case {
	m := ten[float32](dims(2, 3), 1, 2, 3, 4, 5, 6)
	gather := func(axis int) *op.Gather { return with(func(o *op.Gather) { o.Axis = axis }) }
	elements := func(axis int) *op.GatherElements {
		return with(func(o *op.GatherElements) { o.Axis = axis })
	}
	scatter := func(axis int, reduction string) *op.ScatterElements {
		return with(func(o *op.ScatterElements) { o.Axis, o.Reduction = axis, reduction })
	}
	nd := func(reduction string) *op.ScatterND {
		return with(func(o *op.ScatterND) { o.Reduction = reduction })
	}
	return []Case{
		{"Gather/rows", gather(0), tensors{m, vec[int64](1, -2, 1)}, tensors{ten[float32](dims(3, 3), 4, 5, 6, 1, 2, 3, 4, 5, 6)}, 0},
		{"Gather/columns_by_scalar", gather(-1), tensors{m, tensor.Scalar[int32](-1)}, tensors{vec[float32](3, 6)}, 0},
		{"Gather/shape_element", gather(0), tensors{vec[int64](8, 9), tensor.Scalar[int64](1)}, tensors{tensor.Scalar[int64](9)}, 0},
		{"Gather/none", gather(1), tensors{m, ten[int64](dims(0, 2))}, tensors{ten[float32](dims(2, 0, 2))}, 0},
		{"Gather/int4", gather(0), tensors{tensor.Pack(dtype.Int4, []int8{1, -2, 3}, 3), vec[int64](2, 1)}, tensors{tensor.Pack(dtype.Int4, []int8{3, -2}, 2)}, 0},
		{"GatherElements/rows", elements(0), tensors{m, ten[int64](dims(1, 3), 1, 0, -1)}, tensors{ten[float32](dims(1, 3), 4, 2, 6)}, 0},
		{"GatherElements/columns", elements(-1), tensors{m, ten[int64](dims(2, 2), 0, 0, 2, 1)}, tensors{ten[float32](dims(2, 2), 1, 1, 6, 5)}, 0},
		{"GatherND/elements", op.New[op.GatherND](), tensors{m, ten[int64](dims(2, 2), 0, 1, -1, -1)}, tensors{vec[float32](2, 6)}, 0},
		{"GatherND/slices", op.New[op.GatherND](), tensors{m, ten[int64](dims(1, 1), 1)}, tensors{ten[float32](dims(1, 3), 4, 5, 6)}, 0},
		{"GatherND/batch", with(func(o *op.GatherND) { o.BatchDims = 1 }), tensors{m, ten[int64](dims(2, 1), 2, 0)}, tensors{vec[float32](3, 4)}, 0},
		{"ScatterElements/columns", scatter(1, "none"), tensors{m, ten[int64](dims(2, 1), 2, -3), ten[float32](dims(2, 1), 7, 8)},
			tensors{ten[float32](dims(2, 3), 1, 2, 7, 8, 5, 6)}, 0},
		{"ScatterElements/add_twice", scatter(0, "add"), tensors{vec[int32](1, 2), vec[int64](1, 1), vec[int32](10, 20)}, tensors{vec[int32](1, 32)}, 0},
		{"ScatterElements/max", scatter(0, "max"), tensors{vec[float32](1, 2), vec[int64](0, 1), vec[float32](3, -3)}, tensors{vec[float32](3, 2)}, 0},
		{"ScatterND/slices", nd("none"), tensors{m, ten[int64](dims(1, 1), -1), ten[float32](dims(1, 3), 7, 8, 9)}, tensors{ten[float32](dims(2, 3), 1, 2, 3, 7, 8, 9)}, 0},
		{"ScatterND/mul", nd("mul"), tensors{vec[float64](1, 2, 3), ten[int64](dims(2, 1), 2, 2), vec[float64](2, 5)}, tensors{vec[float64](1, 2, 30)}, 0},
		{"ScatterND/strings", nd("none"), tensors{texts("a", "b"), ten[int64](dims(1, 1), 0), texts("z")}, tensors{texts("z", "b")}, 0},
		{"TensorScatter/linear", op.New[op.TensorScatter](), tensors{ten[float32](dims(2, 2, 1), 1, 2, 3, 4), ten[float32](dims(2, 1, 1), 8, 9), vec[int64](1, 0)},
			tensors{ten[float32](dims(2, 2, 1), 1, 8, 9, 4)}, 0},
		{"TensorScatter/circular", with(func(o *op.TensorScatter) { o.Mode = "circular" }),
			tensors{ten[float32](dims(1, 3, 1), 1, 2, 3), ten[float32](dims(1, 2, 1), 8, 9), vec[int64](2)}, tensors{ten[float32](dims(1, 3, 1), 9, 2, 8)}, 0},
		{"OneHot/last_axis", op.New[op.OneHot](), tensors{vec[int64](1, -1, 5), tensor.Scalar[int64](3), vec[float32](0, 1)},
			tensors{ten[float32](dims(3, 3), 0, 1, 0, 0, 0, 1, 0, 0, 0)}, 0},
		{"OneHot/first_axis", with(func(o *op.OneHot) { o.Axis = 0 }), tensors{vec[float32](1, 0), vec[float32](2), vec[int8](5, 7)}, tensors{ten[int8](dims(2, 2), 5, 7, 7, 5)}, 0},
		{"Compress/axis", with(func(o *op.Compress) { o.Axis = op.Some(-1) }), tensors{m, vec(false, true)}, tensors{ten[float32](dims(2, 1), 2, 5)}, 0},
		{"Compress/flat", op.New[op.Compress](), tensors{m, vec(true, false, false, true)}, tensors{vec[float32](1, 4)}, 0},
		{"ReverseSequence/time_first", op.New[op.ReverseSequence](), tensors{ten[int32](dims(3, 2), 1, 2, 3, 4, 5, 6), vec[int64](3, 2)},
			tensors{ten[int32](dims(3, 2), 5, 4, 3, 2, 1, 6)}, 0},
		{"ReverseSequence/batch_first", with(func(o *op.ReverseSequence) { o.BatchAxis, o.TimeAxis = 0, 1 }),
			tensors{ten[int32](dims(2, 3), 1, 2, 3, 4, 5, 6), vec[int64](0, 2)}, tensors{ten[int32](dims(2, 3), 1, 2, 3, 5, 4, 6)}, 0},
	}
}

// repeatingCases are Expand, Tile, and the operators on matrices.
func repeatingCases() []Case {
	m := ten[int64](dims(2, 3), 1, 2, 3, 4, 5, 6)
	lower := func() *op.Trilu { return with(func(o *op.Trilu) { o.Upper = false }) }
	return []Case{
		{"Expand/both_ways", &op.Expand{}, tensors{ten[float32](dims(2, 1), 1, 2), vec[int64](2, 1, 2)}, tensors{ten[float32](dims(2, 2, 2), 1, 1, 2, 2, 1, 1, 2, 2)}, 0},
		{"Expand/one_element", &op.Expand{}, tensors{tensor.Scalar[int64](4), vec[int64](3)}, tensors{vec[int64](4, 4, 4)}, 0},
		{"Expand/to_nothing", &op.Expand{}, tensors{vec[int8](1), vec[int64](2, 0)}, tensors{ten[int8](dims(2, 0))}, 0},
		{"Tile/matrix", &op.Tile{}, tensors{ten[uint8](dims(2, 2), 1, 2, 3, 4), vec[int64](2, 2)},
			tensors{ten[uint8](dims(4, 4), 1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4)}, 0},
		{"Tile/never", &op.Tile{}, tensors{vec[int32](1, 2), vec[int64](0)}, tensors{vec[int32]()}, 0},
		{"Trilu/upper", op.New[op.Trilu](), tensors{m}, tensors{ten[int64](dims(2, 3), 1, 2, 3, 0, 5, 6)}, 0},
		{"Trilu/upper_shifted", op.New[op.Trilu](), tensors{m, tensor.Scalar[int64](1)}, tensors{ten[int64](dims(2, 3), 0, 2, 3, 0, 0, 6)}, 0},
		{"Trilu/lower_far_out", lower(), tensors{m, tensor.Scalar[int64](-9)}, tensors{ten[int64](dims(2, 3), 0, 0, 0, 0, 0, 0)}, 0},
		{"Trilu/lower_of_splat", lower(), tensors{tensor.Splat(dtype.Uint8, dims(2, 2), []byte{3})}, tensors{ten[uint8](dims(2, 2), 3, 0, 3, 3)}, 0},
		{"EyeLike/shifted", with(func(o *op.EyeLike) { o.K = -1 }), tensors{m}, tensors{ten[int64](dims(2, 3), 0, 0, 0, 1, 0, 0)}, 0},
		{"EyeLike/type", with(func(o *op.EyeLike) { o.DType = op.Some(dtype.Float64) }), tensors{ten[bool](dims(1, 2), true, true)}, tensors{ten[float64](dims(1, 2), 1, 0)}, 0},
		{"NonZero/matrix", &op.NonZero{}, tensors{ten[float32](dims(2, 2), 1, 0, -1, 3)}, tensors{ten[int64](dims(2, 3), 0, 1, 1, 0, 0, 1)}, 0},
		{"NonZero/none", &op.NonZero{}, tensors{vec(false, false)}, tensors{ten[int64](dims(1, 0))}, 0},
	}
}
