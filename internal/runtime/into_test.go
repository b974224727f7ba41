package runtime_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestWarmRunsAllocateNothing runs the fixtures into given outputs. Where a
// step has no kernel its operator allocates; networks that have none must not.
func TestWarmRunsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	files, _ := filepath.Glob("../../../shared/fixtures/digits_*/*.op13.onnx")
	more, _ := filepath.Glob("../../../shared/fixtures/digits_*/ort/*.qdq.u8s8.pc.minmax.onnx")
	if files = append(files, more...); len(files) == 0 {
		t.Skip("the fixtures are not here")
	}
	clean := map[string]bool{}
	for _, file := range files {
		g := preparedFile(t, file)
		for _, threads := range []int{1, 2} {
			in := inputsFor(t, g)
			p, err := runtime.Compile(g, runtime.Options{Threads: threads})
			if err != nil {
				continue
			}
			out, err := p.Run(context.Background(), in)
			if err != nil {
				t.Fatal(err)
			}
			n := testing.AllocsPerRun(20, func() {
				if err := p.RunInto(context.Background(), in, out); err != nil {
					t.Fatal(err)
				}
			})
			name := fmt.Sprintf("%s, %d threads", filepath.Base(file), threads)
			slow := p.Reference()
			if len(slow) == 0 && n != 0 {
				t.Errorf("%s: %v allocations a run", name, n)
			}
			t.Logf("%s: %v allocations, without kernels: %v", name, n, slow)
			clean[filepath.Base(file)] = len(slow) == 0
		}
	}
	if !clean["digits_mlp.op13.onnx"] || !clean["digits_mlp.qdq.u8s8.pc.minmax.onnx"] {
		t.Error("digits_mlp should run by kernels alone")
	}
}

// TestRunInto: given tensors hold what Run returns, and wrong ones are refused.
func TestRunInto(t *testing.T) {
	g, err := ir.Parse("graph g\ninput x float32[n,3]\nconst c float32[3] = [1 2 3]\na float32[...] = Add(x, c)\nb float32[...] = Relu(a)\nd float32[...] = Neg(b)\nconst s int64[1] = [-1]\ne float32[...] = Reshape(d, s)\noutput a\noutput b\noutput d\noutput e\noutput x\noutput c\n")
	if err != nil {
		t.Fatal(err)
	}
	p, err := runtime.Compile(g, runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for _, n := range []int{2, 5, 2} {
		x := make([]float32, 3*n)
		for i := range x {
			x[i] = float32(i%7) - 3
		}
		in := runtime.Tensors{"x": tensor.FromSlice(x, n, 3)}
		want, err := p.Run(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		out := runtime.Tensors{}
		for name, w := range want {
			out[name] = tensor.New(w.Type(), w.Shape()...)
		}
		if err := p.RunInto(ctx, in, out); err != nil {
			t.Fatal(err)
		}
		for name, w := range want {
			if !tensor.Equal(out[name], w) {
				t.Errorf("%s is %v, want %v", name, tensor.Data[float32](out[name]), tensor.Data[float32](w))
			}
			if &tensor.Data[float32](w)[0] == &x[0] {
				t.Errorf("%s shares the input's memory", name)
			}
		}
		out["b"] = tensor.New(out["b"].Type(), 7)
		if err := p.RunInto(ctx, in, out); err == nil {
			t.Error("an output of the wrong shape was taken")
		}
		delete(out, "b")
		if err := p.RunInto(ctx, in, out); err == nil {
			t.Error("a missing output was taken")
		}
	}
}
