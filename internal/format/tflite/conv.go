package tflite

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// Convolutions and pools. The data lies channels last; weights are brought from
// [out, spatial…, in] into [out, in, spatial…].
var convolutions = []conversion{
	{"AVERAGE_POOL_2D", "Pool2DOptions", 3, 1, 1, averagePool},
	{"CONV_2D", "Conv2DOptions", 8, 2, 1, conv2D},
	{"CONV_3D", "Conv3DOptions", 1, 2, 1, conv3D},
	{"DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions", 7, 2, 1, depthwise},
	{"LOCAL_RESPONSE_NORMALIZATION", "LocalResponseNormalizationOptions", 1, 1, 1, localResponse},
	{"MAX_POOL_2D", "Pool2DOptions", 3, 1, 1, maxPool},
	{"TRANSPOSE_CONV", "TransposeConvOptions", 5, 3, 1, transposeConv},
}

// window places the windows of an operator: the pads of SAME where the size of
// the data is known, and auto_pad where it is not.
func (s *scope) window(x *ir.Value, padding byte, kernel, strides, dilations []int) (pads []int, auto string) {
	n := len(kernel)
	if len(x.Shape) != n+2 {
		s.fail("data of shape %v, want %d dimensions", x.Shape, n+2)
		return nil, "NOTSET"
	}
	for i := range kernel {
		if kernel[i] < 1 || strides[i] < 1 || dilations[i] < 1 {
			s.fail("a kernel of %v with strides %v and dilations %v", kernel, strides, dilations)
			return nil, "NOTSET"
		}
	}
	if padding == paddingValid {
		return nil, "NOTSET"
	}
	pads = make([]int, 2*n)
	for i := range kernel {
		d, ok := x.Shape[1+i].Int()
		if !ok {
			return nil, "SAME_UPPER"
		}
		pads[i], pads[n+i] = same(d, kernel[i], strides[i], dilations[i])
	}
	return pads, "NOTSET"
}

// same returns the padding with which n places give ceil(n/stride).
func same(n, kernel, stride, dilation int) (before, after int) {
	out := (n + stride - 1) / stride
	total := max((out-1)*stride+(kernel-1)*dilation+1-n, 0)
	return total / 2, total - total/2
}

// sizes returns the sizes of v along axes, which must be known.
func (s *scope) sizes(v *ir.Value, what string, axes ...int) []int {
	out := make([]int, len(axes))
	for i, a := range axes {
		n, ok := 0, false
		if a < len(v.Shape) {
			n, ok = v.Shape[a].Int()
		}
		if !ok && s.err == nil {
			s.fail("%s of shape %v", what, v.Shape)
		}
		out[i] = n
	}
	return out
}

func conv2D(s *scope) {
	o := optionsOf[conv2DOptions](s.o)
	convolution(s, o.Padding, o.Fused, []int{int(o.StrideH), int(o.StrideW)}, []int{int(o.DilateH), int(o.DilateW)}, s.weight(1, 0, 3, 1, 2), 1)
}

func conv3D(s *scope) {
	o := optionsOf[conv3DOptions](s.o)
	convolution(s, o.Padding, o.Fused, []int{int(o.StrideD), int(o.StrideH), int(o.StrideW)},
		[]int{int(o.DilateD), int(o.DilateH), int(o.DilateW)}, s.weight(1, 4, 3, 0, 1, 2), 1)
}

// depthwise has weights [1, height, width, channels·multiplier], in which those
// of one channel lie side by side.
func depthwise(s *scope) {
	o := optionsOf[depthwiseOptions](s.o)
	w := s.weight(1, 3, 0, 1, 2)
	x := s.in(0)
	group := 0
	if len(x.Shape) == 4 {
		group, _ = x.Shape[3].Int()
	}
	if m := s.sizes(w, "weights", 0)[0]; group == 0 && o.Multiplier > 0 {
		group = m / int(o.Multiplier)
	}
	convolution(s, o.Padding, o.Fused, []int{int(o.StrideH), int(o.StrideW)}, []int{int(o.DilateH), int(o.DilateW)}, w, group)
}

