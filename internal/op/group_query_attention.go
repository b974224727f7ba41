package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// GroupQueryAttention is causal attention with a cache, in which several heads
// of the queries share one of keys and values (ONNX Runtime, com.microsoft).
// Inputs: query [B, S, heads·size] with key and value [B, S, kv_heads·size], or
// all three after one another in query; past keys and values [B, kv_heads, P,
// size]; how many places each sequence has after this step, less 1, Int32 [B];
// the largest of these, not less 1; tables of cosines and sines and places
// [B, S] for DoRotary; attention_bias [B or 1, heads or 1, S, total]; a sink
// [heads]; two inputs that must be absent, of a quantized cache; two more, of
// normalized queries and keys; and how many of the S places of each sequence
// are no padding, Int32 [B].
//
// Outputs are [B, S, heads·size]; keys and values of max(P, total) places; and
// if QKOutput is 1 or 2 the scores before or after Softmax [B, heads, S,
// total]. What lies beyond the places of a sequence is 0. LocalWindowSize
// limits a query to that many keys. Softcap c stands for c·tanh(score/c).
// SmoothSoftmax adds 1 to the denominators before the greatest score is taken
// off, a sink e to its power.
type GroupQueryAttention struct {
	Causal            bool         `attr:"causal,default=1"`
	DoRotary          bool         `attr:"do_rotary,default=0"`
	KQuantType        string       `attr:"k_quant_type,default=NONE"`
	KVCacheBitWidth   int          `attr:"kv_cache_bit_width,default=0"`
	KVNumHeads        int          `attr:"kv_num_heads"`
	LocalWindowSize   int          `attr:"local_window_size,default=-1"`
	NumHeads          int          `attr:"num_heads"`
	QKOutput          int          `attr:"qk_output,default=0"`
	RotaryInterleaved bool         `attr:"rotary_interleaved,default=0"`
	Scale             Opt[float32] `attr:"scale"`
	SlidingWindow     bool         `attr:"sliding_window_cache,default=0"`
	SmoothSoftmax     int          `attr:"smooth_softmax,default=-1"`
	Softcap           float32      `attr:"softcap,default=0"`
	VQuantType        string       `attr:"v_quant_type,default=NONE"`
}

// Name returns "GroupQueryAttention".
func (*GroupQueryAttention) Name() string { return "GroupQueryAttention" }

// The inputs of GroupQueryAttention.
const (
	gqaQuery = iota
	gqaKey
	gqaValue
	gqaPastKey
	gqaPastValue
	gqaLast
	gqaTotal
	gqaCos
	gqaSin
	gqaPlaces
	gqaBias
	gqaSink
	gqaKeyScale
	gqaValueScale
	gqaQueryNorm
	gqaKeyNorm
	gqaFilled
)

func (o *GroupQueryAttention) check(in []Fact) error {
	if err := checkHeads(o.NumHeads, o.Scale.Value); err != nil {
		return err
	}
	switch {
	case o.KVNumHeads < 1 || o.NumHeads%o.KVNumHeads != 0:
		return fmt.Errorf("kv_num_heads %d, want a divisor of num_heads %d", o.KVNumHeads, o.NumHeads)
	case o.KQuantType != "NONE" || o.VQuantType != "NONE" || input(in, gqaKeyScale).Present() || input(in, gqaValueScale).Present():
		return fmt.Errorf("a quantized cache (k_quant_type %q, v_quant_type %q) is not supported; NONE is", o.KQuantType, o.VQuantType)
	case o.SlidingWindow:
		return fmt.Errorf("sliding_window_cache=1 is not supported; 0, with a cache of all places, is")
	case input(in, gqaQueryNorm).Present() || input(in, gqaKeyNorm).Present():
		return fmt.Errorf("q_norm_weight and k_norm_weight are not supported; SimplifiedLayerNormalization before the operator is")
	case !(o.Softcap >= 0):
		return fmt.Errorf("softcap %v, want 0 or more", o.Softcap)
	case o.QKOutput < 0 || o.QKOutput > 2:
		return fmt.Errorf("qk_output %d, want 0, 1 or 2", o.QKOutput)
	case o.LocalWindowSize == 0 || o.LocalWindowSize < -1 || o.LocalWindowSize > 0 && !o.Causal:
		return fmt.Errorf("local_window_size %d, want -1, or more than 0 in causal attention", o.LocalWindowSize)
	}
	return nil
}

// sizes returns the batch, the queries and the size of a head.
func (o *GroupQueryAttention) sizes(in []Fact) (batch, length, size Dim, err error) {
	key, value := input(in, gqaKey), input(in, gqaValue)
	if key.Present() != value.Present() {
		return Unknown, Unknown, Unknown, fmt.Errorf("key and value must both be given, or none")
	}
	q, err := Merge(in[gqaQuery].Shape, OfRank(3))
	if err != nil {
		return Unknown, Unknown, Unknown, fmt.Errorf("query: %w", err)
	}
	n := o.NumHeads
	if !key.Present() {
		n += 2 * o.KVNumHeads
	}
	if size, err = headSize(q[2], n, "query"); err != nil {
		return Unknown, Unknown, Unknown, err
	}
	for _, f := range []Fact{key, value} {
		if f.Shape == nil {
			continue
		}
		if _, err := Merge(f.Shape, Shape{q[0], q[1], size.Mul(Size(o.KVNumHeads))}); err != nil {
			return Unknown, Unknown, Unknown, fmt.Errorf("key and value: %w", err)
		}
	}
	return q[0], q[1], size, nil
}

