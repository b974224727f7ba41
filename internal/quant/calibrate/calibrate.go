// Package calibrate runs a float graph over samples and hands the watched
// values to observers: the statistics that static quantization stands on.
//
// Samples run on several workers, each with its own statistics, merged at the
// end; as statistics do not depend on order or split, the result is the same
// for any number of workers. The package chooses no range and no parameter.
// Start at [Run].
package calibrate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/histogram"
	"github.com/octavo-ml/octavo/internal/quant/observe"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Options changes how Run works.
type Options struct {
	// Threads is the number of workers; at least 1.
	Threads int
	// Histogram asks for histograms beside extremes.
	Histogram bool
	// Keep is how many samples, spread over all, are handed back with their
	// outputs: at least half as many where there are enough.
	Keep int
	// KeepSmall is how many are handed back, in place of Keep, where they are
	// small: SmallBytes together. 0 is Keep.
	KeepSmall int
	// Progress is called after each sample, from one goroutine at a time.
	Progress func(done int)
	// Resume is the state of an earlier run over the same samples; nil: none.
	Resume *State
	// Save, if set, is given the state every Every and at the end. An error of
	// it ends the run.
	Save  func(*State) error
	Every time.Duration
}

// SmallBytes is what more than Keep samples may hold together.
const SmallBytes = 2 << 20

// Kept is a sample and what the float graph makes of it.
type Kept struct {
	In, Out runtime.Tensors
}

// bytes is what the tensors hold.
func (k Kept) bytes() (n int) {
	for _, ts := range []runtime.Tensors{k.In, k.Out} {
		for _, t := range ts {
			n += len(t.Bytes())
		}
	}
	return n
}

// Result is what a run gives: statistics by value, the number of samples, and
// the kept ones in order.
type Result struct {
	Stats   map[string]*observe.Stats
	Samples int
	Kept    []Kept
}

// keeper keeps every stride-th sample, doubling the stride when there are too
// many, so that what is kept depends on the number of samples and their sizes
// alone, not on their order: a part of what fits fits too.
type keeper struct {
	most, small  int
	stride, held int // held: bytes
	m            map[int]Kept
}

func newKeeper(o Options) keeper {
	return keeper{most: o.Keep, small: max(o.Keep, o.KeepSmall), stride: 1, m: map[int]Kept{}}
}

func (k *keeper) full() bool {
	return len(k.m) > k.most && (len(k.m) > k.small || k.held > SmallBytes)
}

func (k *keeper) wants(index int) bool { return k.most > 0 && index%k.stride == 0 }

func (k *keeper) add(index int, s Kept) {
	if !k.wants(index) {
		return // the stride grew while the sample ran
	}
	k.m[index] = s
	k.held += s.bytes()
	for k.full() {
		k.stride *= 2
		maps.DeleteFunc(k.m, func(i int, s Kept) bool {
			drop := i%k.stride != 0
			if drop {
				k.held -= s.bytes()
			}
			return drop
		})
	}
}

// kept returns the samples in order.
func (k *keeper) kept() []Kept {
	var out []Kept
	for _, i := range slices.Sorted(maps.Keys(k.m)) {
		out = append(out, k.m[i])
	}
	return out
}

