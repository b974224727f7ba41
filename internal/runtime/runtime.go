// Package runtime runs graphs: it compiles a graph to a plan of steps over a
// reused arena, with weights packed once, and executes the plan for many
// callers at the same time.
//
// It knows operators and kernels. It knows no file format and no quantization
// policy: what is integer is said by the graph's QuantizeLinear and
// DequantizeLinear. An operator without a fast path runs by its reference
// meaning, so that everything that can be evaluated can be run. Start at
// [Compile] and [Program.Run]; plan.go builds plans, dispatch.go chooses
// kernels.
package runtime

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Tensors are inputs or outputs by name.
type Tensors map[string]*tensor.Tensor

// Options changes how a program is compiled.
type Options struct {
	// Threads is how many goroutines one Run may use; 0: GOMAXPROCS.
	Threads int
	// Keep names values that Observe hands out. They are barriers to fusion.
	Keep []string
	// NoInteger runs quantized regions as dequantized floats.
	NoInteger bool
	// NoFusion runs every node by itself.
	NoFusion bool
	// KeepLayout leaves channels where the graph has them, and runs convolutions
	// by their reference meaning: kernels want the channels last. Results are
	// the same.
	KeepLayout bool
	// AnyOrder lets Observe hand out tensors whose axes are in another order,
	// which saves putting them in order.
	AnyOrder bool
	// AnyKind lets inputs and outputs be sequences and optionals: the program is
	// run by RunData.
	AnyKind bool
	// BFloat16 multiplies matrices, and inputs with filters, in bfloat16: both
	// sides are rounded to it, sums are float32. Results are not those of
	// float32. Machines with tiles of bfloat16 (AMX) agree with each other, and so
	// do all others: without instructions for it (HasBF16) Go computes them,
	// slowly.
	BFloat16 bool
	// Trips is how many times the bodies of loops may run, all loops together, in
	// one run; 0: a million.
	Trips int
	// PackCache is a folder in which packed weights are kept, so that another
	// program of the same graph maps what this one packed; "": they are not.
	// Results are the same.
	PackCache string
	// Source tells the numbers of the graph's constants from those of any other
	// graph with the same nodes, such as a digest of the file that they are
	// from; nil: PackCache reads them.
	Source []byte
}

// Program is a compiled graph.
type Program struct {
	g       *ir.Graph
	threads int
	trips   int
	plain   bool // every node runs by itself
	bf16    bool // products are those of bfloat16
	keep    map[string]bool
	weights *packCache
	// bodies are the programs of the nodes that run graphs, also of nodes that
	// stand in bodies. Those share weights and bodies with the program around.
	bodies map[*ir.Node][]*Program
	inside bool // the program is a body

	mu    sync.Mutex
	plans []*plan // oldest first
	calls []*call // that no run uses
}

// maxPlans is how many input shapes a program remembers plans for.
const maxPlans = 8

// Compile prepares g, which is not changed, for running. Operators that cannot
// be run are reported here, all of them at once.
func Compile(g *ir.Graph, o Options) (*Program, error) {
	c, _ := g.Clone()
	if err := runnable(c); err != nil {
		return nil, err
	}
	if _, err := pass.BindCaptures(c); err != nil {
		return nil, err
	}
	if err := ir.Infer(c); err != nil {
		return nil, err
	}
	if !o.AnyKind {
		if err := onlyTensors(c); err != nil {
			return nil, err
		}
	}
	p := &Program{trips: o.Trips, plain: o.NoFusion, bf16: o.BFloat16, keep: map[string]bool{}, weights: newPackCache(), bodies: map[*ir.Node][]*Program{}}
	for _, name := range o.Keep {
		p.keep[name] = true
	}
	if p.threads = o.Threads; p.threads <= 0 {
		p.threads = runtime.GOMAXPROCS(0)
	}
	if err := p.compile(c, o); err != nil {
		return nil, err
	}
	if o.PackCache != "" {
		var err error
		if p.weights.store, err = openPackStore(o.PackCache, c, o.Source); err != nil {
			return nil, fmt.Errorf("cache of packed weights: %w", err)
		}
	}
	return p, nil
}

// compile rewrites g, which becomes the program's, for the kernels, and its
// bodies likewise.
func (p *Program) compile(g *ir.Graph, o Options) error {
	p.g = g
	if !o.NoFusion {
		if changed, err := pass.ExpandContrib(g, true); err != nil {
			return err
		} else if changed {
			if err := ir.Infer(g); err != nil {
				return err
			}
		}
		if _, err := pass.ExpandFunctions(g); err != nil {
			return err
		}
		done := false
		if o.BFloat16 {
			var err error
			if done, err = unround(g, p.keep); err != nil {
				return err
			}
		}
		if !done {
			if err := pass.WidenHalves(g); err != nil {
				return err
			}
		}
	}
	if !o.NoInteger && !o.NoFusion {
		if err := pass.FuseDynamic(g, p.keep); err != nil {
			return err
		}
		if err := fuseRows(g, p.keep); err != nil {
			return err
		}
		fuse, can := pass.FuseQDQ, hasIntegerKernel
		if g.Arithmetic == ir.TFLite {
			fuse, can = pass.FuseFixed, hasFixedKernel
			if _, err := pass.FusePadOfIntegers(g, func(n *ir.Node) bool { return watched(n, p.keep) }); err != nil {
				return err
			}
		}
		if err := fuse(g, func(r pass.Region) bool { return can(r) && !watched(r.Node, p.keep) }); err != nil {
			return err
		}
	}
	if !o.KeepLayout {
		if _, err := pass.ConvertLayout(g, pass.LayoutOptions{Keep: p.keep, AnyOrder: o.AnyOrder}); err != nil {
			return err
		}
	}
	if !o.NoFusion {
		if g.Arithmetic == ir.TFLite && !o.NoInteger {
			splitFixed(g, p.keep)
		}
		hoistQuantize(g, p.keep)
		fuseBiases(g, p.keep)
		fuseSums(g, p.keep)
		fuseClamps(g, p.keep)
		if err := fuseTables(g, p.keep); err != nil {
			return err
		}
	}
	for _, n := range g.Nodes {
		for _, b := range n.Bodies {
			b.Arithmetic = g.Arithmetic
			sub := &Program{threads: p.threads, plain: p.plain, bf16: p.bf16, weights: p.weights, bodies: p.bodies, inside: true}
			if err := sub.compile(b, o); err != nil {
				return fmt.Errorf("%s: %w", n.Label(), err)
			}
			p.bodies[n] = append(p.bodies[n], sub)
		}
	}
	return nil
}

