package main

import "math"

// project adds MatMul and bias over the last axis.
func (b *builder) project(x string, in, out int, gain float64) string {
	w := b.weight("weight", 0, gain*math.Sqrt(1/float64(in)), false, in, out)
	c := b.weight("bias", 0, 0.02, true, out)
	return b.node("Add", []string{b.node("MatMul", []string{x, w}), c})
}

func (b *builder) layerNorm(x string, n int, epsilon float32) string {
	return b.node("LayerNormalization", []string{x, b.weight("gamma", 1, 0.2, true, n), b.weight("beta", 0, 0.1, true, n)},
		attr{"axis", -1}, attr{"epsilon", epsilon})
}

// gelu is written out, as exporters did before opset 20.
func (b *builder) gelu(x string) string {
	e := b.node("Erf", []string{b.node("Div", []string{x, b.scalar(math.Sqrt2)})})
	m := b.node("Mul", []string{x, b.node("Add", []string{e, b.scalar(1)})})
	return b.node("Mul", []string{m, b.scalar(0.5)})
}

// attention is multi-head self-attention; mask, if any, is added to the scores.
func (b *builder) attention(x string, tokens, width, heads int, mask string) string {
	d := width / heads
	split := b.ints(0, tokens, heads, d)
	head := func(perm ...int) string {
		y := b.node("Reshape", []string{b.project(x, width, width, 1), split})
		return b.node("Transpose", []string{y}, attr{"perm", perm})
	}
	q, k, v := head(0, 2, 1, 3), head(0, 2, 3, 1), head(0, 2, 1, 3)
	s := b.node("Mul", []string{b.node("MatMul", []string{q, k}), b.scalar(float32(1 / math.Sqrt(float64(d))))})
	if mask != "" {
		s = b.node("Add", []string{s, mask})
	}
	s = b.node("Softmax", []string{s}, attr{"axis", -1})
	y := b.node("Transpose", []string{b.node("MatMul", []string{s, v})}, attr{"perm", []int{0, 2, 1, 3}})
	y = b.node("Reshape", []string{y, b.ints(0, tokens, width)})
	return b.project(y, width, width, 0.5)
}

func (b *builder) feedForward(x string, width, hidden int) string {
	return b.project(b.gelu(b.project(x, width, hidden, 1.4)), hidden, width, 0.5)
}

// bertBase is Devlin et al., "BERT", 2018, without the pooler, for 128 tokens.
func bertBase(b *builder) {
	const tokens, width, epsilon = 128, 768, 1e-12
	b.value(11, "input_ids", int64Type, -1, tokens)
	b.value(11, "attention_mask", int64Type, -1, tokens)
	words := b.node("Gather", []string{b.weight("words", 0, 0.5, false, 30522, width), "input_ids"}, attr{"axis", 0})
	// Exporters cut the table of 512 positions to the length of the input, and
	// make one segment out of the two types of tokens.
	places := b.node("Slice", []string{b.weight("positions", 0, 0.3, false, 512, width), b.ints(0), b.ints(tokens), b.ints(0)})
	x := b.node("Add", []string{words, places})
	segment := b.node("Gather", []string{b.weight("types", 0, 0.1, false, 2, width), b.scalarInt(0)}, attr{"axis", 0})
	x = b.layerNorm(b.node("Add", []string{x, segment}), width, epsilon)
	mask := b.node("Cast", []string{b.node("Unsqueeze", []string{"attention_mask", b.ints(1, 2)})}, attr{"to", float32Type})
	mask = b.node("Mul", []string{b.node("Sub", []string{b.scalar(1), mask}), b.scalar(-10000)})
	for range 12 {
		x = b.layerNorm(b.node("Add", []string{x, b.attention(x, tokens, width, 12, mask)}), width, epsilon)
		x = b.layerNorm(b.node("Add", []string{x, b.feedForward(x, width, 3072)}), width, epsilon)
	}
	b.nodeTo("Identity", []string{x}, "hidden")
	b.value(12, "hidden", float32Type, -1, tokens, width)
}

// vitS16 is Dosovitskiy et al., "An Image is Worth 16x16 Words", 2020, in the
// small size of Touvron et al., "DeiT", 2020.
func vitS16(b *builder) {
	const width, patches, epsilon = 384, 196, 1e-6
	b.value(11, "image", float32Type, -1, 3, 224, 224)
	w := b.weight("weight", 0, math.Sqrt(1/float64(3*16*16)), false, width, 3, 16, 16)
	x := b.node("Conv", []string{"image", w, b.weight("bias", 0, 0.02, true, width)}, attr{"kernel_shape", []int{16, 16}}, attr{"strides", []int{16, 16}})
	x = b.node("Transpose", []string{b.node("Reshape", []string{x, b.ints(0, width, patches)})}, attr{"perm", []int{0, 2, 1}})
	// The class token takes the batch of the image from a slice of it.
	one := b.node("Mul", []string{b.node("Slice", []string{x, b.ints(0), b.ints(1), b.ints(1)}), b.scalar(0)})
	token := b.node("Add", []string{one, b.weight("token", 0, 0.5, false, 1, 1, width)})
	x = b.node("Concat", []string{token, x}, attr{"axis", 1})
	x = b.node("Add", []string{x, b.weight("positions", 0, 0.2, false, 1, patches+1, width)})
	for range 12 {
		x = b.node("Add", []string{x, b.attention(b.layerNorm(x, width, epsilon), patches+1, width, 6, "")})
		x = b.node("Add", []string{x, b.feedForward(b.layerNorm(x, width, epsilon), width, 1536)})
	}
	x = b.node("Gather", []string{b.layerNorm(x, width, epsilon), b.scalarInt(0)}, attr{"axis", 1})
	b.nodeTo("Identity", []string{b.linear(x, width, 1000)}, "logits")
	b.value(12, "logits", float32Type, -1, 1000)
}
