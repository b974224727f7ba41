package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"

	"github.com/octavo-ml/octavo/internal/wire/proto"
)

// stories is the network whose weights are a file's: see -stories.
const stories = "stories260k"

// storyHeader begins a file of weights (llama2.c, export.py, version 0): seven
// int32. The table of words is the last matrix too where Words is above 0.
type storyHeader struct {
	Width, Hidden, Layers, Heads, KVHeads, Words, Length int32
}

// storyWeights reads matrices of float32 from a file one after the other.
type storyWeights struct {
	storyHeader
	rest []byte
}

func readStory(path string) (*storyWeights, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	w := &storyWeights{}
	n, err := binary.Decode(data, binary.LittleEndian, &w.storyHeader)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	w.rest = data[n:]
	h := w.storyHeader
	for _, v := range []int32{h.Width, h.Hidden, h.Layers, h.Heads, h.KVHeads, h.Words, h.Length} {
		if v < 1 || v > 1<<16 {
			return nil, fmt.Errorf("%s: no file of weights of llama2.c, version 0, whose last matrix is the first: header %+v", path, h)
		}
	}
	if h.Width%h.Heads != 0 || h.Width/h.Heads%2 != 0 || h.Heads%h.KVHeads != 0 {
		return nil, fmt.Errorf("%s: heads do not fit: %+v", path, h)
	}
	if want := w.size(); len(w.rest) != 4*want {
		return nil, fmt.Errorf("%s: %d bytes of weights, want %d", path, len(w.rest), 4*want)
	}
	return w, nil
}

// keys is the length of a token's keys, and of its values.
func (w *storyWeights) keys() int { return int(w.Width / w.Heads * w.KVHeads) }

// size is the number of weights.
func (w *storyWeights) size() int {
	d, l := int(w.Width), int(w.Layers)
	layer := 2*d + 2*d*d + 2*d*w.keys() + 3*d*int(w.Hidden)
	return int(w.Words)*d + l*layer + d + int(w.Length)*(d/int(w.Heads))
}

// next returns the next n weights.
func (w *storyWeights) next(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(w.rest[4*i:]))
	}
	w.rest = w.rest[4*n:]
	return out
}

// parts returns the next matrix of each layer.
func (w *storyWeights) parts(n int) [][]float32 {
	out := make([][]float32, w.Layers)
	for i := range out {
		out[i] = w.next(n)
	}
	return out
}

// turnMatrix transposes a matrix of rows and columns.
func turnMatrix(x []float32, rows, cols int) []float32 {
	out := make([]float32, len(x))
	for r := range rows {
		for c := range cols {
			out[c*rows+r] = x[r*cols+c]
		}
	}
	return out
}

// halves moves the even rows of each head of d rows before the odd ones: then
// the pairs that are rotated lie in two halves.
func halves(x []float32, d, cols int) []float32 {
	out := make([]float32, 0, len(x))
	for head := 0; head < len(x); head += d * cols {
		for r := range d {
			from := head + (2*r%d+2*r/d)*cols
			out = append(out, x[from:from+cols]...)
		}
	}
	return out
}