// Run observes the watched values of g over all samples. Input values that are
// not finite are an error that names the sample.
func Run(ctx context.Context, g *ir.Graph, watched []string, samples iter.Seq2[runtime.Tensors, error], o Options) (*Result, error) {
	prog, err := runtime.Compile(g, runtime.Options{Threads: 1, Keep: watched, AnyOrder: true}) // statistics have no order
	if err != nil {
		return nil, err
	}
	keep := newKeeper(o)
	workers := max(o.Threads, 1)
	type job struct {
		index int
		in    runtime.Tensors
	}
	jobs := make(chan job)
	whole := newState(watched, o.Histogram)
	if o.Resume != nil && o.Resume.fits(watched, o.Histogram) {
		whole = o.Resume
	}
	before := maps.Clone(whole.Done)
	var mu sync.Mutex
	done := 0
	eg, ctx := errgroup.WithContext(ctx)
	for range workers {
		eg.Go(func() error {
			own, saved := newState(watched, o.Histogram), time.Now()
			var counter *histogram.Counter
			if o.Histogram {
				counter = histogram.NewCounter()
			}
			for j := range jobs {
				var d Digest
				if o.Save != nil || len(before) > 0 {
					d = digestOf(j.in)
				}
				mu.Lock()
				seen, skip := before[j.index]
				wanted := keep.wants(j.index)
				mu.Unlock()
				if skip && seen != d {
					return ErrStale
				}
				var out runtime.Tensors
				var err error
				switch {
				case !skip:
					out, err = one(ctx, prog, j.index, j.in, own.Stats, counter)
					own.Done[j.index] = d
				case wanted:
					out, err = prog.Run(ctx, j.in)
				}
				if err != nil {
					return err
				}
				mu.Lock()
				done++
				if !skip || wanted {
					keep.add(j.index, Kept{j.in, out})
				}
				if o.Progress != nil {
					o.Progress(done)
				}
				if o.Save != nil && time.Since(saved) > o.Every {
					whole.add(own)
					own = newState(watched, o.Histogram)
					if err = o.Save(whole); err == nil {
						saved = time.Now()
					}
				}
				mu.Unlock()
				if err != nil {
					return err
				}
			}
			mu.Lock()
			whole.add(own)
			mu.Unlock()
			return nil
		})
	}
	eg.Go(func() error {
		defer close(jobs)
		index := 0
		for in, err := range samples {
			if err != nil {
				return err
			}
			select {
			case jobs <- job{index, in}:
			case <-ctx.Done():
				return ctx.Err()
			}
			index++
		}
		return nil
	})
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	if done == 0 {
		return nil, noSamples()
	}
	if len(whole.Done) > done {
		return nil, ErrStale // there were more samples then
	}
	if o.Save != nil {
		if err := o.Save(whole); err != nil {
			return nil, err
		}
	}
	return &Result{Stats: whole.Stats, Samples: done, Kept: keep.kept()}, nil
}

// Keep reads all samples and hands back some of them, as Run does, but runs
// nothing: there are no statistics, and no outputs.
func Keep(ctx context.Context, samples iter.Seq2[runtime.Tensors, error], o Options) (*Result, error) {
	keep, n := newKeeper(o), 0
	for in, err := range samples {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = finite(n, in)
		}
		if err != nil {
			return nil, err
		}
		keep.add(n, Kept{In: in})
		if n++; o.Progress != nil {
			o.Progress(n)
		}
	}
	if n == 0 {
		return nil, noSamples()
	}
	return &Result{Stats: map[string]*observe.Stats{}, Samples: n, Kept: keep.kept()}, nil
}

func noSamples() error {
	return &diag.Error{Msg: "the calibration data holds no samples", Notes: []string{"give at least 32 that are typical of what the model will see"}}
}

// finite returns an error for an input that holds NaN or an infinity.
func finite(index int, in runtime.Tensors) error {
	for name, t := range in {
		if t.Type() != dtype.Float32 {
			continue
		}
		x := tensor.Data[float32](t)
		if _, finite := histogram.Bounds(x); finite {
			continue
		}
		for i, v := range x {
			if v-v != 0 {
				return &diag.Error{Msg: fmt.Sprintf("calibration sample %d: input %q holds %v at element %d", index, name, v, i),
					Notes: []string{"remove the sample, or repair the data: a range cannot be taken from it"}}
			}
		}
	}
	return nil
}

func one(ctx context.Context, prog *runtime.Program, index int, in runtime.Tensors, stats map[string]*observe.Stats, c *histogram.Counter) (runtime.Tensors, error) {
	if err := finite(index, in); err != nil {
		return nil, err
	}
	out, err := prog.Observe(ctx, in, func(name string, t *tensor.Tensor) {
		if t.Type() == dtype.Float32 {
			stats[name].Observe(index, tensor.Data[float32](t), c)
		}
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		return nil, fmt.Errorf("calibration sample %d: %w", index, err)
	}
	return out, err
}
