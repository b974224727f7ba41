package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Where takes from the second operand where the first holds, else from the
// third.
type Where struct{}

// Name returns "Where".
func (*Where) Name() string { return "Where" }

// Infer returns the broadcast shape, and the values of shape tensors.
func (*Where) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 3, 3); err != nil {
		return nil, err
	}
	if err := accept(isBool, in[0]); err != nil {
		return nil, fmt.Errorf("condition: %w", err)
	}
	typ, err := sameType(in[1], in[2])
	if err != nil {
		return nil, err
	}
	shape, err := Broadcast(in[0].Shape, in[1].Shape, in[2].Shape)
	if err != nil {
		return nil, err
	}
	out := TensorFact(typ, shape)
	out.Values = held(follow(func(v []Dim) Dim {
		n, known := v[0].Int()
		switch {
		case v[1].Same(v[2]) || known && n != 0:
			return v[1]
		case known:
			return v[2]
		}
		return Unknown
	}, in...), typ)
	return []Fact{out}, nil
}

// Eval chooses every element, of any type.
func (o *Where) Eval(in []Datum) ([]Datum, error) {
	_, shape, err := prepareSized(o, in)
	if err != nil {
		return nil, err
	}
	if arg(in, 1).Type().Bits() == 0 {
		return nil, fmt.Errorf("%v elements are not chosen", arg(in, 1).Type())
	}
	y := tensor.New(arg(in, 1).Type(), shape...)
	switch y.Type().Bits() {
	case 8:
		choose[uint8](y, in)
	case 16:
		choose[uint16](y, in)
	case 32:
		choose[uint32](y, in)
	case 64:
		choose[uint64](y, in)
	case 128:
		choose[complex128](y, in)
	default:
		return nil, fmt.Errorf("%v elements are not chosen", y.Type())
	}
	return Of(y), nil
}

func choose[T tensor.Element](y *tensor.Tensor, in []Datum) {
	c, a, b := arg(in, 0), arg(in, 1), arg(in, 2)
	cs, _ := eltwise.BroadcastStrides(c.Shape(), y.Shape())
	as, _ := eltwise.BroadcastStrides(a.Shape(), y.Shape())
	bs, _ := eltwise.BroadcastStrides(b.Shape(), y.Shape())
	eltwise.Where(tensor.Data[T](y), y.Shape(), tensor.Data[bool](c), cs, tensor.Data[T](a), as, tensor.Data[T](b), bs)
}

// Quantization: both choices are activations.
func (*Where) Quantization() Facts {
	f := NoFacts()
	f.Data = []int{1, 2}
	return f
}