// Infer returns the shapes of the outputs.
func (o *GroupQueryAttention) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := needOnly(in, 7, 17, gqaQuery, gqaLast, gqaTotal); err != nil {
		return nil, err
	}
	if err := o.check(in); err != nil {
		return nil, err
	}
	pastKey, pastValue := in[gqaPastKey], in[gqaPastValue]
	typ, err := wantFloats(in[0], in[1], in[2], pastKey, pastValue, input(in, gqaCos), input(in, gqaSin), input(in, gqaBias), input(in, gqaSink))
	if err != nil {
		return nil, err
	}
	batch, length, size, err := o.sizes(in)
	if err != nil {
		return nil, err
	}
	for _, i := range []int{gqaLast, gqaTotal, gqaFilled} {
		f := input(in, i)
		if f.Type != dtype.Invalid && f.Type != dtype.Int32 {
			return nil, fmt.Errorf("input %d of type %v, want int32", i, f.Type)
		}
		want := batch
		if i == gqaTotal {
			want = Size(1)
		}
		if f.Shape != nil && contradict(f.Shape.Count(), want) {
			return nil, fmt.Errorf("input %d of shape %v, want %v elements", i, f.Shape, want)
		}
	}
	if pastKey.Present() != pastValue.Present() {
		return nil, fmt.Errorf("past keys and values must both be given, or none")
	}
	before, groups := Size(0), Size(o.KVNumHeads)
	if pastKey.Present() {
		s, err := Merge(pastKey.Shape, Shape{batch, groups, Unknown, size})
		if err == nil {
			s, err = Merge(s, pastValue.Shape)
		}
		if err != nil {
			return nil, fmt.Errorf("past keys and values: %w", err)
		}
		before = s[2]
	}
	if o.DoRotary {
		half, err := inferTables(input(in, gqaCos), input(in, gqaSin))
		if err != nil {
			return nil, err
		}
		h, ok := half.Int()
		if d, known := size.Int(); !input(in, gqaCos).Present() || !input(in, gqaSin).Present() || ok && known && 2*h > d {
			return nil, fmt.Errorf("do_rotary needs tables of at most %v/2 columns", size)
		}
	}
	if err := inferPlaces(input(in, gqaPlaces), batch, length); err != nil {
		return nil, err
	}
	if err := wantLength(input(in, gqaSink), "head_sink", Size(o.NumHeads)); err != nil {
		return nil, err
	}
	total, places := Unknown, Unknown
	if v, ok := in[gqaTotal].Ints(); ok && len(v) == 1 {
		total = v[0]
	}
	if t, ok := total.Int(); ok {
		p, known := before.Int()
		s, fixed := length.Int()
		if t < 1 || known && fixed && t > p+s {
			return nil, fmt.Errorf("total_sequence_length %d, with %v places before and %v new", t, before, length)
		}
		if known {
			places = Size(max(p, t))
		}
	}
	if err := inferScoreBias(input(in, gqaBias), batch, Size(o.NumHeads), length, total); err != nil {
		return nil, err
	}
	cache := TensorFact(typ, Shape{batch, groups, places, size})
	out := []Fact{TensorFact(typ, Shape{batch, length, size.Mul(Size(o.NumHeads))}), cache, cache}
	if o.QKOutput > 0 {
		out = append(out, TensorFact(typ, Shape{batch, Size(o.NumHeads), length, total}))
	}
	return out, nil
}

// Eval appends to the cache and attends.
func (o *GroupQueryAttention) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 4, false, func(in []Datum, out []Fact) ([]Datum, error) {
		s, err := o.step(in)
		if err != nil {
			return nil, err
		}
		keys, err := room(out[1], dtype.Float32)
		if err != nil {
			return nil, err
		}
		values, err := room(out[2], dtype.Float32)
		if err != nil {
			return nil, err
		}
		a := &s.heads
		a.keys = keys.Shape()[2]
		fresh := [2][]float32{a.k, a.v}
		a.k, a.v = floats(keys), floats(values)
		s.store(a.k, floats(arg(in, gqaPastKey)), fresh[0], arg(in, gqaPastKey))
		s.store(a.v, floats(arg(in, gqaPastValue)), fresh[1], arg(in, gqaPastKey))
		res := []*tensor.Tensor{nil, keys, values}
		if o.QKOutput > 0 {
			scores, err := room(out[3], dtype.Float32)
			if err != nil {
				return nil, err
			}
			total := scores.Shape()[3]
			keep := func(b, h, q int, row []float32) {
				copy(floats(scores)[((b*a.heads+h)*a.queries+q)*total:][:total], row)
			}
			if o.QKOutput == 1 {
				a.before = keep
			} else {
				a.after = keep
			}
			res = append(res, scores)
		}
		res[0], err = a.run()
		return Of(res...), err
	})
}
