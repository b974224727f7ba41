package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// MultiHeadAttention is attention after the projections (ONNX Runtime,
// com.microsoft). Inputs: query [B, S, H] with key [B, L, H] and value
// [B, L, V], or with key and value [B, heads, L, size], or with both packed in
// key [B, L, heads, 2, size]; or all three packed in query [B, S, heads, 3,
// size]; an optional bias [2·H+V] that is added to all three first; a mask of
// the keys (see padding); attention_bias [B or 1, heads or 1, S, P+L], added to
// the scores; and past keys and values [B, heads, P, size]. Outputs are
// [B, S, V], the keys and the values of all P+L places, and the scores with
// all that is added to them, [B, heads, S, P+L].
type MultiHeadAttention struct {
	MaskFilterValue Opt[float32] `attr:"mask_filter_value"`
	NumHeads        int          `attr:"num_heads"`
	Scale           Opt[float32] `attr:"scale"`
	Unidirectional  bool         `attr:"unidirectional,default=0"`
}

// Name returns "MultiHeadAttention".
func (*MultiHeadAttention) Name() string { return "MultiHeadAttention" }

// The inputs of MultiHeadAttention.
const (
	mhaQuery = iota
	mhaKey
	mhaValue
	mhaBias
	mhaMask
	mhaScores
	mhaPastKey
	mhaPastValue
	mhaPastLength
	mhaIndirection
)

// mhaSizes are the dimensions that the inputs tell.
type mhaSizes struct {
	batch, queries, fresh, past, size, wide Dim
	// how says where keys and values are.
	how mhaForm
}

type mhaForm uint8

const (
	mhaApart   mhaForm = iota // three inputs [B, L, ·]
	mhaByHead                 // keys and values [B, heads, L, ·]
	mhaPackKV                 // keys and values in one input
	mhaPackQKV                // all in one
)

// sizes reads the shapes; ok is false where the rank of one that matters is
// not known.
func (o *MultiHeadAttention) sizes(in []Fact) (m mhaSizes, ok bool, err error) {
	q, key, value := in[mhaQuery], input(in, mhaKey), input(in, mhaValue)
	if q.Shape == nil || key.Present() && key.Shape == nil || value.Present() && value.Shape == nil {
		return m, false, nil
	}
	n := Size(o.NumHeads)
	m.past = Size(0)
	check := func(f Fact, what string, want Shape) Shape {
		s, e := Merge(f.Shape, want)
		if e != nil {
			if err == nil {
				err = fmt.Errorf("%s: %w", what, e)
			}
			return want
		}
		return s
	}
	split := func(d Dim, what string) Dim {
		each, e := headSize(d, o.NumHeads, what)
		if err == nil {
			err = e
		}
		return each
	}
	if !key.Present() {
		m.how = mhaPackQKV
		s := check(q, "query without a key", Shape{Unknown, Unknown, n, Size(3), Unknown})
		m.batch, m.queries, m.fresh, m.size, m.wide = s[0], s[1], s[1], s[4], s[4]
		if value.Present() {
			err = fmt.Errorf("a value without a key")
		}
		return m, true, err
	}
	s := check(q, "query", OfRank(3))
	m.batch, m.queries, m.size = s[0], s[1], split(s[2], "query")
	switch len(key.Shape) {
	case 3:
		k := check(key, "key", Shape{m.batch, Unknown, s[2]})
		v := check(value, "value", Shape{m.batch, k[1], Unknown})
		m.fresh, m.wide = k[1], split(v[2], "value")
	case 4:
		m.how = mhaByHead
		k := check(key, "key", Shape{m.batch, n, Unknown, m.size})
		v := check(value, "value", Shape{m.batch, n, k[2], Unknown})
		m.fresh, m.wide = k[2], v[3]
	default:
		m.how = mhaPackKV
		k := check(key, "key", Shape{m.batch, Unknown, n, Size(2), m.size})
		m.fresh, m.wide = k[1], k[4]
		if value.Present() && err == nil {
			err = fmt.Errorf("a value beside a key that holds the values")
		}
	}
	if !value.Present() && m.how != mhaPackKV && err == nil {
		err = fmt.Errorf("the value is missing")
	}
	return m, true, err
}

