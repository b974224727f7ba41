package tflite

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// variable is what a model remembers from one run to the next: an input and an
// output of the graph, and a state between them.
type variable struct {
	in, now *ir.Value
	init    *tensor.Tensor // nil: zeros
	// of and tensor are where the last value of a variable tensor is found.
	of     *scope
	tensor int
}

// variableOf makes an input of the graph for a variable tensor that is read
// before it is written.
func (d *decoder) variableOf(s *scope, x *tensorInfo, name string) *ir.Value {
	v := &ir.Value{Name: name}
	if s.g != d.g {
		s.unsupported("reads a variable inside of a loop or branch", "keep the state in inputs and outputs of the model")
		return v
	}
	f, err := d.fact(x, name)
	if err != nil {
		s.fail("%w", err)
		return v
	}
	v.Fact = f
	i := slices.IndexFunc(s.sub.tensors, func(t tensorInfo) bool { return t.table == x.table })
	st := &variable{in: v, of: s, tensor: i}
	// Interpreters reset a variable to what stands for zero.
	if q, ok, err := d.quantizationOf(x); err == nil && ok && f.Type == dtype.Int8 && len(q.zero) == 1 && q.zero[0] != 0 {
		if shape, known := f.Shape.Ints(); known {
			if _, ok := tensor.Count(shape); !ok {
				s.fail("tensor %q: shape %v has too many elements", name, f.Shape)
				return v
			}
			st.init = tensor.Splat(f.Type, x.shape, []byte{byte(q.zero[0])})
		}
	}
	d.states = append(d.states, st)
	d.g.Inputs = append(d.g.Inputs, v)
	return v
}

// finishStates closes the states and makes their last values outputs.
func (d *decoder) finishStates(s *scope) error {
	for _, st := range d.states {
		out := st.now
		if st.of != nil {
			out = st.of.stored[st.tensor]
		}
		if out == nil {
			continue // is set before it is read: nothing is remembered
		}
		d.g.States = append(d.g.States, ir.State{In: st.in, Out: out, Init: st.init})
		if !slices.Contains(d.g.Outputs, out) {
			d.g.Outputs = append(d.g.Outputs, out)
		}
	}
	return nil
}

// update makes v, a number, the new value of input k, which is a variable.
func (s *scope) update(k int, v *ir.Value) {
	i := s.o.in[k]
	if s.err != nil || !s.sub.tensors[i].variable {
		return
	}
	if q, ok := s.quantized(i); ok {
		v = s.quantize(v, q, i)
	}
	s.rename(v, s.d.names.name(s.names[i]+"/next"))
	s.stored[i], s.real[i] = v, nil
}

// varHandle names a variable.
func varHandle(s *scope) {
	p := optionsOf[varHandleOptions](s.o)
	s.handles[s.o.out[0]] = p.Container + "\x00" + p.Shared
}

// handle returns the variable that input 0 stands for.
func (s *scope) handle() *variable {
	key, ok := s.handles[s.o.in[0]]
	if !ok {
		s.unsupported("of a variable whose handle is passed on", "freeze the model's variables, or keep the state in inputs and outputs")
		return nil
	}
	v := s.d.variables[key]
	if v == nil {
		v = &variable{}
		s.d.variables[key] = v
		s.d.states = append(s.d.states, v)
	}
	return v
}

func readVariable(s *scope) {
	v := s.handle()
	if v == nil {
		return
	}
	if v.now == nil {
		x := &s.sub.tensors[s.o.out[0]]
		name := s.d.names.name(s.names[s.o.in[0]] + "/state")
		f, err := s.d.fact(x, name)
		if err != nil || s.g != s.d.g {
			s.unsupported("reads a variable inside of a loop or branch", "keep the state in inputs and outputs of the model")
			return
		}
		v.in = &ir.Value{Name: name, Fact: f}
		v.now = v.in
		s.d.g.Inputs = append(s.d.g.Inputs, v.in)
	}
	s.store(0, v.now)
}

// assignVariable sets what the next run reads, or what the first one does.
func assignVariable(s *scope) {
	v, x := s.handle(), s.raw(1)
	if v == nil {
		return
	}
	if s.d.starting {
		if x.Const == nil {
			s.unsupported("begins a variable with what is computed", "begin it with a constant")
			return
		}
		v.init = x.Const
		return
	}
	if v.in == nil {
		s.unsupported("writes a variable that was not read before", "keep the state in inputs and outputs of the model")
		return
	}
	v.now = x
}

// callOnce runs a subgraph that sets variables before the first run.
func callOnce(s *scope) {
	s.d.starting = true
	s.body(optionsOf[callOptions](s.o).Graph, &ir.Graph{}, nil)
	s.d.starting = false
}