// PackError returns why packed weights could not be written to
// Options.PackCache; nil where they could, or nothing was to be written yet.
func (p *Program) PackError() error { return p.weights.err() }

func watched(n *ir.Node, keep map[string]bool) bool {
	for _, v := range n.In {
		if v != nil && keep[v.Name] {
			return true
		}
	}
	for _, v := range n.Out {
		if v != nil && keep[v.Name] {
			return true
		}
	}
	return false
}

// runnable returns an error that lists the operators that cannot be run.
func runnable(g *ir.Graph) error {
	var bad []string
	for _, n := range g.Nodes {
		switch n.Op.(type) {
		case op.Evaluator, op.Flow:
		default:
			bad = append(bad, n.Label())
		}
		for _, b := range n.Bodies {
			if err := runnable(b); err != nil {
				bad = append(bad, err.Error())
			}
		}
	}
	if len(bad) == 0 {
		return nil
	}
	more := ""
	if len(bad) > 5 {
		more = fmt.Sprintf(" and %d more", len(bad)-5)
		bad = bad[:5]
	}
	return fmt.Errorf("cannot run %s%s: its meaning is not known here; replace it by standard operators, or cut the model before it", strings.Join(bad, ", "), more)
}

// Inputs returns the graph's inputs.
func (p *Program) Inputs() []*ir.Value { return p.g.Inputs }

// Outputs returns the graph's outputs.
func (p *Program) Outputs() []*ir.Value { return p.g.Outputs }

// Run computes the outputs. It may be called by many goroutines. A cancelled
// context ends it between two steps. The outputs belong to the caller.
func (p *Program) Run(ctx context.Context, in Tensors) (Tensors, error) {
	return p.Observe(ctx, in, nil)
}

// RunInto is Run into tensors that the caller gives by the outputs' names, on
// the heap, of the types and shapes that the outputs have, and overlapping
// nothing else. Once it has run for some shapes it allocates nothing for them,
// but for what operators without a kernel of their own allocate. After an error
// the tensors hold anything.
func (p *Program) RunInto(ctx context.Context, in, out Tensors) error {
	c, pl, err := p.open(in)
	if err != nil {
		return err
	}
	defer p.close(c)
	for i, o := range pl.outputs {
		v, name := &pl.values[o], p.g.Outputs[i].Name
		t := out[name]
		if t == nil {
			return fmt.Errorf("there is no tensor for output %q; given: %s", name, strings.Join(slices.Sorted(maps.Keys(out)), ", "))
		}
		if !v.holds(t) {
			return fmt.Errorf("output %q is %v%v, the tensor for it is %v", name, v.typ, op.Known(v.shape...), t)
		}
		c.out[i] = op.Datum{Tensor: t}
	}
	return pl.run(ctx, c, nil)
}

// Observe is Run, and calls watch with each value named by Options.Keep when it
// has been computed. The tensor is valid only during the call.
func (p *Program) Observe(ctx context.Context, in Tensors, watch func(name string, t *tensor.Tensor)) (Tensors, error) {
	c, pl, err := p.open(in)
	if err != nil {
		return nil, err
	}
	defer p.close(c)
	if err := pl.run(ctx, c, watch); err != nil {
		return nil, err
	}
	out := make(Tensors, len(c.out))
	for i, v := range p.g.Outputs {
		if c.out[i].Tensor == nil {
			return nil, fmt.Errorf("output %q is a %v, which only RunData returns", v.Name, c.out[i].Kind)
		}
		out[v.Name] = c.out[i].Tensor
	}
	return out, nil
}

func (p *Program) checkInputs(in Tensors) error {
	for _, v := range p.g.Inputs {
		t := in[v.Name]
		if t == nil {
			return p.strangers(in, fmt.Sprintf("input %q is missing; given: %s", v.Name, strings.Join(slices.Sorted(maps.Keys(in)), ", ")))
		}
		if t.Type() != v.Type {
			return fmt.Errorf("input %q is %v, want %v", v.Name, t.Type(), v.Type)
		}
		if _, err := op.Merge(v.Shape, op.Known(t.Shape()...)); err != nil {
			return fmt.Errorf("input %q has shape %v, want %v", v.Name, t.Shape(), v.Shape)
		}
	}
	if len(in) != len(p.g.Inputs) {
		return p.strangers(in, "more is given than the model takes")
	}
	return nil
}

// strangers is the error of what is given and no input, with the nearest
// inputs.
func (p *Program) strangers(in Tensors, problem string) error {
	var names []string
	for _, v := range p.g.Inputs {
		names = append(names, v.Name)
	}
	e := &diag.Error{Msg: problem}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if !slices.Contains(names, name) {
			e.Note("the model has no input %q", name).Suggest(name, names, "")
		}
	}
	return e.Note("inputs: %s", strings.Join(names, ", "))
}

var (
	errNotComputed = errors.New("it does not compute an output that is read")
	inf            = float32(math.Inf(1))
)
