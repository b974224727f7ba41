package octavo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/dataset/preprocess"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/quant"
	"github.com/octavo-ml/octavo/internal/quant/algo"
	"github.com/octavo-ml/octavo/internal/quant/calibrate"
	engine "github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/target"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/validate"
)

// Recipe is everything that decides how a model is quantized.
type Recipe = quant.Recipe

// Override changes the treatment of some nodes of a Recipe.
type Override = quant.Override

// RecipePreprocess says in a recipe how pictures become inputs.
type RecipePreprocess = quant.Preprocess

// The modes of quantization: Static takes the ranges of activations from
// samples, Dynamic finds them as the model runs, WeightOnly leaves activations
// real numbers, Float16 and BFloat16 make all numbers shorter. Only Static needs
// samples.
const (
	Static     = quant.Static
	Dynamic    = quant.Dynamic
	WeightOnly = quant.WeightOnly
	Float16    = quant.Float16
	BFloat16   = quant.BFloat16
)

// ParseRecipe reads the YAML form of a recipe. What it holds for Validate and
// for pictures is checked too.
func ParseRecipe(b []byte) (*Recipe, error) {
	r, err := quant.ParseRecipe(b)
	if err != nil {
		return nil, err
	}
	if err := checkEvaluate(r); err != nil {
		return nil, fmt.Errorf("recipe: %w", err)
	}
	return r, nil
}

func checkEvaluate(r *Recipe) error {
	if task := r.Evaluate.Task; task != "" {
		if err := validate.Tasks.Check("evaluate: task", task); err != nil {
			return err
		}
	}
	if _, err := ParseDrop(r.Evaluate.MaxDrop); err != nil {
		return fmt.Errorf("evaluate: %w", err)
	}
	if r.Preprocess.IsDefinition() {
		_, err := preprocess.Decode(string(r.Preprocess))
		return err
	}
	return nil
}

// Report tells what Quantize did.
type Report struct {
	Samples   int
	Quantized int    // nodes that run on integers
	Float     []Skip // nodes that stay float, and why
	// Modes are the nodes of other modes than static, and what became of them.
	Modes  []NodeMode
	Values []Range
	// Algorithms are those that ran, in their order.
	Algorithms []string
	// Trials are the range methods that the auto observer tried, with the
	// output SQNR on calibration samples.
	Trials []Trial
	// Growing names the values whose range still grew more than 5 % in the
	// last quarter of the samples.
	Growing []string
	// IO are the inputs and outputs whose type or layout the recipe changed.
	IO []IOValue
	// Existing is set where the model was quantized in part already and that
	// was kept.
	Existing *Existing
	// Opset is set by Save where the file needs a higher one than the input's:
	// from which to which, and what needs it.
	Opset string
	// Prescribed is set by Save: see Model.Prescribed.
	Prescribed []Prescribed

	recipe Recipe
	// onIntegers is how many nodes the plan has on integers, integers their names.
	onIntegers int
	integers   map[string]bool
	ranges     Ranges
	source     *ir.Graph // that the ranges are of
}

// Skip is a node that stays float, and why.
type Skip = quant.Skip

// NodeMode is a node of another mode than static, and what became of it.
type NodeMode = quant.NodeMode

// Trial is a range method that was tried.
type Trial = quant.Trial

// Range is the choice made for one value.
type Range struct {
	Value     string  `json:"value"`
	Type      string  `json:"type"`
	Scale     float32 `json:"scale"` // the first, where there are several
	ZeroPoint int64   `json:"zero_point"`
}

// An Option changes how Quantize works.
type Option func(*options)

type options struct {
	samples  iter.Seq2[Inputs, error]
	ranges   *Ranges
	cache    string
	progress func(done int)
	layers   func(layer, of int)
	threads  int
	random   *randomCalibration // set: in the place of samples
}

// WithCalibration gives the samples from which ranges are taken.
func WithCalibration(samples iter.Seq2[Inputs, error]) Option {
	return func(o *options) { o.samples = samples }
}

// WithProgress calls f after each calibration sample.
func WithProgress(f func(done int)) Option { return func(o *options) { o.progress = f } }

