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

// Eval finds the indices.
func (o *ArgMax) Eval(in []Datum) ([]Datum, error) {
	return evalArg(o, in, o.Axis, func(x []float32, n, s int) int { return reduce.ArgMax(x, n, s, o.SelectLastIndex) },
		func(x []int64, n, s int) int { return reduce.ArgMax(x, n, s, o.SelectLastIndex) })
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

// Eval finds the indices.
func (o *ArgMin) Eval(in []Datum) ([]Datum, error) {
	return evalArg(o, in, o.Axis, func(x []float32, n, s int) int { return reduce.ArgMin(x, n, s, o.SelectLastIndex) },
		func(x []int64, n, s int) int { return reduce.ArgMin(x, n, s, o.SelectLastIndex) })
}

func inferArg(in []Fact, axis int, keep bool) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
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

func evalArg(o Op, in []Datum, axis int, f32 func(x []float32, n, stride int) int, i64 func(x []int64, n, stride int) int) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	x := arg(in, 0)
	axis, err = Axis(axis, x.Rank())
	if err != nil {
		return nil, err
	}
	shape, _ := out[0].Shape.Ints()
	n, stride := x.Shape()[axis], inner(x.Shape(), axis+1)
	if n == 0 {
		return nil, fmt.Errorf("axis %d is empty", axis)
	}
	y := tensor.New(dtype.Int64, shape...)
	dst := tensor.Data[int64](y)
	from := func(i int) int { return i/stride*stride*n + i%stride }
	if ints, ok := tensor.Ints(x); ok {
		for i := range dst {
			dst[i] = int64(i64(ints[from(i):], n, stride))
		}
		return Of(y), nil
	}
	f, err := Convert(x, dtype.Float32)
	if err != nil {
		return nil, err
	}
	src := tensor.Data[float32](f)
	for i := range dst {
		dst[i] = int64(f32(src[from(i):], n, stride))
	}
	return Of(y), nil
}
