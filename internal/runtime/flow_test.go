package runtime_test

import (
	"context"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestSequencesAreRefused: a program that could only fail when it runs is not
// made, and the error names the value.
func TestSequencesAreRefused(t *testing.T) {
	g, err := ir.Parse("graph g\ninput x float32[2]\nconst i int64[] = [0]\nlist seq(float32[2]) = SequenceConstruct(x, x)\ny float32[2] = SequenceAt(list, i)\noutput y\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := runtime.Compile(g, runtime.Options{}); err == nil || !strings.Contains(err.Error(), `value "list" is a sequence`) {
		t.Errorf("got %v", err)
	}
}

// TestBodiesRun: a Loop doubles its value three times.
func TestBodiesRun(t *testing.T) {
	g, err := ir.Parse(`graph g
input x float32[2]
const n int64[] = [3]
y float32[2] = Loop(n, _, x)
{
  graph body
  input i int64[]
  input c bool[]
  input v float32[2]
  w float32[2] = Add(v, v)
  output c
  output w
}
output y
`)
	if err != nil {
		t.Fatal(err)
	}
	p, err := runtime.Compile(g, runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Run(context.Background(), runtime.Tensors{"x": tensor.FromSlice([]float32{1, -2}, 2)})
	if err != nil {
		t.Fatal(err)
	}
	if got := tensor.Data[float32](out["y"]); got[0] != 8 || got[1] != -16 {
		t.Errorf("got %v, want [8 -16]", got)
	}
}
