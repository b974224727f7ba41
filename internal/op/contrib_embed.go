package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// EmbedLayerNormalization is the first layer of BERT: rows of a word and a
// position table, and optionally of a segment table, are added in this order
// and normalized over the last axis. Inputs are the word indices [B, S],
// segment indices [B, S] or none, the tables [words, H], [positions, H] and
// [segments, H] or none, gamma [H], beta [H], a mask [B, S] or none, and
// position indices [B or 1, S], by default 0, 1, … Outputs are the result
// [B, S, H]; how many elements of each row of the mask are 1, 0 without a mask,
// Int32 [B]; and the sum before it is normalized (ONNX Runtime, com.microsoft).
type EmbedLayerNormalization struct {
	Epsilon       float32  `attr:"epsilon,default=1e-12"`
	MaskIndexType Opt[int] `attr:"mask_index_type"`
}

// Name returns "EmbedLayerNormalization".
func (*EmbedLayerNormalization) Name() string { return "EmbedLayerNormalization" }

// embedding tells which inputs hold what an embedding layer needs.
type embedding struct {
	ids, segments, mask, positions int
	tables                         [3]qoperand // words, positions, segments
	gamma, beta                    qoperand
}

var plainEmbedding = embedding{ids: 0, segments: 1, mask: 7, positions: 8,
	tables: [3]qoperand{plainAt(2), plainAt(3), plainAt(4)}, gamma: plainAt(5), beta: plainAt(6)}

// Infer returns the shapes of the outputs.
func (o *EmbedLayerNormalization) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := needOnly(in, 7, 9, 0, 2, 3, 5, 6); err != nil {
		return nil, err
	}
	typ, err := wantFloats(in[2], in[3], in[4], in[5], in[6])
	if err != nil {
		return nil, err
	}
	return plainEmbedding.infer(in, typ)
}

func (e embedding) infer(in []Fact, typ dtype.Type) ([]Fact, error) {
	if segments, table := at(in, e.segments), at(in, e.tables[2].value); segments.Present() && !table.Present() {
		return nil, ArityError("segment indices without a segment table")
	}
	if t := at(in, e.mask).Type; t != dtype.Invalid && t != dtype.Int32 && t != dtype.Int64 {
		return nil, fmt.Errorf("mask of type %v, want int32", t)
	}
	ids, err := Merge(in[e.ids].Shape, OfRank(2))
	if err != nil {
		return nil, fmt.Errorf("word indices: %w", err)
	}
	for _, i := range []int{e.ids, e.segments, e.mask, e.positions} {
		f := at(in, i)
		if !f.Present() {
			continue
		}
		if i != e.mask {
			if err := wantIndices(f); err != nil {
				return nil, err
			}
		}
		if f.Shape == nil {
			continue
		}
		if i == e.positions {
			err = fits(f.Shape, ids)
		} else {
			_, err = Merge(f.Shape, ids)
		}
		if err != nil || len(f.Shape) != 2 {
			return nil, fmt.Errorf("input %d of shape %v, want that of the word indices, %v", i, f.Shape, ids)
		}
	}
	hidden := Unknown
	for k, t := range e.tables {
		s := at(in, t.value).Shape
		if s == nil {
			continue
		}
		if len(s) != 2 || contradict(s[1], hidden) {
			return nil, fmt.Errorf("table %d of shape %v, want rows of %v", k, s, hidden)
		}
		hidden = s[1]
	}
	if err := wantLength(in[e.gamma.value], "gamma", hidden); err != nil {
		return nil, err
	}
	if err := wantLength(in[e.beta.value], "beta", hidden); err != nil {
		return nil, err
	}
	y := TensorFact(typ, Shape{ids[0], ids[1], hidden})
	return []Fact{y, TensorFact(dtype.Int32, Shape{ids[0]}), TensorFact(typ, y.Shape.Clone())}, nil
}

// Eval adds rows and normalizes them.
func (o *EmbedLayerNormalization) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 3, true, func(in []Datum, _ []Fact) ([]Datum, error) { return plainEmbedding.eval(in, o.Epsilon) })
}

