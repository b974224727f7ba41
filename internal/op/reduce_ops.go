package op

import (
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
)

// ReduceSum computes the sum over axes.
type ReduceSum struct {
	Keepdims          bool `attr:"keepdims,default=1"`
	NoopWithEmptyAxes bool `attr:"noop_with_empty_axes,default=0"`
}

// Name returns "ReduceSum".
func (*ReduceSum) Name() string { return "ReduceSum" }

// Infer drops the reduced axes or sets them to 1; it follows the elements of a
// shape tensor.
func (o *ReduceSum) Infer(in []Fact, _ int) ([]Fact, error) {
	return reduction(*o).inferFold(in, Dim.Add)
}

// Eval reduces; sums of float32 have the kernels' fixed order.
func (o *ReduceSum) Eval(in []Datum) ([]Datum, error) {
	return evalReduce(o, reduction(*o), in, reducers{f32: reduce.SumStrided, f64: sumOf[float64], i64: sumOf[int64]})
}

// ReduceMean computes the mean over axes.
type ReduceMean struct {
	Keepdims          bool `attr:"keepdims,default=1"`
	NoopWithEmptyAxes bool `attr:"noop_with_empty_axes,default=0"`
}

// Name returns "ReduceMean".
func (*ReduceMean) Name() string { return "ReduceMean" }

// Infer drops the reduced axes or sets them to 1.
func (o *ReduceMean) Infer(in []Fact, _ int) ([]Fact, error) {
	return reduction(*o).infer(in, isNumber)
}

// Eval reduces; sums of float32 have the kernels' fixed order. The mean of integers is
// truncated.
func (o *ReduceMean) Eval(in []Datum) ([]Datum, error) {
	return evalReduce(o, reduction(*o), in, reducers{
		f32: func(x []float32, n, stride int) float32 { return reduce.SumStrided(x, n, stride) / float32(n) },
		f64: func(x []float64, n, stride int) float64 { return sumOf(x, n, stride) / float64(n) },
		i64: func(x []int64, n, stride int) int64 { return sumOf(x, n, stride) / int64(max(n, 1)) },
		u64: func(x []uint64, n, stride int) uint64 { return sumOf(x, n, stride) / uint64(max(n, 1)) },
	})
}

// Quantization: an average of activations.
func (*ReduceMean) Quantization() Facts { return ofData() }

// ReduceMax computes the greatest over axes.
type ReduceMax struct {
	Keepdims          bool `attr:"keepdims,default=1"`
	NoopWithEmptyAxes bool `attr:"noop_with_empty_axes,default=0"`
}

// Name returns "ReduceMax".
func (*ReduceMax) Name() string { return "ReduceMax" }

// Infer drops the reduced axes or sets them to 1.
func (o *ReduceMax) Infer(in []Fact, _ int) ([]Fact, error) {
	return reduction(*o).infer(in, isComparable)
}

// Eval reduces; nothing gives the type's least value.
func (o *ReduceMax) Eval(in []Datum) ([]Datum, error) {
	lo, _ := limits(in)
	return evalReduce(o, reduction(*o), in, reducers{
		f32: extreme(reduce.MaxStrided[float32], float32(math.Inf(-1))),
		f64: extreme(reduce.MaxStrided[float64], math.Inf(-1)),
		i64: extreme(reduce.MaxStrided[int64], lo),
		u64: extreme(reduce.MaxStrided[uint64], 0),
	})
}

// Quantization: every result is one of the elements.
func (*ReduceMax) Quantization() Facts { return moving() }

// ReduceMin computes the least over axes.
type ReduceMin struct {
	Keepdims          bool `attr:"keepdims,default=1"`
	NoopWithEmptyAxes bool `attr:"noop_with_empty_axes,default=0"`
}

// Name returns "ReduceMin".
func (*ReduceMin) Name() string { return "ReduceMin" }

// Infer drops the reduced axes or sets them to 1.
func (o *ReduceMin) Infer(in []Fact, _ int) ([]Fact, error) {
	return reduction(*o).infer(in, isComparable)
}

// Eval reduces; nothing gives the type's greatest value.
func (o *ReduceMin) Eval(in []Datum) ([]Datum, error) {
	_, hi := limits(in)
	return evalReduce(o, reduction(*o), in, reducers{
		f32: extreme(reduce.MinStrided[float32], float32(math.Inf(1))),
		f64: extreme(reduce.MinStrided[float64], math.Inf(1)),
		i64: extreme(reduce.MinStrided[int64], hi),
		u64: extreme(reduce.MinStrided[uint64], math.MaxUint64),
	})
}

// Quantization: every result is one of the elements.
func (*ReduceMin) Quantization() Facts { return moving() }

// ReduceProd computes the product over axes.
type ReduceProd struct {
	Keepdims          bool `attr:"keepdims,default=1"`
	NoopWithEmptyAxes bool `attr:"noop_with_empty_axes,default=0"`
}

// Name returns "ReduceProd".
func (*ReduceProd) Name() string { return "ReduceProd" }

// Infer drops the reduced axes or sets them to 1; it follows the elements of a
// shape tensor.
func (o *ReduceProd) Infer(in []Fact, _ int) ([]Fact, error) {
	return reduction(*o).inferFold(in, Dim.Mul)
}

// Eval multiplies in order.
func (o *ReduceProd) Eval(in []Datum) ([]Datum, error) {
	return evalReduce(o, reduction(*o), in, reducers{f32: productOf[float32], f64: productOf[float64], i64: productOf[int64]})
}

// ReduceL1 computes the sum of magnitudes over axes.
type ReduceL1 struct {
	Keepdims          bool `attr:"keepdims,default=1"`
	NoopWithEmptyAxes bool `attr:"noop_with_empty_axes,default=0"`
}

