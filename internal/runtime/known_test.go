package runtime_test

import (
	"context"
	"slices"
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

// TestWeightsOfBodiesArePackedOnce: for all trips, and for inputs of all sizes.
func TestWeightsOfBodiesArePackedOnce(t *testing.T) {
	g := parsed(t, `graph g
input x float32[n,2]
const w float32[2,2] = [1 2 -1 0.5]
const n int64[] = [3]
y float32[n,2] = Loop(n, _, x; w)
{
  graph body
  input i int64[]
  input c bool[]
  input v float32[n,2]
  input w float32[2,2]
  p float32[n,2] = MatMul(v, w)
  output c
  output p
}
output y
`)
	p, err := runtime.Compile(g, runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 4, 7} {
		in := wave(n, 2)
		want, err := ir.Eval(g, op.Of(in))
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Run(context.Background(), runtime.Tensors{"x": in})
		if err != nil {
			t.Fatal(err)
		}
		if !same(op.Datum{Tensor: out["y"]}, want[0]) {
			t.Errorf("%d rows: %v, want %v", n, text(op.Datum{Tensor: out["y"]}), text(want[0]))
		}
	}
	if n := p.Packed(); n != 1 {
		t.Errorf("%d weights are packed, want 1", n)
	}
}

// TestBranchesThatShapesDecide: plans hold the nodes of the branch that their
// shapes take, and no If.
func TestBranchesThatShapesDecide(t *testing.T) {
	at := slices.IndexFunc(flowCases, func(c flowCase) bool { return c.name == "a convolution in a branch that the shape decides" })
	p, err := runtime.Compile(parsed(t, flowCases[at].graph), runtime.Options{NoFusion: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, relu := range []bool{false, true} {
		if _, err := p.Run(context.Background(), runtime.Tensors{"x": flowCases[at].in[i][0].Tensor}); err != nil {
			t.Fatal(err)
		}
		if s := p.Steps(); slices.Contains(s, "If") || slices.Contains(s, "Relu") != relu {
			t.Errorf("%v: the steps are %v", flowCases[at].in[i][0].Tensor, s)
		}
	}
}
