package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// ArgMax gives the index of the greatest element along an axis.
type ArgMax struct {
	Axis            int  `attr:"axis,default=0"`
	Keepdims        bool `attr:"keepdims,default=1"`
	SelectLastIndex bool `attr:"select_last_index,default=0"`
}

// Name returns "ArgMax".
func (*ArgMax) Name() string { return "ArgMax" }

// Infer drops the axis or sets it to 1.
func (o *ArgMax) Infer(in []Fact, _ int) ([]Fact, error) { return inferArg(in, o.Axis, o.Keepdims) }

// Eval finds the indices; a NaN is greater than all.
func (o *ArgMax) Eval(in []Datum) ([]Datum, error) {
	return evalArg(o, in, o.Axis, picker{
		func(x []float32, n, s int) int { return reduce.ArgMax(x, n, s, o.SelectLastIndex) },
		func(x []float64, n, s int) int { return reduce.ArgMax(x, n, s, o.SelectLastIndex) },
		func(x []int64, n, s int) int { return reduce.ArgMax(x, n, s, o.SelectLastIndex) },
		func(x []uint64, n, s int) int { return reduce.ArgMax(x, n, s, o.SelectLastIndex) },
	})
}

// Quantization: the index does not depend on the scale.
func (*ArgMax) Quantization() Facts { return ofData() }

// ArgMin gives the index of the least element along an axis.
type ArgMin struct {
	Axis            int  `attr:"axis,default=0"`
	Keepdims        bool `attr:"keepdims,default=1"`
	SelectLastIndex bool `attr:"select_last_index,default=0"`
}

// Name returns "ArgMin".
func (*ArgMin) Name() string { return "ArgMin" }

// Infer drops the axis or sets it to 1.
func (o *ArgMin) Infer(in []Fact, _ int) ([]Fact, error) { return inferArg(in, o.Axis, o.Keepdims) }

// Eval finds the indices; a NaN is less than all.
func (o *ArgMin) Eval(in []Datum) ([]Datum, error) {
	return evalArg(o, in, o.Axis, picker{
		func(x []float32, n, s int) int { return reduce.ArgMin(x, n, s, o.SelectLastIndex) },
		func(x []float64, n, s int) int { return reduce.ArgMin(x, n, s, o.SelectLastIndex) },
		func(x []int64, n, s int) int { return reduce.ArgMin(x, n, s, o.SelectLastIndex) },
		func(x []uint64, n, s int) int { return reduce.ArgMin(x, n, s, o.SelectLastIndex) },
	})
}

func inferArg(in []Fact, axis int, keep bool) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	if err := accept(isNumber, in[0]); err != nil {
		return nil, err
	}
	if in[0].Shape == nil {
		return []Fact{{Type: dtype.Int64}}, nil
	}
	a, err := Axis(axis, len(in[0].Shape))
	if err != nil {
		return nil, err
	}
	shape := in[0].Shape.Clone()
	if keep {
		shape[a] = Size(1)
	} else {
		shape = append(shape[:a], shape[a+1:]...)
	}
	return []Fact{TensorFact(dtype.Int64, shape)}, nil
}

// picker finds one of n elements of x that lie stride apart, by element type.
type picker struct {
	f32 func(x []float32, n, stride int) int
	f64 func(x []float64, n, stride int) int
	i64 func(x []int64, n, stride int) int
	u64 func(x []uint64, n, stride int) int
}

func evalArg(o Op, in []Datum, axis int, fn picker) ([]Datum, error) {
	_, shape, err := prepareSized(o, in)
	if err != nil {
		return nil, err
	}
	x, err := Convert(arg(in, 0), native(arg(in, 0).Type()))
	if err != nil {
		return nil, err
	}
	if axis, err = Axis(axis, x.Rank()); err != nil {
		return nil, err
	}
	n, stride := x.Shape()[axis], inner(x.Shape(), axis+1)
	y := tensor.New(dtype.Int64, shape...)
	dst := tensor.Data[int64](y)
	switch {
	case n == 0 && len(dst) > 0:
		return nil, fmt.Errorf("axis %d is empty", axis)
	case x.Type() == dtype.Float32:
		pick(dst, tensor.Data[float32](x), n, stride, fn.f32)
	case x.Type() == dtype.Float64:
		pick(dst, tensor.Data[float64](x), n, stride, fn.f64)
	case x.Type() == dtype.Uint64:
		pick(dst, tensor.Data[uint64](x), n, stride, fn.u64)
	default:
		pick(dst, integers(x), n, stride, fn.i64)
	}
	return Of(y), nil
}

func pick[T number](dst []int64, x []T, n, stride int, f func(x []T, n, stride int) int) {
	for i := range dst {
		dst[i] = int64(f(x[i/stride*stride*n+i%stride:], n, stride))
	}
}
