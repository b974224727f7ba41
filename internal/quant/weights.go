package quant

import (
	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// weights remembers what plans of one graph have in common, however the ranges
// of activations are chosen: the parameters of weights before they give way to
// biases, and the integers of those that were quantized last.
type weights struct {
	params   map[weightKey]affine.Params
	integers map[weightKey]quantized
}

// weightKey is what the parameters of a weight depend on in one recipe.
type weightKey struct {
	value     string
	typ       dtype.Type
	symmetric bool
	axis      int
}

type quantized struct {
	by affine.Params
	t  *tensor.Tensor
}

func newWeights() *weights {
	return &weights{map[weightKey]affine.Params{}, map[weightKey]quantized{}}
}

func keyOf(pt Point) weightKey { return weightKey{pt.Value, pt.Type, pt.Symmetric, pt.Axis} }

// paramsOf returns the parameters of a weight.
func (w *weights) paramsOf(s *settings, pt Point, c *tensor.Tensor) (affine.Params, error) {
	key := keyOf(pt)
	if p, ok := w.params[key]; ok {
		return p, nil
	}
	scheme := affine.Scheme{Type: pt.Type, Symmetric: pt.Symmetric, Reduced: s.recipe.ReduceRange && pt.Type == s.weight}
	p, err := affine.ChooseWeightParams(c, scheme, pt.Axis)
	if err == nil {
		w.params[key] = p
	}
	return p, err
}

// quantize returns the integers of a constant. Those of biases follow their
// input's scale, and are small.
func (w *weights) quantize(pt Point, p affine.Params, c *tensor.Tensor) (*tensor.Tensor, error) {
	if pt.Role != Weight {
		return affine.Quantize(c, p, affine.RoundHalfEven)
	}
	key := keyOf(pt)
	if q, ok := w.integers[key]; ok && q.by.Equal(p) {
		return q.t, nil
	}
	t, err := affine.Quantize(c, p, affine.RoundHalfEven)
	if err == nil {
		w.integers[key] = quantized{p, t}
	}
	return t, err
}
