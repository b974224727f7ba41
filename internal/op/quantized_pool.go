package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// averagePool sums integers and divides in the multiplier. Windows of different
// sizes have different multipliers.
func (o *Quantized) averagePool(a *AveragePool, in []Datum) (*tensor.Tensor, error) {
	x := arg(in, 0)
	g, err := a.Geometry(x.Shape())
	if err != nil {
		return nil, err
	}
	xs, err := affine.Center(x, o.In[0])
	if err != nil {
		return nil, err
	}
	count, ok := tensor.Count(g.Shape())
	if !ok {
		return nil, fmt.Errorf("output of shape %v is too large", g.Shape())
	}
	from, to := plane{g.Channels, inner(g.In, 0), g.Layout}, plane{g.Channels, g.Places(), g.Layout}
	acc := make([]int32, count)
	sizes := make([]int, g.Places())
	g.eachWindow(func(place int, at []int) {
		sizes[place] = len(at)
		if a.CountIncludePad {
			sizes[place] = g.Padded(place)
		}
		for n := range g.Batch {
			for c := range g.Channels {
				base, step := from.at(n, c, 0), from.step()
				var s int32
				for _, p := range at {
					s += xs[base+p*step]
				}
				acc[to.at(n, c, place)] = s
			}
		}
	})
	// [batch, channels, places], or [batch, places, channels].
	shape, axis := []int{g.Batch, g.Channels, g.Places()}, 2
	if g.Layout == ChannelsLast {
		shape, axis = []int{g.Batch, g.Places(), g.Channels}, 1
	}
	units := make([]float32, len(sizes))
	for i, n := range sizes {
		units[i] = float32(max(n, 1))
	}
	return o.finishMean(acc, shape, axis, units, g.Shape())
}

// globalAveragePool is averagePool over whole channels.
func (o *Quantized) globalAveragePool(a *GlobalAveragePool, in []Datum, shape []int) (*tensor.Tensor, error) {
	x := arg(in, 0)
	xs, err := affine.Center(x, o.In[0])
	if err != nil {
		return nil, err
	}
	p := planeOf(a.Layout, x.Shape())
	count, _ := tensor.Count(shape)
	if count > 0 && p.places == 0 {
		return nil, fmt.Errorf("data of shape %v has no elements to average", x.Shape())
	}
	acc := make([]int32, count)
	for i := range acc {
		base, step := p.at(i/p.channels, i%p.channels, 0), p.step()
		for k := range p.places {
			acc[i] += xs[base+k*step]
		}
	}
	return o.finishMean(acc, []int{count}, 0, []float32{float32(p.places)}, shape)
}

// finishMean takes sums of the given numbers of elements, one along the axis or
// one for all, to the result: the multiplier is s/(sy·n), or s/n where the
// result is float.
func (o *Quantized) finishMean(sums []int32, shape []int, axis int, sizes []float32, out []int) (*tensor.Tensor, error) {
	s, y := o.In[0].Scale[0], float32(1)
	if p := input(o.Out, 0); p.Present() {
		y = p.Scale[0]
	}
	m := make([]float32, len(sizes))
	for i, n := range sizes {
		m[i] = s / float32(y*n)
	}
	t, err := o.store(accumulators{acc: sums, shape: shape, axis: axis}, m)
	if err != nil {
		return nil, err
	}
	return t.Reshape(out...)
}
