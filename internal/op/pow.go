package op

import (
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Pow raises the first operand to the power of the second, whose type may be
// another. Integers wrap, and a power that is no integer is truncated.
type Pow struct{}

// Name returns "Pow".
func (*Pow) Name() string { return "Pow" }

// Infer returns the first operand's type and the broadcast shape.
func (*Pow) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	if err := accept(isNumber, in...); err != nil {
		return nil, err
	}
	shape, err := Broadcast(in[0].Shape, in[1].Shape)
	if err != nil {
		return nil, err
	}
	return []Fact{TensorFact(in[0].Type, shape)}, nil
}

// Eval computes every element.
func (o *Pow) Eval(in []Datum) ([]Datum, error) {
	_, shape, err := prepareSized(o, in)
	if err != nil {
		return nil, err
	}
	x, y := arg(in, 0), arg(in, 1)
	if x.Type().IsInteger() {
		return powInts(shape, x, y)
	}
	a, err := Convert(x, native(x.Type()))
	if err != nil {
		return nil, err
	}
	b, err := Convert(y, a.Type())
	if err != nil {
		return nil, err
	}
	r, err := binary{f32: zip(eltwise.Pow), f64: zip(pow64)}.eval(shape, a, b)
	if err != nil {
		return nil, err
	}
	r, err = Convert(r, x.Type())
	return Of(r), err
}

// powInts raises integers: exactly to integers, which floats may be, else in
// float32.
func powInts(shape []int, x, y *tensor.Tensor) ([]Datum, error) {
	exp, err := Convert(y, dtype.Float64)
	if err != nil {
		return nil, err
	}
	res := make([]int64, lengthOf(shape))
	as, _ := eltwise.BroadcastStrides(x.Shape(), shape)
	bs, _ := eltwise.BroadcastStrides(y.Shape(), shape)
	eltwise.Broadcast(res, shape, integers(x), as, tensor.Data[float64](exp), bs, func(dst, a []int64, b []float64) {
		eltwise.Zip(dst, a, b, func(v int64, e float64) int64 {
			if math.Trunc(e) == e && math.Abs(e) < 1<<53 {
				return eltwise.PowInt(v, int64(e))
			}
			return toInt(float64(eltwise.Pow(float32(real(v, x.Type() == dtype.Uint64, true)), float32(e))))
		})
	})
	return Of(tensor.FromInts(x.Type(), res, shape...)), nil
}

// pow64 multiplies for the powers that networks use and computes the others in
// float32.
func pow64(x, y float64) float64 {
	switch {
	case y == 0.5 && x > 0:
		return math.Sqrt(x)
	case math.Trunc(y) == y && math.Abs(y) <= 64:
		p := 1.0
		for range int(math.Abs(y)) {
			p *= x
		}
		if y < 0 {
			return 1 / p
		}
		return p
	}
	return float64(eltwise.Pow(float32(x), float32(y)))
}

func lengthOf(shape []int) int {
	n, _ := tensor.Count(shape)
	return n
}