func (e embedding) eval(in []Datum, epsilon float32) ([]Datum, error) {
	ids := arg(in, e.ids)
	batch, length := ids.Shape()[0], ids.Shape()[1]
	positions := argAt(in, e.positions)
	if positions == nil {
		places := make([]int32, length)
		for i := range places {
			places[i] = int32(i)
		}
		positions = tensor.FromSlice(places, 1, length)
	}
	sum, err := e.rows(in, 0, ids)
	if err != nil {
		return nil, err
	}
	for k, at := range []*tensor.Tensor{positions, argAt(in, e.segments)} {
		if at == nil {
			continue
		}
		more, err := e.rows(in, k+1, at)
		if err != nil {
			return nil, err
		}
		if sum, err = addAll(sum, more); err != nil {
			return nil, err
		}
	}
	gamma, err := dequantized(in, e.gamma, argAt(in, e.gamma.value))
	if err != nil {
		return nil, err
	}
	beta, err := dequantized(in, e.beta, argAt(in, e.beta.value))
	if err != nil {
		return nil, err
	}
	out, err := normalizeLast(sum, gamma, beta, epsilon)
	if err != nil {
		return nil, err
	}
	count := make([]int32, batch)
	if mask := argAt(in, e.mask); mask != nil {
		for i, v := range integers(mask) {
			if v == 1 {
				count[i/length]++
			}
		}
	}
	return Of(out[0].Tensor, tensor.FromSlice(count, batch), sum), nil
}

// rows returns the rows of table k as real numbers.
func (e embedding) rows(in []Datum, k int, at *tensor.Tensor) (*tensor.Tensor, error) {
	t := e.tables[k]
	picked, err := compute(New[Gather](), argAt(in, t.value), at)
	if err != nil {
		return nil, fmt.Errorf("input %d: %w", t.value, err)
	}
	return dequantized(in, t, picked)
}

// dequantized dequantizes t, which belongs to operand o, where that has a scale.
func dequantized(in []Datum, o qoperand, t *tensor.Tensor) (*tensor.Tensor, error) {
	if o.scale == None {
		return t, nil
	}
	scale, zero := argAt(in, o.scale), argAt(in, o.zero)
	if scale.Len() != 1 || zero != nil && zero.Len() != 1 {
		return nil, fmt.Errorf("input %d: %d scales, want 1", o.scale, scale.Len())
	}
	return compute(New[DequantizeLinear](), t, vector(scale), vector(zero))
}

// QEmbedLayerNormalization is EmbedLayerNormalization with tables, gamma and
// beta in 8 bits: inputs are those of EmbedLayerNormalization up to the mask,
// then the scales of the word, position and segment table, of gamma and of
// beta, and then their zero points (ONNX Runtime, com.microsoft).
type QEmbedLayerNormalization struct {
	Epsilon float32 `attr:"epsilon,default=1e-12"`
}

// Name returns "QEmbedLayerNormalization".
func (*QEmbedLayerNormalization) Name() string { return "QEmbedLayerNormalization" }

var quantizedEmbedding = embedding{ids: 0, segments: 1, mask: 7, positions: None,
	tables: [3]qoperand{{value: 2, scale: 8, zero: 13}, {value: 3, scale: 9, zero: 14}, {value: 4, scale: 10, zero: 15}},
	gamma:  qoperand{value: 5, scale: 11, zero: 16}, beta: qoperand{value: 6, scale: 12, zero: 17}}

// Infer returns the shapes of the outputs.
func (o *QEmbedLayerNormalization) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := needOnly(in, 18, 18, 0, 2, 3, 5, 6, 8, 9, 11, 12, 13, 14, 16, 17); err != nil {
		return nil, err
	}
	if in[4].Present() && !in[10].Present() {
		return nil, ArityError("a segment table without a scale")
	}
	if _, err := wantFloats(in[8:13]...); err != nil {
		return nil, err
	}
	out, err := quantizedEmbedding.infer(in, dtype.Float32)
	if err != nil {
		return nil, err
	}
	return out[:2], nil
}

// Eval dequantizes the rows it needs, adds and normalizes them.
func (o *QEmbedLayerNormalization) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 2, false, func(in []Datum, _ []Fact) ([]Datum, error) {
		out, err := quantizedEmbedding.eval(in, o.Epsilon)
		if err != nil {
			return nil, err
		}
		return out[:2], nil
	})
}
