package pass

import (
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
)

// TestExpandContrib: what is written out, and what must stay.
func TestExpandContrib(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"skip", `graph g
input x float32[2,3]
input s float32[2,3]
input g float32[3]
y float32[2,3], _, _, sum float32[2,3] = SkipLayerNormalization(x, s, g) {epsilon=0.5f} @node
output y
output sum
`, "sum float32[2,3] = Add(x, s) @sum_1\ny float32[2,3] = LayerNormalization(sum, g) {epsilon=0.5f} @node\n"},
		{"gelu", `graph g
input x float32[2,3]
y float32[2,3] = FastGelu(x) @node
output y
`, "y float32[2,3] = Gelu(x) {approximate=\"tanh\"} @node\n"},
		{"narrow", `graph g
input x float16[2,3]
y float16[2,3] = QuickGelu(x) @node
output y
`, ""},
		{"statistics", `graph g
input x float32[2,3]
input g float32[3]
y float32[2,3], inv float32[2,1] = SimplifiedLayerNormalization(x, g) @node
output y
output inv
`, ""},
		{"cache", `graph g
input q float32[1,1,4]
input k float32[1,1,4]
input p float32[1,2,3,2]
y float32[1,1,4] = MultiHeadAttention(q, k, k, _, _, _, p, p) {num_heads=2} @node
output y
`, ""},
		{"maskOfUnknownShape", `graph g
input q float32[1,1,4]
input k float32[1,n,4]
input m int32[b]
y float32[1,1,4] = MultiHeadAttention(q, k, k, _, m) {num_heads=2} @node
output y
`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := ir.Parse(c.in)
			if err != nil {
				t.Fatal(err)
			}
			changed, err := ExpandContrib(g, true)
			if err != nil || changed != (c.want != "") {
				t.Fatalf("changed %v, %v", changed, err)
			}
			if err := ir.Infer(g); err != nil {
				t.Fatal(err)
			}
			if err := ir.Verify(g); err != nil {
				t.Fatal(err)
			}
			if text := ir.Format(g); !strings.Contains(text, c.want) {
				t.Errorf("got\n%s", text)
			}
		})
	}
}
