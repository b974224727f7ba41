package main

import "math"

// conv adds a convolution without bias and the BatchNormalization behind it;
// gamma is the mean of its scales.
func (b *builder) conv(x string, in, out, k, stride, group int, gamma float64) string {
	fan := in / group * k * k
	w := b.weight("weight", 0, math.Sqrt(2/float64(fan)), false, out, in/group, k, k)
	p := k / 2
	y := b.node("Conv", []string{x, w}, attr{"kernel_shape", []int{k, k}}, attr{"strides", []int{stride, stride}},
		attr{"pads", []int{p, p, p, p}}, attr{"group", group})
	scale := b.weight("gamma", gamma, 0.2*gamma, true, out)
	shift := b.weight("beta", 0, 0.1, true, out)
	mean := b.weight("mean", 0, 0.1, true, out)
	variance := b.weight("variance", 1, 0.2, true, out)
	b.parameters -= 2 * out // statistics are not trained
	return b.node("BatchNormalization", []string{y, scale, shift, mean, variance}, attr{"epsilon", float32(1e-5)})
}

func (b *builder) relu(x string) string { return b.node("Relu", []string{x}) }

func (b *builder) relu6(x string) string {
	return b.node("Clip", []string{x, b.scalar(0), b.scalar(6)})
}

func (b *builder) silu(x string) string {
	return b.node("Mul", []string{x, b.node("Sigmoid", []string{x})})
}

// linear adds a Gemm to the graph's output or in the middle.
func (b *builder) linear(x string, in, out int) string {
	w := b.weight("weight", 0, math.Sqrt(1/float64(in)), false, out, in)
	c := b.weight("bias", 0, 0.1, true, out)
	return b.node("Gemm", []string{x, w, c}, attr{"transB", 1})
}

// classify pools, flattens and ends in 1000 classes.
func (b *builder) classify(x string, features int) {
	x = b.node("Flatten", []string{b.node("GlobalAveragePool", []string{x})}, attr{"axis", 1})
	b.nodeTo("Identity", []string{b.linear(x, features, 1000)}, "logits")
	b.value(12, "logits", float32Type, -1, 1000)
}

// resnet is He et al., "Deep Residual Learning", 2015, with the stride in the
// 3×3 convolution of bottlenecks.
func resnet(b *builder, blocks []int, bottleneck bool) {
	b.value(11, "image", float32Type, -1, 3, 224, 224)
	x := b.relu(b.conv("image", 3, 64, 7, 2, 1, 1))
	x = b.node("MaxPool", []string{x}, attr{"kernel_shape", []int{3, 3}}, attr{"strides", []int{2, 2}}, attr{"pads", []int{1, 1, 1, 1}})
	in := 64
	for stage, n := range blocks {
		width := 64 << stage
		out := width
		if bottleneck {
			out = 4 * width
		}
		for i := range n {
			stride := 1
			if i == 0 && stage > 0 {
				stride = 2
			}
			short := x
			if stride != 1 || in != out {
				short = b.conv(x, in, out, 1, stride, 1, 1)
			}
			var y string
			if bottleneck {
				y = b.relu(b.conv(x, in, width, 1, 1, 1, 1))
				y = b.relu(b.conv(y, width, width, 3, stride, 1, 1))
				y = b.conv(y, width, out, 1, 1, 1, 0.3)
			} else {
				y = b.relu(b.conv(x, in, out, 3, stride, 1, 1))
				y = b.conv(y, out, out, 3, 1, 1, 0.3)
			}
			x = b.relu(b.node("Add", []string{y, short}))
			in = out
		}
	}
	b.classify(x, in)
}

// mobileNetV2 is Sandler et al., "MobileNetV2", 2018, table 2.
func mobileNetV2(b *builder) {
	b.value(11, "image", float32Type, -1, 3, 224, 224)
	x := b.relu6(b.conv("image", 3, 32, 3, 2, 1, 1))
	in := 32
	for _, s := range []struct{ expand, out, n, stride int }{
		{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1},
	} {
		for i := range s.n {
			stride := s.stride
			if i > 0 {
				stride = 1
			}
			y, hidden := x, in*s.expand
			if s.expand != 1 {
				y = b.relu6(b.conv(y, in, hidden, 1, 1, 1, 1))
			}
			y = b.relu6(b.conv(y, hidden, hidden, 3, stride, hidden, 1))
			y = b.conv(y, hidden, s.out, 1, 1, 1, 1)
			if stride == 1 && in == s.out {
				y = b.node("Add", []string{x, y})
			}
			x, in = y, s.out
		}
	}
	b.classify(b.relu6(b.conv(x, in, 1280, 1, 1, 1, 1)), 1280)
}

// efficientNetB0 is Tan and Le, "EfficientNet", 2019, table 1.
func efficientNetB0(b *builder) {
	b.value(11, "image", float32Type, -1, 3, 224, 224)
	x := b.silu(b.conv("image", 3, 32, 3, 2, 1, 1))
	in := 32
	// SiLU and the gates of squeeze take power away; the scales give it back.
	for _, s := range []struct{ expand, out, n, stride, k int }{
		{1, 16, 1, 1, 3}, {6, 24, 2, 2, 3}, {6, 40, 2, 2, 5}, {6, 80, 3, 2, 3}, {6, 112, 3, 1, 5}, {6, 192, 4, 2, 5}, {6, 320, 1, 1, 3},
	} {
		for i := range s.n {
			stride := s.stride
			if i > 0 {
				stride = 1
			}
			y, hidden := x, in*s.expand
			if s.expand != 1 {
				y = b.silu(b.conv(y, in, hidden, 1, 1, 1, 1.15))
			}
			y = b.silu(b.conv(y, hidden, hidden, s.k, stride, hidden, 1.15))
			y = b.squeeze(y, hidden, max(1, in/4))
			y = b.conv(y, hidden, s.out, 1, 1, 1, 0.85)
			if stride == 1 && in == s.out {
				y = b.node("Add", []string{x, y})
			}
			x, in = y, s.out
		}
	}
	b.classify(b.silu(b.conv(x, in, 1280, 1, 1, 1, 1)), 1280)
}

// squeeze scales channels by what two small layers make of their means.
func (b *builder) squeeze(x string, channels, squeezed int) string {
	s := b.node("GlobalAveragePool", []string{x})
	layer := func(in, out int) {
		w := b.weight("weight", 0, math.Sqrt(2/float64(in)), false, out, in, 1, 1)
		c := b.weight("bias", 0.5, 0.5, true, out)
		s = b.node("Conv", []string{s, w, c}, attr{"kernel_shape", []int{1, 1}})
	}
	layer(channels, squeezed)
	s = b.silu(s)
	layer(squeezed, channels)
	return b.node("Mul", []string{x, b.node("Sigmoid", []string{s})})
}
