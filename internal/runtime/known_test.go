package runtime_test

import (
	"context"
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/runtime"
)

// TestWeightsThatFollowFromShapes: what is packed for one shape of the inputs is
// not used for another, in the graph and in bodies.
func TestWeightsThatFollowFromShapes(t *testing.T) {
	const weight = `s int64[2] = Shape(x)
  f float32[2] = Cast(s) {to="float32"}
  const two int64[2] = [2 1]
  w float32[2,1] = Reshape(f, two)
`
	for name, source := range map[string]string{
		"graph":          "graph g\ninput x float32[n,2]\n" + weight + "y float32[n,1] = MatMul(x, w)\noutput y\n",
		"body":           "graph g\ninput x float32[n,2]\ninput c bool[]\ny float32[n,1] = If(c; x)\n{\n  graph a\n  input x float32[n,2]\n  " + weight + "  y float32[n,1] = MatMul(x, w)\n  output y\n}\n{\n  graph b\n  input x float32[n,2]\n  const o int64[1] = [1]\n  const z int64[1] = [0]\n  y float32[n,1] = Slice(x, z, o, o)\n  output y\n}\noutput y\n",
		"captured shape": "graph g\ninput x float32[n,2]\ninput c bool[]\ns int64[2] = Shape(x)\ny float32[n,1] = If(c; x, s)\n{\n  graph a\n  input x float32[n,2]\n  input s int64[2]\n  f float32[2] = Cast(s) {to=\"float32\"}\n  const two int64[2] = [2 1]\n  w float32[2,1] = Reshape(f, two)\n  y float32[n,1] = MatMul(x, w)\n  output y\n}\n{\n  graph b\n  input x float32[n,2]\n  input s int64[2]\n  const o int64[1] = [1]\n  const z int64[1] = [0]\n  y float32[n,1] = Slice(x, z, o, o)\n  output y\n}\noutput y\n",
	} {
		g := parsed(t, source)
		p, err := runtime.Compile(g, runtime.Options{AnyKind: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{3, 5, 3} {
			in := op.Of(wave(n, 2))
			if len(g.Inputs) > 1 {
				in = append(in, op.Datum{Tensor: boolean(true)})
			}
			want, err := ir.Eval(g, in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.RunData(context.Background(), in)
			if err != nil {
				t.Fatal(err)
			}
			if !same(got[0], want[0]) {
				t.Errorf("%s: of %d rows: %v, want %v", name, n, text(got[0]), text(want[0]))
			}
		}
	}
}
