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
}

func (pl *plan) take() *frame {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	if n := len(pl.free); n > 0 {
		f := pl.free[n-1]
		pl.free = pl.free[:n-1]
		return f
	}
	f := &frame{pl: pl, crew: newCrew(pl.p.threads), arena: tensor.Aligned(pl.arena), scratch: tensor.Aligned(pl.scratch)}
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
	for i, v := range pl.values {
		if v.alias >= 0 && pl.values[pl.root(i)].offset < 0 {
			f.home[i].Show(nil)
		}
	}
	pl.mu.Lock()
	defer pl.mu.Unlock()
	if len(pl.free) < pl.p.threads {
		pl.free = append(pl.free, f)
	}
}

// run computes the outputs into those of out that are there, and adds the
// others to out.
func (f *frame) run(ctx context.Context, in, out Tensors, watch func(string, *tensor.Tensor)) error {
	pl := f.pl
	copy(f.vals, f.home)
	for i, v := range pl.inputs {
		f.vals[v] = in[pl.p.g.Inputs[i].Name]
		f.see(v, watch)
	}
	for _, o := range pl.outputs {
		if v := &pl.values[o]; v.given {
			if f.vals[o] = out[v.name]; f.vals[o] == nil {
				f.vals[o] = tensor.New(v.typ, v.shape...)
			}
		}
	}
	if !pl.alone {
		f.crew.begin()
		defer f.crew.end()
	}
	for i := range pl.steps {
		if err := ctx.Err(); err != nil {
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
			f.vals[v] = nil // lets the collector have what the step allocated
		}
	}
	for i, o := range pl.outputs {
		v, t := &pl.values[o], f.vals[o]
		name := pl.p.g.Outputs[i].Name
		switch have := out[name]; {
		case have == t:
		case have != nil:
			if err := fill(have, t); err != nil {
				return fmt.Errorf("output %q: %w", name, err)
			}
		case v.fixed != nil || v.alias >= 0 || f.borrowed(t):
			out[name] = t.Clone()
		default:
			out[name] = t
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
	// Two outputs may share memory.
	for _, o := range f.pl.outputs {
		if f.vals[o] != t && overlaps(b, f.vals[o].Bytes()) {
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

// viewStep makes the output show the bytes of the input, whose memory is known
// only while the plan runs.
func viewStep(f *frame, s *step) error {
	f.vals[s.out[0]].Show(f.vals[s.in[0]])
	return nil
}
