package explain

import (
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// A channel is rescaled where it follows the float model's, but multiplied by
// leastFactor or more, or divided, which rounding seldom gives. clear is what
// the square of their correlation must reach for that, and sure that of their
// cosine for the other channels of such a value.
const (
	leastFactor = 1.05
	clear, sure = 0.99, 0.9
)

// scalingSamples is how many samples factors are taken from, and fewest how
// many elements of a channel.
const (
	scalingSamples = 8
	fewest         = 8
)

// scaling is by what the channels of a value are multiplied in the quantized
// model, as equalization and the like leave them: the weights behind it take
// the factors back.
type scaling struct {
	axis    int
	factors []float32
}

// comparison sums up a value of both models by channels, which may lie on the
// second or the last axis.
type comparison struct {
	axis int
	sums []channelSums
}

// channelSums are of the elements of one channel, w of the float model's and g
// of the other's.
type channelSums struct{ n, w, g, ww, wg, gg float64 }

func newComparisons(want *tensor.Tensor) []*comparison {
	if want.Rank() < 2 {
		return nil
	}
	var out []*comparison
	for _, axis := range []int{1, want.Rank() - 1} {
		if len(out) == 0 || axis != 1 {
			out = append(out, &comparison{axis, make([]channelSums, want.Shape()[axis])})
		}
	}
	return out
}

// add takes in one sample; samples may differ in other axes.
func (c *comparison) add(want, got *tensor.Tensor) {
	if want.Rank() <= c.axis || want.Shape()[c.axis] != len(c.sums) {
		return
	}
	g, stride := tensor.Data[float32](got), tensor.Strides(want.Shape())[c.axis]
	for i, v := range tensor.Data[float32](want) {
		s, x, y := &c.sums[i/stride%len(c.sums)], float64(v), float64(g[i])
		s.n++
		s.w += x
		s.g += y
		s.ww += float64(x * x)
		s.wg += float64(x * y)
		s.gg += float64(y * y)
	}
}

// scaling returns the factors, nil where no channel is rescaled, and the squared
// error that they leave.
func (c *comparison) scaling() (*scaling, float64) {
	out, found, rest := &scaling{c.axis, make([]float32, len(c.sums))}, false, 0.0
	for i, s := range c.sums {
		out.factors[i] = 1
		if !(s.ww > 0 && s.wg > 0) {
			rest += s.gg
			continue
		}
		f := s.wg / s.ww
		square := float64(f * (s.wg / s.gg))
		if square >= sure {
			out.factors[i] = float32(f)
		}
		rest += float64(s.gg * (1 - square))
		both, w, g := s.wg-float64(s.w/s.n*s.g), s.ww-float64(s.w/s.n*s.w), s.gg-float64(s.g/s.n*s.g)
		if s.n >= fewest && w > 0 && g > 0 && both/w*(both/g) >= clear && max(f, 1/f) >= leastFactor {
			found = true
		}
	}
	if !found {
		return nil, 0
	}
	return out, rest
}

// apply returns the value as the quantized model would have it.
func (s *scaling) apply(t *tensor.Tensor) *tensor.Tensor {
	x := tensor.Data[float32](t)
	n, stride := len(s.factors), tensor.Strides(t.Shape())[s.axis]
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = v * s.factors[i/stride%n]
	}
	return tensor.FromSlice(out, t.Shape()...)
}

// rescaled finds which values of the float model are rescaled, by those of both
// models over some samples.
type rescaled map[string][]*comparison

func (r rescaled) add(all []*pairing, values, rounded runtime.Tensors) error {
	for _, p := range all {
		want := values[p.out.Name]
		got, err := p.class.floats(rounded[p.class.watched().Name])
		if err != nil {
			return err
		}
		if want == nil || got == nil || want.Type() != dtype.Float32 || got.Type() != dtype.Float32 || !slices.Equal(want.Shape(), got.Shape()) {
			continue // sample says what is wrong
		}
		if r[p.out.Name] == nil {
			r[p.out.Name] = newComparisons(want)
		}
		for _, c := range r[p.out.Name] {
			c.add(want, got)
		}
	}
	return nil
}

// scalings marks the layers whose values are rescaled, and returns how.
func (r rescaled) scalings(all []*pairing) map[string]*scaling {
	out := map[string]*scaling{}
	for _, p := range all {
		least := math.Inf(1)
		for _, c := range r[p.out.Name] {
			if s, rest := c.scaling(); s != nil && rest < least {
				out[p.out.Name], p.rescaled, least = s, true, rest
			}
		}
	}
	return out
}
