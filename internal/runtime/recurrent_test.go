package runtime_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/op/optest"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestRecurrentKernelsEqualTheReference runs LSTMs and GRUs of all directions
// and sizes, with and without biases and initial states, and compares every bit
// with the reference meaning; nothing of them is left to that in a run.
func TestRecurrentKernelsEqualTheReference(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	random := func(shape ...int) *tensor.Tensor {
		n, _ := tensor.Count(shape)
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.NormFloat64()) / 2
		}
		return tensor.FromSlice(v, shape...)
	}
	for _, direction := range []string{"forward", "reverse", "bidirectional"} {
		for _, c := range []struct{ time, batch, features, hidden int }{{1, 1, 1, 1}, {1, 1, 40, 128}, {3, 1, 8, 200}, {7, 1, 9, 16}, {5, 3, 17, 19}, {2, 2, 64, 33}} {
			for _, gates := range []int{4, 3, -3} {
				for _, extras := range []int{0, 1, 2} {
					dirs, states := 1, 1
					if direction == "bidirectional" {
						dirs = 2
					}
					var o op.Op
					switch gates {
					case 4:
						o, states = with(op.New[op.LSTM](), func(o *op.LSTM) { o.Direction = direction }), 2
					default:
						o = with(op.New[op.GRU](), func(o *op.GRU) { o.Direction, o.LinearBeforeReset = direction, gates < 0 })
					}
					rows := max(gates, -gates) * c.hidden
					in := []*tensor.Tensor{random(c.time, c.batch, c.features), random(dirs, rows, c.features), random(dirs, rows, c.hidden)}
					if extras > 0 {
						in = append(in, random(dirs, 2*rows))
					}
					if extras > 1 {
						in = append(in, nil)
						for range states {
							in = append(in, random(dirs, c.batch, c.hidden))
						}
					}
					want, err := o.(op.Evaluator).Eval(op.Of(in...))
					if err != nil {
						t.Fatal(err)
					}
					cs := optest.Case{Op: o, In: in}
					for i := range want {
						if i > 0 && extras == 1 {
							cs.Want = append(cs.Want, nil)
							continue
						}
						cs.Want = append(cs.Want, want[i].Tensor)
					}
					g, feed := single(cs, func(i int) bool { return i == 1 || i == 2 || i == 3 })
					p, err := runtime.Compile(g, runtime.Options{Threads: 2})
					if err != nil {
						t.Fatal(err)
					}
					for range 2 {
						out, err := p.Run(context.Background(), feed)
						if err != nil {
							t.Fatal(err)
						}
						for i, v := range g.Outputs {
							if err := optest.Compare(out[v.Name], want[i].Tensor, 0); err != nil {
								t.Fatalf("%s %s %+v, %d extras, output %d: %v", o.Name(), direction, c, extras, i, err)
							}
						}
					}
					if len(p.Reference()) > 0 {
						t.Errorf("%s %s %+v runs by its reference", o.Name(), direction, c)
					}
				}
			}
		}
	}
}
