// Package dwconv convolves every channel with a filter of its own (depthwise),
// float32 and 8-bit, activations channels last, in up to three spatial
// dimensions, with any kernel, stride, dilation and padding.
//
// Every float result is acc = +0; acc = fma(w[t], x[t], acc) over ascending
// taps, padding taking part as zeros, then bias and clamp: the same bits as a
// convolution by package conv. Integer sums are exact, and their epilogue is
// that of package convert.
//
// It sees slices and must not know tensors or quantization parameters. Start
// at [Last]; the kernels' assembly is made by _asm.
package dwconv

import "math"

//go:generate go -C _asm run . ..

// Geometry describes a depthwise convolution. Dimensions that do not exist
// come first and have size, kernel, stride, dilation and result 1, pad 0.
type Geometry struct {
	Batch, Channels int
	Size, Kernel    [3]int
	Stride, Dilate  [3]int
	Pad             [3]int // before the first element
	Result          [3]int
}

func product(s [3]int) int { return s[0] * s[1] * s[2] }

// finish is what is applied to every float result: the bias, then the clamp by
// Go's min and max.
type finish struct {
	bias, lo, hi float32
}

// identity changes nothing, not even the sign of a zero.
var identity = finish{float32(math.Copysign(0, -1)), float32(math.Inf(-1)), float32(math.Inf(1))}

func (f *finish) apply(v float32) float32 { return min(max(v+f.bias, f.lo), f.hi) }
