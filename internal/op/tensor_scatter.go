package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// TensorScatter writes updates into a cache along Axis, for each element of
// the batch (axis 0) from the place on that the third input names, or from 0
// on. Mode circular goes on at the start when the end is reached.
type TensorScatter struct {
	Axis int    `attr:"axis,default=-2"`
	Mode string `attr:"mode,default=linear"`
}

// Name returns "TensorScatter".
func (o *TensorScatter) Name() string { return "TensorScatter" }

// Infer gives the cache's type and shape.
func (o *TensorScatter) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 3); err != nil {
		return nil, err
	}
	if o.Mode != "linear" && o.Mode != "circular" {
		return nil, fmt.Errorf("mode %q", o.Mode)
	}
	typ, err := sameType(in[0], in[1])
	if err != nil {
		return nil, err
	}
	cache, update := in[0].Shape, in[1].Shape
	if cache == nil {
		return []Fact{TensorFact(typ, update.Clone())}, nil
	}
	axis, err := Axis(o.Axis, len(cache))
	if err != nil {
		return nil, err
	}
	if axis == 0 {
		return nil, fmt.Errorf("axis 0 is the batch")
	}
	if update != nil {
		u := update.Clone()
		if len(u) == len(cache) {
			u[axis] = cache[axis]
		}
		if _, err := Merge(cache, u); err != nil {
			return nil, fmt.Errorf("update: %w", err)
		}
	}
	if at := input(in, 2); at.Present() {
		if err := wantIndices(at); err != nil {
			return nil, err
		}
		if _, err := Merge(at.Shape, cache[:1]); err != nil {
			return nil, fmt.Errorf("write indices: %w", err)
		}
	}
	return []Fact{TensorFact(typ, cache)}, nil
}

// Eval applies the updates to a copy.
func (o *TensorScatter) Eval(in []Datum) ([]Datum, error) {
	c, err := prepareCanvas(o, in)
	if err != nil {
		return nil, err
	}
	cache, update := in[0].Tensor, in[1].Tensor
	c.draw(cache, 0, 0, lane{n: cache.Len(), to: 1, from: 1})
	if c.len() == 0 || update.Len() == 0 {
		return Of(c.done()), nil
	}
	axis, err := Axis(o.Axis, cache.Rank())
	if err != nil {
		return nil, err
	}
	size, steps, row := c.shape[axis], update.Shape()[axis], inner(c.shape, axis+1)
	mid := inner(c.shape[:axis], 1)
	starts := make([]int64, c.shape[0])
	if at := arg(in, 2); at != nil {
		starts, _ = tensor.Ints(at)
	}
	for b, s := range starts {
		if s < 0 || s >= int64(size) || steps > size || o.Mode == "linear" && int(s)+steps > size {
			return nil, fmt.Errorf("%d steps from %d on in a cache of %d", steps, s, size)
		}
		at := make([]int, steps)
		for i := range at {
			at[i] = (int(s) + i) % size * row
		}
		c.draw(update, b*mid*size*row, b*mid*steps*row,
			lane{n: mid, to: size * row, from: steps * row},
			lane{n: steps, toAt: at, from: row},
			lane{n: row, to: 1, from: 1})
	}
	return Of(c.done()), nil
}
