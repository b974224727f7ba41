package op

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// CumSum sums the elements up to each place along the axis that is its second
// operand: without the element itself if Exclusive, from the end if Reverse.
type CumSum struct {
	Exclusive bool `attr:"exclusive,default=0"`
	Reverse   bool `attr:"reverse,default=0"`
}

// Name returns "CumSum".
func (*CumSum) Name() string { return "CumSum" }

// Infer returns the first operand's type and shape.
func (*CumSum) Infer(in []Fact, _ int) ([]Fact, error) { return inferCumulative(in) }

// Eval sums in order.
func (o *CumSum) Eval(in []Datum) ([]Datum, error) {
	return evalCumulative(o, in, cumulative[float32]{0, add[float32], o.Exclusive, o.Reverse},
		cumulative[float64]{0, add[float64], o.Exclusive, o.Reverse}, cumulative[int64]{0, add[int64], o.Exclusive, o.Reverse})
}

// CumProd multiplies the elements up to each place, as CumSum adds them.
type CumProd struct {
	Exclusive bool `attr:"exclusive,default=0"`
	Reverse   bool `attr:"reverse,default=0"`
}

// Name returns "CumProd".
func (*CumProd) Name() string { return "CumProd" }

// Infer returns the first operand's type and shape.
func (*CumProd) Infer(in []Fact, _ int) ([]Fact, error) { return inferCumulative(in) }

// Eval multiplies in order.
func (o *CumProd) Eval(in []Datum) ([]Datum, error) {
	return evalCumulative(o, in, cumulative[float32]{1, mul[float32], o.Exclusive, o.Reverse},
		cumulative[float64]{1, mul[float64], o.Exclusive, o.Reverse}, cumulative[int64]{1, mul[int64], o.Exclusive, o.Reverse})
}

func add[T number](a, b T) T { return a + b }
func mul[T number](a, b T) T { return a * b }

// inferCumulative is Infer of operators that run along the axis in their second
// operand.
func inferCumulative(in []Fact) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	if err := accept(isNumber, in[0]); err != nil {
		return nil, err
	}
	at, err := scalarOf(in, 1, "axis")
	if err != nil {
		return nil, err
	}
	if n, ok := at.Int(); ok && in[0].Shape != nil {
		if _, err := Axis(n, len(in[0].Shape)); err != nil {
			return nil, err
		}
	}
	return []Fact{TensorFact(in[0].Type, in[0].Shape.Clone())}, nil
}

func evalCumulative(o Op, in []Datum, f32 cumulative[float32], f64 cumulative[float64], i64 cumulative[int64]) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	axis, err := Axis(int(integers(arg(in, 1))[0]), arg(in, 0).Rank())
	if err != nil {
		return nil, err
	}
	return inNative(arg(in, 0), func(x *tensor.Tensor) (*tensor.Tensor, error) {
		n, stride := x.Shape()[axis], inner(x.Shape(), axis+1)
		switch x.Type() {
		case dtype.Float32:
			return tensor.FromSlice(f32.run(tensor.Data[float32](x), n, stride), x.Shape()...), nil
		case dtype.Float64:
			return tensor.FromSlice(f64.run(tensor.Data[float64](x), n, stride), x.Shape()...), nil
		}
		return tensor.FromInts(x.Type(), i64.run(integers(x), n, stride), x.Shape()...), nil
	})
}

// cumulative combines the elements of lines, from start on.
type cumulative[T float32 | float64 | int64] struct {
	start              T
	combine            func(a, b T) T
	exclusive, reverse bool
}

func (c cumulative[T]) run(x []T, n, stride int) []T {
	out := make([]T, len(x))
	if n == 0 {
		return out
	}
	for i := range len(x) / n {
		from := i/stride*stride*n + i%stride
		acc := c.start
		for k := range n {
			at := from + k*stride
			if c.reverse {
				at = from + (n-1-k)*stride
			}
			if c.exclusive {
				out[at] = acc
			}
			acc = c.combine(acc, x[at])
			if !c.exclusive {
				out[at] = acc
			}
		}
	}
	return out
}
