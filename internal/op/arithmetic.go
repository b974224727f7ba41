package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Add computes the sum of two broadcast operands.
type Add struct{}

// Name returns "Add".
func (*Add) Name() string { return "Add" }

// Infer returns the broadcast shape, and the values of shape tensors.
func (*Add) Infer(in []Fact, _ int) ([]Fact, error) { return inferArithmetic(in, Dim.Add) }

// Eval computes every element.
func (o *Add) Eval(in []Datum) ([]Datum, error) {
	return evalBinary(o, in, binary{eltwise.Add[float32], eltwise.Add[float64], eltwise.Add[int64], nil})
}

// Quantization: two activations.
func (*Add) Quantization() Facts {
	f := activations()
	f.Sum = true
	return f
}

// Sub computes the difference of two broadcast operands.
type Sub struct{}

// Name returns "Sub".
func (*Sub) Name() string { return "Sub" }

// Infer returns the broadcast shape, and the values of shape tensors.
func (*Sub) Infer(in []Fact, _ int) ([]Fact, error) { return inferArithmetic(in, Dim.Sub) }

// Eval computes every element.
func (o *Sub) Eval(in []Datum) ([]Datum, error) {
	return evalBinary(o, in, binary{eltwise.Sub[float32], eltwise.Sub[float64], eltwise.Sub[int64], nil})
}

// Quantization: two activations.
func (*Sub) Quantization() Facts { return activations() }

// Mul computes the product of two broadcast operands.
type Mul struct{}

// Name returns "Mul".
func (*Mul) Name() string { return "Mul" }

// Infer returns the broadcast shape, and the values of shape tensors.
func (*Mul) Infer(in []Fact, _ int) ([]Fact, error) { return inferArithmetic(in, Dim.Mul) }

// Eval computes every element.
func (o *Mul) Eval(in []Datum) ([]Datum, error) {
	return evalBinary(o, in, binary{eltwise.Mul[float32], eltwise.Mul[float64], eltwise.Mul[int64], nil})
}

// Quantization: two activations.
func (*Mul) Quantization() Facts { return activations() }

// Div computes the quotient of two broadcast operands; that of integers is
// truncated, and 0 where the divisor is.
type Div struct{}

// Name returns "Div".
func (*Div) Name() string { return "Div" }

// Infer returns the broadcast shape, and the values of shape tensors.
func (*Div) Infer(in []Fact, _ int) ([]Fact, error) { return inferArithmetic(in, divided) }

// Eval computes every element.
func (o *Div) Eval(in []Datum) ([]Datum, error) {
	return evalBinary(o, in, binary{eltwise.Div[float32], eltwise.Div[float64], eltwise.DivInt[int64], eltwise.DivInt[uint64]})
}

// divided is the truncated quotient of numbers; sizes are taken to be
// positive, so that rounding down is the same.
func divided(a, b Dim) Dim {
	n, nok := a.Int()
	m, mok := b.Int()
	if nok && mok && m != 0 {
		return Size(n / m)
	}
	return a.Div(b)
}

// Quantization: two activations.
func (*Div) Quantization() Facts { return activations() }

// Mod computes the remainder: with the sign of the divisor, or with Fmod that
// of the dividend, which floats need.
type Mod struct {
	Fmod bool `attr:"fmod,default=0"`
}

// Name returns "Mod".
func (*Mod) Name() string { return "Mod" }

// Infer returns the broadcast shape.
func (*Mod) Infer(in []Fact, _ int) ([]Fact, error) { return inferBinary(in, dtype.Invalid, isNumber) }

// Eval computes every element.
func (o *Mod) Eval(in []Datum) ([]Datum, error) {
	if o.Fmod {
		return evalBinary(o, in, binary{zip(eltwise.Fmod[float32]), zip(eltwise.Fmod[float64]), zip(eltwise.RemInt[int64]), zip(eltwise.RemInt[uint64])})
	}
	return evalBinary(o, in, binary{zip(eltwise.ModFloat[float32]), zip(eltwise.ModFloat[float64]), zip(eltwise.ModInt[int64]), zip(eltwise.ModInt[uint64])})
}

// BitShift shifts unsigned integers by the second operand.
type BitShift struct {
	Direction string `attr:"direction"`
}

// Name returns "BitShift".
func (*BitShift) Name() string { return "BitShift" }

// Infer returns the broadcast shape.
func (o *BitShift) Infer(in []Fact, _ int) ([]Fact, error) {
	if o.Direction != "LEFT" && o.Direction != "RIGHT" {
		return nil, fmt.Errorf("direction %q, want LEFT or RIGHT", o.Direction)
	}
	return inferBinary(in, dtype.Invalid, isUnsigned)
}