// WithThreads bounds the number of threads, 0 being one for each processor; the
// result does not depend on it.
func WithThreads(n int) Option { return func(o *options) { o.threads = n } }

// Quantize returns a quantized copy of m. Calibration samples are needed for
// static quantization. The copy refers to m's file: m must stay open.
func Quantize(ctx context.Context, m *Model, r Recipe, opts ...Option) (*Model, error) {
	var o options
	for _, f := range opts {
		f(&o)
	}
	if o.threads == 0 {
		o.threads = runtime.GOMAXPROCS(0)
	}
	if err := r.Mode.Check(); err != nil {
		return nil, err
	}
	m, err := m.SourceIO()
	if err != nil {
		return nil, err
	}
	if o.random != nil {
		samples, err := m.RandomSamples(o.random.n, o.random.seed)
		if err != nil {
			return nil, err
		}
		o.samples = samples
	}
	if o.ranges != nil {
		r.Data.Samples, r.Data.Seed, r.Activations.Observer = o.ranges.Asked, o.ranges.Seed, o.ranges.Observer
	}
	use, err := o.algorithms(&r)
	if err != nil {
		return nil, err
	}
	method, err := quant.NeedsHistogram(&r)
	if err != nil {
		return nil, err
	}
	// Only samples make the float graph run: without, large constants need not
	// be in memory. For weights that are chosen layer by layer it runs so.
	prepare := m.lookedAt
	if (o.samples != nil || o.ranges != nil) && r.CalibratedWeights() == "" {
		prepare = m.prepare
	}
	g, err := prepare(r.Parity != "")
	if err != nil {
		return nil, err
	}
	asked := r
	var kept *Existing
	if n := quantizedNodes(g); n > 0 {
		if g, r, kept, err = m.existing(n, r); err != nil {
			return nil, err
		}
		use = nil // the parameters that stand stay as they are
	}
	if g, err = m.loadable(g, &r); err != nil {
		return nil, err
	}
	if t, err := target.Load(r.Target); err == nil && t.RowBias {
		if _, err := pass.FuseRowBiases(g); err != nil {
			return nil, m.wrap(err)
		}
	}
	placement, err := quant.Place(g, &r)
	if err != nil {
		return nil, err
	}
	if len(placement.Nodes) == 0 && len(placement.Halves) == 0 && kept == nil {
		return nil, nothingToDo(m, placement)
	}
	byWeights := r.CalibratedWeights() != "" && len(placement.Modes) > 0
	if byWeights {
		if err := o.canCalibrateWeights(&r, kept != nil); err != nil {
			return nil, err
		}
	}
	if o.samples == nil && o.ranges == nil && len(placement.Watched()) > 0 {
		return nil, diag.Usagef("static quantization needs calibration samples").Note("give WithCalibration, or --data on the command line").Note("mode dynamic and mode weight-only need none")
	}
	source := g
	var ran []string
	if kept == nil {
		if g, placement, err = quant.Smooth(g, placement, &r); err != nil {
			return nil, m.wrap(err)
		}
		if g != source {
			ran = []string{algo.Smoothing}
		}
	}
	id := ""
	if o.samples != nil || o.ranges != nil {
		if id, err = digest(source); err != nil {
			return nil, m.wrap(err)
		}
	}
	var cal *calibrate.Result
	var warnings []Warning
	if o.ranges != nil {
		cal, err = o.ranges.statistics(id, placement)
	} else if byWeights && len(placement.Watched())+len(placement.Measured) == 0 {
		cal, err = calibrate.Keep(ctx, tensors(o.samples), calibrate.Options{Keep: quant.ImproveSamples, Progress: o.progress})
	} else if len(placement.Watched()) == 0 && (o.samples == nil || len(placement.Measured) == 0) && (kept != nil || o.samples == nil || r.Mode != "" && r.Mode != quant.Auto && r.Mode != Static) {
		cal = &calibrate.Result{} // nothing is left to observe
	} else {
		watched := slices.Concat(placement.Watched(), placement.Measured)
		keep, small := keptSamples(use, byWeights)
		cal, warnings, err = o.calibrate(id, watched, func(c calibrate.Options) (*calibrate.Result, error) {
			return calibrate.Run(ctx, g, watched, tensors(o.samples), c)
		}, calibrate.Options{Threads: o.threads, Histogram: method, Keep: keep, KeepSmall: small, Progress: o.progress})
	}
	if err != nil {
		return nil, m.wrap(err)
	}
	placement.KeepMeasured(cal.Stats)
	var out *ir.Graph
	var plan, plain *quant.Plan
	var trials []quant.Trial
	var changed []IOValue
	err = tensor.Guard(func() error {
		if byWeights {
			better, err := quant.ImproveWeights(ctx, g, placement, cal.Stats, cal.Kept, &r, o.threads, o.layers)
			if err != nil {
				return err
			}
			g, plan, ran = better.Graph, better.Plan, better.Ran
		} else if plan, trials, err = quant.Choose(ctx, g, placement, cal, &r, o.threads); err != nil {
			return err
		}
		if plain = plan.Choices(); len(use) > 0 && len(cal.Kept) >= quant.LeastImproveSamples {
			better, err := quant.Improve(ctx, g, placement, cal, &r, o.threads, o.layers)
			if err != nil {
				return err
			}
			g, plan, trials, ran = better.Graph, better.Plan, better.Trials, better.Ran
		}
		if out, err = quant.Apply(g, plan); err != nil {
			return err
		}
		changed, err = writeIO(out, plan.Edges)
		return err
	})
	if err != nil {
		return nil, m.wrap(err)
	}
	q := &Model{Path: m.Path, base: m, format: m.format, graph: out, opset: r.Opset, Warnings: append(warnings, plan.Warnings...)}
	q.Report = report(plan, cal, asked)
	q.Report.integers = integerNodes(g, plan)
	if kept != nil {
		kept.Added = quant.Parameters(out) - kept.Kept
		q.Report.Existing = kept
	}
	q.Report.Algorithms = ran
	q.Report.Prescribed = []Prescribed{}
	q.Report.Trials, q.Report.IO = trials, append([]IOValue{}, changed...)
	q.Report.ranges = rangesOf(id, plain, cal.Samples, &asked)
	q.Report.source = source
	if n := cal.Samples; n < fewSamples && len(placement.Watched()) > 0 {
		q.Warnings = append(q.Warnings, Warning{ID: "OCT002", Msg: fmt.Sprintf("only %d calibration samples; ranges taken from fewer than %d are unsure", n, fewSamples)})
	}
	if len(q.Report.Growing) > 0 {
		q.Warnings = append(q.Warnings, growing(q.Report.Growing, len(cal.Stats)))
	}
	if len(use) == 0 && asked.Parity == "" && asked.Static() {
		asked.Algorithms, asked.Effort = []string{quant.NoAlgorithm}, nil // whether it was said or followed
	}
	q.stamp(&asked)
	if len(ran) > 0 {
		q.graph.Meta[algorithmsKey] = strings.Join(ran, ",")
	}
	if o.random != nil {
		o.random.stamp(q)
	}
	if o.ranges != nil {
		o.ranges.mark(q)
	}
	return q, nil
}

