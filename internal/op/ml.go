package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Binarizer gives 1 where the operand is above Threshold, else 0.
type Binarizer struct {
	Threshold float32 `attr:"threshold,default=0"`
}

// Name returns "Binarizer".
func (*Binarizer) Name() string { return "Binarizer" }

// Infer returns the operand's type and shape.
func (*Binarizer) Infer(in []Fact, _ int) ([]Fact, error) { return inferOf(in, isNumber) }

// Eval compares every element.
func (o *Binarizer) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	x := arg(in, 0)
	wide, err := Convert(x, dtype.Float64)
	if err != nil {
		return nil, err
	}
	vals := make([]int64, x.Len())
	for i, v := range tensor.Data[float64](wide) {
		vals[i] = int64(b2i(v > float64(o.Threshold)))
	}
	y, err := Convert(tensor.FromSlice(vals, x.Shape()...), x.Type())
	return Of(y), err
}

// ArrayFeatureExtractor selects elements along the last axis of the first
// operand, those that the second lists. A vector is taken as one row.
type ArrayFeatureExtractor struct{}

// Name returns "ArrayFeatureExtractor".
func (*ArrayFeatureExtractor) Name() string { return "ArrayFeatureExtractor" }

// Infer changes the last axis.
func (*ArrayFeatureExtractor) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	if err := accept(dtype.Type.IsInteger, in[1]); err != nil {
		return nil, err
	}
	x := in[0].Shape
	if x == nil {
		return []Fact{TensorFact(in[0].Type, nil)}, nil
	}
	if len(x) == 0 {
		return nil, fmt.Errorf("data of shape %v has no last axis", x)
	}
	out := x.Clone()
	if len(x) == 1 {
		out = append(Known(1), out...)
	}
	out[len(out)-1] = in[1].Shape.Count()
	return []Fact{TensorFact(in[0].Type, out)}, nil
}

// Eval copies the elements.
func (o *ArrayFeatureExtractor) Eval(in []Datum) ([]Datum, error) {
	c, err := prepareCanvas(o, in)
	if err != nil {
		return nil, err
	}
	x := arg(in, 0)
	n := x.Shape()[x.Rank()-1]
	idx, err := indices(arg(in, 1), n)
	if err != nil {
		return nil, err
	}
	c.draw(x, 0, 0, lane{n: inner(x.Shape()[:x.Rank()-1], 0), to: len(idx), from: n}, lane{n: len(idx), to: 1, fromAt: idx})
	return Of(c.done()), nil
}
