package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// MicrosoftRotaryEmbedding is ONNX Runtime's RotaryEmbedding (com.microsoft):
// pairs of elements of each head are turned by the angle of their place.
// Inputs are data [B, S, heads·size] or [B, heads, S, size], the places [B, S],
// or [1] for the first of a run, and tables of cosines and sines [places,
// turned/2]. The first `turned` elements of a head form the pairs (i, turned/2+i)
// or, if Interleaved, (2i, 2i+1); the rest stay. turned is RotaryEmbeddingDim,
// or all elements of the head where that is 0; size is then twice the tables'
// rows in data of rank 3. The scale of the operator's schema has no effect
// there either.
type MicrosoftRotaryEmbedding struct {
	Interleaved        bool    `attr:"interleaved,default=0"`
	PackedBatching     bool    `attr:"is_packed_batching,default=0"`
	NumHeads           int     `attr:"num_heads,default=0"`
	RotaryEmbeddingDim int     `attr:"rotary_embedding_dim,default=0"`
	Scale              float32 `attr:"scale,default=1"`
}

// Name returns "MicrosoftRotaryEmbedding"; files say
// com.microsoft.RotaryEmbedding.
func (*MicrosoftRotaryEmbedding) Name() string { return "MicrosoftRotaryEmbedding" }

// rotation turns pairs of elements; cos and sin are [places, half].
type rotation struct {
	cos, sin     []float32
	places, half int
	interleaved  bool
}

func rotationOf(cos, sin *tensor.Tensor, interleaved bool) rotation {
	return rotation{floats(cos), floats(sin), cos.Shape()[0], cos.Shape()[1], interleaved}
}

// turn turns one head at a place.
func (r rotation) turn(x []float32, place int) {
	c, s := r.cos[place*r.half:(place+1)*r.half], r.sin[place*r.half:(place+1)*r.half]
	for i := range r.half {
		a, b := i, r.half+i
		if r.interleaved {
			a, b = 2*i, 2*i+1
		}
		u, v := x[a], x[b]
		x[a] = float32(u*c[i]) - float32(v*s[i])
		x[b] = float32(u*s[i]) + float32(v*c[i])
	}
}

// inferTables checks tables of cosines and sines and returns half of the number
// of turned elements.
func inferTables(cos, sin Fact) (Dim, error) {
	s, err := Merge(cos.Shape, OfRank(2))
	if err == nil {
		s, err = Merge(s, sin.Shape)
	}
	if err != nil {
		return Unknown, fmt.Errorf("tables of cosines and sines: %w", err)
	}
	return s[1], nil
}

// Infer returns the data's shape.
func (o *MicrosoftRotaryEmbedding) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 4, 4); err != nil {
		return nil, err
	}
	typ, err := wantFloats(in[0], in[2], in[3])
	if err != nil {
		return nil, err
	}
	if err := wantIndices(in[1]); err != nil {
		return nil, err
	}
	half, err := inferTables(in[2], in[3])
	if err != nil {
		return nil, err
	}
	x := in[0].Shape
	out := []Fact{TensorFact(typ, x.Clone())}
	if x == nil {
		return out, nil
	}
	if len(x) != 3 && len(x) != 4 {
		return nil, fmt.Errorf("data of shape %v, want 3 or 4 axes", x)
	}
	length := x[1]
	if len(x) == 4 {
		length = x[2]
	}
	if p := in[1].Shape; p != nil && !(len(p) < 2 && !contradict(p.Count(), Size(1))) {
		if _, err := Merge(p, Shape{x[0], length}); err != nil {
			return nil, fmt.Errorf("places: %w", err)
		}
	}
	if h, ok := half.Int(); ok {
		if _, _, err := o.layout(x, h); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// layout returns the number of heads and the size of one, 0 where they are not
// known, for tables of the given width.
func (o *MicrosoftRotaryEmbedding) layout(x Shape, half int) (heads, size int, err error) {
	if r := o.RotaryEmbeddingDim; r < 0 || r > 0 && r != 2*half {
		return 0, 0, fmt.Errorf("rotary_embedding_dim %d with tables of %d columns", r, half)
	}
	if o.NumHeads < 0 || o.RotaryEmbeddingDim > 0 && o.NumHeads == 0 {
		return 0, 0, fmt.Errorf("num_heads %d with rotary_embedding_dim %d", o.NumHeads, o.RotaryEmbeddingDim)
	}
	width, ok := lastDim(x).Int()
	if !ok {
		return 0, 0, nil
	}
	switch {
	case len(x) == 4:
		n, known := x[1].Int()
		if !known {
			return 0, 0, nil
		}
		heads, size = n, width
	case o.RotaryEmbeddingDim > 0:
		heads, size = o.NumHeads, width/o.NumHeads
	case half > 0:
		heads, size = width/(2*half), 2*half
	}
	if len(x) == 3 && heads*size != width || size < 2*half {
		return 0, 0, fmt.Errorf("data of shape %v, and tables of %d columns", x, half)
	}
	return heads, size, nil
}

// Eval turns every head.
func (o *MicrosoftRotaryEmbedding) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 1, false, func(in []Datum, _ []Fact) ([]Datum, error) {
		x := arg(in, 0).Clone()
		r := rotationOf(arg(in, 2), arg(in, 3), o.Interleaved)
		s := x.Shape()
		heads, size, err := o.layout(Known(s...), r.half)
		if err != nil {
			return nil, err
		}
		byHead := len(s) == 4
		length := s[1]
		if byHead {
			length = s[2]
		}
		at := integers(arg(in, 1))
		d := floats(x)
		for b := range s[0] {
			for k := range length {
				place := at[0] + int64(k)
				if len(at) > 1 || arg(in, 1).Rank() == 2 {
					place = at[b*length+k]
				}
				if place < 0 || place >= int64(r.places) {
					return nil, fmt.Errorf("place %d is outside tables of %d", place, r.places)
				}
				for h := range heads {
					from := (b*length+k)*heads*size + h*size
					if byHead {
						from = ((b*heads+h)*length + k) * size
					}
					r.turn(d[from:from+size], int(place))
				}
			}
		}
		return Of(x), nil
	})
}

// Quantization says that the data is an activation.
func (*MicrosoftRotaryEmbedding) Quantization() Facts { return dataOnly() }

// inferPlaces checks an input that holds places.
func inferPlaces(f Fact, batch, length Dim) error {
	if !f.Present() {
		return nil
	}
	if f.Type != dtype.Invalid && f.Type != dtype.Int64 {
		return fmt.Errorf("position_ids of type %v, want int64", f.Type)
	}
	if _, err := Merge(f.Shape, Shape{batch, length}); err != nil {
		return fmt.Errorf("position_ids: %w", err)
	}
	return nil
}