// fewSamples is the number below which a warning is given.
const fewSamples = 32

// growth is by how much a range may still grow in the last quarter.
const growth = 0.05

func tensors(seq iter.Seq2[Inputs, error]) iter.Seq2[engine.Tensors, error] {
	return func(yield func(engine.Tensors, error) bool) {
		for in, err := range seq {
			if !yield(in, err) {
				return
			}
		}
	}
}

func quantizedNodes(g *ir.Graph) int {
	n := 0
	for _, node := range g.Nodes {
		switch node.Op.(type) {
		case *op.QuantizeLinear, *op.DequantizeLinear, *op.DynamicQuantize, *op.MatMulNBits:
			n++
		}
	}
	return n
}

func nothingToDo(m *Model, p *quant.Placement) error {
	e := &diag.Error{Msg: m.Path + ": no operator of this model can be quantized for the target"}
	for i, s := range p.Skipped {
		if i == 3 {
			break
		}
		e.Notes = append(e.Notes, fmt.Sprintf("%s (%s): %s", s.Node, s.Op, s.Reason))
	}
	return e
}

func growing(names []string, of int) Warning {
	shown := names
	if len(shown) > 5 {
		shown = shown[:5]
	}
	return Warning{ID: "OCT004", Msg: fmt.Sprintf("%d of %d ranges still grew more than 5 %% in the last quarter of the samples: more samples may help", len(names), of),
		Notes: []string{strings.Join(shown, ", ")}}
}

