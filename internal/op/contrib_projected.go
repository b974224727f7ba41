package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// MicrosoftAttention is ONNX Runtime's Attention (com.microsoft), which
// projects its input itself: inputs are input [B, S, D], weights [D, 2·H+V]
// for queries, keys and values, an optional bias [2·H+V], an optional mask
// (see padding), past keys and values [2, B, heads, P, H/heads], and
// attention_bias [B or 1, heads or 1, S, P+S], added to the scores. Outputs are
// [B, S, V] and the keys and values of all P+S places. With Unidirectional a
// place sees none that follow it.
type MicrosoftAttention struct {
	DoRotary               bool         `attr:"do_rotary,default=0"`
	MaskFilterValue        Opt[float32] `attr:"mask_filter_value"`
	NumHeads               int          `attr:"num_heads"`
	PastPresentShareBuffer bool         `attr:"past_present_share_buffer,default=0"`
	HiddenSizes            []int        `attr:"qkv_hidden_sizes"`
	RotaryEmbeddingDim     int          `attr:"rotary_embedding_dim,default=0"`
	Scale                  Opt[float32] `attr:"scale"`
	Unidirectional         bool         `attr:"unidirectional,default=0"`
}

// Name returns "MicrosoftAttention"; files say com.microsoft.Attention.
func (*MicrosoftAttention) Name() string { return "MicrosoftAttention" }

// filter is what is added to the scores of masked keys.
func filter(v Opt[float32]) float32 {
	if v.Set {
		return v.Value
	}
	return -10000
}

// projection is attention after its input was projected to queries, keys and
// values, which lie after one another along the last axis.
type projection struct {
	heads         int
	hiddenSizes   []int
	scale, filter float32
	causal        bool
}

func (o *MicrosoftAttention) projection() (projection, error) {
	if o.DoRotary {
		return projection{}, fmt.Errorf("do_rotary=1 is not supported; a RotaryEmbedding before MultiHeadAttention is")
	}
	if o.PastPresentShareBuffer {
		return projection{}, fmt.Errorf("past_present_share_buffer=1 is not supported; 0 is")
	}
	p := projection{o.NumHeads, o.HiddenSizes, o.Scale.Value, filter(o.MaskFilterValue), o.Unidirectional}
	return p, checkHeads(p.heads, p.scale)
}

// sizes returns the hidden sizes of queries and keys, and of values.
func (p projection) sizes(width Dim) (hidden, values Dim, err error) {
	if len(p.hiddenSizes) > 0 {
		s := p.hiddenSizes
		if len(s) != 3 || s[0] != s[1] || s[0] < 1 || s[2] < 1 || s[0] > maxExtent || s[2] > maxExtent || contradict(width, Size(2*s[0]+s[2])) {
			return Unknown, Unknown, fmt.Errorf("qkv_hidden_sizes %v for weights of %v columns", s, width)
		}
		return Size(s[0]), Size(s[2]), nil
	}
	n, ok := width.Int()
	if !ok {
		return Unknown, Unknown, nil
	}
	if n%3 != 0 {
		return Unknown, Unknown, fmt.Errorf("weights of %d columns, want a multiple of 3", n)
	}
	return Size(n / 3), Size(n / 3), nil
}

// infer checks all but the types and returns the facts of both outputs.
func (p projection) infer(x, weights, bias, mask, past, scores Fact, typ dtype.Type) ([]Fact, error) {
	s, err := Merge(x.Shape, OfRank(3))
	if err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	w, err := Merge(weights.Shape, Shape{s[2], Unknown})
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	hidden, values, err := p.sizes(w[1])
	if err != nil {
		return nil, err
	}
	if err := wantLength(bias, "bias", w[1]); err != nil {
		return nil, err
	}
	size, err := headSize(hidden, p.heads, "hidden size")
	if err != nil {
		return nil, err
	}
	wide, err := headSize(values, p.heads, "hidden size of the values")
	if err != nil {
		return nil, err
	}
	keys := s[1]
	if past.Present() {
		if contradict(size, wide) {
			return nil, fmt.Errorf("past with keys of %v and values of %v elements a head; they must be equal", size, wide)
		}
		before, err := Merge(past.Shape, Shape{Size(2), s[0], Size(p.heads), Unknown, size})
		if err != nil {
			return nil, fmt.Errorf("past: %w", err)
		}
		keys = keys.Add(before[3])
	}
	if err := inferPadding(mask, s[0], s[1], keys); err != nil {
		return nil, err
	}
	if err := inferScoreBias(scores, s[0], Size(p.heads), s[1], keys); err != nil {
		return nil, err
	}
	present := Fact{}
	if !contradict(size, wide) {
		present = TensorFact(typ, Shape{Size(2), s[0], Size(p.heads), keys, size})
	}
	return []Fact{TensorFact(typ, Shape{s[0], s[1], values}), present}, nil
}

