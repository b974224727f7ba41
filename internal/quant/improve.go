package quant

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/metric"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/quant/algo"
	"github.com/octavo-ml/octavo/internal/quant/calibrate"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// ImproveSamples is how many kept samples the algorithms look at.
const ImproveSamples = 64

// LeastImproveSamples is how many they need: fewer do not tell what is typical.
const LeastImproveSamples = 8

// leastEqual is how near, in dB, the outputs of the float graph must stay when
// weights are rescaled: the rounding of float32 is far below.
const leastEqual = 80

// Improved is a float graph that algorithms have changed, and the plan for it.
type Improved struct {
	Graph  *ir.Graph
	Plan   *Plan
	Trials []Trial
	// Ran are the algorithms that found something to do, in their order.
	Ran []string
	// Unequal names the algorithms that were left out because the float graph
	// would not have computed the same any more.
	Unequal []string
}

// Improve runs the algorithms of the recipe: it rescales channels of g, then
// chooses weights and biases layer by layer, all by the kept samples of cal. pl
// is the placement of g, which is not changed. done is told how far it is.
func Improve(ctx context.Context, g *ir.Graph, pl *Placement, cal *calibrate.Result, r *Recipe, threads int, done func(layer, of int)) (*Improved, error) {
	s, err := r.resolve()
	if err != nil {
		return nil, err
	}
	use := s.algorithms
	out := &Improved{}
	out.Graph, _ = g.Clone()
	nodes := map[string]bool{}
	for _, key := range pl.Nodes {
		nodes[key] = true
	}
	quantized := func(n *ir.Node) bool { return nodes[firstOutput(n)] }
	if algo.Uses(use, algo.Correcting) {
		ownBiases(out.Graph, quantized)
	}
	stats := maps.Clone(cal.Stats)
	if algo.Uses(use, algo.Equalizing, algo.Smoothing) {
		if err := out.rescale(ctx, use, !s.perChannel, quantized, cal, stats, threads); err != nil {
			return nil, err
		}
	}
	placement, err := Place(out.Graph, r)
	if err != nil {
		return nil, err
	}
	if err := observeRest(ctx, out.Graph, placement, cal, stats, threads); err != nil {
		return nil, err
	}
	known := newWeights()
	first := *r
	if s.auto {
		first.Activations.Observer = candidates[0]
	}
	if out.Plan, err = makePlan(out.Graph, placement, stats, &first, known); err != nil {
		return nil, err
	}
	if algo.Uses(use, algo.GPTQ, algo.Correcting) {
		if err := refine(ctx, out.Graph, out.Plan, inputsOf(cal.Kept), use, threads, done); err != nil {
			return nil, err
		}
		for _, a := range []string{algo.GPTQ, algo.Correcting} {
			if algo.Uses(use, a) {
				out.Ran = append(out.Ran, a)
			}
		}
		clear(known.integers) // they were those of the weights before
	}
	if s.auto {
		out.Plan, out.Trials, err = choose(ctx, out.Graph, placement, stats, cal.Kept, r, known, threads)
	} else {
		out.Plan, err = makePlan(out.Graph, placement, stats, r, known)
	}
	return out, err
}

func inputsOf(kept []calibrate.Kept) []runtime.Tensors {
	var out []runtime.Tensors
	for _, k := range kept {
		out = append(out, k.In)
	}
	return out
}

// ownBiases gives each layer that is quantized a bias which no other reads,
// zeros where it has none.
func ownBiases(g *ir.Graph, quantized func(*ir.Node) bool) {
	names, uses := ir.NewNamer(g), g.Uses()
	for _, n := range g.Nodes {
		f, _ := facts(n)
		if !quantized(n) || f.Groups == 0 || f.Bias == op.None || f.BiasFactor != 1 || f.Weight >= len(n.In) || n.In[f.Weight] == nil {
			continue
		}
		w := n.In[f.Weight]
		if w.Const == nil || w.Type != dtype.Float32 {
			continue
		}
		axis, err := op.Axis(f.WeightAxis, w.Const.Rank())
		if err != nil {
			continue
		}
		for len(n.In) <= f.Bias {
			n.In = append(n.In, nil)
		}
		switch b := n.In[f.Bias]; {
		case b == nil:
			channels := w.Const.Shape()[axis]
			n.In[f.Bias] = ir.NewConst(names.Name(w.Name+"_bias"), tensor.New(dtype.Float32, channels))
		case b.Const != nil && len(uses[b]) > 1:
			n.In[f.Bias] = ir.NewConst(names.Name(b.Name+"_own"), b.Const)
		}
	}
}

