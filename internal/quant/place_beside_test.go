package quant_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/quant"
)

// attention is one head over n keys between products, with a sum that is
// normalized next and one that a product reads.
func attention(n int) string {
	return fmt.Sprintf(`graph attention
input x float32[1,%[1]d,4]
const w float32[4,4] = [1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1]
const half float32[] = [0.5]
const gamma float32[4] = [1 1 1 1]
q float32[1,%[1]d,4] = MatMul(x, w) @query
t float32[1,4,%[1]d] = Transpose(q) {perm=i[0 2 1]} @turned
s float32[1,%[1]d,%[1]d] = MatMul(q, t) @scores
m float32[1,%[1]d,%[1]d] = Mul(s, half) @scaled
a float32[1,%[1]d,%[1]d] = Softmax(m) {axis=-1} @weights
v float32[1,%[1]d,4] = MatMul(a, q) @mixed
r float32[1,%[1]d,4] = Add(v, q) @residual
l float32[1,%[1]d,4] = LayerNormalization(r, gamma) @norm
f float32[1,%[1]d,4] = MatMul(l, w) @layer
p float32[1,%[1]d,4] = Add(f, q) @sum
y float32[1,%[1]d,4] = MatMul(p, w) @last
output y
`, n)
}

// TestFloatsBesideIntegers: on a target that computes floats beside integers,
// what only floats read stays float, and the weights of attention do where the
// prescribed scale is too coarse for so many keys; the products around them
// run on integers. Others, and what a recipe names, are quantized.
func TestFloatsBesideIntegers(t *testing.T) {
	named := []quant.Override{{Match: "*", Precision: "int8"}}
	for _, c := range []struct {
		name   string
		keys   int
		recipe quant.Recipe
		want   string
	}{
		{"many keys", 100, quant.Recipe{Target: "litert"}, "residual scaled weights"},
		{"few keys", 8, quant.Recipe{Target: "litert"}, "residual"},
		{"named", 100, quant.Recipe{Target: "litert", Overrides: named}, ""},
		{"16 bits", 100, quant.Recipe{Target: "litert", Activations: quant.Activations{DType: "int16"}}, ""},
		{"integers alone", 100, quant.Recipe{Target: "ethos-u"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, plan := planned(t, attention(c.keys), c.recipe, nil)
			var got []string
			for _, name := range []string{"residual", "scaled", "weights", "sum"} {
				for _, s := range plan.Skipped {
					if s.Node == name {
						got = append(got, name)
					}
				}
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("stay float: %s; want %s", s, c.want)
			}
			for _, name := range []string{"query", "scores", "mixed", "layer", "last"} {
				if in, _ := read(t, q, name); !in[0].Present() {
					t.Errorf("%s reads floats", name)
				}
			}
		})
	}
}

// TestALimitOfAnInputStays: what limits an input of the graph has no layer that
// it could be part of.
func TestALimitOfAnInputStays(t *testing.T) {
	const limited = `graph limited
input x float32[1,4]
const w float32[4,4] = [1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1]
r float32[1,4] = Relu(x) @limit
y float32[1,4] = MatMul(r, w) @layer
output y
`
	for _, target := range []string{"litert", "tflite-micro", "edgetpu", "ethos-u", "cmsis-nn"} {
		q, _ := planned(t, limited, quant.Recipe{Target: target}, nil)
		for _, n := range []string{"limit", "layer"} {
			if in, _ := read(t, q, n); !in[0].Present() {
				t.Errorf("%s: %s reads floats", target, n)
			}
		}
	}
}
