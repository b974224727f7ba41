package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// ConstantOfShape fills a tensor of the shape in its input with the one
// element of Value, or with float32 zeros.
type ConstantOfShape struct {
	Value *tensor.Tensor `attr:"value"`
}

// Name returns "ConstantOfShape".
func (o *ConstantOfShape) Name() string { return "ConstantOfShape" }

func (o *ConstantOfShape) value() (*tensor.Tensor, error) {
	if o.Value == nil {
		return tensor.Scalar[float32](0), nil
	}
	if o.Value.Len() != 1 {
		return nil, fmt.Errorf("value %v is not one element", o.Value)
	}
	return o.Value.Reshape()
}

// Infer returns the shape, and the values of a short vector.
func (o *ConstantOfShape) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	v, err := o.value()
	if err != nil {
		return nil, err
	}
	want, err := listAt(in, 0, "shape")
	if err != nil {
		return nil, err
	}
	if want.n > maxRank {
		return nil, fmt.Errorf("shape of %d dimensions", want.n)
	}
	if err := checkDims(want.vals); err != nil {
		return nil, err
	}
	out := TensorFact(v.Type(), nil)
	switch {
	case want.vals != nil || want.n == 0:
		out.Shape = append(Shape{}, want.vals...)
	case want.n > 0:
		out.Shape = OfRank(want.n)
	}
	if one, ok := values(ConstFact(v)); ok && out.Shape != nil && len(out.Shape) <= 1 {
		if n, ok := out.Shape.Count().Int(); ok && n <= maxValues {
			out.Values = make([]Dim, n)
			for i := range out.Values {
				out.Values[i] = one[0]
			}
		}
	}
	return []Fact{out}, nil
}

// Eval repeats the element, in memory only once.
func (o *ConstantOfShape) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	v, err := o.value()
	if err != nil {
		return nil, err
	}
	t, err := expanded(v, out[0].Shape)
	return Of(t), err
}
