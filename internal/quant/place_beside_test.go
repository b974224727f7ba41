package quant_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/quant"
)

// attention is one head over 8 keys between products, with a sum that is
// normalized next and one that a product reads.
const attention = `graph attention
input x float32[1,8,4]
const w float32[4,4] = [1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1]
const half float32[] = [0.5]
const gamma float32[4] = [1 1 1 1]
q float32[1,8,4] = MatMul(x, w) @query
t float32[1,4,8] = Transpose(q) {perm=i[0 2 1]} @turned
s float32[1,8,8] = MatMul(q, t) @scores
m float32[1,8,8] = Mul(s, half) @scaled
a float32[1,8,8] = Softmax(m) {axis=-1} @weights
v float32[1,8,4] = MatMul(a, q) @mixed
r float32[1,8,4] = Add(v, q) @residual
l float32[1,8,4] = LayerNormalization(r, gamma) @norm
f float32[1,8,4] = MatMul(l, w) @layer
p float32[1,8,4] = Add(f, q) @sum
y float32[1,8,4] = MatMul(p, w) @last
output y
`

// TestFloatsBesideIntegers: on a target that computes floats beside integers,
// what only floats read stays float, and so do products of two activations where
// floats are what it multiplies fast; the layers around them run on integers.
// Where integers are all there is, and what a recipe names, is quantized.
func TestFloatsBesideIntegers(t *testing.T) {
	for _, c := range []struct {
		name   string
		recipe quant.Recipe
		want   string
	}{
		{"floats beside", quant.Recipe{Target: "litert"}, "scores scaled weights mixed residual"},
		{"products named", quant.Recipe{Target: "litert", Overrides: []quant.Override{{Match: "op:MatMul", Precision: "int8"}}}, "residual"},
		{"all named", quant.Recipe{Target: "litert", Overrides: []quant.Override{{Match: "*", Precision: "int8"}}}, ""},
		{"16 bits", quant.Recipe{Target: "litert", Activations: quant.Activations{DType: "int16"}}, ""},
		{"integers alone", quant.Recipe{Target: "ethos-u"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, plan := planned(t, attention, c.recipe, nil)
			var got []string
			for _, name := range []string{"query", "scores", "scaled", "weights", "mixed", "residual", "layer", "sum", "last"} {
				if slices.ContainsFunc(plan.Skipped, func(s quant.Skip) bool { return s.Node == name }) {
					got = append(got, name)
				} else if in, _ := read(t, q, name); !in[0].Present() {
					t.Errorf("%s reads floats", name)
				}
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("stay float: %s; want %s", s, c.want)
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
