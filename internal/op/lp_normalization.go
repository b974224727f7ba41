package op

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// LpNormalization divides the data by its p-norm along Axis; where the norm is
// 0 the output is 0.
type LpNormalization struct {
	Axis int `attr:"axis,default=-1"`
	P    int `attr:"p,default=2"`
}

// Name returns "LpNormalization".
func (o *LpNormalization) Name() string { return "LpNormalization" }

// Infer returns the data's shape.
func (o *LpNormalization) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	if o.P != 1 && o.P != 2 {
		return nil, fmt.Errorf("p %d, want 1 or 2", o.P)
	}
	out, err := inferRows(in[:1], o.Axis)
	return []Fact{out}, err
}

// Eval divides.
func (o *LpNormalization) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 1, true, func(in []Datum, out []Fact) ([]Datum, error) {
		x := in[0].Tensor
		axis, err := Axis(o.Axis, x.Rank())
		if err != nil {
			return nil, err
		}
		if x.Type() == dtype.Float64 {
			return alongAxes(x, []int{axis}, func(v []float64) { divideByNorm(v, o.P) })
		}
		return alongAxes(x, []int{axis}, func(v []float32) { divideByNorm(v, o.P) })
	})
}

func divideByNorm[T float32 | float64](x []T, p int) {
	n := norm(slices.Clone(x), p)
	for i := range x {
		if n == 0 {
			x[i] = 0
		} else {
			x[i] /= n
		}
	}
}

// alongAxes applies f to a copy of the data, to the elements along the given
// axes at a time, in row-major order.
func alongAxes[T float32 | float64](x *tensor.Tensor, axes []int, f func([]T)) ([]Datum, error) {
	perm := slices.DeleteFunc(allAxes(x.Rank()), func(a int) bool { return slices.Contains(axes, a) })
	axes = slices.Sorted(slices.Values(axes))
	perm = append(perm, axes...)
	back, row := make([]int, len(perm)), 1
	for i, p := range perm {
		back[p] = i
	}
	for _, a := range axes {
		row *= x.Shape()[a]
	}
	y := tensor.Permute(x, perm)
	d := tensor.Data[T](y)
	for i := 0; i < len(d); i += row {
		f(d[i : i+row])
	}
	return Of(tensor.Permute(y, back)), nil
}

// Quantization says that the data is an activation.
func (o *LpNormalization) Quantization() Facts { return dataOnly() }