// Infer returns the shapes of the outputs.
func (o *MultiHeadAttention) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 10); err != nil {
		return nil, err
	}
	for _, i := range []int{mhaPastLength, mhaIndirection} {
		if input(in, i).Present() {
			return nil, fmt.Errorf("input %d, of a buffer that past and present share, is not supported", i)
		}
	}
	if err := checkHeads(o.NumHeads, o.Scale.Value); err != nil {
		return nil, err
	}
	bias, pastKey, pastValue := input(in, mhaBias), input(in, mhaPastKey), input(in, mhaPastValue)
	typ, err := wantFloats(in[0], input(in, mhaKey), input(in, mhaValue), bias, input(in, mhaScores), pastKey, pastValue)
	if err != nil {
		return nil, err
	}
	m, ok, err := o.sizes(in)
	if err != nil {
		return nil, err
	}
	if !ok {
		return []Fact{TensorFact(typ, nil), TensorFact(typ, nil), TensorFact(typ, nil), TensorFact(typ, nil)}, nil
	}
	n := Size(o.NumHeads)
	hidden, values := m.size.Mul(n), m.wide.Mul(n)
	if bias.Present() {
		if m.how == mhaByHead {
			return nil, fmt.Errorf("a bias with keys that are laid out by head")
		}
		if err := wantLength(bias, "bias", hidden.Mul(Size(2)).Add(values)); err != nil {
			return nil, err
		}
	}
	if pastKey.Present() != pastValue.Present() {
		return nil, fmt.Errorf("past keys and values must both be given, or none")
	}
	if pastKey.Present() {
		k, err := Merge(pastKey.Shape, Shape{m.batch, n, Unknown, m.size})
		if err != nil {
			return nil, fmt.Errorf("past_key: %w", err)
		}
		if _, err := Merge(pastValue.Shape, Shape{m.batch, n, k[2], m.wide}); err != nil {
			return nil, fmt.Errorf("past_value: %w", err)
		}
		m.past = k[2]
	}
	keys := m.past.Add(m.fresh)
	if err := inferPadding(input(in, mhaMask), m.batch, m.queries, keys); err != nil {
		return nil, err
	}
	if err := inferScoreBias(input(in, mhaScores), m.batch, n, m.queries, keys); err != nil {
		return nil, err
	}
	return []Fact{TensorFact(typ, Shape{m.batch, m.queries, values}), TensorFact(typ, Shape{m.batch, n, keys, m.size}),
		TensorFact(typ, Shape{m.batch, n, keys, m.wide}), TensorFact(typ, Shape{m.batch, n, m.queries, keys})}, nil
}

// Eval attends.
func (o *MultiHeadAttention) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 4, false, func(in []Datum, out []Fact) ([]Datum, error) {
		m, _, err := o.sizes(factsOf(in))
		if err != nil {
			return nil, err
		}
		d, _ := Shape{m.batch, m.queries, m.fresh, m.size, m.wide}.Ints()
		a := heads{batch: d[0], heads: o.NumHeads, groups: o.NumHeads, queries: d[1], keys: d[2], size: d[3], wide: d[4],
			scale: o.Scale.Value, bias: arg(in, mhaScores)}
		o.unpack(&a, in, m.how)
		past := 0
		if k := arg(in, mhaPastKey); k != nil {
			past = k.Shape()[2]
			a.k = extend(floats(k), a.k, a.batch*a.heads, past, a.keys, a.size)
			a.v = extend(floats(arg(in, mhaPastValue)), a.v, a.batch*a.heads, past, a.keys, a.wide)
			a.keys += past
		}
		a.mask = paddingOf(arg(in, mhaMask), padding{batch: a.batch, queries: a.queries, keys: a.keys, past: past,
			filter: filter(o.MaskFilterValue), causal: o.Unidirectional})
		scores, err := room(out[3], dtype.Float32)
		if err != nil {
			return nil, err
		}
		a.before = func(b, h, s int, row []float32) {
			copy(floats(scores)[((b*a.heads+h)*a.queries+s)*a.keys:], row)
		}
		y, err := a.run()
		return Of(y, tensor.FromSlice(a.k, a.batch, a.heads, a.keys, a.size), tensor.FromSlice(a.v, a.batch, a.heads, a.keys, a.wide), scores), err
	})
}

// unpack lays queries, keys and values out by head.
func (o *MultiHeadAttention) unpack(a *heads, in []Datum, how mhaForm) {
	n, hidden := a.heads, a.heads*a.size
	bias := floats(arg(in, mhaBias))
	part := func(from, to int) []float32 {
		if bias == nil {
			return nil
		}
		return bias[from:to]
	}
	bq, bk, bv := part(0, hidden), part(hidden, 2*hidden), part(2*hidden, 2*hidden+n*a.wide)
	q, k, v := floats(arg(in, mhaQuery)), floats(arg(in, mhaKey)), floats(arg(in, mhaValue))
	switch how {
	case mhaPackQKV:
		step := 3 * a.size
		a.q = inHeads(q, a.batch, a.queries, n*step, 0, n, a.size, step, bq)
		a.k = inHeads(q, a.batch, a.queries, n*step, a.size, n, a.size, step, bk)
		a.v = inHeads(q, a.batch, a.queries, n*step, 2*a.size, n, a.size, step, bv)
		return
	case mhaPackKV:
		step := 2 * a.size
		a.k = inHeads(k, a.batch, a.keys, n*step, 0, n, a.size, step, bk)
		a.v = inHeads(k, a.batch, a.keys, n*step, a.size, n, a.size, step, bv)
	case mhaByHead:
		a.k, a.v = k, v
	default:
		a.k = inHeads(k, a.batch, a.keys, hidden, 0, n, a.size, a.size, bk)
		a.v = inHeads(v, a.batch, a.keys, n*a.wide, 0, n, a.wide, a.wide, bv)
	}
	a.q = inHeads(q, a.batch, a.queries, hidden, 0, n, a.size, a.size, bq)
}