// constant adds a float32 initializer with the given numbers.
func (b *builder) constant(kind string, data []float32, dims ...int) string {
	name := b.fresh(kind)
	shape := make([]uint64, len(dims))
	for i, d := range dims {
		shape[i] = uint64(d)
	}
	raw := make([]byte, 0, 4*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	var t proto.Message
	t.PackedVarints(1, shape)
	t.Varint(2, float32Type)
	t.String(8, name)
	t.Bytes(9, raw)
	b.graph.Message(5, &t)
	return name
}

// story is one step of a decoder in the manner of Touvron et al., "LLaMA", 2023:
// it reads a token, its position, and the keys and values of the tokens before,
// and gives the scores of the next token and the keys and values with its own.
// Queries that share keys are the rows of one matrix.
func story(b *builder, w *storyWeights) {
	width, heads, kv, words, hidden := int(w.Width), int(w.Heads), int(w.KVHeads), int(w.Words), int(w.Hidden)
	d, keys := width/heads, w.keys()
	b.parameters = w.size()
	table := w.next(words * width)
	normA, wq, wk, wv, wo := w.parts(width), w.parts(width*width), w.parts(keys*width), w.parts(keys*width), w.parts(width*width)
	normF, w1, w2, w3 := w.parts(width), w.parts(hidden*width), w.parts(width*hidden), w.parts(hidden*width)
	last := w.next(width)
	cos, sin := w.next(int(w.Length)*d/2), w.next(int(w.Length)*d/2)

	b.symbolic(11, "token", int64Type, 1)
	b.symbolic(11, "position", int64Type, 1)
	x := b.node("Unsqueeze", []string{b.node("Gather", []string{b.constant("words", table, words, width), "token"}, attr{"axis", 0}), b.ints(0)})
	angle := func(t []float32) string {
		row := b.node("Gather", []string{b.constant("angles", t, int(w.Length), d/2), "position"}, attr{"axis", 0})
		return b.node("Unsqueeze", []string{row, b.ints(0, 1)})
	}
	c, s := angle(cos), angle(sin)
	norm := func(x string, gamma []float32) string {
		mean := b.node("ReduceMean", []string{b.node("Mul", []string{x, x})}, attr{"axes", []int{-1}}, attr{"keepdims", 1})
		root := b.node("Sqrt", []string{b.node("Add", []string{mean, b.scalar(1e-5)})})
		return b.node("Mul", []string{b.node("Div", []string{x, root}), b.constant("gamma", gamma, width)})
	}
	multiply := func(x string, m []float32, out, in int) string {
		return b.node("MatMul", []string{x, b.constant("weight", turnMatrix(m, out, in), in, out)})
	}
	// turn rotates the pairs of [1, heads, 1, d].
	turn := func(x string, heads int) string {
		x = b.node("Reshape", []string{x, b.ints(1, heads, 1, d)})
		half := func(from int) string {
			return b.node("Slice", []string{x, b.ints(from * d / 2), b.ints((from + 1) * d / 2), b.ints(3)})
		}
		p, q := half(0), half(1)
		mul := func(x, y string) string { return b.node("Mul", []string{x, y}) }
		return b.node("Concat", []string{b.node("Sub", []string{mul(p, c), mul(q, s)}), b.node("Add", []string{mul(q, c), mul(p, s)})}, attr{"axis", 3})
	}
	for l := range int(w.Layers) {
		past := func(kind, now string) string {
			in, out := fmt.Sprintf("past_%s_%d", kind, l), fmt.Sprintf("present_%s_%d", kind, l)
			b.symbolic(11, in, float32Type, 1, kv, "past", d)
			b.nodeTo("Concat", []string{in, now}, out, attr{"axis", 2})
			b.symbolic(12, out, float32Type, 1, kv, "past + 1", d)
			return out
		}
		y := norm(x, normA[l])
		q := b.node("Reshape", []string{turn(multiply(y, halves(wq[l], d, width), width, width), heads), b.ints(1, kv, heads/kv, d)})
		k := past("key", turn(multiply(y, halves(wk[l], d, width), keys, width), kv))
		v := past("value", b.node("Reshape", []string{multiply(y, wv[l], keys, width), b.ints(1, kv, 1, d)}))
		scores := b.node("MatMul", []string{q, b.node("Transpose", []string{k}, attr{"perm", []int{0, 1, 3, 2}})})
		scores = b.node("Mul", []string{scores, b.scalar(float32(1 / math.Sqrt(float64(d))))})
		y = b.node("MatMul", []string{b.node("Softmax", []string{scores}, attr{"axis", -1}), v})
		y = b.node("Reshape", []string{y, b.ints(1, 1, width)})
		x = b.node("Add", []string{x, multiply(y, wo[l], width, width)})
		y = norm(x, normF[l])
		y = b.node("Mul", []string{b.silu(multiply(y, w1[l], hidden, width)), multiply(y, w3[l], hidden, width)})
		x = b.node("Add", []string{x, multiply(y, w2[l], width, hidden)})
	}
	b.nodeTo("MatMul", []string{norm(x, last), b.constant("weight", turnMatrix(table, words, width), width, words)}, "scores")
	b.symbolic(12, "scores", float32Type, 1, 1, words)
}
