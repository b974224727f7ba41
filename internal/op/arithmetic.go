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
	return evalBinary(o, in, binary{eltwise.Add[float32], eltwise.Add[float64], eltwise.Add[int64]})
}

// Quantization: two activations.
func (*Add) Quantization() Facts { return activations() }

// Sub computes the difference of two broadcast operands.
type Sub struct{}

// Name returns "Sub".
func (*Sub) Name() string { return "Sub" }

// Infer returns the broadcast shape, and the values of shape tensors.
func (*Sub) Infer(in []Fact, _ int) ([]Fact, error) { return inferArithmetic(in, Dim.Sub) }

// Eval computes every element.
func (o *Sub) Eval(in []Datum) ([]Datum, error) {
	return evalBinary(o, in, binary{eltwise.Sub[float32], eltwise.Sub[float64], eltwise.Sub[int64]})
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
	return evalBinary(o, in, binary{eltwise.Mul[float32], eltwise.Mul[float64], eltwise.Mul[int64]})
}

// Quantization: two activations.
func (*Mul) Quantization() Facts { return activations() }

// Div computes the quotient; that of integers is truncated of two broadcast operands.
type Div struct{}

// Name returns "Div".
func (*Div) Name() string { return "Div" }

// Infer returns the broadcast shape, and the values of shape tensors.
func (*Div) Infer(in []Fact, _ int) ([]Fact, error) { return inferArithmetic(in, Dim.Div) }

// Eval computes every element.
func (o *Div) Eval(in []Datum) ([]Datum, error) {
	return evalBinary(o, in, binary{eltwise.Div[float32], eltwise.Div[float64], eltwise.DivInt[int64]})
}

// Quantization: two activations.
func (*Div) Quantization() Facts { return activations() }

// Pow raises the first operand to the power of the second, whose type may be
// another.
type Pow struct{}

// Name returns "Pow".
func (*Pow) Name() string { return "Pow" }

// Infer returns the first operand's type and the broadcast shape.
func (*Pow) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	shape, err := Broadcast(in[0].Shape, in[1].Shape)
	return []Fact{TensorFact(in[0].Type, shape)}, err
}

// Eval computes every element.
func (o *Pow) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	shape, _ := out[0].Shape.Ints()
	x, y := arg(in, 0), arg(in, 1)
	if x.Type().IsInteger() && y.Type().IsInteger() {
		a, _ := tensor.Ints(x)
		b, _ := tensor.Ints(y)
		res := make([]int64, lengthOf(shape))
		as, _ := eltwise.BroadcastStrides(x.Shape(), shape)
		bs, _ := eltwise.BroadcastStrides(y.Shape(), shape)
		eltwise.Broadcast(res, shape, a, as, b, bs, func(dst, a, b []int64) { eltwise.Zip(dst, a, b, eltwise.PowInt[int64]) })
		return Of(tensor.FromInts(x.Type(), res, shape...)), nil
	}
	a, err := Convert(x, dtype.Float32)
	if err != nil {
		return nil, err
	}
	b, err := Convert(y, dtype.Float32)
	if err != nil {
		return nil, err
	}
	r := broadcast(shape, a, b, tensor.Data[float32], func(dst, a, b []float32) { eltwise.Zip(dst, a, b, eltwise.Pow) })
	r, err = Convert(r, x.Type())
	return Of(r), err
}

func lengthOf(shape []int) int {
	n, _ := tensor.Count(shape)
	return n
}

// Mod computes the remainder: with the sign of the divisor, or with Fmod that
// of the dividend, which floats need.
type Mod struct {
	Fmod bool `attr:"fmod,default=0"`
}

// Name returns "Mod".
func (*Mod) Name() string { return "Mod" }

// Infer returns the broadcast shape.
func (*Mod) Infer(in []Fact, _ int) ([]Fact, error) { return inferBinary(in, dtype.Invalid) }

