package quant

import (
	"context"
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/metric"
	"github.com/octavo-ml/octavo/internal/quant/calibrate"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// candidates are the range methods that the auto observer tries. The first is
// taken unless another is better by minGain: smaller gains on calibration
// samples do not carry over to other data.
var candidates = []string{"minmax", "mse", "error4", "percentile:99.99", "percentile:99.9"}

// minGain is in dB.
const minGain = 0.5

// KeptSamples is how many samples the choice is made on. Where algorithms ran on
// more, as they are small, all candidates together run on as many.
const KeptSamples = 16

// Trial is what one method came to on the kept samples.
type Trial struct {
	Observer string
	SQNR     float64 // of the outputs, in dB
}

// Choose returns the plan for g. With the auto observer it makes one for each
// candidate, runs it over the kept samples, and takes the one whose outputs
// are nearest to the float graph's.
func Choose(ctx context.Context, g *ir.Graph, pl *Placement, cal *calibrate.Result, r *Recipe, threads int) (*Plan, []Trial, error) {
	s, err := r.resolve()
	if err != nil {
		return nil, nil, err
	}
	if !s.auto || len(cal.Kept) == 0 {
		plan, err := MakePlan(g, pl, cal.Stats, r)
		return plan, nil, err
	}
	plan, trials, _, err := choose(ctx, g, pl, cal.Stats, spread(cal.Kept, KeptSamples), r, newWeights(true), threads)
	return plan, trials, err
}

// choose tries the candidates on kept samples, and returns the observer that
// was taken, too.
func choose(ctx context.Context, g *ir.Graph, pl *Placement, stats Statistics, kept []calibrate.Kept, r *Recipe, known *weights, threads int) (*Plan, []Trial, string, error) {
	var best *Plan
	observer := candidates[0]
	var trials []Trial
	bar := 0.0
	for i, c := range candidates {
		// Each program holds packed weights; the one before must be gone first.
		release(g)
		try := *r
		try.Activations.Observer = c
		plan, err := makePlan(g, pl, stats, &try, known, threads)
		if err != nil {
			return nil, nil, "", err
		}
		sqnr, err := score(ctx, g, plan, kept, threads)
		if err != nil {
			return nil, nil, "", fmt.Errorf("trying observer %s: %w", c, err)
		}
		trials = append(trials, Trial{c, sqnr})
		if i == 0 {
			best, bar = plan, sqnr+minGain
		} else if sqnr >= bar {
			best, bar, observer = plan, sqnr, c
		}
	}
	release(g)
	return best, trials, observer, nil
}

// spread returns at most n samples, spread over all.
func spread(kept []calibrate.Kept, n int) []calibrate.Kept {
	if len(kept) <= n {
		return kept
	}
	var out []calibrate.Kept
	for i := range n {
		out = append(out, kept[i*len(kept)/n])
	}
	return out
}

// score runs a plan over samples and measures the outputs against the float
// graph's.
func score(ctx context.Context, g *ir.Graph, plan *Plan, kept []calibrate.Kept, threads int) (float64, error) {
	q, err := Apply(g, plan)
	if err != nil {
		return 0, err
	}
	prog, err := runtime.Compile(q, runtime.Options{Threads: threads})
	if err != nil {
		return 0, err
	}
	var e metric.Error
	for _, s := range kept {
		out, err := prog.Run(ctx, s.In)
		if err != nil {
			return 0, err
		}
		for _, v := range g.Outputs {
			if v.Type == dtype.Float32 {
				e.Add(tensor.Data[float32](s.Out[v.Name]), tensor.Data[float32](out[v.Name]))
			}
		}
	}
	return e.SQNR(), nil
}
