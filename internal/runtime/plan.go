package runtime

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// plan is a program for fixed input shapes.
type plan struct {
	p       *Program
	values  []planned
	index   map[*ir.Value]int
	steps   []step
	inputs  []int // values, in the order of the graph's inputs
	outputs []int // likewise, for its outputs
	wanted  []wanted
	views   []int // values over memory that is known only in a run
	arena   int   // bytes
	// scratch is the largest temporary memory that a step asks for.
	scratch int
	// ends are the epilogues that a run sets, and lives the number of
	// activations whose parameters it finds.
	ends  []*gemm.LiveEnd
	lives int
	cost  int     // of the steps, in multiply-adds
	large int     // what those of them cost that are worth sharing
	flows []*flow // the steps that run bodies
	// own holds the packed weights of the nodes in owns, whose constants follow
	// from the shapes; all others are shared by the program's plans.
	own  *packCache
	owns map[*ir.Node]bool

	mu   sync.Mutex
	free []*frame
}

// planned is a value of the plan.
type planned struct {
	name   string
	typ    dtype.Type
	shape  []int
	fixed  *tensor.Tensor // constants
	offset int            // in the arena, -1 where a step allocates
	output bool
	watch  bool
	given  bool // its step writes into memory that it is given
	alias  int  // the value whose memory this one shares, -1 for its own
	over   int  // an input of its step whose memory it may take, -1 if none
}

// step runs one node: run, if set, then work over n parts, if set. Both may use
// the frame's scratch memory.
type step struct {
	node    *ir.Node
	in, out []int // indices into values, -1 for absent
	run     func(f *frame, s *step) error
	work    part
	n, cost int   // parts, and what all of them cost in multiply-adds
	unit    int   // parts that are best done one after the other; 0 for 1
	alone   int64 // nanoseconds that one goroutine takes for them, the least that was seen; 0: not known
	// last lists the values whose memory ends here and lies outside the arena.
	last []int
}

// share makes the step run work over n parts, on as many goroutines as its cost
// in multiply-adds is worth. What work captures is fixed with the plan: then a
// run allocates nothing.
func (s *step) share(n, cost int, work part) { s.run, s.work, s.n, s.cost = nil, work, n, cost }

// newPlan makes a plan for inputs of the kinds, types and shapes of in, and of
// the values where these are known.
func (p *Program) newPlan(in []op.Datum, known []bool) (*plan, error) {
	g, _ := p.g.Clone()
	keys := map[*ir.Node]*ir.Node{}
	originals(keys, g, p.g)
	pl := &plan{p: p, index: map[*ir.Value]int{}, own: newPackCache(), owns: map[*ir.Node]bool{}, wanted: make([]wanted, len(in))}
	for i, v := range g.Inputs {
		pl.wanted[i] = wantedOf(in[i], v.Fact)
		v.Fact = pl.wanted[i].fact
		if known != nil && known[i] {
			v.Fact = op.ConstFact(in[i].Tensor)
		}
	}
	if err := p.settle(g); err != nil {
		return nil, err
	}
	for _, n := range g.Nodes {
		if !sameConstants(n, keys[n]) {
			keys[n], pl.owns[n] = n, true
		}
	}
	for i, v := range g.Values() {
		pv := planned{name: v.Name, typ: v.Type, fixed: handy(v.Const), offset: -1, output: g.IsOutput(v), alias: -1, over: -1, watch: p.keep[v.Name]}
		if s, ok := v.Shape.Ints(); ok && v.Const == nil {
			if _, fits := tensor.Count(s); fits {
				pv.shape = s
			}
		}
		pl.index[v] = i
		pl.values = append(pl.values, pv)
	}
	pl.inputs, pl.outputs = pl.refs(g.Inputs), pl.refs(g.Outputs)
	groups := pl.fuse(g, keys)
	for _, n := range g.Nodes {
		gr := groups[n]
		if gr != nil && n != gr.last() {
			continue
		}
		if gr == nil {
			known, err := pl.dequantized(n, keys[n])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", n.Label(), err)
			}
			if known {
				for _, m := range g.Nodes {
					if pl.owns[keys[n]] && slices.Contains(m.In, n.Out[0]) {
						keys[m], pl.owns[m] = m, true
					}
				}
				continue
			}
		}
		s := step{node: n, in: pl.refs(n.In), out: pl.refs(n.Out)}
		if err := pl.prepare(&s, gr, keys[n]); err != nil {
			return nil, fmt.Errorf("%s: %w", n.Label(), err)
		}
		pl.cost += s.cost
		if s.n > 1 && s.cost >= smallWork {
			pl.large += s.cost
		}
		pl.steps = append(pl.steps, s)
	}
	pl.layOut()
	return pl, nil
}

