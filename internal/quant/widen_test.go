package quant

import (
	"context"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/quant/algo"
)

// TestWidenWhereItPays: some activations have 16 bits, at most a quarter, and
// other samples come out nearer; the choice does not depend on the threads.
func TestWidenWhereItPays(t *testing.T) {
	g := separable(t)
	samples := images(60)
	recipe := func(algorithms ...string) *Recipe {
		return &Recipe{Activations: Activations{Observer: "minmax"}, Algorithms: algorithms}
	}
	pl, err := Place(g, recipe(algo.Widening))
	if err != nil {
		t.Fatal(err)
	}
	cal := calibrated(t, g, pl, samples[:20])
	others := calibrated(t, g, pl, samples[20:]).Kept
	reached := func(r *Recipe, threads int) (*Improved, float64, string) {
		imp, err := Improve(context.Background(), g, pl, cal, r, threads, nil)
		if err != nil {
			t.Fatal(err)
		}
		q, err := Apply(imp.Graph, imp.Plan)
		if err != nil {
			t.Fatal(err)
		}
		sqnr, err := score(context.Background(), imp.Graph, imp.Plan, others, threads)
		if err != nil {
			t.Fatal(err)
		}
		return imp, sqnr, ir.Format(q)
	}
	_, plain, _ := reached(recipe(algo.GPTQ), 1)
	imp, sqnr, text := reached(recipe(algo.GPTQ, algo.Widening), 1)
	wide, narrow := 0, 0
	for i, pt := range imp.Plan.Points {
		if pt.Role != Activation || !imp.Plan.Params[i].Present() {
			continue
		}
		switch pt.Type {
		case dtype.Uint16:
			wide++
		case dtype.Uint8:
			narrow++
		}
	}
	if !slices.Contains(imp.Ran, algo.Widening) || wide == 0 || wide > (wide+narrow)/widest+1 {
		t.Errorf("%v ran; %d activations of 16 bits, %d of 8", imp.Ran, wide, narrow)
	}
	if sqnr < plain+1 {
		t.Errorf("%.2f dB with %d wide activations, %.2f without", sqnr, wide, plain)
	}
	if _, _, again := reached(recipe(algo.GPTQ, algo.Widening), 3); again != text {
		t.Error("three threads give another graph than one")
	}
}

// TestWidenStaysWithinTheTarget: a target without activations of 16 bits has
// none, and says so where they are asked for by name.
func TestWidenStaysWithinTheTarget(t *testing.T) {
	three := 3
	use, err := (&Recipe{Target: "tensorrt", Effort: &three}).AlgorithmsUsed()
	if err != nil || slices.Contains(use, algo.Widening) || !slices.Contains(use, algo.GPTQ) {
		t.Errorf("effort 3 uses %v (%v)", use, err)
	}
	err = (&Recipe{Target: "tensorrt", Algorithms: []string{algo.Widening}}).Check()
	if want := "algorithm widen: target tensorrt takes no activations of 16 bits"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
}

// TestWideActivationsAreAsTheTargetTakesThem: litert takes int16 around 0 alone,
// where its int8 has any zero point.
func TestWideActivationsAreAsTheTargetTakesThem(t *testing.T) {
	g := separable(t)
	r := &Recipe{Target: "litert", Activations: Activations{Observer: "minmax"}}
	pl, err := Place(g, r)
	if err != nil {
		t.Fatal(err)
	}
	cal := calibrated(t, g, pl, images(20))
	plan, err := MakePlan(g, pl, cal.Stats, r)
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.resolve()
	if err != nil {
		t.Fatal(err)
	}
	found := s.wider(g, pl, plan)
	if plan, err = MakePlan(g, widened(pl, found), cal.Stats, r); err != nil {
		t.Fatal(err)
	}
	wide := 0
	for i, pt := range plan.Points {
		if p := plan.Params[i]; pt.Role == Activation && p.Type == dtype.Int16 {
			if wide++; p.Zero(0) != 0 {
				t.Errorf("%s has zero point %d", pt.Value, p.Zero(0))
			}
		}
	}
	if wide == 0 {
		t.Errorf("no activation can have 16 bits, of %d", len(found))
	}
}
