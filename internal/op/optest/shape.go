package optest

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// ShapeCases returns the cases of the operators that move or select data.
func ShapeCases() []Case { return shapeCases() }

func shapeCases() []Case {
	return slices.Concat(reshapingCases(), cuttingCases(), gatheringCases(), repeatingCases(),
		resizeCases(), selectingCases(), imageCases())
}

// dims is a shape.
func dims(d ...int) []int { return d }

// ten returns a tensor.
func ten[T tensor.Element](shape []int, vals ...T) *tensor.Tensor {
	return tensor.FromSlice(vals, shape...)
}

// vec returns a vector.
func vec[T tensor.Element](vals ...T) *tensor.Tensor { return tensor.FromSlice(vals, len(vals)) }

// texts returns a vector of strings.
func texts(s ...string) *tensor.Tensor {
	t, err := tensor.FromStrings(s, len(s))
	if err != nil {
		panic(err)
	}
	return t
}

// with returns an operator with some attributes set.
func with[T any](set func(*T)) *T {
	o := op.New[T]()
	set(o)
	return o
}

type tensors = []*tensor.Tensor

func reshapingCases() []Case {
	six := ten(dims(2, 3), 1, 2, 3, 4, 5, 6.0)
	return []Case{
		{"Identity/strings", &op.Identity{}, tensors{texts("a", "b")}, tensors{texts("a", "b")}, 0},
		{"Identity/int4", &op.Identity{}, tensors{tensor.Pack(dtype.Int4, []int8{-8, 7, 1}, 3)}, tensors{tensor.Pack(dtype.Int4, []int8{-8, 7, 1}, 3)}, 0},
		{"Constant/tensor", with(func(o *op.Constant) { o.Value = six }), nil, tensors{six}, 0},
		{"Constant/float", with(func(o *op.Constant) { o.Float = op.Some[float32](2) }), nil, tensors{tensor.Scalar[float32](2)}, 0},
		{"Constant/ints", with(func(o *op.Constant) { o.Ints = op.Some([]int64{2, 3}) }), nil, tensors{vec[int64](2, 3)}, 0},
		{"Constant/no_ints", with(func(o *op.Constant) { o.Ints = op.Some([]int64{}) }), nil, tensors{vec[int64]()}, 0},
		{"Constant/strings", with(func(o *op.Constant) { o.Strings = op.Some([]string{"x"}) }), nil, tensors{texts("x")}, 0},
		{"Dropout/inference", op.New[op.Dropout](), tensors{vec[float32](1, -2), tensor.Scalar[float32](0.5)},
			tensors{vec[float32](1, -2), vec(true, true)}, 0},
		{"Dropout/training_without_ratio", op.New[op.Dropout](), tensors{vec[float32](1), tensor.Scalar[float32](0), tensor.Scalar(true)},
			tensors{vec[float32](1), vec(true)}, 0},
		{"Shape/all", op.New[op.ShapeOf](), tensors{six}, tensors{vec[int64](2, 3)}, 0},
		{"Shape/negative_start", with(func(o *op.ShapeOf) { o.Start = -1 }), tensors{six}, tensors{vec[int64](3)}, 0},
		{"Shape/clamped", with(func(o *op.ShapeOf) { o.Start, o.End = -9, op.Some(-1) }), tensors{six}, tensors{vec[int64](2)}, 0},
		{"Shape/empty_range", with(func(o *op.ShapeOf) { o.Start, o.End = 2, op.Some(1) }), tensors{six}, tensors{vec[int64]()}, 0},
		{"Size/matrix", op.New[op.SizeOf](), tensors{six}, tensors{tensor.Scalar[int64](6)}, 0},
		{"Size/empty", op.New[op.SizeOf](), tensors{ten[float32](dims(0, 3))}, tensors{tensor.Scalar[int64](0)}, 0},
		{"Reshape/open_dimension", op.New[op.Reshape](), tensors{six, vec[int64](3, -1)}, tensors{ten(dims(3, 2), 1, 2, 3, 4, 5, 6.0)}, 0},
		{"Reshape/copied_dimension", op.New[op.Reshape](), tensors{six, vec[int64](0, 1, -1)}, tensors{ten(dims(2, 1, 3), 1, 2, 3, 4, 5, 6.0)}, 0},
		{"Reshape/allowzero", with(func(o *op.Reshape) { o.AllowZero = true }), tensors{ten[int8](dims(0, 3)), vec[int64](3, 0)}, tensors{ten[int8](dims(3, 0))}, 0},
		{"Reshape/to_scalar", op.New[op.Reshape](), tensors{vec[int64](7), vec[int64]()}, tensors{tensor.Scalar[int64](7)}, 0},
		{"Flatten/default", op.New[op.Flatten](), tensors{ten(dims(2, 1, 2), 1, 2, 3, 4.0)}, tensors{ten(dims(2, 2), 1, 2, 3, 4.0)}, 0},
		{"Flatten/negative", with(func(o *op.Flatten) { o.Axis = -1 }), tensors{ten(dims(2, 1, 2), 1, 2, 3, 4.0)}, tensors{ten(dims(2, 2), 1, 2, 3, 4.0)}, 0},
		{"Flatten/all_in_front", with(func(o *op.Flatten) { o.Axis = 2 }), tensors{six}, tensors{ten(dims(6, 1), 1, 2, 3, 4, 5, 6.0)}, 0},
		{"Transpose/reversed", op.New[op.Transpose](), tensors{six}, tensors{ten(dims(3, 2), 1, 4, 2, 5, 3, 6.0)}, 0},
		{"Transpose/three_axes", with(func(o *op.Transpose) { o.Perm = dims(2, 0, 1) }), tensors{ten[int16](dims(2, 2, 2), 1, 2, 3, 4, 5, 6, 7, 8)},
			tensors{ten[int16](dims(2, 2, 2), 1, 3, 5, 7, 2, 4, 6, 8)}, 0},
		{"Transpose/int4", op.New[op.Transpose](), tensors{tensor.Pack(dtype.Int4, []int8{1, 2, 3, 4, 5, -6}, 2, 3)},
			tensors{tensor.Pack(dtype.Int4, []int8{1, 4, 2, 5, 3, -6}, 3, 2)}, 0},
		{"Squeeze/all", op.New[op.Squeeze](), tensors{ten(dims(1, 2, 1), 1, 2.0)}, tensors{vec(1, 2.0)}, 0},
		{"Squeeze/negative_axis", op.New[op.Squeeze](), tensors{ten(dims(1, 2, 1), 1, 2.0), vec[int64](-1)}, tensors{ten(dims(1, 2), 1, 2.0)}, 0},
		{"Unsqueeze/both_ends", op.New[op.Unsqueeze](), tensors{vec(1, 2.0), vec[int64](0, -1)}, tensors{ten(dims(1, 2, 1), 1, 2.0)}, 0},
		{"Unsqueeze/scalar", op.New[op.Unsqueeze](), tensors{tensor.Scalar[int64](5), vec[int64](0)}, tensors{vec[int64](5)}, 0},
		{"ConstantOfShape/default", op.New[op.ConstantOfShape](), tensors{vec[int64](2, 1)}, tensors{ten[float32](dims(2, 1), 0, 0)}, 0},
		{"ConstantOfShape/values", with(func(o *op.ConstantOfShape) { o.Value = vec[int64](7) }), tensors{vec[int64](3)}, tensors{vec[int64](7, 7, 7)}, 0},
		{"ConstantOfShape/scalar", with(func(o *op.ConstantOfShape) { o.Value = vec(true) }), tensors{vec[int64]()}, tensors{tensor.Scalar(true)}, 0},
		{"ConstantOfShape/empty", op.New[op.ConstantOfShape](), tensors{vec[int64](0, 4)}, tensors{ten[float32](dims(0, 4))}, 0},
		{"Range/up", &op.Range{}, tensors{tensor.Scalar[int64](1), tensor.Scalar[int64](8), tensor.Scalar[int64](3)}, tensors{vec[int64](1, 4, 7)}, 0},
		{"Range/down", &op.Range{}, tensors{tensor.Scalar[int32](5), tensor.Scalar[int32](0), tensor.Scalar[int32](-2)}, tensors{vec[int32](5, 3, 1)}, 0},
		{"Range/floats", &op.Range{}, tensors{tensor.Scalar[float32](0), tensor.Scalar[float32](1), tensor.Scalar[float32](0.25)},
			tensors{vec[float32](0, 0.25, 0.5, 0.75)}, 0},
		{"Range/nothing", &op.Range{}, tensors{tensor.Scalar(0.0), tensor.Scalar(-1.0), tensor.Scalar(1.0)}, tensors{vec[float64]()}, 0},
	}
}
