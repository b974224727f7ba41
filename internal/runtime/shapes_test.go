package runtime_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// tokens is the folder of a transformer whose batch and length are free.
const tokens = "../../../shared/fixtures/tokens_transformer"

// tokenInputs are ids of the vocabulary of 13.
func tokenInputs(g *ir.Graph, batch, length int) runtime.Tensors {
	r := rand.New(rand.NewPCG(uint64(batch), uint64(length)))
	ids := make([]int64, batch*length)
	for i := range ids {
		ids[i] = r.Int64N(13)
	}
	return runtime.Tensors{g.Inputs[0].Name: tensor.FromSlice(ids, batch, length)}
}

// TestShapesThatChange runs one program for other lengths and batches, back and
// forth: results are the reference's to the bit, and a row's do not depend on
// the rows beside it. It logs what planning a new shape took.
func TestShapesThatChange(t *testing.T) {
	for _, file := range []string{"tokens_transformer.op14.onnx", "tokens_transformer.dynamo.onnx", "ort/tokens_transformer.dynamic.s8.pc.onnx"} {
		t.Run(filepath.Base(file), func(t *testing.T) {
			g := preparedFile(t, filepath.Join(tokens, file))
			p, err := runtime.Compile(g, runtime.Options{Threads: 2})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				for _, length := range []int{1, 7, 24} {
					for _, batch := range []int{1, 3} {
						checkShape(t, g, p, batch, length)
					}
				}
			}
			t.Logf("without kernels: %v", p.Reference())
		})
	}
}

func checkShape(t *testing.T, g *ir.Graph, p *runtime.Program, batch, length int) {
	t.Helper()
	ctx := context.Background()
	in := tokenInputs(g, batch, length)
	start := time.Now()
	got, err := p.Run(ctx, in)
	first := time.Since(start)
	if err != nil {
		t.Fatalf("%d x %d: %v", batch, length, err)
	}
	start = time.Now()
	if err := p.RunInto(ctx, in, got); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d x %d: first run %v, next %v", batch, length, first, time.Since(start))
	// Products with ranges found at run time mean integers.
	integers, _ := g.Clone()
	if err := pass.FuseDynamic(integers, nil); err != nil {
		t.Fatal(err)
	}
	want, err := ir.Eval(integers, op.Of(in[g.Inputs[0].Name]))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range g.Outputs {
		if !tensor.Equal(got[v.Name], want[i].Tensor) {
			t.Errorf("%d x %d: output %q is not the reference's", batch, length, v.Name)
		}
	}
	if raceEnabled || len(p.Reference()) > 0 {
		return
	}
	if n := testing.AllocsPerRun(5, func() { err = p.RunInto(ctx, in, got) }); n != 0 || err != nil {
		t.Errorf("%d x %d: %v allocations in a repeated run, error %v", batch, length, n, err)
	}
}

// BenchmarkNewShape is what a run costs whose shape was not seen, planning
// included, beside one of a shape that was.
func BenchmarkNewShape(b *testing.B) {
	for _, known := range []bool{false, true} {
		b.Run(fmt.Sprintf("known=%v", known), func(b *testing.B) {
			g := preparedFile(b, filepath.Join(tokens, "tokens_transformer.op14.onnx"))
			p, err := runtime.Compile(g, runtime.Options{Threads: 1})
			if err != nil {
				b.Fatal(err)
			}
			n := 0
			for b.Loop() {
				length := 24
				if !known {
					// More lengths than a program remembers plans for.
					length = 8 + n%16
					n++
				}
				if _, err := p.Run(context.Background(), tokenInputs(g, 1, length)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
