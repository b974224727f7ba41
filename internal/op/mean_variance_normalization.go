package op

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
)

// MeanVarianceNormalization subtracts the mean over Axes and divides by the
// standard deviation plus 1e-9.
type MeanVarianceNormalization struct {
	Axes Opt[[]int] `attr:"axes"`
}

// Name returns "MeanVarianceNormalization".
func (o *MeanVarianceNormalization) Name() string { return "MeanVarianceNormalization" }

// axes resolves the attribute; by default batch and space of images.
func (o *MeanVarianceNormalization) axes(rank int) ([]int, error) {
	if !o.Axes.Set {
		return axesOf([]int{0, 2, 3}, rank)
	}
	return axesOf(o.Axes.Value, rank)
}

// Infer returns the data's shape.
func (o *MeanVarianceNormalization) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	typ, err := wantFloats(in[0])
	if err == nil && in[0].Shape != nil {
		_, err = o.axes(len(in[0].Shape))
	}
	return []Fact{TensorFact(typ, in[0].Shape.Clone())}, err
}

// Eval normalizes.
func (o *MeanVarianceNormalization) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 1, true, func(in []Datum, _ []Fact) ([]Datum, error) {
		x := in[0].Tensor
		axes, err := o.axes(x.Rank())
		if err != nil {
			return nil, err
		}
		if x.Type() == dtype.Float64 {
			return alongAxes(x, axes, standardize[float64])
		}
		return alongAxes(x, axes, standardize[float32])
	})
}

func standardize[T float32 | float64](x []T) {
	mu, variance := moments(slices.Clone(x))
	std := root(variance) + 1e-9
	for i, v := range x {
		x[i] = (v - mu) / std
	}
}

// Quantization says that the data is an activation.
func (o *MeanVarianceNormalization) Quantization() Facts { return dataOnly() }
