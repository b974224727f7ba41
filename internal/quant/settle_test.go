package quant_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/quant"
)

// TestScalesAvoidTies: what ONNX makes of products and means of integers by
// dequantizing them, and what a runtime makes of them that multiplies integers,
// is the same for every product and sum there is, where the target asks for it;
// ranges as they come leave some that differ.
func TestScalesAvoidTies(t *testing.T) {
	const text = `graph gate
input x float32[1,1,4,4]
input g float32[1,1,4,4]
const w float32[1,1,1,1] = [1]
m float32[1,1,4,4] = Mul(x, g) @gate
a float32[1,1,1,1] = GlobalAveragePool(m) @mean
y float32[1,1,1,1] = Conv(a, w) @layer
output y
`
	differ := map[string]int{}
	for _, target := range []string{"litert", "tflite-micro"} {
		r := rand.New(rand.NewPCG(1, 2))
		for range 60 {
			between := func(most float32) [2]float32 { return [2]float32{-most * r.Float32(), most * r.Float32()} }
			ranges := map[string][2]float32{"x": between(5), "g": between(1), "m": between(3), "a": between(1)}
			q, plan := planned(t, text, quant.Recipe{Target: target}, ranges)
			in, product := read(t, q, "gate")
			read, mean := read(t, q, "mean")
			differ[target] += products(in[0].Scale[0], in[1].Scale[0], product.Scale[0]) + means(read[0].Scale[0], mean.Scale[0], read[0].Zero(0), mean.Zero(0), 16)
			for _, c := range plan.Chosen {
				if s := map[string]float32{"m": product.Scale[0], "a": mean.Scale[0]}[c.Value]; s != 0 {
					if fit := (max(c.Hi, 0) - min(c.Lo, 0)) / 255; float64(s) < fit*0.9999 || float64(s) > fit*1.017 {
						t.Errorf("%s, %s: scale %g for a range of %g", target, c.Value, s, 255*fit)
					}
				}
			}
		}
	}
	if differ["litert"] > 0 || differ["tflite-micro"] == 0 {
		t.Errorf("results that differ: %v", differ)
	}
}

// products counts the products of two differences of bytes that the two ways
// round differently.
func products(a, b, out float32) (differ int) {
	for i := range 256 {
		for j := range 256 {
			dequantized := math.RoundToEven(float64(float32(float32(float32(i)*a)*float32(float32(j)*b)) / out))
			multiplied := math.RoundToEven(float64(float32(i*j) * float32(float32(a*b)/out)))
			if dequantized <= 255 && dequantized != multiplied {
				differ++
			}
		}
	}
	return differ
}

// means counts the sums of n bytes of which the two ways round the mean
// differently: as they are stored, their zero points taken off behind, or before.
func means(in, out float32, zeroIn, zeroOut int64, n int) (differ int) {
	multiplier := float32(in/out) / float32(n)
	bias := float32(zeroOut) - float32(float32(int64(n)*zeroIn)*multiplier)
	for sum := -128 * n; sum <= 127*n; sum++ {
		before := math.RoundToEven(float64(float32(int64(sum)-int64(n)*zeroIn)*multiplier)) + float64(zeroOut)
		behind := math.RoundToEven(float64(float32(float32(sum)*multiplier) + bias))
		if before >= -128 && before <= 127 && before != behind {
			differ++
		}
	}
	return differ
}