// Eval computes every element.
func (o *BitShift) Eval(in []Datum) ([]Datum, error) {
	return evalBinary(o, in, binary{i64: func(dst, a, b []int64) {
		eltwise.Zip(dst, a, b, func(x, n int64) int64 {
			if o.Direction == "LEFT" {
				return int64(uint64(x) << uint64(n))
			}
			return int64(uint64(x) >> uint64(n))
		})
	}})
}

// evalFolded computes an operator of one or more broadcast operands, applied
// from left to right, then finish, if given; narrow floats are rounded once.
func evalFolded(o Op, in []Datum, fn binary, finish func(*tensor.Tensor)) ([]Datum, error) {
	out, _, err := prepareSized(o, in)
	if err != nil {
		return nil, err
	}
	var acc *tensor.Tensor
	for i := range in {
		next, err := Convert(arg(in, i), native(out.Type))
		if err != nil {
			return nil, err
		}
		if i == 0 {
			acc = next
			continue
		}
		shape, err := Broadcast(Known(acc.Shape()...), Known(next.Shape()...))
		if err != nil {
			return nil, err
		}
		dims, err := sized(Fact{Type: acc.Type(), Shape: shape})
		if err != nil {
			return nil, err
		}
		if acc, err = fn.eval(dims, acc, next); err != nil {
			return nil, err
		}
	}
	if finish != nil {
		if len(in) == 1 {
			acc = acc.Clone()
		}
		finish(acc)
	}
	y, err := Convert(acc, out.Type)
	return Of(y), err
}

func inferFolded(in []Fact, ok func(dtype.Type) bool) ([]Fact, error) {
	if err := need(in, max(len(in), 1), -1); err != nil {
		return nil, err
	}
	return inferBroadcast(in, dtype.Invalid, ok)
}

// inferExtreme is inferFolded of Max and Min, which follow the elements of
// shape tensors.
func inferExtreme(in []Fact, pick func(a, b int) int) ([]Fact, error) {
	out, err := inferFolded(in, isNumber)
	if err != nil {
		return nil, err
	}
	out[0].Values = held(follow(func(v []Dim) Dim {
		best := v[0]
		for _, d := range v[1:] {
			n, nok := best.Int()
			m, mok := d.Int()
			switch {
			case nok && mok:
				best = Size(pick(n, m))
			case !best.Same(d):
				best = Unknown
			}
		}
		return best
	}, in...), out[0].Type)
	return out, nil
}

// Max gives the greatest of its broadcast operands; NaN wins.
type Max struct{}

// Name returns "Max".
func (*Max) Name() string { return "Max" }

// Infer returns the broadcast shape, and the values of shape tensors.
func (*Max) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferExtreme(in, func(a, b int) int { return max(a, b) })
}

// Eval computes every element.
func (o *Max) Eval(in []Datum) ([]Datum, error) {
	return evalFolded(o, in, binary{eltwise.Max[float32], eltwise.Max[float64], eltwise.Max[int64], eltwise.Max[uint64]}, nil)
}

// Min gives the least of its broadcast operands; NaN wins.
type Min struct{}

// Name returns "Min".
func (*Min) Name() string { return "Min" }

// Infer returns the broadcast shape, and the values of shape tensors.
func (*Min) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferExtreme(in, func(a, b int) int { return min(a, b) })
}

// Eval computes every element.
func (o *Min) Eval(in []Datum) ([]Datum, error) {
	return evalFolded(o, in, binary{eltwise.Min[float32], eltwise.Min[float64], eltwise.Min[int64], eltwise.Min[uint64]}, nil)
}

// Sum adds its broadcast operands.
type Sum struct{}

// Name returns "Sum".
func (*Sum) Name() string { return "Sum" }

// Infer returns the broadcast shape.
func (*Sum) Infer(in []Fact, _ int) ([]Fact, error) { return inferFolded(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Sum) Eval(in []Datum) ([]Datum, error) {
	return evalFolded(o, in, sums, nil)
}

var sums = binary{f32: eltwise.Add[float32], f64: eltwise.Add[float64]}

// Mean averages its broadcast operands.
type Mean struct{}

// Name returns "Mean".
func (*Mean) Name() string { return "Mean" }

// Infer returns the broadcast shape.
func (*Mean) Infer(in []Fact, _ int) ([]Fact, error) { return inferFolded(in, dtype.Type.IsFloat) }

// Eval computes every element.
func (o *Mean) Eval(in []Datum) ([]Datum, error) {
	return evalFolded(o, in, sums, func(sum *tensor.Tensor) {
		if sum.Type() == dtype.Float64 {
			d := tensor.Data[float64](sum)
			eltwise.Div(d, d, []float64{float64(len(in))})
			return
		}
		d := tensor.Data[float32](sum)
		eltwise.Div(d, d, []float32{float32(len(in))})
	})
}
