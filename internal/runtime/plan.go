package runtime

import (
	"context"
	"fmt"
	"sync"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// plan is a program for fixed input shapes.
type plan struct {
	p      *Program
	values []planned
	index  map[*ir.Value]int
	steps  []step
	inputs []int
	arena  int // bytes
	// scratch is the largest temporary memory that a step asks for.
	scratch int

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
	output int            // its place among the outputs, -1 if none
	watch  bool
	given  bool // its step writes into memory that it is given
	alias  int  // the value whose memory this one shares, -1 for its own
}

// step runs one node. run may use f's scratch memory.
type step struct {
	node    *ir.Node
	in, out []int // indices into values, -1 for absent
	run     func(f *frame, s *step) error
	// last lists the values whose memory ends here and lies outside the arena.
	last []int
}

// frame is the memory of one running plan.
type frame struct {
	pl      *plan
	arena   []byte
	scratch []byte
	vals    []*tensor.Tensor // headers over the arena, or what steps allocated
	home    []*tensor.Tensor // the headers over the arena
}

func (p *Program) newPlan(in Tensors) (*plan, error) {
	g, _ := p.g.Clone()
	keys := map[*ir.Node]*ir.Node{}
	for i, n := range g.Nodes {
		keys[n] = p.g.Nodes[i]
	}
	for _, v := range g.Inputs {
		v.Fact = op.TensorFact(v.Type, op.Known(in[v.Name].Shape()...))
	}
	if err := ir.Infer(g); err != nil {
		return nil, err
	}
	pl := &plan{p: p, index: map[*ir.Value]int{}}
	outputs := map[*ir.Value]int{}
	for i, v := range g.Outputs {
		outputs[v] = i
	}
	for i, v := range g.Values() {
		pv := planned{name: v.Name, typ: v.Type, fixed: v.Const, offset: -1, output: -1, alias: -1, watch: p.keep[v.Name]}
		if s, ok := v.Shape.Ints(); ok && v.Const == nil {
			if _, fits := tensor.Count(s); fits {
				pv.shape = s
			}
		}
		if o, ok := outputs[v]; ok {
			pv.output = o
		}
		pl.index[v] = i
		pl.values = append(pl.values, pv)
	}
	for _, v := range g.Inputs {
		pl.inputs = append(pl.inputs, pl.index[v])
	}
	groups := pl.fuse(g, keys)
	for _, n := range g.Nodes {
		if gr := groups[n]; gr != nil && n != gr.last() {
			continue
		}
		s := step{node: n, in: pl.refs(n.In), out: pl.refs(n.Out)}
		err := error(nil)
		if gr := groups[n]; gr != nil {
			s.in, s.out = pl.refs(gr.in), pl.refs(gr.out)
			err = gr.set(&s)
		} else {
			err = pl.dispatch(&s, keys[n])
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Label(), err)
		}
		pl.steps = append(pl.steps, s)
	}
	pl.layOut()
	return pl, nil
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

// layOut gives arena offsets to the values that steps write in place: each
// takes the lowest gap that is free while it lives. Outputs stay outside, as
// they outlive the run.
func (pl *plan) layOut() {
	last := make([]int, len(pl.values))
	for i, s := range pl.steps {
		for _, v := range append(s.in[:len(s.in):len(s.in)], s.out...) {
			// What shares memory keeps all of it alive.
			for ; v >= 0; v = pl.values[v].alias {
				last[v] = i
			}
		}
	}
	// Memory that an output shares must outlive the run.
	for v := range pl.values {
		if pl.values[v].output >= 0 {
			for a := pl.values[v].alias; a >= 0; a = pl.values[a].alias {
				last[a] = len(pl.steps)
			}
		}
	}
	type placed struct{ off, size, from, to int }
	var done []placed
	for i, s := range pl.steps {
		for _, v := range s.out {
			if v < 0 || pl.values[v].offset != placeInArena {
				continue
			}
			pv := &pl.values[v]
			n, _ := tensor.Count(pv.shape)
			size := (pv.typ.Size(n) + 63) &^ 63
			off := 0
			for moved := true; moved; {
				moved = false
				for _, d := range done {
					if d.to >= i && d.off < off+size && off < d.off+d.size {
						off, moved = d.off+d.size, true
					}
				}
			}
			pv.offset = off
			done = append(done, placed{off, size, i, last[v]})
			pl.arena = max(pl.arena, off+size)
		}
		for _, v := range append(s.in[:len(s.in):len(s.in)], s.out...) {
			if v >= 0 && last[v] == i && pl.values[v].offset < 0 && pl.values[v].output < 0 && pl.values[v].fixed == nil {
				pl.steps[i].last = append(pl.steps[i].last, v)
			}
		}
	}
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
	if v.output < 0 {
		v.offset = placeInArena
	}
	return true
}

func (pl *plan) take() *frame {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	if n := len(pl.free); n > 0 {
		f := pl.free[n-1]
		pl.free = pl.free[:n-1]
		return f
	}
	f := &frame{pl: pl, arena: tensor.Aligned(pl.arena), scratch: tensor.Aligned(pl.scratch)}
	f.vals, f.home = make([]*tensor.Tensor, len(pl.values)), make([]*tensor.Tensor, len(pl.values))
	for i, v := range pl.values {
		switch {
		case v.fixed != nil:
			f.home[i] = v.fixed
		case v.offset >= 0:
			n, _ := tensor.Count(v.shape)
			size := v.typ.Size(n)
			t, err := tensor.FromBytes(v.typ, v.shape, f.arena[v.offset:v.offset+size:v.offset+size])
			if err != nil {
				panic("runtime: " + err.Error())
			}
			f.home[i] = t
		}
	}
	return f
}

func (pl *plan) give(f *frame) {
	clear(f.vals)
	pl.mu.Lock()
	defer pl.mu.Unlock()
	if len(pl.free) < pl.p.threads {
		pl.free = append(pl.free, f)
	}
}

func (f *frame) run(ctx context.Context, in Tensors, watch func(string, *tensor.Tensor)) (Tensors, error) {
	pl := f.pl
	copy(f.vals, f.home)
	see := func(i int) {
		if watch != nil && i >= 0 && pl.values[i].watch && f.vals[i] != nil {
			watch(pl.values[i].name, f.vals[i])
		}
	}
	for i, v := range pl.inputs {
		f.vals[v] = in[pl.p.g.Inputs[i].Name]
		see(v)
	}
	for i := range pl.steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s := &pl.steps[i]
		for _, o := range s.out {
			if o >= 0 && pl.values[o].output >= 0 && pl.values[o].given {
				f.vals[o] = tensor.New(pl.values[o].typ, pl.values[o].shape...)
			}
		}
		if err := s.run(f, s); err != nil {
			return nil, fmt.Errorf("%s: %w", s.node.Label(), err)
		}
		for _, o := range s.out {
			see(o)
		}
		for _, v := range s.last {
			f.vals[v] = nil // lets the collector have what the step allocated
		}
	}
	out := make(Tensors, len(pl.p.g.Outputs))
	for _, v := range pl.p.g.Outputs {
		out[v.Name] = nil
	}
	for i, v := range pl.values {
		if v.output < 0 {
			continue
		}
		t := f.vals[i]
		if v.fixed != nil || f.borrowed(t) {
			t = t.Clone()
		}
		out[v.name] = t
	}
	return out, nil
}

