package quant_test

import (
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/quant"
)

// spectrum is a layer with its activation, a filter of what it gives, the
// logarithm of that filter's power, and a layer behind.
const spectrum = `graph spectrum
input x float32[1,4]
const w float32[4,4] = [1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1]
const eps float32[] = [1e-6]
a float32[1,4] = MatMul(x, w) @layer
r float32[1,4] = Relu(a) @limit
f float32[1,4] = MatMul(r, w) @filter
p float32[1,4] = Mul(f, f) @power
e float32[1,4] = Add(p, eps) @floor
l float32[1,4] = Log(e) @log
y float32[1,4] = MatMul(l, w) @last
output y
`

// TestWhatALogarithmReadsStaysFloat: back to the last activation, unless a
// recipe names it or gives it 16 bits, or something else reads it, too.
func TestWhatALogarithmReadsStaysFloat(t *testing.T) {
	const reason = "a logarithm is made of what it computes"
	lost := func(plan *quant.Plan) (names []string) {
		for _, s := range plan.Skipped {
			if strings.HasPrefix(s.Reason, reason) {
				names = append(names, s.Node)
			}
		}
		return names
	}
	shared := strings.Replace(spectrum, "output y", "output y\noutput p", 1)
	for _, c := range []struct {
		name, graph string
		recipe      quant.Recipe
		want        string
	}{
		{"litert", spectrum, quant.Recipe{Target: "litert"}, "filter power floor log"},
		{"named", spectrum, quant.Recipe{Target: "litert", Overrides: []quant.Override{{Match: "filter", Precision: "int8"}}}, "power floor log"},
		{"16 bits", spectrum, quant.Recipe{Target: "litert", Activations: quant.Activations{DType: "int16"}}, ""},
		{"an output", shared, quant.Recipe{Target: "litert"}, "floor log"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, plan := planned(t, c.graph, c.recipe, nil)
			if got := strings.Join(lost(plan), " "); got != c.want {
				t.Errorf("for a logarithm stay float: %s; want %s", got, c.want)
			}
			for _, n := range []string{"layer", "last"} {
				if in, _ := read(t, q, n); !in[0].Present() {
					t.Errorf("%s reads floats", n)
				}
			}
		})
	}
}
