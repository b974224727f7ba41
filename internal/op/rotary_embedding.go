package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
)

// RotaryEmbedding turns pairs of numbers of its data, [batch, heads, positions,
// size] or [batch, positions, NumHeads·size], by angles whose cosines and sines
// are [batch, positions, RotaryDim/2], or [all positions, RotaryDim/2] of which
// a fourth input, int64 [batch, positions], picks rows. Pairs are the first
// and the second half of the first RotaryDim numbers of a head (0: all), or
// with Interleaved neighbours; the other numbers stay. (Su et al. 2021,
// RoFormer; ONNX operators: RotaryEmbedding-23.)
type RotaryEmbedding struct {
	Interleaved bool `attr:"interleaved,default=0"`
	NumHeads    int  `attr:"num_heads"`
	RotaryDim   int  `attr:"rotary_embedding_dim,default=0"`
}

// Name returns "RotaryEmbedding".
func (*RotaryEmbedding) Name() string { return "RotaryEmbedding" }

// Infer returns the data's shape.
func (o *RotaryEmbedding) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 3, 4); err != nil {
		return nil, err
	}
	typ, err := wantFloats(in[:3]...)
	if err != nil {
		return nil, err
	}
	out := TensorFact(typ, in[0].Shape.Clone())
	ids := input(in, 3)
	if ids.Present() && ids.Type != dtype.Invalid && ids.Type != dtype.Int64 {
		return nil, fmt.Errorf("position_ids of type %v, want int64", ids.Type)
	}
	if in[0].Shape == nil {
		return []Fact{out}, nil
	}
	_, turned, err := o.head(in[0].Shape)
	if err != nil {
		return nil, err
	}
	places := Shape{in[0].Shape[0], in[0].Shape[len(in[0].Shape)-2]}
	cache := append(places.Clone(), Unknown)
	if ids.Present() {
		if _, err := Merge(ids.Shape, places); err != nil {
			return nil, fmt.Errorf("position_ids: %w", err)
		}
		cache = OfRank(2)
	}
	if n, ok := turned.Int(); ok {
		cache[len(cache)-1] = Size(n / 2)
	}
	for i, what := range []string{"cosines", "sines"} {
		if _, err := Merge(in[i+1].Shape, cache); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
	}
	return []Fact{out}, nil
}

// head returns how many numbers a head of data of shape x has, and how many of
// them are turned.
func (o *RotaryEmbedding) head(x Shape) (size, turned Dim, err error) {
	switch {
	case o.RotaryDim < 0 || o.RotaryDim%2 != 0:
		return size, turned, fmt.Errorf("rotary_embedding_dim %d, want an even number, or 0 for all", o.RotaryDim)
	case len(x) != 3 && len(x) != 4:
		return size, turned, fmt.Errorf("data of shape %v, want 3 or 4 axes", x)
	case len(x) == 3 && o.NumHeads <= 0:
		return size, turned, fmt.Errorf("num_heads %d, want a positive number for data of 3 axes", o.NumHeads)
	}
	size = x[len(x)-1]
	if len(x) == 3 {
		if size, err = perHead(size, o.NumHeads); err != nil {
			return size, turned, err
		}
	}
	turned = size
	if o.RotaryDim > 0 {
		turned = Size(o.RotaryDim)
	}
	n, ok := size.Int()
	t, known := turned.Int()
	if known && t%2 != 0 || ok && known && t > n {
		return size, turned, fmt.Errorf("%v of %v numbers of a head, want an even number of them", turned, size)
	}
	return size, turned, nil
}

// Eval turns the pairs.
func (o *RotaryEmbedding) Eval(in []Datum) ([]Datum, error) { return evalFunction(o, in, 1) }

// Expand returns products, a sum and a difference. The size of a head must be
// known.
func (o *RotaryEmbedding) Expand(in []Fact) (*Function, error) {
	if in[0].Shape == nil {
		return nil, fmt.Errorf("the number of axes of the data must be known")
	}
	head, turned, err := o.head(in[0].Shape)
	if err != nil {
		return nil, err
	}
	size, ok := head.Int()
	if !ok {
		return nil, fmt.Errorf("the size of a head must be known")
	}
	n, _ := turned.Int()
	b := newBuilder(in)
	x, heads := 0, 1 // the axis of heads
	if len(in[0].Shape) == 3 {
		x, heads = b.reshape(0, 0, 0, o.NumHeads, size), 2
	}
	angle := func(cache int) int {
		if input(in, 3).Present() {
			cache = b.call(New[Gather](), cache, 3)
		}
		return b.unsqueeze(cache, heads)
	}
	cos, sin := angle(1), angle(2)
	first, second := b.slice(x, -1, 0, n/2, 1), 0
	if o.Interleaved {
		first, second = b.slice(x, -1, 0, n, 2), b.slice(x, -1, 1, n, 2)
	} else {
		second = b.slice(x, -1, n/2, n, 1)
	}
	mul := func(x, y int) int { return b.call(New[Mul](), x, y) }
	re := b.call(New[Sub](), mul(cos, first), mul(sin, second))
	im := b.call(New[Add](), mul(sin, first), mul(cos, second))
	y := 0
	if o.Interleaved {
		y = b.reshape(b.concat(-1, b.unsqueeze(re, -1), b.unsqueeze(im, -1)), 0, 0, 0, n)
	} else {
		y = b.concat(-1, re, im)
	}
	if n < size {
		y = b.concat(-1, y, b.slice(x, -1, n, math.MaxInt32, 1))
	}
	if len(in[0].Shape) == 3 {
		y = b.reshape(y, 0, 0, o.NumHeads*size)
	}
	return b.done(y)
}

// Quantization says that the data is an activation; angles are not.
func (*RotaryEmbedding) Quantization() Facts { return dataOnly() }
