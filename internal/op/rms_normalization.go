package op

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// RMSNormalization divides the data by its root mean square over the axes from
// Axis on, then multiplies it by a scale, as reduce.RMSNorm has it.
type RMSNormalization struct {
	Axis      int        `attr:"axis,default=-1"`
	Epsilon   float32    `attr:"epsilon,default=1e-5"`
	StashType dtype.Type `attr:"stash_type,default=float32"`
}

// Name returns "RMSNormalization".
func (o *RMSNormalization) Name() string { return "RMSNormalization" }

// Infer returns the data's shape and the scale's type.
func (o *RMSNormalization) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 2); err != nil {
		return nil, err
	}
	typ, err := wantFloats(in[1])
	if err != nil {
		return nil, err
	}
	out, err := inferRows([]Fact{in[0], {Shape: in[1].Shape}}, o.Axis)
	if typ != dtype.Invalid {
		out.Type = typ
	}
	return []Fact{out}, err
}

// Eval normalizes.
func (o *RMSNormalization) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 1, true, func(in []Datum, out []Fact) ([]Datum, error) {
		y, _, err := byRMS(in[0].Tensor, in[1].Tensor, out[0], o.Axis, o.Epsilon)
		return Of(y), err
	})
}

// byRMS returns x, whose inferred output is out, divided by its root mean
// square over the axes from axis on and scaled, and the factor 1/RMS of each
// row.
func byRMS(x, scale *tensor.Tensor, out Fact, axis int, epsilon float32) (y, inv *tensor.Tensor, err error) {
	if axis, err = Axis(axis, x.Rank()); err != nil {
		return nil, nil, err
	}
	if y, err = room(out, x.Type()); err != nil {
		return nil, nil, err
	}
	gamma, err := factorOf(scale, x, axis)
	if err != nil {
		return nil, nil, err
	}
	if gamma, err = Convert(gamma, x.Type()); err != nil {
		return nil, nil, err
	}
	stats := Known(x.Shape()...)
	for i := axis; i < len(stats); i++ {
		stats[i] = Size(1)
	}
	if inv, err = room(Fact{Shape: stats}, x.Type()); err != nil {
		return nil, nil, err
	}
	row := inner(x.Shape(), axis)
	if x.Type() == dtype.Float64 {
		rmsNorm[float64](y, x, gamma, inv, row, float64(epsilon))
	} else {
		rmsNorm[float32](y, x, gamma, inv, row, epsilon)
	}
	return y, inv, nil
}

func rmsNorm[T float32 | float64](y, x, gamma, inv *tensor.Tensor, row int, epsilon T) {
	dst, src, g, rs := tensor.Data[T](y), tensor.Data[T](x), tensor.Data[T](gamma), tensor.Data[T](inv)
	for i := 0; i < len(dst); i += row {
		d, s := dst[i:i+row], src[i:i+row]
		if f, ok := any(d).([]float32); ok {
			rs[i/row] = T(reduce.RMSNorm(f, any(s).([]float32), nil, float32(epsilon)))
		} else {
			for j, v := range s {
				d[j] = v * v
			}
			r := 1 / root(mean(d)+epsilon)
			for j, v := range s {
				d[j] = v * r
			}
			rs[i/row] = r
		}
		scaleRow(d, rowOf(g, i/row, row), nil)
	}
}

// Quantization says that the data is an activation, and what the last axis is
// multiplied with.
func (o *RMSNormalization) Quantization() Facts {
	f := dataOnly()
	if o.Axis == -1 {
		f.Gain, f.Offset = 1, None
	}
	return f
}