// Eval computes every element.
func (o *Mod) Eval(in []Datum) ([]Datum, error) {
	if o.Fmod {
		return evalBinary(o, in, binary{
			func(dst, a, b []float32) { eltwise.Zip(dst, a, b, eltwise.Fmod[float32]) },
			func(dst, a, b []float64) { eltwise.Zip(dst, a, b, eltwise.Fmod[float64]) },
			func(dst, a, b []int64) { eltwise.Zip(dst, a, b, eltwise.RemInt[int64]) },
		})
	}
	return evalBinary(o, in, binary{
		func(dst, a, b []float32) { eltwise.Zip(dst, a, b, eltwise.ModFloat[float32]) },
		func(dst, a, b []float64) { eltwise.Zip(dst, a, b, eltwise.ModFloat[float64]) },
		func(dst, a, b []int64) { eltwise.Zip(dst, a, b, eltwise.ModInt[int64]) },
	})
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
	return inferBinary(in, dtype.Invalid)
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
// from left to right.
func evalFolded(o Op, in []Datum, fn binary) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	acc := in[0]
	for _, next := range in[1:] {
		r, err := evalBinary(&Add{}, []Datum{acc, next}, fn)
		if err != nil {
			return nil, err
		}
		acc = r[0]
	}
	return []Datum{acc}, nil
}

func inferFolded(in []Fact) ([]Fact, error) {
	if err := need(in, 1, -1); err != nil {
		return nil, err
	}
	typ, err := sameType(in...)
	if err != nil {
		return nil, err
	}
	shapes := make([]Shape, len(in))
	for i, f := range in {
		shapes[i] = f.Shape
	}
	shape, err := Broadcast(shapes...)
	return []Fact{TensorFact(typ, shape)}, err
}

// Max gives the greatest of its broadcast operands; NaN wins.
type Max struct{}

// Name returns "Max".
func (*Max) Name() string { return "Max" }

// Infer returns the broadcast shape.
func (*Max) Infer(in []Fact, _ int) ([]Fact, error) { return inferFolded(in) }

// Eval computes every element.
func (o *Max) Eval(in []Datum) ([]Datum, error) {
	return evalFolded(o, in, binary{eltwise.Max[float32], eltwise.Max[float64], eltwise.Max[int64]})
}

// Min gives the least of its broadcast operands; NaN wins.
type Min struct{}

// Name returns "Min".
func (*Min) Name() string { return "Min" }

// Infer returns the broadcast shape.
func (*Min) Infer(in []Fact, _ int) ([]Fact, error) { return inferFolded(in) }

// Eval computes every element.
func (o *Min) Eval(in []Datum) ([]Datum, error) {
	return evalFolded(o, in, binary{eltwise.Min[float32], eltwise.Min[float64], eltwise.Min[int64]})
}

// Sum adds its broadcast operands.
type Sum struct{}

// Name returns "Sum".
func (*Sum) Name() string { return "Sum" }

// Infer returns the broadcast shape.
func (*Sum) Infer(in []Fact, _ int) ([]Fact, error) { return inferFolded(in) }

// Eval computes every element.
func (o *Sum) Eval(in []Datum) ([]Datum, error) {
	return evalFolded(o, in, binary{eltwise.Add[float32], eltwise.Add[float64], nil})
}

// Mean averages its broadcast operands.
type Mean struct{}

// Name returns "Mean".
func (*Mean) Name() string { return "Mean" }

// Infer returns the broadcast shape.
func (*Mean) Infer(in []Fact, _ int) ([]Fact, error) { return inferFolded(in) }

// Eval computes every element.
func (o *Mean) Eval(in []Datum) ([]Datum, error) {
	sum, err := evalFolded(o, in, binary{eltwise.Add[float32], eltwise.Add[float64], nil})
	if err != nil {
		return nil, err
	}
	n := float32(len(in))
	return evalNumeric(&Relu{}, sum, numeric{
		func(x float32) float32 { return x / n },
		func(x float64) float64 { return x / float64(n) },
		func(x int64) int64 { return x },
	})
}
