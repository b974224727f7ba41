package quant

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/quant/algo"
	"github.com/octavo-ml/octavo/internal/quant/calibrate"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// separable is a small network of the kind that plain rounding hurts: a dense
// convolution, a depthwise one whose channels differ in size, a residual sum
// and a product without a bias.
func separable(t *testing.T) *ir.Graph {
	t.Helper()
	rng := rand.New(rand.NewPCG(11, 13))
	numbers := func(n int, scale func(i int) float64) string {
		s := make([]string, n)
		for i := range s {
			s[i] = fmt.Sprint(float32(rng.NormFloat64() * scale(i)))
		}
		return strings.Join(s, " ")
	}
	one := func(int) float64 { return 1 }
	size := []float64{1, 0.01, 3, 0.2}
	text := "graph net\ninput x float32[1,2,6,6]\n" +
		"const w float32[4,2,3,3] = [" + numbers(72, func(i int) float64 { return size[i/18] }) + "]\nconst b float32[4] = [" + numbers(4, one) + "]\n" +
		"c float32[1,4,6,6] = Conv(x, w, b) {pads=i[1 1 1 1]}\nr float32[1,4,6,6] = Relu(c)\n" +
		"const v float32[4,1,3,3] = [" + numbers(36, func(i int) float64 { return 1 / size[i/9] }) + "]\n" +
		"d float32[1,4,6,6] = Conv(r, v) {group=4, pads=i[1 1 1 1]}\n" +
		"const u float32[4,4,1,1] = [" + numbers(16, one) + "]\ne float32[1,4,6,6] = Conv(d, u)\n" +
		"s float32[1,4,6,6] = Add(e, d)\ng float32[1,4,1,1] = GlobalAveragePool(s)\nf float32[1,4] = Flatten(g)\n" +
		"const p float32[4,3] = [" + numbers(12, one) + "]\ny float32[1,3] = MatMul(f, p)\noutput y\n"
	g, err := ir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Infer(g); err != nil {
		t.Fatal(err)
	}
	return g
}

func images(n int) []runtime.Tensors {
	rng := rand.New(rand.NewPCG(17, 19))
	var out []runtime.Tensors
	for range n {
		x := tensor.New(dtype.Float32, 1, 2, 6, 6)
		for i := range tensor.Data[float32](x) {
			tensor.Data[float32](x)[i] = float32(1 + rng.NormFloat64())
		}
		out = append(out, runtime.Tensors{"x": x})
	}
	return out
}

