package eltwise

import "github.com/octavo-ml/octavo/internal/cpu"

//go:generate go -C _asm run . ..

// variant is one implementation of the loops below: they run the first whose
// level may be used. Tests and benchmarks run every row of the table; each
// equals the function of one element to the bit.
type variant struct {
	name  string
	level cpu.Level
}

// function is one of those that there is assembly for, which knows their numbers.
type function int

const (
	expFunction function = iota
	swishFunction
	sigmoidFunction
	tanhFunction
	erfFunction
	geluFunction
	geluTanhFunction
)

// ExpAll stores Exp(x[i] - shift), the difference rounded to float32, in
// dst[i]; dst may be x, here and in the other loops.
func ExpAll(dst, x []float32, shift float32) {
	done := spans(expFunction, dst, x, shift)
	Map(dst[done:], x[done:], func(v float32) float32 { return Exp(v - shift) })
}

// SwishAll stores Swish(x[i], alpha).
func SwishAll(dst, x []float32, alpha float32) {
	done := spans(swishFunction, dst, x, -alpha)
	Map(dst[done:], x[done:], func(v float32) float32 { return Swish(v, alpha) })
}

// SigmoidAll stores Sigmoid(x[i]).
func SigmoidAll(dst, x []float32) {
	done := spans(sigmoidFunction, dst, x, 0)
	Map(dst[done:], x[done:], Sigmoid)
}

// TanhAll stores Tanh(x[i]).
func TanhAll(dst, x []float32) {
	done := spans(tanhFunction, dst, x, 0)
	Map(dst[done:], x[done:], Tanh)
}

// ErfAll stores Erf(x[i]).
func ErfAll(dst, x []float32) {
	done := spans(erfFunction, dst, x, 0)
	Map(dst[done:], x[done:], Erf)
}

// GeluAll stores Gelu(x[i]).
func GeluAll(dst, x []float32) {
	done := spans(geluFunction, dst, x, 0)
	Map(dst[done:], x[done:], Gelu)
}

// GeluTanhAll stores GeluTanh(x[i]).
func GeluTanhAll(dst, x []float32) {
	done := spans(geluTanhFunction, dst, x, 0)
	Map(dst[done:], x[done:], GeluTanh)
}

// HardSigmoidAll stores HardSigmoid(x[i], alpha, beta).
func HardSigmoidAll(dst, x []float32, alpha, beta float32) {
	dst = dst[:len(x)]
	Mul(dst, x, []float32{alpha})
	Add(dst, dst, []float32{beta})
	ClampAll(dst, dst, 0, 1)
}

// HardSwishAll stores HardSwish(x[i]).
func HardSwishAll(dst, x []float32) {
	var gate [256]float32
	for dst = dst[:len(x)]; len(x) > 0; {
		n := min(len(gate), len(x))
		HardSigmoidAll(gate[:n], x[:n], 1.0/6, 0.5)
		Mul(dst[:n], x[:n], gate[:n])
		dst, x = dst[n:], x[n:]
	}
}

// ClampAll stores min(max(x[i], lo), hi), as Go's min and max have it.
func ClampAll(dst, x []float32, lo, hi float32) {
	done := clampSpans(dst, x, lo, hi)
	Map(dst[done:], x[done:], func(v float32) float32 { return min(max(v, lo), hi) })
}
