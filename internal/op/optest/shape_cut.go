package optest

import (
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// cuttingCases are Concat, Split, Slice, Pad and CenterCropPad.
func cuttingCases() []Case {
	m := ten[int32](dims(3, 4), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
	concat := func(axis int) *op.Concat { return with(func(o *op.Concat) { o.Axis = axis }) }
	split := func(axis, n int) *op.Split { return with(func(o *op.Split) { o.Axis, o.NumOutputs = axis, n }) }
	pad := func(mode string) *op.Pad { return with(func(o *op.Pad) { o.Mode = mode }) }
	four := vec[float32](1, 2, 3, 4)
	return []Case{
		{"Concat/last_axis", concat(-1), tensors{ten(dims(2, 1), 1, 4.0), ten(dims(2, 2), 2, 3, 5, 6.0)}, tensors{ten(dims(2, 3), 1, 2, 3, 4, 5, 6.0)}, 0},
		{"Concat/first_axis_with_empty", concat(0), tensors{vec[int64](1), vec[int64](), vec[int64](2, 3)}, tensors{vec[int64](1, 2, 3)}, 0},
		{"Concat/strings", concat(0), tensors{texts("a"), texts("b", "c")}, tensors{texts("a", "b", "c")}, 0},
		{"Concat/int4_across_bytes", concat(0), tensors{tensor.Pack(dtype.Int4, []int8{1, -2, 3}, 3), tensor.Pack(dtype.Int4, []int8{4, 5}, 2)},
			tensors{tensor.Pack(dtype.Int4, []int8{1, -2, 3, 4, 5}, 5)}, 0},
		{"Split/uneven", split(0, 3), tensors{vec[int64](1, 2, 3, 4, 5)}, tensors{vec[int64](1, 2), vec[int64](3, 4), vec[int64](5)}, 0},
		{"Split/columns", split(-1, 0), tensors{m, vec[int64](1, 3)}, tensors{ten[int32](dims(3, 1), 1, 5, 9), ten[int32](dims(3, 3), 2, 3, 4, 6, 7, 8, 10, 11, 12)}, 0},
		{"Split/zero_size", split(0, 0), tensors{vec[int8](1, 2), vec[int64](0, 2)}, tensors{vec[int8](), vec[int8](1, 2)}, 0},
		{"Slice/rows_and_columns", &op.Slice{}, tensors{m, vec[int64](1, 1), vec[int64](3, 3)}, tensors{ten[int32](dims(2, 2), 6, 7, 10, 11)}, 0},
		{"Slice/negative_axis_and_step", &op.Slice{}, tensors{m, vec[int32](-1), vec[int32](math.MinInt32), vec[int32](-1), vec[int32](-2)},
			tensors{ten[int32](dims(3, 2), 4, 2, 8, 6, 12, 10)}, 0},
		{"Slice/to_the_end", &op.Slice{}, tensors{vec[int64](1, 2, 3), vec[int64](1), vec[int64](math.MaxInt64), vec[int64](0), vec[int64](1)}, tensors{vec[int64](2, 3)}, 0},
		{"Slice/reversed_extremes", &op.Slice{}, tensors{vec[int64](1, 2, 3), vec[int64](math.MaxInt64), vec[int64](math.MinInt64), vec[int64](0), vec[int64](-1)}, tensors{vec[int64](3, 2, 1)}, 0},
		{"Slice/enormous_step", &op.Slice{}, tensors{vec[int64](1, 2, 3), vec[int64](2), vec[int64](math.MinInt64), vec[int64](0), vec[int64](math.MinInt64)}, tensors{vec[int64](3)}, 0},
		{"Slice/backwards_from_before_the_first", &op.Slice{}, tensors{vec[int64](1, 2), vec[int64](-5), vec[int64](-9), vec[int64](0), vec[int64](-1)}, tensors{vec[int64](1)}, 0},
		{"Slice/backwards_of_nothing", &op.Slice{}, tensors{vec[int64](), vec[int64](-1), vec[int64](-9), vec[int64](0), vec[int64](-1)}, tensors{vec[int64]()}, 0},
		{"Slice/nothing", &op.Slice{}, tensors{m, vec[int64](2), vec[int64](1)}, tensors{ten[int32](dims(0, 4))}, 0},
		{"Pad/constant", pad("constant"), tensors{ten[float32](dims(1, 2), 1, 2), vec[int64](0, 1, 1, 0), tensor.Scalar[float32](9)},
			tensors{ten[float32](dims(2, 3), 9, 1, 2, 9, 9, 9)}, 0},
		{"Pad/default_zero_and_crop", pad("constant"), tensors{four, vec[int64](-1, 2)}, tensors{vec[float32](2, 3, 4, 0, 0)}, 0},
		{"Pad/axes", pad("constant"), tensors{ten[int8](dims(2, 1), 1, 2), vec[int64](1, 0), tensor.Scalar[int8](5), vec[int64](-1)}, tensors{ten[int8](dims(2, 2), 5, 1, 5, 2)}, 0},
		{"Pad/reflect", pad("reflect"), tensors{four, vec[int64](2, 3)}, tensors{vec[float32](3, 2, 1, 2, 3, 4, 3, 2, 1)}, 0},
		{"Pad/reflect_twice", pad("reflect"), tensors{vec[float32](1, 2), vec[int64](0, 4)}, tensors{vec[float32](1, 2, 1, 2, 1, 2)}, 0},
		{"Pad/edge_after_crop", pad("edge"), tensors{four, vec[int64](-2, 3)}, tensors{vec[float32](3, 4, 4, 4, 4)}, 0},
		{"Pad/wrap", pad("wrap"), tensors{ten[float32](dims(1, 3), 1, 2, 3), vec[int64](0, 4, 0, 1)}, tensors{ten[float32](dims(1, 8), 3, 1, 2, 3, 1, 2, 3, 1)}, 0},
		{"CenterCropPad/both", op.New[op.CenterCropPad](), tensors{ten[int32](dims(3, 2), 1, 2, 3, 4, 5, 6), vec[int64](1, 5)}, tensors{ten[int32](dims(1, 5), 0, 3, 4, 0, 0)}, 0},
		{"CenterCropPad/axes", with(func(o *op.CenterCropPad) { o.Axes = dims(-1) }), tensors{m, vec[int64](1)}, tensors{ten[int32](dims(3, 1), 2, 6, 10)}, 0},
	}
}