// calibrated observes what pl wants to know, and keeps all samples.
func calibrated(t *testing.T, g *ir.Graph, pl *Placement, samples []runtime.Tensors) *calibrate.Result {
	t.Helper()
	res, err := calibrate.Run(context.Background(), g, pl.Watched(), func(yield func(runtime.Tensors, error) bool) {
		for _, s := range samples {
			if !yield(s, nil) {
				return
			}
		}
	}, calibrate.Options{Threads: 2, Histogram: true, Keep: len(samples)})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// TestImproveNearsTheFloatGraph: each algorithm alone and all together bring
// the outputs of other samples nearer, whatever the threads, and leave the
// graph they were given alone.
func TestImproveNearsTheFloatGraph(t *testing.T) {
	g := separable(t)
	before := ir.Format(g)
	pl, err := Place(g, &Recipe{})
	if err != nil {
		t.Fatal(err)
	}
	samples := images(60)
	cal := calibrated(t, g, pl, samples[:20])
	others := calibrated(t, g, pl, samples[20:]).Kept
	plainly := Recipe{Activations: Activations{Observer: "minmax"}, Algorithms: []string{NoAlgorithm}}
	plan, err := MakePlan(g, pl, cal.Stats, &plainly)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := score(context.Background(), g, plan, others, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		use  []string
		gain float64
	}{
		{[]string{algo.Correcting}, 0.2}, {[]string{algo.Equalizing}, 1}, {[]string{algo.GPTQ}, 0}, {[]string{algo.GPTQ, algo.Correcting, algo.Equalizing}, 3},
	} {
		r := Recipe{Activations: Activations{Observer: "minmax"}, Algorithms: c.use}
		var first string
		for _, threads := range []int{1, 3} {
			imp, err := Improve(context.Background(), g, pl, cal, &r, threads, nil)
			if err != nil {
				t.Fatalf("%v: %v", c.use, err)
			}
			q, err := Apply(imp.Graph, imp.Plan)
			if err != nil {
				t.Fatal(err)
			}
			if text := ir.Format(q); first == "" {
				first = text
			} else if text != first {
				t.Errorf("%v: %d threads give another graph", c.use, threads)
			}
			if !slices.Equal(sorted(imp.Ran), sorted(c.use)) {
				t.Errorf("%v: %v ran", c.use, imp.Ran)
			}
			sqnr, err := score(context.Background(), imp.Graph, imp.Plan, others, 1)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%v: %.1f dB, plainly %.1f dB", c.use, sqnr, plain)
			if sqnr < plain+c.gain {
				t.Errorf("%v: %.1f dB, want %.1f dB more than %.1f dB", c.use, sqnr, c.gain, plain)
			}
		}
	}
	if ir.Format(g) != before {
		t.Error("the graph that was given has changed")
	}
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

// TestStreamIsTheWholeRun: run in pieces, a quantized graph gives the values
// that it gives at once.
func TestStreamIsTheWholeRun(t *testing.T) {
	g := separable(t)
	pl, err := Place(g, &Recipe{})
	if err != nil {
		t.Fatal(err)
	}
	samples := images(3)
	cal := calibrated(t, g, pl, samples)
	plan, err := MakePlan(g, pl, cal.Stats, &Recipe{Algorithms: []string{NoAlgorithm}})
	if err != nil {
		t.Fatal(err)
	}
	q, err := Apply(g, plan)
	if err != nil {
		t.Fatal(err)
	}
	prog, err := runtime.Compile(q, runtime.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []int{1, 3, 100} {
		s := newStream(q, q.Nodes, samples, 2)
		got := make([]*tensor.Tensor, len(samples))
		for s.at < len(s.nodes) {
			end := min(s.at+step, len(s.nodes))
			var extra []*ir.Value
			if end == len(s.nodes) {
				extra = q.Outputs
			}
			if err := s.advance(context.Background(), end, extra, func(i int, out runtime.Tensors) error {
				got[i] = out["y"]
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		for i, in := range samples {
			want, err := prog.Run(context.Background(), in)
			if err != nil {
				t.Fatal(err)
			}
			if got[i] == nil || !tensor.Equal(got[i], want["y"]) {
				t.Errorf("pieces of %d nodes, sample %d: %v, at once %v", step, i, got[i], want["y"])
			}
			if len(s.live[i]) != 0 {
				t.Errorf("pieces of %d nodes: %d values are still held at the end", step, len(s.live[i]))
			}
		}
	}
}

// TestPicksAreSpread: all places where there are few, else as many different
// ones as can be had, over the whole range.
func TestPicksAreSpread(t *testing.T) {
	if got := picks(5, 3, 9); !slices.Equal(got, []int{0, 1, 2, 3, 4}) {
		t.Errorf("got %v", got)
	}
	for sample := range 4 {
		got := sortedInts(picks(10000, sample, 100))
		if n := len(slices.Compact(slices.Clone(got))); n != 100 {
			t.Errorf("%d different places", n)
		}
		for i := range 10 {
			if !slices.ContainsFunc(got, func(p int) bool { return p/1000 == i }) {
				t.Errorf("sample %d: none of %v is in %d to %d", sample, got, 1000*i, 1000*i+999)
			}
		}
	}
}

func sortedInts(s []int) []int { return slices.Sorted(slices.Values(s)) }

// TestAlgorithmWords: what cannot be is refused.
func TestAlgorithmWords(t *testing.T) {
	five := 5
	for name, r := range map[string]Recipe{
		"two":    {Algorithms: []string{NoAlgorithm, "gptq"}},
		"parity": {Algorithms: []string{"gptq"}, Parity: "onnxruntime"},
		"effort": {Effort: &five},
		"word":   {Algorithms: []string{"gtpq"}},
	} {
		if err := r.Check(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
