package octavo

import (
	"context"
	"fmt"
	"iter"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/octavo-ml/octavo/internal/cpu"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/metric"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// BenchSchema names the layout of a BenchResult as JSON. Fields are added
// under the same name; a change of meaning is a new one.
const BenchSchema = "octavo.bench/1"

// Subject is a model to time and the inputs that it is run on, one after the
// other and then from the first again.
type Subject struct {
	Model  *Model
	Inputs []Inputs
}

// BenchOptions says how long models are timed.
type BenchOptions struct {
	// Threads of one run; 0 is one for each processor.
	Threads int
	// Batch is how many samples one run takes; 0 is 1. It counts samples per
	// second and changes no input: Batches does.
	Batch int
	// Runs is how often each model is run; 0: for Seconds.
	Runs int
	// Seconds is how long each model is run; 0 is 2.
	Seconds float64
	// PackCache is the folder of the option PackCache; "" for none.
	PackCache string
	// Compile are more options of the programs.
	Compile []CompileOption
	// Seed is that of bootstrap intervals.
	Seed uint64
	// Progress is called after each round with the share that is done, up to 1.
	Progress func(done float64)
	// Measure returns the footprint of the model at path; nil leaves it out.
	Measure func(path string) (Footprint, error)
}

// BenchResult is how fast models run in this engine on this processor.
type BenchResult struct {
	Schema  string `json:"schema"`
	Threads int    `json:"threads"`
	Batch   int    `json:"batch"`
	// ISA is the instruction set in use, as OCTAVO_ISA names it.
	ISA string `json:"isa"`
	// Arithmetic is the type in which floats are multiplied, float32 or
	// bfloat16.
	Arithmetic string `json:"arithmetic"`
	// Rounds is how often the models took turns.
	Rounds int           `json:"rounds"`
	Models []BenchFigure `json:"models"`
	// Warnings are those of the programs.
	Warnings []Warning `json:"-"`
}

// BenchFigure is what was measured of one model: times of one warm run in
// seconds, quantiles by nearest rank.
type BenchFigure struct {
	Name  string  `json:"name"`
	Bytes int64   `json:"bytes"`
	Runs  int     `json:"runs"`
	Min   float64 `json:"latency_min_s"`
	P50   float64 `json:"latency_p50_s"`
	P90   float64 `json:"latency_p90_s"`
	P99   float64 `json:"latency_p99_s"`
	// PerSecond is samples per second over all runs.
	PerSecond float64 `json:"samples_per_second"`
	// Ratio is this model's time over the first one's; nil for the first.
	Ratio *BenchRatio `json:"ratio,omitempty"`
	// Footprint is what the model takes in a process of its own.
	Footprint *Footprint `json:"footprint,omitempty"`
}

// BenchRatio compares times of turns that followed each other: the median over
// rounds of the ratio of their medians, with its 95 % bootstrap interval, and
// the ratio of the least times.
type BenchRatio struct {
	Median float64 `json:"median"`
	Lo     float64 `json:"lo"`
	Hi     float64 `json:"hi"`
	Min    float64 `json:"min"`
}

const (
	benchSeconds   = 2.0
	benchTurn      = 10 * time.Millisecond // a fast model's caches are warm for most of it
	benchTurns     = 20                    // the least number of turns that short times are cut into
	benchRounds    = 3                     // the least number of rounds of slow models
	benchResamples = 2000
)

// contender is a subject at work.
type contender struct {
	Subject
	program *Program
	next    int // index of the next inputs
	times   []time.Duration
	turns   []float64 // median of each turn, in seconds
}

// Bench times the models in rounds. In each round every model has one turn of
// at least one run, and rounds begin with another model each time, so that
// whatever else the machine does falls on all of them. Only warm runs count.
//
// Models whose inputs are missing are an error of kind usage.
func Bench(ctx context.Context, subjects []Subject, o BenchOptions) (*BenchResult, error) {
	if o.Seconds == 0 {
		o.Seconds = benchSeconds
	}
	r := &BenchResult{Schema: BenchSchema, Threads: o.Threads, Batch: max(o.Batch, 1), ISA: cpu.Current().String(), Arithmetic: arithmeticOf(o.Compile)}
	if r.Threads == 0 {
		r.Threads = runtime.GOMAXPROCS(0)
	}
	turn := min(benchTurn, time.Duration(o.Seconds*float64(time.Second))/benchTurns)
	var field []*contender
	for _, s := range subjects {
		if len(s.Inputs) == 0 {
			return nil, diag.Usagef("%s: there are no inputs to run it on", s.Model.Path)
		}
		options := append([]CompileOption{Threads(o.Threads)}, o.Compile...)
		if o.PackCache != "" {
			options = append(options, PackCache(o.PackCache))
		}
		p, err := s.Model.Compile(options...)
		if err != nil {
			return nil, err
		}
		c := &contender{Subject: s, program: p}
		if err := c.turn(ctx, 2, turn); err != nil {
			return nil, err
		}
		c.times, c.turns = nil, nil // that was warming up
		r.Warnings = append(r.Warnings, p.Warnings()...)
		field = append(field, c)
	}
	start := time.Now()
	for done := 0.0; done < 1; r.Rounds++ {
		for k := range field {
			c := field[(k+r.Rounds)%len(field)]
			runs, least := 1, turn
			if o.Runs > 0 {
				runs, least = min(max(o.Runs/benchTurns, 1), o.Runs-len(c.times)), 0
			}
			if err := c.turn(ctx, runs, least); err != nil {
				return nil, err
			}
		}
		if o.Runs > 0 {
			done = float64(len(field[0].times)) / float64(o.Runs)
		} else {
			done = time.Since(start).Seconds() / (o.Seconds * float64(len(field)))
			if r.Rounds+1 < benchRounds {
				done = min(done, 0.99)
			}
		}
		if o.Progress != nil {
			o.Progress(min(done, 1))
		}
	}
	for i, c := range field {
		f, err := c.figure(r, o)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			f.Ratio = c.over(field[0], o.Seed)
		}
		r.Models = append(r.Models, f)
	}
	return r, nil
}

