package op

import (
	"fmt"

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
func (*CumSum) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	if err := accept(isNumber, in[0]); err != nil {
		return nil, err
	}
	l, err := listAt(in, 1, "axis")
	if err != nil {
		return nil, err
	}
	if l.n >= 0 && l.n != 1 {
		return nil, fmt.Errorf("axis has %d elements, want one", l.n)
	}
	if at, ok := l.numbers(); ok && in[0].Shape != nil {
		if _, err := Axis(at[0], len(in[0].Shape)); err != nil {
			return nil, err
		}
	}
	return []Fact{TensorFact(in[0].Type, in[0].Shape.Clone())}, nil
}

// Eval sums in order.
func (o *CumSum) Eval(in []Datum) ([]Datum, error) {
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
			return tensor.FromSlice(cumulate(o, tensor.Data[float32](x), n, stride), x.Shape()...), nil
		case dtype.Float64:
			return tensor.FromSlice(cumulate(o, tensor.Data[float64](x), n, stride), x.Shape()...), nil
		}
		return tensor.FromInts(x.Type(), cumulate(o, integers(x), n, stride), x.Shape()...), nil
	})
}

func cumulate[T float32 | float64 | int64](o *CumSum, x []T, n, stride int) []T {
	out := make([]T, len(x))
	if n == 0 {
		return out
	}
	for i := range len(x) / n {
		from := i/stride*stride*n + i%stride
		var acc T
		for k := range n {
			at := from + k*stride
			if o.Reverse {
				at = from + (n-1-k)*stride
			}
			if o.Exclusive {
				out[at] = acc
				acc += x[at]
			} else {
				acc += x[at]
				out[at] = acc
			}
		}
	}
	return out
}