// eval attends over x [B, S, 2·H+V].
func (p projection) eval(x, mask, past, scores *tensor.Tensor) ([]Datum, error) {
	d := x.Shape()
	hiddenDim, valueDim, err := p.sizes(Size(d[2]))
	if err != nil {
		return nil, err
	}
	hidden, _ := hiddenDim.Int()
	values, _ := valueDim.Int()
	a := heads{batch: d[0], heads: p.heads, groups: p.heads, queries: d[1], keys: d[1], size: hidden / p.heads, wide: values / p.heads,
		scale: p.scale, bias: scores}
	part := func(from, size int) []float32 {
		return inHeads(tensor.Data[float32](x), d[0], d[1], d[2], from, p.heads, size, size, nil)
	}
	a.q, a.k, a.v = part(0, a.size), part(hidden, a.size), part(2*hidden, a.wide)
	before, rows := 0, a.batch*p.heads
	if past != nil {
		before = past.Shape()[3]
		old := tensor.Data[float32](past)
		half := len(old) / 2
		a.k = extend(old[:half], a.k, rows, before, d[1], a.size)
		a.v = extend(old[half:], a.v, rows, before, d[1], a.wide)
		a.keys += before
	}
	a.mask = paddingOf(mask, padding{batch: a.batch, queries: a.queries, keys: a.keys, past: before, filter: p.filter, causal: p.causal})
	y, err := a.run()
	if err != nil || a.size != a.wide {
		return Of(y), err
	}
	present := tensor.FromSlice(append(append(make([]float32, 0, len(a.k)+len(a.v)), a.k...), a.v...), 2, a.batch, p.heads, a.keys, a.size)
	return Of(y, present), nil
}

// Infer returns the shapes of both outputs.
func (o *MicrosoftAttention) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 2, 7); err != nil {
		return nil, err
	}
	typ, err := wantFloats(in[0], in[1], input(in, 2), input(in, 4), input(in, 5))
	if err != nil {
		return nil, err
	}
	p, err := o.projection()
	if err != nil {
		return nil, err
	}
	return p.infer(in[0], in[1], input(in, 2), input(in, 3), input(in, 4), input(in, 5), typ)
}

// Eval projects and attends.
func (o *MicrosoftAttention) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 2, false, func(in []Datum, _ []Fact) ([]Datum, error) {
		p, err := o.projection()
		if err != nil {
			return nil, err
		}
		x, err := compute(&MatMul{}, arg(in, 0), arg(in, 1))
		if err != nil {
			return nil, err
		}
		if x, err = addAll(x, arg(in, 2)); err != nil {
			return nil, err
		}
		return p.eval(x, arg(in, 3), arg(in, 4), arg(in, 5))
	})
}

// Quantization tells the weight of the projection and its bias.
func (*MicrosoftAttention) Quantization() Facts {
	f := NoFacts()
	f.Data, f.Weight, f.WeightAxis, f.Bias = []int{0}, 1, -1, 2
	return f
}

// QAttention is com.microsoft's Attention with an input and weights of 8 bits:
// inputs are input, weights, bias, input scale, weight scale (one, or one a
// column), mask, input zero point, weight zero point (one, or one a column)
// and past. What follows the projection is in real numbers (ONNX Runtime,
// com.microsoft).
type QAttention struct {
	DoRotary               bool         `attr:"do_rotary,default=0"`
	MaskFilterValue        Opt[float32] `attr:"mask_filter_value"`
	NumHeads               int          `attr:"num_heads"`
	PastPresentShareBuffer bool         `attr:"past_present_share_buffer,default=0"`
	Scale                  Opt[float32] `attr:"scale"`
	Unidirectional         bool         `attr:"unidirectional,default=0"`
}

// Name returns "QAttention".
func (*QAttention) Name() string { return "QAttention" }

func (o *QAttention) projection() (projection, error) {
	return (&MicrosoftAttention{DoRotary: o.DoRotary, MaskFilterValue: o.MaskFilterValue, NumHeads: o.NumHeads,
		PastPresentShareBuffer: o.PastPresentShareBuffer, Scale: o.Scale, Unidirectional: o.Unidirectional}).projection()
}

// Infer returns the shapes of both outputs.
func (o *QAttention) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 5, 9); err != nil {
		return nil, err
	}
	p, err := o.projection()
	if err != nil {
		return nil, err
	}
	typ, err := wantFloats(in[2], in[3], in[4], input(in, 8))
	if err != nil {
		return nil, err
	}
	if _, err := (&MatMulIntegerToFloat{}).Infer([]Fact{in[0], in[1], in[3], in[4], input(in, 6), input(in, 7), in[2]}, 1); err != nil {
		return nil, err
	}
	return p.infer(in[0], in[1], in[2], input(in, 5), input(in, 8), Fact{}, typ)
}

// Eval projects on integers and attends.
func (o *QAttention) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 2, false, func(in []Datum, _ []Fact) ([]Datum, error) {
		p, err := o.projection()
		if err != nil {
			return nil, err
		}
		x, err := compute(&MatMulIntegerToFloat{}, arg(in, 0), arg(in, 1), arg(in, 3), arg(in, 4), arg(in, 6), arg(in, 7), arg(in, 2))
		if err != nil {
			return nil, err
		}
		return p.eval(x, arg(in, 5), arg(in, 8), nil)
	})
}