// turn runs c at least so many times and so long.
func (c *contender) turn(ctx context.Context, runs int, least time.Duration) error {
	first := len(c.times)
	for start := time.Now(); len(c.times) < first+runs || time.Since(start) < least; {
		in := c.Inputs[c.next%len(c.Inputs)]
		c.next++
		began := time.Now()
		if _, err := c.program.Run(ctx, in); err != nil {
			return c.Model.wrap(err)
		}
		c.times = append(c.times, time.Since(began))
	}
	c.turns = append(c.turns, metric.Latencies(c.times[first:]).P50.Seconds())
	return nil
}

func (c *contender) figure(r *BenchResult, o BenchOptions) (BenchFigure, error) {
	q := metric.Latencies(c.times)
	f := BenchFigure{Name: c.Model.Path, Runs: len(c.times), Min: q.Min.Seconds(), P50: q.P50.Seconds(), P90: q.P90.Seconds(), P99: q.P99.Seconds()}
	var total time.Duration
	for _, t := range c.times {
		total += t
	}
	f.PerSecond = float64(r.Batch*len(c.times)) / max(total.Seconds(), 1e-9)
	info, err := os.Stat(c.Model.Path)
	if err != nil || c.Model.src == nil {
		return f, nil // a model that was not saved has no file
	}
	f.Bytes = info.Size()
	if o.Measure != nil {
		print, err := o.Measure(c.Model.Path)
		if err != nil {
			return f, err
		}
		f.Footprint = &print
	}
	return f, nil
}

// over compares c with the first model round by round.
func (c *contender) over(first *contender, seed uint64) *BenchRatio {
	ratios := make([]float64, len(c.turns))
	for i := range ratios {
		ratios[i] = c.turns[i] / max(first.turns[i], 1e-9)
	}
	median := func(v []float64) float64 {
		slices.Sort(v)
		return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
	}
	picked := make([]float64, len(ratios))
	iv := metric.Bootstrap(len(ratios), benchResamples, 0.95, seed, func(sample []int) float64 {
		for i, s := range sample {
			picked[i] = ratios[s]
		}
		return median(picked)
	})
	least := slices.Min(c.times).Seconds() / max(slices.Min(first.times).Seconds(), 1e-9)
	return &BenchRatio{Median: median(slices.Clone(ratios)), Lo: iv.Low, Hi: iv.High, Min: least}
}

// Batches yields the samples put together, n to a batch, along the first
// dimension of those inputs of m for which it is dynamic; a remainder is
// dropped. Other inputs are those of the first sample of a batch. n of 1 yields
// the samples as they are, and so does n that the model fixes.
//
// A model whose inputs are all fixed at another batch is an error of kind
// usage.
func (m *Model) Batches(samples iter.Seq2[Inputs, error], n int) (iter.Seq2[Inputs, error], error) {
	dynamic, fixed := map[string]bool{}, 0
	for _, v := range m.graph.Inputs {
		if len(v.Shape) == 0 {
			continue
		}
		if size, known := v.Shape[0].Int(); !known {
			dynamic[v.Name] = true
		} else {
			fixed = size
		}
	}
	switch {
	case n == 1 || len(dynamic) == 0 && fixed == n:
		return samples, nil
	case len(dynamic) == 0:
		return nil, diag.Usagef("%s: a batch of %d is asked for, but the model's is fixed at %d", m.Path, n, max(fixed, 1)).
			Note("export the model with a dynamic first dimension")
	}
	return func(yield func(Inputs, error) bool) {
		var batch []Inputs
		for in, err := range samples {
			if err != nil {
				yield(nil, err)
				return
			}
			if batch = append(batch, in); len(batch) < n {
				continue
			}
			out, err := stack(batch, dynamic)
			batch = nil
			if !yield(out, err) || err != nil {
				return
			}
		}
	}, nil
}

// stack joins the named inputs of all samples along their first dimension.
func stack(batch []Inputs, names map[string]bool) (Inputs, error) {
	out := Inputs{}
	for name, first := range batch[0] {
		if out[name] = first; !names[name] {
			continue
		}
		shape := slices.Clone(first.Shape())
		shape[0] *= len(batch)
		out[name] = tensor.New(first.Type(), shape...)
		to := out[name].Bytes()
		for _, in := range batch {
			if !slices.Equal(in[name].Shape(), first.Shape()) {
				return nil, fmt.Errorf("input %q: samples of shapes %v and %v make no batch", name, first.Shape(), in[name].Shape())
			}
			to = to[copy(to, in[name].Bytes()):]
		}
	}
	return out, nil
}
