package pass

import (
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestLowerRanges compares the steps with the operator, every bit of it: ranges
// of all kinds, a row of zeros among them.
func TestLowerRanges(t *testing.T) {
	for _, attrs := range []string{`{type="int8"}`, `{type="int8", symmetric=1}`, `{type="int8", axis=-1}`, `{type="int8", symmetric=1, axis=-1}`, `{type="uint8", axis=1}`} {
		g := inferred(t, `graph g
input x float32[5,6]
q ?[...], s float32[...], z ?[...] = DynamicQuantize(x) `+attrs+`
output q
output s
output z
`)
		before, _ := g.Clone()
		if err := LowerRanges(g); err != nil {
			t.Fatal(err)
		}
		for _, n := range g.Nodes {
			if _, ok := n.Op.(*op.DynamicQuantize); ok {
				t.Errorf("%s: it is there still", attrs)
			}
		}
		if err := ir.Verify(g); err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(3, 4))
		x := make([]float32, 30)
		for i := range x {
			x[i] = float32(r.NormFloat64()) + float32(i/6) - 2
		}
		clear(x[6:12])
		in := op.Of(tensor.FromSlice(x, 5, 6))
		want, err := ir.Eval(before, in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ir.Eval(g, in)
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range []string{"integers", "scales", "zero points"} {
			if !tensor.Equal(got[i].Tensor, want[i].Tensor) {
				t.Errorf("%s: %s are %v, want %v", attrs, name, got[i].Tensor, want[i].Tensor)
			}
		}
	}
}
