package pass

import (
	"math"
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestProjectAttention: with the product apart, the result stays the same; what
// has a cache or a mask of lengths stays whole.
func TestProjectAttention(t *testing.T) {
	const head = `graph g
input x float32[1,3,4]
const w float32[4,12] = [1 -2 3 4 5 -6 7 8 9 1 2 3 4 5 6 -7 8 9 1 2 3 4 -5 6 7 8 9 1 2 -3 4 5 6 7 8 9 1 2 3 -4 5 6 7 8 -9 1 2 3]
const b float32[12] = [1 2 3 4 5 6 7 8 9 1 2 3]
`
	x := make([]float32, 12)
	for i := range x {
		x[i] = float32(i%5) / 8
	}
	for _, c := range []struct {
		name, text string
		apart      bool
	}{
		{"plain", head + "y float32[1,3,4] = MicrosoftAttention(x, w, b) {num_heads=2} @att\noutput y\n", true},
		{"causal, masked", head + "const m int32[1,3] = [1 1 0]\ny float32[1,3,4] = MicrosoftAttention(x, w, b, m) {num_heads=2 unidirectional=1 scale=0.25f} @att\noutput y\n", true},
		{"lengths", head + "const m int32[1] = [2]\ny float32[1,3,4] = MicrosoftAttention(x, w, b, m) {num_heads=2} @att\noutput y\n", false},
		{"cache", head + "y float32[1,3,4], p float32[2,1,2,3,2] = MicrosoftAttention(x, w, b) {num_heads=2} @att\noutput y\noutput p\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := ir.Parse(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if err := ir.Infer(g); err != nil {
				t.Fatal(err)
			}
			run := func() []float32 {
				out, err := ir.Eval(g, op.Of(tensor.FromSlice(x, 1, 3, 4)))
				if err != nil {
					t.Fatal(err)
				}
				return tensor.Data[float32](out[0].Tensor)
			}
			want := run()
			if got := ProjectAttention(g); got != c.apart {
				t.Fatalf("changed %v, want %v\n%s", got, c.apart, ir.Format(g))
			}
			if err := ir.Infer(g); err != nil {
				t.Fatal(err)
			}
			if err := ir.Verify(g); err != nil {
				t.Fatal(err)
			}
			for i, v := range run() {
				if !(math.Abs(float64(v-want[i])) <= 1e-5*math.Abs(float64(want[i]))) {
					t.Errorf("element %d is %v, want %v", i, v, want[i])
				}
			}
			if first := g.Nodes[0]; c.apart && (first.Op.Name() != "MatMul" || first.Name != "att") {
				t.Errorf("the first node is %s", first.Label())
			}
		})
	}
}
