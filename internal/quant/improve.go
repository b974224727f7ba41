package quant

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	histograms "github.com/octavo-ml/octavo/internal/kernels/histogram"
	"github.com/octavo-ml/octavo/internal/metric"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/quant/algo"
	"github.com/octavo-ml/octavo/internal/quant/calibrate"
	"github.com/octavo-ml/octavo/internal/quant/observe"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// ImproveSamples is how many kept samples the algorithms look at.
const ImproveSamples = 64

// SmallImproveSamples is how many they look at where a sample is small: its
// layers have few rows, and the ranges of what is rescaled come from these
// samples alone.
const SmallImproveSamples = 512

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
	release(g) // the program that calibrated is as large as the weights
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
	each := liveBytes(g, cal.Kept)
	kept := thinned(cal.Kept, each)
	stats, samples := maps.Clone(cal.Stats), kept
	if n := int(streamBytes / max(each, 1)); n < len(samples) {
		samples = spread(samples, max(n, LeastImproveSamples))
	}
	histogram := hasHistogram(cal.Stats)
	if algo.Uses(use, algo.Equalizing, algo.Smoothing) {
		if err := out.rescale(ctx, use, !s.perChannel, quantized, samples, stats, histogram, threads); err != nil {
			return nil, err
		}
	}
	placement, err := Place(out.Graph, r)
	if err != nil {
		return nil, err
	}
	if err := observeRest(ctx, out.Graph, placement, samples, stats, histogram, threads); err != nil {
		return nil, err
	}
	known := newWeights(true)
	plain, seen := out.Graph, known
	refines := algo.Uses(use, algo.GPTQ, algo.Correcting)
	if refines {
		first := *r
		if s.auto {
			first.Activations.Observer = candidates[0]
		}
		if out.Plan, err = makePlan(out.Graph, placement, stats, &first, known, threads); err != nil {
			return nil, err
		}
		seen = known.clone()
		out.Graph, _ = plain.Clone()
		if err := refine(ctx, s, out.Graph, out.Plan, inputsOf(samples), use, threads, done); err != nil {
			return nil, err
		}
	}
	last := *r
	judges := spread(kept, max(KeptSamples, smalls(each)/len(candidates)))
	if s.auto {
		out.Plan, out.Trials, last.Activations.Observer, err = choose(ctx, out.Graph, placement, stats, judges, r, known, threads)
	} else {
		out.Plan, err = makePlan(out.Graph, placement, stats, r, known, threads)
	}
	if err != nil {
		return nil, err
	}
	if refines {
		nearer, err := out.nearer(ctx, plain, placement, stats, judges, &last, seen, threads)
		if err != nil {
			return nil, err
		}
		if nearer != nil {
			out.Graph, out.Plan, known = plain, nearer, seen
		}
		for _, a := range []string{algo.GPTQ, algo.Correcting} {
			if nearer == nil && algo.Uses(use, a) {
				out.Ran = append(out.Ran, a)
			}
		}
	}
	if !algo.Uses(use, algo.Widening) {
		return out, nil
	}
	wide, err := out.widen(ctx, s, placement, stats, kept, &last, known, threads, done)
	if len(wide) > 0 {
		out.Ran = append(out.Ran, algo.Widening)
	}
	return out, err
}

// nearer returns the plan of plain rounding where it leaves the outputs nearer to
// the float graph's, by minGain on the judges, than what refine made of plain in
// out does; else nil.
func (out *Improved) nearer(ctx context.Context, plain *ir.Graph, pl *Placement, stats Statistics, judges []calibrate.Kept, r *Recipe, known *weights, threads int) (*Plan, error) {
	refined := 0.0
	if i := slices.IndexFunc(out.Trials, func(t Trial) bool { return t.Observer == r.Activations.Observer }); i >= 0 {
		refined = out.Trials[i].SQNR
	} else {
		var err error
		if refined, err = score(ctx, out.Graph, out.Plan, judges, threads); err != nil {
			return nil, err
		}
		release(plain)
	}
	plan, err := makePlan(plain, pl, stats, r, known, threads)
	if err != nil {
		return nil, err
	}
	sqnr, err := score(ctx, plain, plan, judges, threads)
	release(plain)
	if err != nil || !(sqnr >= refined+minGain) {
		return nil, err
	}
	return plan, nil
}

