package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// GlobalAveragePool is the mean of each channel.
type GlobalAveragePool struct {
	Layout Layout `attr:".layout"`
}

// Name returns "GlobalAveragePool".
func (o *GlobalAveragePool) Name() string { return "GlobalAveragePool" }

// Infer makes every spatial axis 1.
func (o *GlobalAveragePool) Infer(in []Fact, _ int) ([]Fact, error) { return inferGlobal(in, o.Layout) }

func inferGlobal(in []Fact, l Layout) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	typ, err := wantFloats(in[0])
	if err != nil {
		return nil, err
	}
	x := in[0].Shape
	if x == nil {
		return []Fact{TensorFact(typ, nil)}, nil
	}
	if len(x) < 2 {
		return nil, fmt.Errorf("data of shape %v has no channels", x)
	}
	out := x.Clone()
	for i := range len(x) - 2 {
		out[l.Spatial()+i] = Size(1)
	}
	return []Fact{TensorFact(typ, out)}, nil
}

// Eval averages.
func (o *GlobalAveragePool) Eval(in []Datum) ([]Datum, error) {
	return evalGlobal(o, in, o.Layout, mean[float32], mean[float64])
}

func mean[T float32 | float64](x []T) T { return sum(x) / T(len(x)) }

// evalGlobal reduces each channel of each image. The functions may overwrite
// their argument.
func evalGlobal(o Op, in []Datum, l Layout, single func([]float32) float32, double func([]float64) float64) ([]Datum, error) {
	return evalWide(o, in, 1, true, func(in []Datum, out []Fact) ([]Datum, error) {
		x := in[0].Tensor
		y, err := room(out[0], x.Type())
		if err != nil {
			return nil, err
		}
		if y.Len() > 0 && x.Len() == 0 {
			return nil, fmt.Errorf("data of shape %v has no elements to reduce", x.Shape())
		}
		if x.Type() == dtype.Float64 {
			reduceChannels(tensor.Data[float64](y), tensor.Data[float64](x), planeOf(l, x.Shape()), double)
		} else {
			reduceChannels(tensor.Data[float32](y), tensor.Data[float32](x), planeOf(l, x.Shape()), single)
		}
		return Of(y), nil
	})
}

// planeOf returns the plane of activations of the given shape, of rank 2 at
// least.
func planeOf(l Layout, shape []int) plane {
	rank := len(shape)
	p := plane{channels: shape[l.Channel(rank)], places: 1, layout: l}
	for i := range rank - 2 {
		p.places *= shape[l.Spatial()+i]
	}
	return p
}

func reduceChannels[T float32 | float64](y, x []T, p plane, f func([]T) T) {
	buf := make([]T, p.places)
	for i := range y {
		copy(buf, load(p, buf, x, i/p.channels, i%p.channels, 1))
		y[i] = f(buf)
	}
}

// Quantization says that the data is an activation.
func (o *GlobalAveragePool) Quantization() Facts { return channelwise(dataOnly()) }

// GlobalMaxPool is the greatest element of each channel.
type GlobalMaxPool struct {
	Layout Layout `attr:".layout"`
}

// Name returns "GlobalMaxPool".
func (o *GlobalMaxPool) Name() string { return "GlobalMaxPool" }

// Infer makes every spatial axis 1.
func (o *GlobalMaxPool) Infer(in []Fact, _ int) ([]Fact, error) { return inferGlobal(in, o.Layout) }

// Eval takes the greatest elements.
func (o *GlobalMaxPool) Eval(in []Datum) ([]Datum, error) {
	return evalGlobal(o, in, o.Layout, reduce.Max[float32], reduce.Max[float64])
}

// Quantization says that every output is a copy of an input.
func (o *GlobalMaxPool) Quantization() Facts { return channelwise(moving()) }

// GlobalLpPool is the p-norm of each channel.
type GlobalLpPool struct {
	P      int    `attr:"p,default=2"`
	Layout Layout `attr:".layout"`
}

// Name returns "GlobalLpPool".
func (o *GlobalLpPool) Name() string { return "GlobalLpPool" }

// Infer makes every spatial axis 1.
func (o *GlobalLpPool) Infer(in []Fact, _ int) ([]Fact, error) {
	if o.P < 1 {
		return nil, fmt.Errorf("p %d, want 1 or more", o.P)
	}
	return inferGlobal(in, o.Layout)
}

// Eval takes the norms.
func (o *GlobalLpPool) Eval(in []Datum) ([]Datum, error) {
	return evalGlobal(o, in, o.Layout,
		func(x []float32) float32 { return norm(x, o.P) }, func(x []float64) float64 { return norm(x, o.P) })
}

// Quantization says that the data is an activation.
func (o *GlobalLpPool) Quantization() Facts { return dataOnly() }