// tensorAt returns operand i of a step, nil where it is absent.
func (f *frame) tensorAt(refs []int, i int) *tensor.Tensor {
	if i >= len(refs) || refs[i] < 0 {
		return nil
	}
	return f.vals[refs[i]]
}

// borrowed reports whether a tensor's bytes lie in the arena or in an input.
func (f *frame) borrowed(t *tensor.Tensor) bool {
	b := t.Bytes()
	if overlaps(b, f.arena) {
		return true
	}
	for _, v := range f.pl.inputs {
		if in := f.vals[v]; in != nil && overlaps(b, in.Bytes()) {
			return true
		}
	}
	return false
}

func overlaps(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	pa, pb := uintptr(unsafe.Pointer(&a[0])), uintptr(unsafe.Pointer(&b[0]))
	return pa < pb+uintptr(len(b)) && pb < pa+uintptr(len(a))
}

// evalStep runs a node by its reference meaning.
func evalStep(f *frame, s *step) error {
	in := make([]op.Datum, len(s.in))
	for i := range s.in {
		in[i].Tensor = f.tensorAt(s.in, i)
	}
	out, err := ir.EvalNode(s.node, in)
	if err != nil {
		return err
	}
	for i, o := range s.out {
		if o < 0 {
			continue
		}
		if i >= len(out) || out[i].Tensor == nil {
			return errNotComputed
		}
		t := out[i].Tensor
		if overlaps(t.Bytes(), f.arena) {
			// The operator handed its input on, whose memory will be reused.
			t = t.Clone()
		}
		f.vals[o] = t
	}
	return nil
}
