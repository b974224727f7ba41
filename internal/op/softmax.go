package op

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// inferAxis is inferUnary for operators that work along an axis.
func inferAxis(in []Fact, axis int) ([]Fact, error) {
	out, err := inferOf(in, dtype.Type.IsFloat)
	if err == nil && in[0].Shape != nil {
		_, err = Axis(axis, len(in[0].Shape))
	}
	return out, err
}

// evalRows applies f to each line of the operand along an axis, f64 where it is
// of float64; narrower types are computed in float32.
func evalRows(o Op, in []Datum, axis int, f func(dst, x []float32), f64 func(dst, x []float64)) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	if x := arg(in, 0); x.Type() == dtype.Float64 {
		y, err := rows(x, axis, tensor.Data[float64], f64)
		return Of(y), err
	}
	x, err := Convert(arg(in, 0), dtype.Float32)
	if err != nil {
		return nil, err
	}
	out, err := rows(x, axis, tensor.Data[float32], f)
	if err != nil {
		return nil, err
	}
	y, err := Convert(out, arg(in, 0).Type())
	return Of(y), err
}

// rows applies f to each line of x along an axis.
func rows[T tensor.Element](x *tensor.Tensor, axis int, data func(*tensor.Tensor) []T, f func(dst, x []T)) (*tensor.Tensor, error) {
	axis, err := Axis(axis, x.Rank())
	if err != nil {
		return nil, err
	}
	src, dst := data(x), make([]T, x.Len())
	n, stride := x.Shape()[axis], inner(x.Shape(), axis+1)
	row, res := make([]T, n), make([]T, n)
	for i := range len(src) / max(n, 1) {
		if stride == 1 {
			f(dst[i*n:(i+1)*n], src[i*n:(i+1)*n])
			continue
		}
		from := i/stride*stride*n + i%stride
		for k := range row {
			row[k] = src[from+k*stride]
		}
		f(res, row)
		for k, v := range res {
			dst[from+k*stride] = v
		}
	}
	return tensor.FromSlice(dst, x.Shape()...), nil
}

// Softmax computes e^x/Σe^x along an axis.
type Softmax struct {
	Axis int `attr:"axis,default=-1"`
}

// Name returns "Softmax".
func (*Softmax) Name() string { return "Softmax" }

// Infer returns the operand's type and shape.
func (o *Softmax) Infer(in []Fact, _ int) ([]Fact, error) { return inferAxis(in, o.Axis) }

// Eval computes every line.
func (o *Softmax) Eval(in []Datum) ([]Datum, error) {
	return evalRows(o, in, o.Axis, reduce.Softmax, softmax64)
}

// Quantization: values in [0, 1].
func (*Softmax) Quantization() Facts {
	f := ofData()
	f.Range = &Interval{0, 1}
	return f
}

// LogSoftmax computes x−log Σe^x along an axis.
type LogSoftmax struct {
	Axis int `attr:"axis,default=-1"`
}

// Name returns "LogSoftmax".
func (*LogSoftmax) Name() string { return "LogSoftmax" }

// Infer returns the operand's type and shape.
func (o *LogSoftmax) Infer(in []Fact, _ int) ([]Fact, error) { return inferAxis(in, o.Axis) }

// Eval computes every line.
func (o *LogSoftmax) Eval(in []Datum) ([]Datum, error) {
	return evalRows(o, in, o.Axis, reduce.LogSoftmax, logSoftmax64)
}

func softmax64(dst, x []float64) {
	sum := expLess(dst, x, slices.Max(x))
	for i, e := range dst {
		dst[i] = e / sum
	}
}

func logSoftmax64(dst, x []float64) {
	m := slices.Max(x)
	l := eltwise.Log64(expLess(dst, x, m))
	for i, v := range x {
		dst[i] = v - m - l
	}
}

// expLess stores e^(x[i] - m) and returns the sum.
func expLess(dst, x []float64, m float64) (sum float64) {
	for i, v := range x {
		dst[i] = eltwise.Exp64(v - m)
		sum += dst[i]
	}
	return sum
}

// Hardmax gives 1 to the first greatest element along an axis and 0 to the
// others.
type Hardmax struct {
	Axis int `attr:"axis,default=-1"`
}

// Name returns "Hardmax".
func (*Hardmax) Name() string { return "Hardmax" }

// Infer returns the operand's type and shape.
func (o *Hardmax) Infer(in []Fact, _ int) ([]Fact, error) { return inferAxis(in, o.Axis) }

// Eval computes every line.
func (o *Hardmax) Eval(in []Datum) ([]Datum, error) {
	return evalRows(o, in, o.Axis, hardmax[float32], hardmax[float64])
}

func hardmax[T number](dst, x []T) {
	clear(dst)
	dst[reduce.ArgMax(x, len(x), 1, false)] = 1
}
