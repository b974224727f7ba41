package reduce

import (
	"math"

	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
)

// Softmax stores the softmax of one row; dst may be x. In float32 steps:
// m = Max(x); e[i] = Exp(x[i] - m); s = SumF32(e); dst[i] = e[i] / s. A row
// whose greatest element is -Inf, +Inf or NaN gives NaN where the formula
// does.
func Softmax(dst, x []float32) {
	if len(x) == 0 {
		return
	}
	dst = dst[:len(x)]
	m := Max(x)
	eltwise.ExpAll(dst, x, m)
	s := SumF32(dst)
	for i, e := range dst {
		dst[i] = e / s
	}
}

// LogSoftmax stores the logarithm of the softmax of one row; dst may be x. In
// float32 steps: m = Max(x); d[i] = x[i] - m; s = the sum of Exp(d[i]);
// dst[i] = d[i] - Log(s).
func LogSoftmax(dst, x []float32) {
	if len(x) == 0 {
		return
	}
	dst = dst[:len(x)]
	m := Max(x)
	var s Sum
	var e [16 * lanes]float32
	for i := 0; i < len(x); i += len(e) {
		n := min(len(e), len(x)-i)
		for j, v := range x[i : i+n] {
			dst[i+j] = v - m
		}
		eltwise.ExpAll(e[:n], dst[i:i+n], 0)
		s.Add(e[:n])
	}
	l := eltwise.Log(s.Total())
	for i, d := range dst {
		dst[i] = d - l
	}
}

// LayerNorm normalizes one row of n elements; dst may be x. In float32 steps:
// mean = SumF32(x) / n; d[i] = x[i] - mean; v = (the sum of d[i]*d[i]) / n;
// r = 1 / Sqrt(v + epsilon); dst[i] = (d[i]*r)*scale[i] + bias[i]. A nil scale
// or bias leaves its step out. It returns mean and r.
func LayerNorm(dst, x, scale, bias []float32, epsilon float32) (mean, invStd float32) {
	dst = dst[:len(x)]
	mean = MeanF32(x)
	for i, v := range x {
		dst[i] = v - mean
	}
	invStd = invRoot(sumSquares(dst), len(x), epsilon)
	scaleRow(dst, invStd, scale)
	if bias != nil {
		bias = bias[:len(dst)]
		for i, v := range dst {
			dst[i] = v + bias[i]
		}
	}
	return mean, invStd
}

// RMSNorm normalizes one row of n elements by its root mean square; dst may be
// x. In float32 steps: v = (the sum of x[i]*x[i]) / n; r = 1 / Sqrt(v +
// epsilon); dst[i] = (x[i]*r)*scale[i]. A nil scale leaves its step out. It
// returns r.
func RMSNorm(dst, x, scale []float32, epsilon float32) (invRMS float32) {
	dst = dst[:len(x)]
	invRMS = invRoot(sumSquares(x), len(x), epsilon)
	copy(dst, x)
	scaleRow(dst, invRMS, scale)
	return invRMS
}

func invRoot(sum float32, n int, epsilon float32) float32 {
	v := sum/float32(n) + epsilon
	return 1 / float32(math.Sqrt(float64(v)))
}

func scaleRow(x []float32, factor float32, scale []float32) {
	if scale == nil {
		for i, v := range x {
			x[i] = float32(v * factor)
		}
		return
	}
	scale = scale[:len(x)]
	for i, v := range x {
		x[i] = float32(float32(v*factor) * scale[i])
	}
}
