package op

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// LpNormalization divides the data by its p-norm along Axis; where the norm is
// 0 the output is 0.
type LpNormalization struct {
	Axis int `attr:"axis,default=-1"`
	P    int `attr:"p,default=2"`
}

// Name returns "LpNormalization".
func (o *LpNormalization) Name() string { return "LpNormalization" }

// Infer returns the data's shape.
func (o *LpNormalization) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	if o.P != 1 && o.P != 2 {
		return nil, fmt.Errorf("p %d, want 1 or 2", o.P)
	}
	out, err := inferRows(in[:1], o.Axis)
	return []Fact{out}, err
}

// Eval divides.
func (o *LpNormalization) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 1, true, func(in []Datum, out []Fact) ([]Datum, error) {
		x := in[0].Tensor
		axis, err := Axis(o.Axis, x.Rank())
		if err != nil {
			return nil, err
		}
		if x.Type() == dtype.Float64 {
			return alongAxes(x, []int{axis}, func(v []float64) { divideByNorm(v, o.P) })
		}
		return alongAxes(x, []int{axis}, func(v []float32) { divideByNorm(v, o.P) })
	})
}

func divideByNorm[T float32 | float64](x []T, p int) {
	n := norm(slices.Clone(x), p)
	for i := range x {
		if n == 0 {
			x[i] = 0
		} else {
			x[i] /= n
		}
	}
}

// alongAxes applies f to a copy of the data, to the elements along the given
// axes at a time, in row-major order.
func alongAxes[T float32 | float64](x *tensor.Tensor, axes []int, f func([]T)) ([]Datum, error) {
	perm := slices.DeleteFunc(allAxes(x.Rank()), func(a int) bool { return slices.Contains(axes, a) })
	axes = slices.Sorted(slices.Values(axes))
	perm = append(perm, axes...)
	back, row := make([]int, len(perm)), 1
	for i, p := range perm {
		back[p] = i
	}
	for _, a := range axes {
		row *= x.Shape()[a]
	}
	y := tensor.Permute(x, perm)
	d := tensor.Data[T](y)
	for i := 0; i < len(d); i += row {
		f(d[i : i+row])
	}
	return Of(tensor.Permute(y, back)), nil
}

// Quantization says that the data is an activation.
func (o *LpNormalization) Quantization() Facts { return dataOnly() }

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

// LRN divides each element by a power of the squares around it in neighbouring
// channels (Krizhevsky et al., "ImageNet Classification with Deep Convolutional
// Neural Networks", 3.3): x / (Bias + Alpha/Size · Σx²)^Beta, in float32.
type LRN struct {
	Alpha  float32 `attr:"alpha,default=1e-4"`
	Beta   float32 `attr:"beta,default=0.75"`
	Bias   float32 `attr:"bias,default=1"`
	Size   int     `attr:"size"`
	Layout Layout  `attr:".layout"`
}

// Name returns "LRN".
func (o *LRN) Name() string { return "LRN" }

// Infer returns the data's shape.
func (o *LRN) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	if o.Size < 1 || o.Size > maxWindow {
		return nil, fmt.Errorf("size %d", o.Size)
	}
	typ, err := wantFloats(in[0])
	if err == nil && in[0].Shape != nil && len(in[0].Shape) < 2 {
		err = fmt.Errorf("data of shape %v has no channels", in[0].Shape)
	}
	return []Fact{TensorFact(typ, in[0].Shape.Clone())}, err
}

// Eval divides.
func (o *LRN) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 1, false, func(in []Datum, out []Fact) ([]Datum, error) {
		x := in[0].Tensor
		y, err := room(out[0], dtype.Float32)
		if err != nil {
			return nil, err
		}
		src, dst, p := tensor.Data[float32](x), tensor.Data[float32](y), planeOf(o.Layout, x.Shape())
		factor := o.Alpha / float32(o.Size)
		before, after := (o.Size-1)/2, o.Size/2
		var square []float32
		for i := range len(src) / max(p.channels, 1) {
			n, place := i/p.places, i%p.places
			for c := range p.channels {
				square = square[:0]
				for k := max(0, c-before); k <= min(p.channels-1, c+after); k++ {
					v := src[p.at(n, k, place)]
					square = append(square, v*v)
				}
				at := p.at(n, c, place)
				dst[at] = src[at] / eltwise.Pow(o.Bias+float32(factor*sum(square)), o.Beta)
			}
		}
		return Of(y), nil
	})
}

// Quantization says that the data is an activation.
func (o *LRN) Quantization() Facts { return dataOnly() }