// Name returns "ReduceL1".
func (*ReduceL1) Name() string { return "ReduceL1" }

// Infer drops the reduced axes or sets them to 1.
func (o *ReduceL1) Infer(in []Fact, _ int) ([]Fact, error) {
	return reduction(*o).infer(in, isNumber)
}

// Eval reduces; sums of float32 have the kernels' fixed order.
func (o *ReduceL1) Eval(in []Datum) ([]Datum, error) {
	return evalReduce(o, reduction(*o), in, reducers{
		f32: sumMapped(abs[float32]), f64: sumMapped64(abs[float64]), u64: sumOf[uint64],
		i64: func(x []int64, n, stride int) (s int64) {
			for i := range n {
				s += max(x[i*stride], -x[i*stride])
			}
			return s
		},
	})
}

// ReduceL2 computes the root of the sum of squares over axes.
type ReduceL2 struct {
	Keepdims          bool `attr:"keepdims,default=1"`
	NoopWithEmptyAxes bool `attr:"noop_with_empty_axes,default=0"`
}

// Name returns "ReduceL2".
func (*ReduceL2) Name() string { return "ReduceL2" }

// Infer drops the reduced axes or sets them to 1.
func (o *ReduceL2) Infer(in []Fact, _ int) ([]Fact, error) {
	return reduction(*o).infer(in, isNumber)
}

// Eval reduces; sums of float32 have the kernels' fixed order.
func (o *ReduceL2) Eval(in []Datum) ([]Datum, error) {
	return evalReduce(o, reduction(*o), in, reducers{
		f32: func(x []float32, n, stride int) float32 {
			return eltwise.Sqrt(sumMapped(square[float32])(x, n, stride))
		},
		f64: func(x []float64, n, stride int) float64 { return math.Sqrt(sumMapped64(square[float64])(x, n, stride)) },
	})
}

// ReduceLogSum computes the logarithm of the sum over axes.
type ReduceLogSum struct {
	Keepdims          bool `attr:"keepdims,default=1"`
	NoopWithEmptyAxes bool `attr:"noop_with_empty_axes,default=0"`
}

// Name returns "ReduceLogSum".
func (*ReduceLogSum) Name() string { return "ReduceLogSum" }

// Infer drops the reduced axes or sets them to 1.
func (o *ReduceLogSum) Infer(in []Fact, _ int) ([]Fact, error) {
	return reduction(*o).infer(in, isNumber)
}

// Eval reduces; sums of float32 have the kernels' fixed order.
func (o *ReduceLogSum) Eval(in []Datum) ([]Datum, error) {
	return evalReduce(o, reduction(*o), in, reducers{
		f32: func(x []float32, n, stride int) float32 { return eltwise.Log(reduce.SumStrided(x, n, stride)) },
		f64: func(x []float64, n, stride int) float64 { return eltwise.Log64(sumOf(x, n, stride)) },
	})
}

// ReduceLogSumExp computes the logarithm of the sum of exponentials over axes.
type ReduceLogSumExp struct {
	Keepdims          bool `attr:"keepdims,default=1"`
	NoopWithEmptyAxes bool `attr:"noop_with_empty_axes,default=0"`
}

// Name returns "ReduceLogSumExp".
func (*ReduceLogSumExp) Name() string { return "ReduceLogSumExp" }

// Infer drops the reduced axes or sets them to 1.
func (o *ReduceLogSumExp) Infer(in []Fact, _ int) ([]Fact, error) {
	return reduction(*o).infer(in, isNumber)
}

// Eval reduces; sums of float32 have the kernels' fixed order.
func (o *ReduceLogSumExp) Eval(in []Datum) ([]Datum, error) {
	return evalReduce(o, reduction(*o), in, reducers{f32: logSumExp, f64: logSumExp64})
}

// ReduceSumSquare computes the sum of squares over axes.
type ReduceSumSquare struct {
	Keepdims          bool `attr:"keepdims,default=1"`
	NoopWithEmptyAxes bool `attr:"noop_with_empty_axes,default=0"`
}

// Name returns "ReduceSumSquare".
func (*ReduceSumSquare) Name() string { return "ReduceSumSquare" }

// Infer drops the reduced axes or sets them to 1.
func (o *ReduceSumSquare) Infer(in []Fact, _ int) ([]Fact, error) {
	return reduction(*o).infer(in, isNumber)
}

// Eval reduces; sums of float32 have the kernels' fixed order.
func (o *ReduceSumSquare) Eval(in []Datum) ([]Datum, error) {
	return evalReduce(o, reduction(*o), in, reducers{
		f32: sumMapped(square[float32]), f64: sumMapped64(square[float64]),
		i64: func(x []int64, n, stride int) (s int64) {
			for i := range n {
				s += x[i*stride] * x[i*stride]
			}
			return s
		},
	})
}

// limits returns the least and greatest value of the operand's integer type.
func limits(in []Datum) (lo, hi int64) {
	x := arg(in, 0)
	switch {
	case x == nil:
		return 0, 0
	case x.Type() == dtype.Bool:
		return 0, 1
	}
	return x.Type().Range()
}

func square[T float32 | float64](x T) T { return x * x }

// ofData are the facts of an operator whose activation is its first operand.
func ofData() Facts {
	f := NoFacts()
	f.Data = []int{0}
	return f
}

func logSumExp64(x []float64, n, stride int) float64 {
	if n == 0 {
		return math.Inf(-1)
	}
	m := reduce.MaxStrided(x, n, stride)
	if m-m != 0 {
		return m
	}
	return eltwise.Log64(sumMapped64(func(v float64) float64 { return eltwise.Exp64(v - m) })(x, n, stride)) + m
}
