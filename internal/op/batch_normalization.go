package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// BatchNormalization scales and shifts each channel (axis 1, or the last with
// ChannelsLast) by fixed statistics: inputs are the data, scale, bias, mean and
// variance. In steps: s = scale / √(variance+ε); y = x·s + (bias − mean·s). In
// TrainingMode the statistics are those of the data, and the running ones are
// moved towards them by 1−Momentum.
type BatchNormalization struct {
	Epsilon      float32 `attr:"epsilon,default=1e-5"`
	Momentum     float32 `attr:"momentum,default=0.9"`
	TrainingMode bool    `attr:"training_mode,default=0"`
	Layout       Layout  `attr:".layout"`
}

// Name returns "BatchNormalization".
func (o *BatchNormalization) Name() string { return "BatchNormalization" }

// Infer returns the data's shape, and in training those of the statistics.
func (o *BatchNormalization) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 5, 5); err != nil {
		return nil, err
	}
	typ, err := wantFloats(in[0])
	if err != nil {
		return nil, err
	}
	if _, err := wantFloats(in[1], in[2]); err != nil {
		return nil, err
	}
	stats, err := wantFloats(in[3], in[4])
	if err != nil {
		return nil, err
	}
	channels := Unknown
	if x := in[0].Shape; x != nil {
		if channels, err = channelsOf(x, o.Layout); err != nil {
			return nil, err
		}
	}
	for i, what := range []string{"scale", "bias", "mean", "variance"} {
		if err := wantLength(in[i+1], what, channels); err != nil {
			return nil, err
		}
	}
	out := []Fact{TensorFact(typ, in[0].Shape.Clone())}
	if o.TrainingMode {
		out = append(out, TensorFact(stats, in[3].Shape.Clone()), TensorFact(stats, in[4].Shape.Clone()))
	}
	return out, nil
}

// channelsOf returns the channels of data of shape x; 1 where its rank is 1,
// as ONNX has it for BatchNormalization.
func channelsOf(x Shape, l Layout) (Dim, error) {
	switch len(x) {
	case 0:
		return Unknown, fmt.Errorf("data of shape %v has no channels", x)
	case 1:
		return Size(1), nil
	}
	return x[l.Channel(len(x))], nil
}

// Eval scales and shifts.
func (o *BatchNormalization) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 3, true, func(in []Datum, out []Fact) ([]Datum, error) {
		x := in[0].Tensor
		for i := 1; i < 5; i++ {
			t, err := Convert(in[i].Tensor, x.Type())
			if err != nil {
				return nil, err
			}
			in[i].Tensor = t
		}
		y, err := room(out[0], x.Type())
		if err != nil {
			return nil, err
		}
		p := plane{1, x.Len(), o.Layout}
		if x.Rank() > 1 {
			p = planeOf(o.Layout, x.Shape())
		}
		var stats []*tensor.Tensor
		if x.Type() == dtype.Float64 {
			stats = batchNorm[float64](o, y, in, p)
		} else {
			stats = batchNorm[float32](o, y, in, p)
		}
		return Of(append([]*tensor.Tensor{y}, stats...)...), nil
	})
}

func batchNorm[T float32 | float64](o *BatchNormalization, y *tensor.Tensor, in []Datum, p plane) []*tensor.Tensor {
	dst, x := tensor.Data[T](y), tensor.Data[T](in[0].Tensor)
	gamma, beta := tensor.Data[T](in[1].Tensor), tensor.Data[T](in[2].Tensor)
	mean, variance := tensor.Data[T](in[3].Tensor), tensor.Data[T](in[4].Tensor)
	var running []*tensor.Tensor
	batch := 0
	if p.channels*p.places > 0 {
		batch = len(x) / (p.channels * p.places)
	}
	if o.TrainingMode {
		mean, variance, running = trainingStatistics(o, x, mean, variance, p, batch)
	}
	for c := range p.channels {
		s := gamma[c] / root(variance[c]+T(o.Epsilon))
		t := beta[c] - T(mean[c]*s)
		for n := range batch {
			base, step := p.at(n, c, 0), p.step()
			for i := range p.places {
				dst[base+i*step] = T(x[base+i*step]*s) + t
			}
		}
	}
	return running
}

// trainingStatistics returns mean and variance of each channel of the data and
// the moved running ones.
func trainingStatistics[T float32 | float64](o *BatchNormalization, x, mean, variance []T, p plane, batch int) (m, v []T, running []*tensor.Tensor) {
	m, v = make([]T, p.channels), make([]T, p.channels)
	rm, rv := make([]T, p.channels), make([]T, p.channels)
	buf := make([]T, batch*p.places)
	keep := T(o.Momentum)
	for c := range p.channels {
		for n := range batch {
			copy(buf[n*p.places:], load(p, buf[n*p.places:], x, n, c, 1))
		}
		m[c], v[c] = moments(buf)
		rm[c] = T(mean[c]*keep) + T(m[c]*(1-keep))
		rv[c] = T(variance[c]*keep) + T(v[c]*(1-keep))
	}
	return m, v, []*tensor.Tensor{floatTensor(rm), floatTensor(rv)}
}

func floatTensor[T float32 | float64](v []T) *tensor.Tensor { return tensor.FromSlice(v, len(v)) }

// root returns the square root.
func root[T float32 | float64](v T) T { return T(math.Sqrt(float64(v))) }

// moments returns the mean of x and the mean square of its distance from it; x
// is overwritten.
func moments[T float32 | float64](x []T) (mu, variance T) {
	mu = mean(x)
	for i, v := range x {
		d := v - mu
		x[i] = d * d
	}
	return mu, mean(x)
}

// Quantization says that the data is an activation.
func (o *BatchNormalization) Quantization() Facts { return dataOnly() }
