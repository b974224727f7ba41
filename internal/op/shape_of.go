package op

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// ShapeOf is ONNX's Shape: the dimensions of its input from axis Start to axis
// End (default: all), negative ones counted from the end and both clamped.
type ShapeOf struct {
	Start int      `attr:"start,default=0"`
	End   Opt[int] `attr:"end"`
}

// Name returns "Shape".
func (o *ShapeOf) Name() string { return "Shape" }

// Span returns the axes lo to hi of a tensor of the given rank whose sizes are
// the result.
func (o *ShapeOf) Span(rank int) (lo, hi int) {
	clamp := func(i int) int {
		if i < 0 {
			i += rank
		}
		return min(max(i, 0), rank)
	}
	lo, hi = clamp(o.Start), rank
	if o.End.Set {
		hi = clamp(o.End.Value)
	}
	return lo, max(lo, hi)
}

// Infer gives the dimensions as values.
func (o *ShapeOf) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	out := TensorFact(dtype.Int64, OfRank(1))
	if s := in[0].Shape; s != nil {
		lo, hi := o.Span(len(s))
		out.Values = append([]Dim{}, s[lo:hi]...)
		out.Shape = Known(hi - lo)
	}
	return []Fact{out}, nil
}

// Eval returns the dimensions.
func (o *ShapeOf) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	s := in[0].Tensor.Shape()
	lo, hi := o.Span(len(s))
	out := make([]int64, 0, hi-lo)
	for _, d := range s[lo:hi] {
		out = append(out, int64(d))
	}
	return Of(tensor.FromSlice(out, len(out))), nil
}

// SizeOf is ONNX's Size: the number of elements of its input, a scalar.
type SizeOf struct{}

// Name returns "Size".
func (o *SizeOf) Name() string { return "Size" }

// Infer gives the product of the dimensions as value.
func (o *SizeOf) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	out := TensorFact(dtype.Int64, Known())
	if n := in[0].Shape.Count(); !n.IsUnknown() {
		out.Values = []Dim{n}
	}
	return []Fact{out}, nil
}

// Eval returns the number of elements.
func (o *SizeOf) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	return Of(tensor.Scalar(int64(in[0].Tensor.Len()))), nil
}
