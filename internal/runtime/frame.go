package runtime

import (
	"context"
	"fmt"
	"slices"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// frame is the memory of one running plan.
type frame struct {
	pl      *plan
	crew    *crew
	arena   []byte
	scratch []byte
	vals    []*tensor.Tensor // headers over the arena, or what steps allocated
	home    []*tensor.Tensor // the headers over the arena, and those of views
	lives   []liveParams
	ends    []liveEnd
	others  []op.Datum // sequences and optionals; nil before there is one
	calls   []call     // of the plan's flows
	trips   op.Budget

	// Of the run that goes on, which may be that of a body.
	ctx    context.Context
	budget *op.Budget
}

func (pl *plan) take() *frame {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	if n := len(pl.free); n > 0 {
		f := pl.free[n-1]
		pl.free = pl.free[:n-1]
		return f
	}
	f := &frame{pl: pl, arena: large(pl.arena), scratch: tensor.Aligned(pl.scratch)}
	if !pl.p.inside {
		f.crew = newCrew(pl.p.threads)
	}
	for _, fl := range pl.flows {
		f.calls = append(f.calls, newCall(fl.in, fl.out))
	}
	f.vals, f.home = make([]*tensor.Tensor, len(pl.values)), make([]*tensor.Tensor, len(pl.values))
	f.lives, f.ends = make([]liveParams, pl.lives), make([]liveEnd, len(pl.ends))
	for i, e := range pl.ends {
		f.ends[i].list[0] = e.End()
	}
	for i, v := range pl.values {
		offset := pl.values[pl.root(i)].offset
		if v.fixed != nil {
			f.home[i] = v.fixed
			continue
		}
		if v.alias < 0 && offset < 0 {
			continue
		}
		var err error
		n, _ := tensor.Count(v.shape)
		size := v.typ.Size(n)
		if offset >= 0 {
			f.home[i], err = tensor.FromBytes(v.typ, v.shape, f.arena[offset:offset+size:offset+size])
		} else {
			f.home[i], err = tensor.View(v.typ, v.shape)
		}
		if err != nil {
			panic("runtime: " + err.Error())
		}
	}
	return f
}

func (pl *plan) give(f *frame) {
	clear(f.vals)
	clear(f.others)
	f.ctx, f.budget = nil, nil
	if pl.p.inside {
		f.crew = nil
	}
	for _, v := range pl.views {
		f.home[v].Show(nil)
	}
	pl.mu.Lock()
	defer pl.mu.Unlock()
	if len(pl.free) < pl.p.threads {
		pl.free = append(pl.free, f)
	}
}

// run computes the outputs into those of out that are there, and adds the
// others to out.
func (f *frame) run(in, out []op.Datum, watch func(string, *tensor.Tensor)) error {
	pl := f.pl
	copy(f.vals, f.home)
	for i, v := range pl.inputs {
		f.put(v, in[i])
		f.see(v, watch)
	}
	for i, o := range pl.outputs {
		if v := &pl.values[o]; v.given && f.vals[o] == nil {
			if f.vals[o] = out[i].Tensor; f.vals[o] == nil {
				f.vals[o] = tensor.New(v.typ, v.shape...)
			}
		}
	}
	if pl.large > 0 && !pl.p.inside {
		f.crew.begin(pl.large)
		defer f.crew.end()
	}
	for i := range pl.steps {
		if err := f.ctx.Err(); err != nil {
			return err
		}
		s := &pl.steps[i]
		if s.run != nil {
			if err := s.run(f, s); err != nil {
				return fmt.Errorf("%s: %w", s.node.Label(), err)
			}
		}
		if s.work != nil {
			f.crew.share(f, s, s.n, s.cost, s.work)
		}
		if watch != nil {
			for _, o := range s.out {
				f.see(o, watch)
			}
		}
		for _, v := range s.last {
			f.put(v, op.Datum{}) // lets the collector have what the step allocated
		}
	}
	for i, o := range pl.outputs {
		v, t, have := &pl.values[o], f.vals[o], out[i].Tensor
		switch {
		case t == nil && have != nil:
			return fmt.Errorf("output %q is no tensor", v.name)
		case t == nil:
			out[i] = f.datum(o)
		case have == t:
		case have != nil:
			if err := fill(have, t); err != nil {
				return fmt.Errorf("output %q: %w", v.name, err)
			}
		case v.fixed != nil || v.alias >= 0 || f.borrowed(t, i):
			out[i].Tensor = t.Clone()
		default:
			out[i].Tensor = t
		}
	}
	return nil
}

// fill copies a tensor's elements into another one.
func fill(to, from *tensor.Tensor) error {
	if to.Type() != from.Type() || !slices.Equal(to.Shape(), from.Shape()) {
		return fmt.Errorf("it is %v, the tensor for it is %v", from, to)
	}
	copy(to.Bytes(), from.Bytes())
	copy(to.Strings(), from.Strings())
	return nil
}

func (f *frame) see(i int, watch func(string, *tensor.Tensor)) {
	if watch != nil && i >= 0 && f.pl.values[i].watch && f.vals[i] != nil {
		watch(f.pl.values[i].name, f.vals[i])
	}
}

// put sets a value for the steps that read it.
func (f *frame) put(i int, d op.Datum) {
	f.vals[i] = d.Tensor
	if f.others != nil {
		f.others[i] = op.Datum{}
	}
	if d.Tensor == nil && d.Present() {
		if f.others == nil {
			f.others = make([]op.Datum, len(f.vals))
		}
		f.others[i] = d
	}
}

// datum returns a value, the zero one where i is below 0 or it is absent.
func (f *frame) datum(i int) op.Datum {
	switch {
	case i >= 0 && f.vals[i] != nil:
		return op.Datum{Tensor: f.vals[i]}
	case i >= 0 && f.others != nil:
		return f.others[i]
	}
	return op.Datum{}
}

// tensorAt returns operand i of a step, nil where it is absent.
func (f *frame) tensorAt(refs []int, i int) *tensor.Tensor {
	if i >= len(refs) || refs[i] < 0 {
		return nil
	}
	return f.vals[refs[i]]
}

// out returns the tensor that a step writes.
func (f *frame) out(s *step) *tensor.Tensor { return f.vals[s.out[0]] }

// floats returns a part of the scratch memory for one slot of a step's work.
func (f *frame) floats(slot, n int) []float32 {
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&f.scratch[4*slot*n])), n)
}