func hasHistogram(stats Statistics) bool {
	for _, st := range stats {
		if st.HasHistogram() {
			return true
		}
	}
	return false
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
func (out *Improved) rescale(ctx context.Context, use []string, shared bool, quantized func(*ir.Node) bool, samples []calibrate.Kept, stats Statistics, histogram bool, threads int) error {
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
		greatest, err := greatestOf(ctx, out.Graph, watch, inputsOf(samples), threads)
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
		seen, equal, err := observeAgain(ctx, g, names, samples, histogram, threads)
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

// pieceNodes is how many nodes run at once where a whole program, with all its
// packed weights, would take more memory than is worth it.
const pieceNodes = 8

// sweep runs g over samples in pieces and hands out values, of each sample in
// any order.
func sweep(ctx context.Context, g *ir.Graph, names map[string]bool, samples []runtime.Tensors, threads int, visit func(sample int, name string, t *tensor.Tensor) error) error {
	s := newStream(g, g.Nodes, samples, threads)
	for s.at < len(s.nodes) {
		end := min(s.at+pieceNodes, len(s.nodes))
		var watch []*ir.Value
		for _, n := range s.nodes[s.at:end] {
			for _, v := range n.Out {
				if v != nil && names[v.Name] {
					watch = append(watch, v)
				}
			}
		}
		if err := s.advance(ctx, end, watch, func(i int, out runtime.Tensors) error {
			for _, v := range watch {
				if err := visit(i, v.Name, out[v.Name]); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// greatestOf returns the greatest magnitude in each channel of some values,
// given the axis of their channels.
func greatestOf(ctx context.Context, g *ir.Graph, watch map[string]int, samples []runtime.Tensors, threads int) (map[string][]float32, error) {
	out, names := map[string][]float32{}, map[string]bool{}
	for name := range watch {
		names[name] = true
	}
	var mu sync.Mutex
	err := sweep(ctx, g, names, samples, threads, func(_ int, name string, t *tensor.Tensor) error {
		axis, err := op.Axis(watch[name], t.Rank())
		if err != nil || t.Type() != dtype.Float32 {
			return err
		}
		n := t.Shape()[axis]
		own := greatestIn(tensor.Data[float32](t), n, tensor.Strides(t.Shape())[axis])
		mu.Lock()
		defer mu.Unlock()
		if out[name] == nil {
			out[name] = own
			return nil
		}
		if len(out[name]) != n {
			return fmt.Errorf("value %q has %d channels in one sample and %d in another", name, len(out[name]), n)
		}
		for c := range own {
			out[name][c] = max(out[name][c], own[c])
		}
		return nil
	})
	return out, err
}

// greatestIn returns the greatest magnitude in each of n channels, of which one
// element has inner others behind it before the next channel begins.
func greatestIn(x []float32, n, inner int) []float32 {
	own := make([]float32, n)
	for c := 0; len(x) > 0; c = (c + 1) % n {
		m := own[c]
		for _, v := range x[:inner] {
			m = max(m, v, -v)
		}
		own[c], x = m, x[inner:]
	}
	return own
}

// observeAgain observes values of a changed graph on samples, and measures how
// near its outputs are to what they were.
func observeAgain(ctx context.Context, g *ir.Graph, values []string, samples []calibrate.Kept, histogram bool, threads int) (Statistics, float64, error) {
	names, outputs, stats := map[string]bool{}, map[string]bool{}, Statistics{}
	for _, name := range values {
		names[name], stats[name] = true, observe.New(histogram)
	}
	for _, v := range g.Outputs {
		if v.Type == dtype.Float32 {
			names[v.Name], outputs[v.Name] = true, true
		}
	}
	var mu sync.Mutex // statistics have no order
	var counter *histograms.Counter
	if histogram {
		counter = histograms.NewCounter()
	}
	errors := make([]metric.Error, len(samples))
	err := sweep(ctx, g, names, inputsOf(samples), threads, func(i int, name string, t *tensor.Tensor) error {
		if t.Type() != dtype.Float32 {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		if outputs[name] {
			errors[i].Add(tensor.Data[float32](samples[i].Out[name]), tensor.Data[float32](t))
		}
		if st := stats[name]; st != nil {
			st.Observe(i, tensor.Data[float32](t), counter)
		}
		return nil
	})
	var e metric.Error
	for i := range errors {
		e.Merge(&errors[i])
	}
	return stats, e.SQNR(), err
}

// observeRest observes what the placement wants to know of values that have no
// statistics yet.
func observeRest(ctx context.Context, g *ir.Graph, pl *Placement, samples []calibrate.Kept, stats Statistics, histogram bool, threads int) error {
	var missing []string
	for _, name := range pl.Watched() {
		if stats[name] == nil {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	seen, _, err := observeAgain(ctx, g, missing, samples, histogram, threads)
	if err != nil {
		return fmt.Errorf("observing what algorithms added: %w", err)
	}
	maps.Copy(stats, seen)
	return nil
}