func report(plan *quant.Plan, cal *calibrate.Result, r Recipe) *Report {
	rep := &Report{Samples: cal.Samples, Quantized: len(plan.Nodes) - len(plan.Modes), Float: append([]Skip{}, plan.Skipped...), Modes: append([]NodeMode{}, plan.Modes...), recipe: r}
	rep.onIntegers = rep.Quantized
	for i, pt := range plan.Points {
		p := plan.Params[i]
		if !p.Present() || pt.Role == quant.Live {
			continue
		}
		v := Range{Value: pt.Value, Type: p.Type.String(), Scale: p.Scale[0]}
		if len(p.ZeroPoint) > 0 {
			v.ZeroPoint = p.ZeroPoint[0]
		}
		rep.Values = append(rep.Values, v)
		if s := cal.Stats[pt.Value]; s != nil && cal.Samples >= fewSamples && s.Growth(cal.Samples) > growth {
			rep.Growing = append(rep.Growing, pt.Value)
		}
	}
	return rep
}

// stamp records in the model what made it: version and a hash of the recipe
// without paths. No time, so that the same inputs give the same bytes.
func (m *Model) stamp(r *Recipe) {
	c := *r
	c.Data.Path, c.Preprocess, c.Evaluate = "", "", quant.Evaluate{} // the model records what preprocessing was
	text, err := c.YAML()
	if err != nil {
		return // a Recipe always encodes
	}
	sum := sha256.Sum256(text)
	if m.graph.Meta == nil {
		m.graph.Meta = map[string]string{}
	}
	delete(m.graph.Meta, algorithmsKey)
	delete(m.graph.Meta, calibrationKey) // a mark of the input's is not the result's
	m.graph.Meta["octavo.version"] = Version
	m.graph.Meta["octavo.recipe.sha256"] = hex.EncodeToString(sum[:])
}

// Program is a model ready to run.
type Program struct {
	p *engine.Program
	// states are what inputs begin with that are states of the graph.
	states Inputs
}

// A CompileOption changes how a model is compiled.
type CompileOption func(*engine.Options)

// Threads bounds how many goroutines one Run uses.
func Threads(n int) CompileOption { return func(o *engine.Options) { o.Threads = n } }

// Compile makes a program of m. m must stay open while the program is used.
func (m *Model) Compile(opts ...CompileOption) (*Program, error) {
	var o engine.Options
	for _, f := range opts {
		f(&o)
	}
	if err := hasArithmetic(o); err != nil {
		return nil, m.wrap(err)
	}
	g, err := m.prepare(false)
	if err != nil {
		return nil, err
	}
	if o.PackCache != "" {
		if o.Source, err = m.contentDigest(o.PackCache); err != nil {
			return nil, m.wrap(err)
		}
		if o.Source != nil {
			o.Source = append(o.Source, Version...)
		}
	}
	p, err := engine.Compile(g, o)
	if err != nil {
		return nil, m.wrap(err)
	}
	return &Program{p, m.begin()}, nil
}

// Run computes the outputs for one set of inputs. It may be called by many
// goroutines at the same time; cancelling ctx ends it early.
func (p *Program) Run(ctx context.Context, in Inputs) (Inputs, error) {
	return p.p.Run(ctx, p.with(in))
}

// with returns in with what it lacks of the model's states, as they begin.
func (p *Program) with(in Inputs) Inputs {
	if len(p.states) == 0 {
		return in
	}
	all := maps.Clone(p.states)
	maps.Copy(all, in)
	return all
}

// RunInto is Run into tensors that the caller gives by the outputs' names: on
// the heap, of the outputs' types and shapes, overlapping nothing else. What
// Run returned for inputs of the same shapes will do. A warm program then
// allocates nothing, but for operators without a kernel of their own.
func (p *Program) RunInto(ctx context.Context, in, out Inputs) error {
	return p.p.RunInto(ctx, p.with(in), out)
}
