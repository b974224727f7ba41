package quant

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/metric"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// normed is a normalization of which one channel is far greater than the others,
// the layer behind it, whose weights are small there, and what is to follow.
func normed(t *testing.T, end string) *ir.Graph {
	t.Helper()
	const channels, outputs = 16, 4
	rng := rand.New(rand.NewPCG(5, 6))
	gain, shift, w := make([]float32, channels), make([]float32, channels), make([]float32, channels*outputs)
	for c := range channels {
		gain[c], shift[c] = float32(1+0.1*rng.NormFloat64()), float32(0.1*rng.NormFloat64())
		for m := range outputs {
			w[c*outputs+m] = float32(rng.NormFloat64())
		}
	}
	gain[3] *= 100
	for m := range outputs {
		w[3*outputs+m] /= 100
	}
	list := func(x []float32) string { return strings.Trim(fmt.Sprint(x), "[]") }
	g, err := ir.Parse("graph net\ninput x float32[32,16]\nconst gain float32[16] = [" + list(gain) + "]\nconst shift float32[16] = [" + list(shift) +
		"]\nconst w float32[16,4] = [" + list(w) + "]\nn float32[32,16] = LayerNormalization(x, gain, shift) @norm\ny float32[32,4] = MatMul(n, w)\n" + end)
	if err == nil {
		err = ir.Infer(g)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// results runs a graph on seeded numbers.
func results(t *testing.T, g *ir.Graph) []float32 {
	t.Helper()
	x, rng := tensor.New(dtype.Float32, 32, 16), rand.New(rand.NewPCG(7, 8))
	for i := range tensor.Data[float32](x) {
		tensor.Data[float32](x)[i] = float32(rng.NormFloat64())
	}
	p, err := runtime.Compile(g, runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Run(context.Background(), runtime.Tensors{"x": x})
	if err != nil {
		t.Fatal(err)
	}
	return tensor.Data[float32](out["y"])
}

// dynamically quantizes in mode dynamic and returns what comes before the rounding,
// and behind it.
func dynamically(t *testing.T, g *ir.Graph, r Recipe) (smoothed, out *ir.Graph) {
	t.Helper()
	r.Mode = Dynamic
	pl, err := Place(g, &r)
	if err != nil {
		t.Fatal(err)
	}
	smoothed, pl, err = Smooth(g, pl, &r)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := makePlan(smoothed, pl, Statistics{}, &r, newWeights(false), 1)
	if err == nil {
		out, err = Apply(smoothed, plan)
	}
	if err == nil {
		err = ir.Infer(out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return smoothed, out
}

// TestSmoothWithoutSamples: an outlier that the gain of a normalization makes goes
// into the weights, the float model computes the same, and the dynamic one loses
// much less.
func TestSmoothWithoutSamples(t *testing.T) {
	g := normed(t, "output y\n")
	want := results(t, g)
	sqnr := func(got []float32) float64 {
		var e metric.Error
		e.Add(want, got)
		return e.SQNR()
	}
	same, plain := dynamically(t, g, Recipe{Algorithms: []string{NoAlgorithm}})
	if same != g {
		t.Error("algorithm none changes the model")
	}
	smoothed, better := dynamically(t, g, Recipe{})
	if smoothed == g {
		t.Fatal("nothing was smoothed")
	}
	if db := sqnr(results(t, smoothed)); db < 100 {
		t.Errorf("the float model is %.1f dB from what it was", db)
	}
	if a, b := sqnr(results(t, plain)), sqnr(results(t, better)); b < a+15 {
		t.Errorf("%.1f dB without smoothing, %.1f with it", a, b)
	}
	if same, _ := dynamically(t, g, Recipe{Effort: new(int)}); same != g {
		t.Error("effort 0 changes the model")
	}
	// What costs the model another normalization is left.
	shared := normed(t, "const u float32[4,16] = ["+strings.Repeat("1 ", 64)+"]\nk float32[32,16] = MatMul(y, u)\nz float32[32,16] = Add(k, n)\noutput y\noutput z\n")
	if same, _ := dynamically(t, shared, Recipe{}); same != shared {
		t.Error("a normalization that others read was smoothed")
	}
}

func TestAlgorithmsOfModeDynamic(t *testing.T) {
	r := Recipe{Mode: Dynamic, Algorithms: []string{"gptq"}}
	err := func() error { _, err := r.resolve(); return err }()
	if err == nil || diag.ExitCode(err) != 2 || !strings.Contains(err.Error(), "gptq") || !slices.ContainsFunc(diag.Notes(err), func(n string) bool { return strings.Contains(n, "smooth") }) {
		t.Errorf("got %v, notes %q", err, diag.Notes(err))
	}
	for _, a := range []string{"smooth", NoAlgorithm} {
		r.Algorithms = []string{a}
		if _, err := r.resolve(); err != nil {
			t.Errorf("%s: %v", a, err)
		}
	}
}

// TestSmallTablesStayFloat: rows of a table are integers where it is large, or
// where a recipe asks for it.
func TestSmallTablesStayFloat(t *testing.T) {
	for _, c := range []struct {
		rows  int
		asked bool
		want  int
	}{{leastTable/8 - 1, false, 0}, {leastTable / 8, false, 1}, {leastTable/8 - 1, true, 1}} {
		g, err := ir.Parse(fmt.Sprintf("graph net\ninput i int64[4]\nconst t float32[%d,8] = [%s]\ny float32[4,8] = Gather(t, i)\noutput y\n", c.rows, strings.Repeat("1 ", 8*c.rows)))
		if err == nil {
			err = ir.Infer(g)
		}
		if err != nil {
			t.Fatal(err)
		}
		r := Recipe{Mode: Dynamic}
		if c.asked {
			r.Overrides = []Override{{Match: "op:Gather", Precision: "dynamic"}}
		}
		pl, err := Place(g, &r)
		if err != nil {
			t.Fatal(err)
		}
		if len(pl.Nodes) != c.want {
			t.Errorf("%+v: %d nodes are quantized", c, len(pl.Nodes))
		}
	}
}

// TestEmptyWeightsInModeDynamic: weights and tables without elements are placed as
// any others are.
func TestEmptyWeightsInModeDynamic(t *testing.T) {
	for _, text := range []string{
		"input x float32[2,2]\nconst w float32[2,0] = []\ny float32[2,0] = MatMul(x, w)\n",
		"input x float32[2,0]\nconst w float32[0,3] = []\ny float32[2,3] = MatMul(x, w)\n",
		"input i int64[0]\nconst w float32[0,3] = []\ny float32[0,3] = Gather(w, i)\n",
	} {
		g, err := ir.Parse("graph g\n" + text + "output y\n")
		if err == nil {
			err = ir.Infer(g)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, asked := range [][]Override{nil, {{Match: "op:*", Precision: "dynamic"}}} {
			r := Recipe{Mode: Dynamic, Overrides: asked}
			pl, err := Place(g, &r)
			if err == nil {
				_, _, err = Smooth(g, pl, &r)
			}
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
		}
	}
}
