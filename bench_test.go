package octavo_test

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo"
)

// counting yields samples of 64 elements that hold their number.
func counting(n int) iter.Seq2[octavo.Inputs, error] {
	return func(yield func(octavo.Inputs, error) bool) {
		for i := range n {
			x := octavo.NewTensor(slices.Repeat([]float32{float32(i)}, 64), 1, 1, 8, 8)
			if !yield(octavo.Inputs{"input": x}, nil) {
				return
			}
		}
	}
}

func TestBatchesStackSamples(t *testing.T) {
	m := demoModel(t)
	for _, c := range []struct{ samples, batch, want int }{{5, 1, 5}, {7, 3, 2}, {2, 3, 0}, {4, 4, 1}} {
		seq, err := m.Batches(counting(c.samples), c.batch)
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for in, err := range seq {
			if err != nil {
				t.Fatal(err)
			}
			x := in["input"]
			if want := []int{c.batch, 1, 8, 8}; !slices.Equal(x.Shape(), want) {
				t.Fatalf("shape %v, want %v", x.Shape(), want)
			}
			for i, v := range octavo.Data[float32](x) {
				if want := float32(got*c.batch + i/64); v != want {
					t.Fatalf("batch %d of %d samples: element %d is %v, want %v", got, c.batch, i, v, want)
				}
			}
			got++
		}
		if got != c.want {
			t.Errorf("%d samples make %d batches of %d, want %d", c.samples, got, c.batch, c.want)
		}
	}
	if err := m.Fix(nil, []string{"batch=2"}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Batches(counting(2), 2); err != nil {
		t.Errorf("the model's own batch: %v", err)
	}
	if _, err := m.Batches(counting(2), 3); err == nil || !strings.Contains(err.Error(), "fixed at 2") {
		t.Errorf("another batch than the model's: %v", err)
	}
}

// TestBenchCounts looks at what does not depend on the clock.
func TestBenchCounts(t *testing.T) {
	m := demoModel(t)
	var inputs []octavo.Inputs
	for in := range counting(3) {
		inputs = append(inputs, in)
	}
	last := 0.0
	r, err := octavo.Bench(context.Background(), []octavo.Subject{{Model: m, Inputs: inputs}, {Model: m, Inputs: inputs}},
		octavo.BenchOptions{Threads: 1, Runs: 50, Progress: func(done float64) { last = done }})
	if err != nil {
		t.Fatal(err)
	}
	if r.Schema != octavo.BenchSchema || r.Rounds != 25 || r.Threads != 1 || r.Batch != 1 || last != 1 {
		t.Errorf("got %+v, progress %v", r, last)
	}
	for i, f := range r.Models {
		if f.Runs != 50 || !(0 < f.Min && f.Min <= f.P50 && f.P50 <= f.P90 && f.P90 <= f.P99) || f.PerSecond <= 0 {
			t.Errorf("model %d: %+v", i, f)
		}
	}
	if q := r.Models[1].Ratio; r.Models[0].Ratio != nil || q == nil || !(0 < q.Lo && q.Lo <= q.Median && q.Median <= q.Hi) || q.Min <= 0 {
		t.Errorf("ratio %+v", q)
	}
	if _, err := octavo.Bench(context.Background(), []octavo.Subject{{Model: m}}, octavo.BenchOptions{}); err == nil {
		t.Error("a model without inputs was timed")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := octavo.Bench(ctx, []octavo.Subject{{Model: m, Inputs: inputs}}, octavo.BenchOptions{}); err == nil {
		t.Error("a cancelled run went on")
	}
}
