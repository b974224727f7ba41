package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// InstanceNormalization normalizes each channel of each image to mean 0 and
// variance 1, then scales and shifts it: inputs are the data, scale and bias,
// one element a channel. The steps are those of [LayerNormalization].
type InstanceNormalization struct {
	Epsilon float32 `attr:"epsilon,default=1e-5"`
	Layout  Layout  `attr:".layout"`
}

// Name returns "InstanceNormalization".
func (o *InstanceNormalization) Name() string { return "InstanceNormalization" }

// Infer returns the data's shape.
func (o *InstanceNormalization) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferGroups(in, o.Layout, 1)
}

func inferGroups(in []Fact, l Layout, groups int) ([]Fact, error) {
	if err := need(in, 3, 3); err != nil {
		return nil, err
	}
	typ, err := wantFloats(in...)
	if err != nil {
		return nil, err
	}
	channels := Unknown
	if x := in[0].Shape; x != nil {
		if len(x) < 2 {
			return nil, fmt.Errorf("data of shape %v has no channels", x)
		}
		channels = x[l.Channel(len(x))]
	}
	if c, ok := channels.Int(); groups < 1 || ok && c%groups != 0 {
		return nil, fmt.Errorf("%v channels in %d groups", channels, groups)
	}
	for i, what := range []string{"scale", "bias"} {
		if err := wantLength(in[i+1], what, channels); err != nil {
			return nil, err
		}
	}
	return []Fact{TensorFact(typ, in[0].Shape.Clone())}, nil
}

// Eval normalizes.
func (o *InstanceNormalization) Eval(in []Datum) ([]Datum, error) {
	return evalGroups(o, in, o.Layout, o.Epsilon, func(int) int { return 1 })
}

// Quantization says that the data is an activation.
func (o *InstanceNormalization) Quantization() Facts { return dataOnly() }

// GroupNormalization normalizes each group of neighbouring channels of each
// image to mean 0 and variance 1, then scales and shifts each channel: inputs
// are the data, scale and bias, one element a channel.
type GroupNormalization struct {
	Epsilon   float32    `attr:"epsilon,default=1e-5"`
	NumGroups int        `attr:"num_groups"`
	StashType dtype.Type `attr:"stash_type,default=float32"`
	Layout    Layout     `attr:".layout"`
}

// Name returns "GroupNormalization".
func (o *GroupNormalization) Name() string { return "GroupNormalization" }

// Infer returns the data's shape.
func (o *GroupNormalization) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferGroups(in, o.Layout, o.NumGroups)
}

// Eval normalizes.
func (o *GroupNormalization) Eval(in []Datum) ([]Datum, error) {
	return evalGroups(o, in, o.Layout, o.Epsilon, func(channels int) int { return channels / o.NumGroups })
}

// Quantization says that the data is an activation.
func (o *GroupNormalization) Quantization() Facts { return dataOnly() }

// evalGroups normalizes groups of as many channels as size says.
func evalGroups(o Op, in []Datum, l Layout, epsilon float32, size func(channels int) int) ([]Datum, error) {
	return evalWide(o, in, 1, true, func(in []Datum, out []Fact) ([]Datum, error) {
		x := in[0].Tensor
		y, err := room(out[0], x.Type())
		if err != nil {
			return nil, err
		}
		p := planeOf(l, x.Shape())
		if y.Len() == 0 {
			return Of(y), nil
		}
		if x.Type() == dtype.Float64 {
			normalizeGroups[float64](y, in, p, size(p.channels), float64(epsilon))
		} else {
			normalizeGroups[float32](y, in, p, size(p.channels), epsilon)
		}
		return Of(y), nil
	})
}

func normalizeGroups[T float32 | float64](y *tensor.Tensor, in []Datum, p plane, size int, epsilon T) {
	dst, x := tensor.Data[T](y), tensor.Data[T](in[0].Tensor)
	gamma, beta := tensor.Data[T](in[1].Tensor), tensor.Data[T](in[2].Tensor)
	buf, res := make([]T, size*p.places), make([]T, size*p.places)
	for n := range len(x) / (p.channels * p.places) {
		for c := 0; c < p.channels; c += size {
			normalize(res, load(p, buf, x, n, c, size), epsilon)
			for i := range res {
				ch := c + i/p.places
				res[i] = T(res[i]*gamma[ch]) + beta[ch]
			}
			save(p, dst, res, n, c, size)
		}
	}
}

// normalize stores (x−mean)·r with r = 1/√(variance+ε), and returns mean and r.
func normalize[T float32 | float64](dst, x []T, epsilon T) (mu, r T) {
	if d, ok := any(dst).([]float32); ok {
		m, inv := reduce.LayerNorm(d, any(x).([]float32), nil, nil, float32(epsilon))
		return T(m), T(inv)
	}
	copy(dst, x)
	_, variance := moments(dst)
	mu, r = mean(x), 1/root(variance+epsilon)
	for i, v := range x {
		dst[i] = T((v - mu) * r)
	}
	return mu, r
}