// convolution appends a Conv. group is 1 for as many as the channels of data
// and weights tell.
func convolution(s *scope, padding, fused byte, strides, dilations []int, w *ir.Value, group int) {
	o := op.New[op.Conv]()
	o.Layout, o.Strides, o.Dilations, o.Group = op.ChannelsLast, strides, dilations, group
	x := s.in(0)
	n := len(strides)
	axes := []int{1}
	for i := range n {
		axes = append(axes, 2+i)
	}
	known := s.sizes(w, "weights", axes...)
	o.KernelShape = known[1:]
	o.Pads, o.AutoPad = s.window(x, padding, o.KernelShape, strides, dilations)
	if s.err != nil {
		return
	}
	if c, ok := x.Shape[n+1].Int(); ok && group == 1 && known[0] > 0 {
		o.Group = max(c/known[0], 1)
	}
	// The kernels take the range as it is where the scales of the channels
	// differ, a symmetric one where they do not (conv.cc, Prepare).
	q, _ := s.quantized(s.o.in[1])
	differ := len(q.scale) > 1 && slices.Max(q.scale) != slices.Min(q.scale)
	x = s.hybrid(x, 1, differ, false)
	in := []*ir.Value{x, w}
	if b := s.bias(2, 0, 1); b != nil {
		in = append(in, b)
	}
	s.set(0, s.fused(s.node(o, in...), fused))
}

// transposeConv has the inputs shape of the output, weights, data and bias. Its
// padding is that of the convolution which it transposes.
func transposeConv(s *scope) {
	p := optionsOf[transposeConvOptions](s.o)
	size := s.numbers(0, "sizes of the output")
	w, x := s.weight(1, 3, 0, 1, 2), s.in(2)
	if len(size) != 4 || len(x.Shape) != 4 {
		s.fail("data of shape %v and an output of shape %v, want 4 dimensions", x.Shape, size)
	}
	kernel, in := s.sizes(w, "weights", 2, 3), s.sizes(x, "data", 1, 2)
	strides := []int{int(p.StrideH), int(p.StrideW)}
	if s.err == nil && (strides[0] < 1 || strides[1] < 1 || min(size[1], size[2]) < 0) {
		s.fail("strides %v and an output of shape %v", strides, size)
	}
	if s.err != nil {
		return
	}
	o := op.New[op.ConvTranspose]()
	o.Layout, o.Strides, o.KernelShape = op.ChannelsLast, strides, kernel
	o.Pads, o.OutputPadding = make([]int, 4), make([]int, 2)
	for i := range 2 {
		before := 0
		if p.Padding == paddingSame {
			before, _ = same(size[1+i], kernel[i], strides[i], 1)
		}
		after := (in[i]-1)*strides[i] + kernel[i] - before - size[1+i]
		o.Pads[i], o.Pads[2+i] = before, max(after, 0)
		o.OutputPadding[i] = max(-after, 0)
	}
	args := []*ir.Value{x, w}
	if b := s.bias(3, 2, 1); b != nil {
		args = append(args, b)
	}
	s.set(0, s.fused(s.node(o, args...), p.Fused))
}

func maxPool(s *scope) {
	p := optionsOf[pool2DOptions](s.o)
	o := op.New[op.MaxPool]()
	o.Layout, o.KernelShape, o.Strides = op.ChannelsLast, []int{int(p.FilterH), int(p.FilterW)}, []int{int(p.StrideH), int(p.StrideW)}
	o.Pads, o.AutoPad = s.window(s.in(0), p.Padding, o.KernelShape, o.Strides, []int{1, 1})
	s.set(0, s.fused(s.node(o, s.in(0)), p.Fused))
}

// averagePool leaves padding out of its means, which is what ONNX does.
func averagePool(s *scope) {
	p := optionsOf[pool2DOptions](s.o)
	o := op.New[op.AveragePool]()
	o.Layout, o.KernelShape, o.Strides = op.ChannelsLast, []int{int(p.FilterH), int(p.FilterW)}, []int{int(p.StrideH), int(p.StrideW)}
	o.Pads, o.AutoPad = s.window(s.in(0), p.Padding, o.KernelShape, o.Strides, []int{1, 1})
	s.set(0, s.fused(s.node(o, s.in(0)), p.Fused))
}

// localResponse has the sum of squares times alpha, of which ONNX takes the
// mean.
func localResponse(s *scope) {
	p := optionsOf[lrnOptions](s.o)
	o := op.New[op.LRN]()
	o.Layout, o.Size, o.Bias, o.Beta = op.ChannelsLast, 2*int(p.Radius)+1, p.Bias, p.Beta
	o.Alpha = p.Alpha * float32(o.Size)
	s.set(0, s.node(o, s.in(0)))
}
