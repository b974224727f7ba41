package op

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// LayerNormalization normalizes the data over the axes from Axis on to mean 0
// and variance 1, then scales and shifts it: inputs are the data, scale and an
// optional bias, both broadcast. Further outputs are the mean and 1/√(variance+
// ε), of type StashType. Each row is computed as reduce.LayerNorm has it.
type LayerNormalization struct {
	Axis      int        `attr:"axis,default=-1"`
	Epsilon   float32    `attr:"epsilon,default=1e-5"`
	StashType dtype.Type `attr:"stash_type,default=float32"`
}

// Name returns "LayerNormalization".
func (o *LayerNormalization) Name() string { return "LayerNormalization" }

// Infer returns the data's shape and those of the statistics.
func (o *LayerNormalization) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 3); err != nil {
		return nil, err
	}
	if !plainFloat(o.StashType) {
		return nil, fmt.Errorf("stash_type %v, want a floating-point type", o.StashType)
	}
	out, err := inferRows(in, o.Axis)
	if err != nil {
		return nil, err
	}
	stats := TensorFact(o.StashType, nil)
	if x := in[0].Shape; x != nil {
		axis, _ := Axis(o.Axis, len(x))
		stats.Shape = x.Clone()
		for i := axis; i < len(x); i++ {
			stats.Shape[i] = Size(1)
		}
	}
	return []Fact{out, stats, stats}, nil
}

// inferRows checks the data and what it is scaled and shifted by.
func inferRows(in []Fact, axis int) (Fact, error) {
	typ, err := wantFloats(in...)
	if err != nil {
		return Fact{}, err
	}
	x := in[0].Shape
	if x == nil {
		return TensorFact(typ, nil), nil
	}
	if _, err := Axis(axis, len(x)); err != nil {
		return Fact{}, err
	}
	for i, what := range []string{"scale", "bias"} {
		if f := input(in, i+1); f.Shape != nil {
			if err := fits(f.Shape, x); err != nil {
				return Fact{}, fmt.Errorf("%s: %w", what, err)
			}
		}
	}
	return TensorFact(typ, x.Clone()), nil
}

// Eval normalizes.
func (o *LayerNormalization) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 3, true, func(in []Datum, out []Fact) ([]Datum, error) {
		x := in[0].Tensor
		axis, err := Axis(o.Axis, x.Rank())
		if err != nil {
			return nil, err
		}
		y, err := room(out[0], x.Type())
		if err != nil {
			return nil, err
		}
		gamma, err := factorOf(arg(in, 1), x, axis)
		if err != nil {
			return nil, err
		}
		beta, err := factorOf(arg(in, 2), x, axis)
		if err != nil {
			return nil, err
		}
		mu, err := room(out[1], x.Type())
		if err != nil {
			return nil, err
		}
		inv, err := room(out[2], x.Type())
		if err != nil {
			return nil, err
		}
		row := inner(x.Shape(), axis)
		if x.Type() == dtype.Float64 {
			layerNorm[float64](y, x, gamma, beta, mu, inv, row, float64(o.Epsilon))
		} else {
			layerNorm[float32](y, x, gamma, beta, mu, inv, row, o.Epsilon)
		}
		return Of(y, mu, inv), nil
	})
}

// factorOf returns a scale or bias with the elements of one row where it is the
// same for all rows, else with those of all data.
func factorOf(t, x *tensor.Tensor, axis int) (*tensor.Tensor, error) {
	if t == nil || slices.Equal(t.Shape(), x.Shape()[axis:]) {
		return t, nil
	}
	to := x.Shape()[axis:]
	if t.Rank() > len(to) {
		to = x.Shape()
	}
	return expanded(t, Known(to...))
}

// rowOf returns the elements that belong to row i, nil without a tensor.
func rowOf[T float32 | float64](t []T, i, row int) []T {
	switch {
	case t == nil || row == 0:
		return nil
	case len(t) == row:
		return t
	}
	return t[i*row : i*row+row]
}

func layerNorm[T float32 | float64](y, x, gamma, beta, mu, inv *tensor.Tensor, row int, epsilon T) {
	dst, src := tensor.Data[T](y), tensor.Data[T](x)
	g, b := elements[T](gamma), elements[T](beta)
	m, r := tensor.Data[T](mu), tensor.Data[T](inv)
	for i := range m {
		d := dst[i*row : i*row+row]
		m[i], r[i] = normalize(d, src[i*row:i*row+row], epsilon)
		scaleRow(d, rowOf(g, i, row), rowOf(b, i, row))
	}
}

// scaleRow multiplies and then shifts a row; nil leaves the step out.
func scaleRow[T float32 | float64](d, gamma, beta []T) {
	if gamma != nil {
		for i, v := range d {
			d[i] = v * gamma[i]
		}
	}
	if beta != nil {
		for i, v := range d {
			d[i] = v + beta[i]
		}
	}
}

// Quantization says that the data is an activation, and what the last axis is
// multiplied with and shifted by.
func (o *LayerNormalization) Quantization() Facts {
	f := dataOnly()
	if o.Axis == -1 {
		f.Gain, f.Offset = 1, 2
	}
	return f
}
