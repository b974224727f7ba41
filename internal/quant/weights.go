package quant

import (
	"maps"

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
	groups   map[weightKey]*groups
	latest   latest
	// hold says that the integers will be read more than once.
	hold bool
}

// held is up to how many bytes what is made of a constant is in memory: more is
// made when it is read, part by part.
const held = 64 << 10

// weightKey is what the parameters of a weight depend on in one recipe.
type weightKey struct {
	value     string
	typ       dtype.Type
	symmetric bool
	axis      int
	block     int
	algorithm string
}

type quantized struct {
	by affine.Params
	t  *tensor.Tensor
}

func newWeights(hold bool) *weights {
	return &weights{params: map[weightKey]affine.Params{}, integers: map[weightKey]quantized{}, groups: map[weightKey]*groups{}, hold: hold}
}

// clone returns what is known, for a graph some of whose weights will change.
func (w *weights) clone() *weights {
	return &weights{params: maps.Clone(w.params), integers: maps.Clone(w.integers), groups: maps.Clone(w.groups), hold: w.hold}
}

func keyOf(pt Point) weightKey {
	return weightKey{pt.Value, pt.Type, pt.Symmetric, pt.Axis, pt.Block, pt.Algorithm}
}

func (s *settings) scheme(pt Point) affine.Scheme {
	return affine.Scheme{Type: pt.Type, Symmetric: pt.Symmetric, Reduced: s.recipe.ReduceRange && pt.Type.Bits() == 8, MinRange: s.target.Weights.MinRange}
}

// planned returns the parameters that the plan has of a weight: those of the
// first group alone where there are so many that they are made when they are
// read, by what w.groups holds then.
func (w *weights) planned(s *settings, pt Point, c *tensor.Tensor) (affine.Params, error) {
	p := affine.Params{Type: pt.Type, Axis: pt.Axis, BlockSize: pt.Block}
	n := 0
	if pt.Block > 0 {
		n, _ = tensor.Count(p.ScaleShape(c.Shape()))
	}
	if n < manyGroups || w.hold {
		return w.paramsOf(s, pt, c)
	}
	if err := finite(c); err != nil {
		return p, err
	}
	g := newGroups(c, s.scheme(pt), pt, &w.latest)
	w.groups[keyOf(pt)] = g
	p, err := g.first()
	p.Axis = pt.Axis
	return p, err
}

// paramsOf returns the parameters of a weight.
func (w *weights) paramsOf(s *settings, pt Point, c *tensor.Tensor) (affine.Params, error) {
	key := keyOf(pt)
	if p, ok := w.params[key]; ok {
		return p, nil
	}
	scheme := s.scheme(pt)
	var p affine.Params
	var err error
	if pt.Algorithm != "" {
		p, err = chooseCodes(c, scheme, pt)
	} else {
		p, err = coveringParams(c, scheme, pt.Axis)
	}
	if err == nil {
		w.params[key] = p
	}
	return p, err
}

// coveringParams are those of affine.ChooseWeightParams for finite weights.
func coveringParams(c *tensor.Tensor, scheme affine.Scheme, axis int) (affine.Params, error) {
	p, ok, err := affine.WeightParams(c, scheme, axis)
	if err == nil && !ok {
		err = notFinite(c)
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
	if err := p.Validate(c.Shape()); err != nil {
		return nil, err
	}
	quantize := func() (*tensor.Tensor, error) { return affine.Quantize(c, p, affine.RoundHalfEven) }
	if n := int64(p.Type.Size(c.Len())); n > held {
		if !w.hold {
			return affine.Quantized(c, p)
		}
		quantize = func() (*tensor.Tensor, error) { return heldIntegers(c, p) }
	}
	t, err := quantize()
	if err == nil {
		w.integers[key] = quantized{p, t}
	}
	return t, err
}
