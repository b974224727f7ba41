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
	Divide(dst, SumF32(dst))
}

// SoftmaxRows is Softmax of each row of n elements; dst may be x.
func SoftmaxRows(dst, x []float32, n int) {
	if n > lanes {
		for ; len(x) >= n; dst, x = dst[n:], x[n:] {
			Softmax(dst[:n], x[:n])
		}
		return
	}
	if n <= 0 {
		return
	}
	// Short rows share the calls of the function.
	rows := 32 * lanes / n
	for len(x) >= n {
		k := min(rows, len(x)/n) * n
		shortSoftmaxes(dst[:k], x[:k], n)
		dst, x = dst[k:], x[k:]
	}
}

// shortSoftmaxes is SoftmaxRows of at most lanes elements a row. Each lane of a
// row's sum holds one element, and what a lane without one adds changes nothing.
func shortSoftmaxes(dst, x []float32, n int) {
	for i := 0; i+n <= len(x); i += n {
		row, to := x[i:i+n], dst[i:i+n]
		m := row[0]
		for _, v := range row[1:] {
			m = max(m, v)
		}
		for j, v := range row {
			to[j] = v - m
		}
	}
	eltwise.ExpAll(dst, dst, 0)
	for i := 0; i+n <= len(dst); i += n {
		row := dst[i : i+n]
		var sum [lanes]float32
		copy(sum[:], row)
		for width := lanes / 2; width > 0; width /= 2 {
			for j := 0; j < width && j+width < n; j++ {
				sum[j] += sum[j+width]
			}
		}
		for j, v := range row {
			row[j] = v / sum[0]
		}
	}
}

// Divide stores x[i] / by in x[i].
func Divide(x []float32, by float32) {
	x = x[divideSpans(x, by):]
	for i, v := range x {
		x[i] = v / by
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
	var squares Sum
	for i := centerSpans(&squares.lane, dst, x, mean); i < len(x); i++ {
		d := x[i] - mean
		dst[i] = d
		squares.lane[i%lanes] += float32(d * d)
	}
	invStd = invRoot(squares.Total(), len(x), epsilon)
	scaleRow(dst, dst, invStd, scale, bias)
	return mean, invStd
}

// RMSNorm normalizes one row of n elements by its root mean square; dst may be
// x. In float32 steps: v = (the sum of x[i]*x[i]) / n; r = 1 / Sqrt(v +
// epsilon); dst[i] = (x[i]*r)*scale[i]. A nil scale leaves its step out. It
// returns r.
func RMSNorm(dst, x, scale []float32, epsilon float32) (invRMS float32) {
	dst = dst[:len(x)]
	invRMS = invRoot(sumSquares(x), len(x), epsilon)
	scaleRow(dst, x, invRMS, scale, nil)
	return invRMS
}

func invRoot(sum float32, n int, epsilon float32) float32 {
	v := sum/float32(n) + epsilon
	return 1 / float32(math.Sqrt(float64(v)))
}

// scaleRow stores (x[i]*factor)*scale[i] + shift[i]; nil leaves a step out.
func scaleRow(dst, x []float32, factor float32, scale, shift []float32) {
	from := 0
	if scale != nil {
		from = scaleSpans(dst, x, scale, shift, factor)
	}
	for i := from; i < len(x); i++ {
		v := float32(x[i] * factor)
		if scale != nil {
			v = float32(v * scale[i])
		}
		if shift != nil {
			v += shift[i]
		}
		dst[i] = v
	}
}