// sameConstants reports whether the constants that n reads are those of key, the
// node of the program that it is the copy of: others follow from the shapes that
// the plan is made for. Nodes with bodies need their key for these.
func sameConstants(n, key *ir.Node) bool {
	if len(n.Bodies) > 0 {
		return true
	}
	for i, v := range n.In {
		if v != nil && v.Const != nil && (key == nil || i >= len(key.In) || key.In[i] == nil || key.In[i].Const != v.Const) {
			return false
		}
	}
	return true
}

// packs returns the cache for the weights of a key.
func (pl *plan) packs(key *ir.Node) *packCache {
	if pl.owns[key] {
		return pl.own
	}
	return pl.p.weights
}

// originals notes of which node of g each node of its clone c is the copy, bodies
// included.
func originals(of map[*ir.Node]*ir.Node, c, g *ir.Graph) {
	for i, n := range c.Nodes {
		of[n] = g.Nodes[i]
		for k, b := range n.Bodies {
			originals(of, b, g.Nodes[i].Bodies[k])
		}
	}
}

// handy returns a small constant as bytes that need no work to be read in a run:
// neither computed nor at an odd address.
func handy(t *tensor.Tensor) *tensor.Tensor {
	const small = 1 << 16
	if t == nil || t.Storage() == nil || t.Storage().Len() > small || t.Len() == 0 {
		return t
	}
	a, b := unsafe.SliceData(t.Bytes()), unsafe.SliceData(t.Bytes())
	if a == b && uintptr(unsafe.Pointer(a))%8 == 0 {
		return t
	}
	return t.Clone()
}

// settle infers the shapes of a graph whose inputs are known, and computes what
// follows from them alone. Values that are kept must be computed in a run.
func (p *Program) settle(g *ir.Graph) error {
	const rounds = 4
	for range rounds {
		if err := ir.Infer(g); err != nil || len(p.keep) > 0 {
			return err
		}
		folded, err := pass.FoldConstants(g)
		if err != nil {
			return err
		}
		inlined, err := pass.InlineBranches(g)
		if err != nil {
			return err
		}
		if !folded && !inlined {
			break
		}
	}
	_, err := pass.EliminateDead(g)
	return err
}

func (pl *plan) refs(vs []*ir.Value) []int {
	out := make([]int, len(vs))
	for i, v := range vs {
		out[i] = -1
		if v != nil {
			out[i] = pl.index[v]
		}
	}
	return out
}

// placeInArena marks a value that its step writes into memory it is given.
const placeInArena = -2

// place reserves memory for output i of a step and reports whether it can:
// its shape must be known.
func (pl *plan) place(s *step, i int) bool {
	if i >= len(s.out) || s.out[i] < 0 {
		return true
	}
	v := &pl.values[s.out[i]]
	if v.shape == nil {
		return false
	}
	v.given = true
	if !v.output {
		v.offset = placeInArena
	}
	return true
}

// overwrite lets output 0 of a step take the memory of input i where that dies: the
// step reads each element before it writes the one at its place.
func (pl *plan) overwrite(s *step, i int) {
	if v := s.in[i]; v >= 0 {
		pl.values[s.out[0]].over = v
	}
}

// fits reports whether the inputs are what the plan was made for.
func (pl *plan) fits(in []op.Datum, known []bool) bool {
	for i := range pl.wanted {
		bound := pl.values[pl.inputs[i]].fixed
		if (bound != nil) != (known != nil && known[i]) || !pl.wanted[i].matches(in[i]) || bound != nil && !tensor.Equal(bound, in[i].Tensor) {
			return false
		}
	}
	return true
}

// holds reports whether t is a tensor of the value's type and shape, as far as
// that is known.
func (v *planned) holds(t *tensor.Tensor) bool {
	return v.shape == nil || t.Type() == v.typ && slices.Equal(t.Shape(), v.shape)
}

// run executes the plan in a frame of its own.
func (pl *plan) run(ctx context.Context, c *call, watch func(string, *tensor.Tensor)) error {
	f := pl.take()
	defer pl.give(f)
	f.trips = op.Budget{Limit: pl.p.trips}
	f.ctx, f.budget = ctx, &f.trips
	return tensor.Guard(func() error { return f.run(c.in, c.out, watch) })
}
