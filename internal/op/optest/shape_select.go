package optest

import (
	"math"

	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// selectingCases are the operators that order their data.
func selectingCases() []Case {
	nan := float32(math.NaN())
	one := func(k int64) *tensor.Tensor { return vec(k) }
	unique := func(sorted bool) *op.Unique { return with(func(o *op.Unique) { o.Sorted = sorted }) }
	least := with(func(o *op.TopK) { o.Axis, o.Largest = 0, false })
	boxes := ten[float32](dims(1, 3, 4), 0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, 5, 1, 6)
	scores := ten[float32](dims(1, 1, 3), 0.8, 0.9, 0.3)
	return []Case{
		{"TopK/largest_with_ties", op.New[op.TopK](), tensors{vec[float32](3, 5, 1, 5), one(3)}, tensors{vec[float32](5, 5, 3), vec[int64](1, 3, 0)}, 0},
		{"TopK/smallest_of_columns", least, tensors{ten[int32](dims(3, 2), 3, 1, 2, 1, -1, 0), one(2)},
			tensors{ten[int32](dims(2, 2), -1, 0, 2, 1), ten[int64](dims(2, 2), 2, 2, 1, 0)}, 0},
		{"TopK/nan_is_greatest", op.New[op.TopK](), tensors{vec[float32](1, nan, 3), one(2)}, tensors{vec[float32](nan, 3), vec[int64](1, 2)}, 0},
		{"TopK/uint64", op.New[op.TopK](), tensors{vec[uint64](1, math.MaxUint64, 3), one(1)}, tensors{vec[uint64](math.MaxUint64), vec[int64](1)}, 0},
		{"TopK/none", op.New[op.TopK](), tensors{ten[float32](dims(2, 2), 1, 2, 3, 4), one(0)}, tensors{ten[float32](dims(2, 0)), ten[int64](dims(2, 0))}, 0},
		{"Unique/sorted", unique(true), tensors{vec[int64](2, 1, 1, 3)}, tensors{vec[int64](1, 2, 3), vec[int64](1, 0, 3), vec[int64](1, 0, 0, 2), vec[int64](2, 1, 1)}, 0},
		{"Unique/first_order", unique(false), tensors{texts("b", "a", "b")}, tensors{texts("b", "a"), vec[int64](0, 1), vec[int64](0, 1, 0), vec[int64](2, 1)}, 0},
		{"Unique/columns", with(func(o *op.Unique) { o.Axis = op.Some(-1) }), tensors{ten[float32](dims(2, 3), 2, 1, 2, 5, 4, 5)},
			tensors{ten[float32](dims(2, 2), 1, 2, 4, 5), vec[int64](1, 0), vec[int64](1, 0, 1), vec[int64](1, 2)}, 0},
		{"NonMaxSuppression/overlap", op.New[op.NonMaxSuppression](), tensors{boxes, scores, vec[int64](3), vec[float32](0.5)}, tensors{ten[int64](dims(2, 3), 0, 0, 1, 0, 0, 2)}, 0},
		{"NonMaxSuppression/score", op.New[op.NonMaxSuppression](), tensors{boxes, scores, vec[int64](3), vec[float32](0.5), vec[float32](0.3)}, tensors{ten[int64](dims(1, 3), 0, 0, 1)}, 0},
		{"NonMaxSuppression/none_wanted", op.New[op.NonMaxSuppression](), tensors{boxes, scores}, tensors{ten[int64](dims(0, 3))}, 0},
		{"NonMaxSuppression/centres", with(func(o *op.NonMaxSuppression) { o.CenterPointBox = true }),
			tensors{ten[float32](dims(1, 2, 4), 1, 1, 2, 2, 1, 1, 2, 2), ten[float32](dims(1, 1, 2), 1, 1), vec[int64](9), vec[float32](0.5)}, tensors{ten[int64](dims(1, 3), 0, 0, 0)}, 0},
	}
}