// bytes is floats for bytes.
func (f *frame) bytes(slot, n int) []byte { return f.scratch[slot*n : (slot+1)*n] }

// borrowed reports whether the bytes of output i lie in the arena, in an input
// or in another output.
func (f *frame) borrowed(t *tensor.Tensor, i int) bool {
	if overlaps(t.Bytes(), f.arena) {
		return true
	}
	for _, v := range f.pl.inputs {
		if in := f.vals[v]; in != nil && meets(t, in) {
			return true
		}
	}
	for j, o := range f.pl.outputs {
		if other := f.vals[o]; other != nil && j != i && (j < i || other != t) && meets(t, other) {
			return true
		}
	}
	return false
}

// meets reports whether two tensors have elements in common.
func meets(a, b *tensor.Tensor) bool {
	return a == b || overlaps(a.Bytes(), b.Bytes()) || overlaps(a.Strings(), b.Strings())
}

func overlaps[T any](a, b []T) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	size := unsafe.Sizeof(a[0])
	pa, pb := uintptr(unsafe.Pointer(&a[0])), uintptr(unsafe.Pointer(&b[0]))
	return pa < pb+size*uintptr(len(b)) && pb < pa+size*uintptr(len(a))
}

// evalStep runs a node by its reference meaning.
func evalStep(f *frame, s *step) error {
	in := f.operands(s)
	out, err := ir.EvalNode(s.node, in)
	if err != nil {
		return err
	}
	return f.accept(s, in, out)
}

// viewStep makes the output show the bytes of the input, whose memory is known
// only while the plan runs.
func viewStep(f *frame, s *step) error {
	f.vals[s.out[0]].Show(f.vals[s.in[0]])
	return nil
}