// rescale runs the algorithms that move factors between layers, and observes
// what they change anew.
func (out *Improved) rescale(ctx context.Context, use []string, shared bool, quantized func(*ir.Node) bool, cal *calibrate.Result, stats Statistics, threads int) error {
	type step struct {
		name string
		run  func(g *ir.Graph, greatest map[string][]float32) []*ir.Value
		look func(g *ir.Graph) map[string]int
	}
	steps := []step{
		{algo.Equalizing, func(g *ir.Graph, greatest map[string][]float32) (changed []*ir.Value) {
			for _, p := range algo.Pairs(g, quantized) {
				name, _ := p.Value()
				changed = append(changed, p.Equalize(greatest[name], shared)...)
			}
			return changed
		}, func(g *ir.Graph) map[string]int {
			watch := map[string]int{}
			for _, p := range algo.Pairs(g, quantized) {
				name, axis := p.Value()
				watch[name] = axis
			}
			return watch
		}},
		{algo.Smoothing, func(g *ir.Graph, greatest map[string][]float32) (changed []*ir.Value) {
			names := ir.NewNamer(g)
			for _, n := range algo.Norms(g, quantized) {
				if v := n.Smooth(g, names, greatest[n.Value()]); v != nil {
					changed = append(changed, v)
				}
			}
			return changed
		}, func(g *ir.Graph) map[string]int {
			watch := map[string]int{}
			for _, n := range algo.Norms(g, quantized) {
				watch[n.Value()] = -1
			}
			return watch
		}},
	}
	for _, st := range steps {
		if !algo.Uses(use, st.name) {
			continue
		}
		watch := st.look(out.Graph)
		if len(watch) == 0 {
			continue
		}
		greatest, err := greatestOf(ctx, out.Graph, watch, cal.Kept, threads)
		if err != nil {
			return err
		}
		g, _ := out.Graph.Clone()
		changed := st.run(g, greatest)
		if len(changed) == 0 {
			continue
		}
		if err := ir.Infer(g); err != nil {
			return err
		}
		var names []string
		for _, v := range changed {
			names = append(names, v.Name)
		}
		seen, equal, err := observeAgain(ctx, g, names, cal, threads)
		if err != nil {
			return err
		}
		if equal < leastEqual {
			out.Unequal = append(out.Unequal, st.name)
			continue
		}
		out.Graph, out.Ran = g, append(out.Ran, st.name)
		maps.Copy(stats, seen)
	}
	return nil
}

// greatestOf returns the greatest magnitude in each channel of some values,
// given the axis of their channels.
func greatestOf(ctx context.Context, g *ir.Graph, watch map[string]int, kept []calibrate.Kept, threads int) (map[string][]float32, error) {
	prog, err := runtime.Compile(g, runtime.Options{Threads: 1, Keep: slices.Sorted(maps.Keys(watch))})
	if err != nil {
		return nil, err
	}
	out := map[string][]float32{}
	var mu sync.Mutex
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(max(threads, 1))
	for _, s := range kept {
		eg.Go(func() error {
			_, err := prog.Observe(ctx, s.In, func(name string, t *tensor.Tensor) {
				axis, err := op.Axis(watch[name], t.Rank())
				if err != nil || t.Type() != dtype.Float32 {
					return
				}
				n := t.Shape()[axis]
				own := make([]float32, n)
				inner := tensor.Strides(t.Shape())[axis]
				for i, v := range tensor.Data[float32](t) {
					c := i / inner % n
					own[c] = max(own[c], v, -v)
				}
				mu.Lock()
				defer mu.Unlock()
				if out[name] == nil {
					out[name] = own
					return
				}
				for c := range out[name] {
					out[name][c] = max(out[name][c], own[c])
				}
			})
			return err
		})
	}
	return out, eg.Wait()
}

// observeAgain observes values of a changed graph on the kept samples, and
// measures how near its outputs are to what they were.
func observeAgain(ctx context.Context, g *ir.Graph, names []string, cal *calibrate.Result, threads int) (Statistics, float64, error) {
	histogram := false
	for _, st := range cal.Stats {
		histogram = histogram || st.HasHistogram()
	}
	var seq iter.Seq2[runtime.Tensors, error] = func(yield func(runtime.Tensors, error) bool) {
		for _, k := range cal.Kept {
			if !yield(k.In, nil) {
				return
			}
		}
	}
	res, err := calibrate.Run(ctx, g, names, seq, calibrate.Options{Threads: threads, Histogram: histogram, Keep: len(cal.Kept)})
	if err != nil {
		return nil, 0, err
	}
	var e metric.Error
	for i, k := range res.Kept {
		for _, v := range g.Outputs {
			if v.Type == dtype.Float32 {
				e.Add(tensor.Data[float32](cal.Kept[i].Out[v.Name]), tensor.Data[float32](k.Out[v.Name]))
			}
		}
	}
	return res.Stats, e.SQNR(), nil
}

// observeRest observes what the placement wants to know of values that have no
// statistics yet.
func observeRest(ctx context.Context, g *ir.Graph, pl *Placement, cal *calibrate.Result, stats Statistics, threads int) error {
	var missing []string
	for _, name := range pl.Watched() {
		if stats[name] == nil {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	seen, _, err := observeAgain(ctx, g, missing, cal, threads)
	if err != nil {
		return fmt.Errorf("observing what algorithms added: %w", err)
	}
	maps.Copy(stats, seen)
	return nil
}
