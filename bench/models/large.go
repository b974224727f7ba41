package main

import "math"

// largeSize is how large the large transformer is.
type largeSize struct{ layers, width, vocabulary int }

// largeDefault takes 6 GB.
var largeDefault = largeSize{27, 2048, 32000}

// transformerLarge is a decoder in the manner of Radford et al., "Language
// Models are Unsupervised Multitask Learners", 2019, as exporters write it
// before anything is folded: shapes computed by operators, LayerNormalization
// and GELU in pieces, some weights transposed at run time, the mask computed.
// Its weights lie beside it.
func transformerLarge(b *builder) {
	const tokens, head = 128, 64
	z := b.size
	b.data = &externalData{name: b.name + ".onnx.data"}
	b.value(11, "input_ids", int64Type, -1, tokens)
	words := b.node("Gather", []string{b.weight("words", 0, 0.5, true, z.vocabulary, z.width), "input_ids"}, attr{"axis", 0})
	places := b.node("Slice", []string{b.weight("positions", 0, 0.3, true, 2*tokens, z.width), b.ints(0), b.ints(tokens), b.ints(0)})
	x := b.node("Add", []string{words, places})
	ones := b.node("Expand", []string{b.scalar(1), b.ints(tokens, tokens)})
	seen := b.node("Trilu", []string{ones}, attr{"upper", 0})
	mask := b.node("Mul", []string{b.node("Sub", []string{b.scalar(1), seen}), b.scalar(-10000)})
	for range z.layers {
		x = b.node("Add", []string{x, b.decoderAttention(b.layerNormInPieces(x, z.width), tokens, z.width, max(1, z.width/head), mask)})
		y := b.gelu(b.project(b.layerNormInPieces(x, z.width), z.width, 4*z.width, 1.4))
		x = b.node("Add", []string{x, b.project(y, 4*z.width, z.width, 0.5)})
	}
	y := b.node("MatMul", []string{b.layerNormInPieces(x, z.width), b.turned(z.vocabulary, z.width, 1)})
	b.nodeTo("Identity", []string{y}, "logits")
	b.value(12, "logits", float32Type, -1, tokens, z.vocabulary)
}

// turned is a weight that is stored [out, in] and transposed before it is used.
func (b *builder) turned(out, in int, gain float64) string {
	w := b.weight("weight", 0, gain*math.Sqrt(3/float64(in)), true, out, in)
	return b.node("Transpose", []string{w}, attr{"perm", []int{1, 0}})
}

// projectTurned is project with such a weight.
func (b *builder) projectTurned(x string, in, out int, gain float64) string {
	y := b.node("MatMul", []string{x, b.turned(out, in, gain)})
	return b.node("Add", []string{b.weight("bias", 0, 0.02, true, out), y})
}

func (b *builder) layerNormInPieces(x string, n int) string {
	mean := func(x string) string {
		return b.node("ReduceMean", []string{x}, attr{"axes", []int{-1}}, attr{"keepdims", 1})
	}
	d := b.node("Sub", []string{x, mean(x)})
	v := b.node("Add", []string{mean(b.node("Pow", []string{d, b.scalar(2)})), b.scalar(1e-5)})
	y := b.node("Div", []string{d, b.node("Sqrt", []string{v})})
	y = b.node("Mul", []string{y, b.weight("gamma", 1, 0.2, true, n)})
	return b.node("Add", []string{y, b.weight("beta", 0, 0.1, true, n)})
}

// shaped reshapes x to its first dimension and others, as an exporter that
// follows shapes writes it.
func (b *builder) shaped(x string, dims ...int) string {
	first := b.node("Gather", []string{b.node("Shape", []string{x}), b.scalarInt(0)}, attr{"axis", 0})
	parts := []string{b.node("Unsqueeze", []string{first, b.ints(0)})}
	for _, d := range dims {
		parts = append(parts, b.node("Unsqueeze", []string{b.scalarInt(d), b.ints(0)}))
	}
	return b.node("Reshape", []string{x, b.node("Concat", parts, attr{"axis", 0})})
}

func (b *builder) decoderAttention(x string, tokens, width, heads int, mask string) string {
	d := width / heads
	part := func(perm ...int) string {
		y := b.shaped(b.projectTurned(x, width, width, 1), tokens, heads, d)
		return b.node("Transpose", []string{y}, attr{"perm", perm})
	}
	q, k, v := part(0, 2, 1, 3), part(0, 2, 3, 1), part(0, 2, 1, 3)
	root := b.node("Sqrt", []string{b.scalar(float32(d))})
	s := b.node("Div", []string{b.node("MatMul", []string{q, k}), root})
	s = b.node("Softmax", []string{b.node("Add", []string{s, mask})}, attr{"axis", -1})
	y := b.node("Transpose", []string{b.node("MatMul", []string{s, v})}, attr{"perm", []int{0, 2, 1, 3}})
	return b.projectTurned(b.shaped(y, tokens, width), width, width, 0.5)
}
