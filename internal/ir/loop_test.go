package ir_test

import (
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
)

// TestShapesInLoopsHoldForEveryTrip: a grows, b is what a was, and so on, so that
// the last of them changes its shape only in the fourth trip.
func TestShapesInLoopsHoldForEveryTrip(t *testing.T) {
	g, err := ir.Parse(`graph g
input x float32[1]
input n int64[]
p float32[...], q float32[...], r float32[...], s float32[...], k float32[...] = Loop(n, _, x, x, x, x, x)
{
  graph body
  input i int64[]
  input c bool[]
  input a float32[...]
  input b float32[...]
  input d float32[...]
  input e float32[...]
  input f float32[...]
  a1 float32[...] = Concat(a, a) {axis=0}
  b1 float32[...] = Identity(a)
  d1 float32[...] = Identity(b)
  e1 float32[...] = Identity(d)
  f1 float32[...] = Neg(f)
  output c
  output a1
  output b1
  output d1
  output e1
  output f1
}
output s
`)
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Infer(g); err != nil {
		t.Fatal(err)
	}
	for _, v := range g.Nodes[0].Bodies[0].Inputs[2:6] {
		if _, ok := v.Shape.Ints(); ok {
			t.Errorf("%q is taken for %v in every trip", v.Name, v.Shape)
		}
	}
	for _, v := range g.Nodes[0].Out[:4] {
		if _, ok := v.Shape.Ints(); ok {
			t.Errorf("%q is taken for %v", v.Name, v.Shape)
		}
	}
}
