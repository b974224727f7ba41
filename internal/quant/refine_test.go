package quant

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/quant/algo"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// dense is a chain of products of rows, whose biases are added behind them as
// transformers are exported.
func dense(t *testing.T, layers, width int) (*ir.Graph, []runtime.Tensors) {
	t.Helper()
	rng := rand.New(rand.NewPCG(23, 29))
	numbers := func(n int, spread float64) string {
		s := make([]string, n)
		for i := range s {
			s[i] = fmt.Sprint(float32(rng.NormFloat64() * spread))
		}
		return strings.Join(s, " ")
	}
	var text strings.Builder
	fmt.Fprintf(&text, "graph dense\ninput x float32[1,5,%d]\n", width)
	from := "x"
	for k := range layers {
		fmt.Fprintf(&text, "const w%d float32[%d,%d] = [%s]\nconst b%d float32[%d] = [%s]\n", k, width, width, numbers(width*width, math.Sqrt(2/float64(width))), k, width, numbers(width, 0.3))
		fmt.Fprintf(&text, "m%d float32[1,5,%d] = MatMul(%s, w%d)\na%d float32[1,5,%d] = Add(m%d, b%d)\nr%d float32[1,5,%d] = Relu(a%d)\n", k, width, from, k, k, width, k, k, k, width, k)
		from = fmt.Sprintf("r%d", k)
	}
	fmt.Fprintf(&text, "output %s\n", from)
	g, err := ir.Parse(text.String())
	if err == nil {
		err = ir.Infer(g)
	}
	if err != nil {
		t.Fatal(err)
	}
	var samples []runtime.Tensors
	for range 24 {
		x := tensor.New(dtype.Float32, 1, 5, width)
		for i := range tensor.Data[float32](x) {
			tensor.Data[float32](x)[i] = float32(rng.NormFloat64())
		}
		samples = append(samples, runtime.Tensors{"x": x})
	}
	return g, samples
}

// TestRefineKeepsTheFloatGraphsMeaning: biases behind their products are
// corrected towards what the float graph computed before any was changed, so
// that outputs come nearer in a deep network, too.
func TestRefineKeepsTheFloatGraphsMeaning(t *testing.T) {
	g, samples := dense(t, 10, 16)
	r := &Recipe{Weights: Weights{DType: "int4"}, Activations: Activations{Observer: "minmax"}, Algorithms: []string{algo.Correcting}}
	r.Target = "generic"
	s, err := r.resolve()
	if err != nil {
		t.Fatal(err)
	}
	pl, err := Place(g, r)
	if err != nil {
		t.Fatal(err)
	}
	cal := calibrated(t, g, pl, samples)
	known := newWeights(true)
	plan, err := makePlan(g, pl, cal.Stats, r, known, 1)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := score(context.Background(), g, plan, cal.Kept, 1)
	if err != nil {
		t.Fatal(err)
	}
	changed, _ := g.Clone()
	if err := refine(context.Background(), s, changed, plan, samples, s.algorithms, 1, nil); err != nil {
		t.Fatal(err)
	}
	if plan, err = makePlan(changed, pl, cal.Stats, r, known, 1); err != nil {
		t.Fatal(err)
	}
	corrected, err := score(context.Background(), changed, plan, cal.Kept, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("plain rounding %.2f dB, corrected %.2f dB", plain, corrected)
	if corrected < plain+1 {
		t.Errorf("bias correction: %.2f dB, plain rounding %.2f dB; want 1 dB more", corrected, plain)
	}
}
