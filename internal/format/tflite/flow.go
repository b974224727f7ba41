package tflite

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// Operators that run other subgraphs, and those with a memory.
var flows = []conversion{
	{"ASSIGN_VARIABLE", "AssignVariableOptions", 1, 2, 0, assignVariable},
	{"CALL", "CallOptions", 1, 0, 0, call},
	{"CALL_ONCE", "CallOnceOptions", 1, 0, 0, callOnce},
	{"IF", "IfOptions", 1, 1, 0, ifThen},
	{"READ_VARIABLE", "ReadVariableOptions", 1, 1, 1, readVariable},
	{"UNIDIRECTIONAL_SEQUENCE_LSTM", "UnidirectionalSequenceLSTMOptions", 4, 1, 1, sequenceLSTM},
	{"VAR_HANDLE", "VarHandleOptions", 1, 0, 1, varHandle},
	{"WHILE", "WhileOptions", 1, 1, 1, while},
}

// enter checks a call of a subgraph, which must not be one of those around it.
func (s *scope) enter(index int32) bool {
	d := s.d
	switch k := int(index); {
	case s.err != nil:
	case k < 0 || k >= len(d.f.graphs):
		s.fail("it calls subgraph %d of %d", k, len(d.f.graphs))
	case slices.Contains(d.within, k):
		s.unsupported("calls a subgraph around it", "recursion cannot be run; write a loop")
	case len(d.within) >= maxNested:
		s.fail("subgraphs call each other more than %d deep", maxNested)
	default:
		d.within = append(d.within, k)
		return true
	}
	return false
}

// body converts a subgraph into g, with args for its inputs, and returns its
// outputs.
func (s *scope) body(index int32, g *ir.Graph, args []*ir.Value) []*ir.Value {
	if !s.enter(index) {
		return nil
	}
	defer func() { s.d.within = s.d.within[:len(s.d.within)-1] }()
	inner := s.d.scope(int(index), g, nil)
	if len(inner.sub.inputs) != len(args) {
		s.fail("subgraph %d takes %d inputs, and it is given %d", index, len(inner.sub.inputs), len(args))
		return nil
	}
	for k, i := range inner.sub.inputs {
		if inner.stored[i] != nil {
			s.fail("subgraph %d: input %q is given twice", index, inner.sub.tensors[i].name)
			return nil
		}
		inner.stored[i] = args[k]
	}
	if err := inner.convert(); err != nil {
		if s.err == nil {
			s.err = fmt.Errorf("subgraph %d: %w", index, err)
		}
		return nil
	}
	var out []*ir.Value
	for _, i := range inner.sub.outputs {
		v, err := inner.result(i)
		if err != nil {
			s.fail("subgraph %d: %w", index, err)
			return nil
		}
		out = append(out, v)
	}
	return out
}

// arguments returns the inputs from k on as values, for a subgraph.
func (s *scope) arguments(k int) []*ir.Value {
	var out []*ir.Value
	for ; k < len(s.o.in); k++ {
		if !s.has(k) {
			s.fail("input %d is missing", k)
			return nil
		}
		out = append(out, s.raw(k))
	}
	return out
}

// parameters returns inputs of the graph of a body, of the types of args. Sizes
// that the subgraph declares otherwise are not known in it.
func (s *scope) parameters(index int32, args []*ir.Value) []*ir.Value {
	var declared []int
	if k := int(index); k >= 0 && k < len(s.d.f.graphs) {
		declared = s.d.f.graphs[k].inputs
	}
	out := make([]*ir.Value, len(args))
	for i, a := range args {
		f := op.TensorFact(a.Type, a.Shape.Clone())
		if i < len(declared) {
			x := &s.d.f.graphs[index].tensors[declared[i]]
			if len(x.shape) != len(f.Shape) {
				f.Shape = nil
			}
			for a := range f.Shape {
				if !f.Shape[a].Is(x.shape[a]) {
					f.Shape[a] = op.Unknown
				}
			}
		}
		out[i] = &ir.Value{Name: s.d.names.name(a.Name + "/in"), Fact: f}
	}
	return out
}

func call(s *scope) {
	for k, v := range s.body(optionsOf[callOptions](s.o).Graph, s.g, s.arguments(0)) {
		s.store(k, v)
	}
}

// ifThen gives both branches the same inputs, as captured values.
func ifThen(s *scope) {
	p := optionsOf[ifOptions](s.o)
	args := s.arguments(1)
	n := &ir.Node{Op: op.New[op.If](), In: append([]*ir.Value{s.raw(0)}, args...), Captured: len(args)}
	for _, index := range []int32{p.Then, p.Else} {
		g := &ir.Graph{Inputs: s.parameters(index, args)}
		g.Outputs = s.body(index, g, g.Inputs)
		n.Bodies = append(n.Bodies, g)
	}
	s.flow(n)
}

// while asks its condition of what it begins with and, at the end of the body,
// of what comes out of it.
func while(s *scope) {
	p := optionsOf[whileOptions](s.o)
	args := s.arguments(0)
	first := s.body(p.Cond, s.g, args)
	trip := &ir.Value{Name: s.d.names.name("trip"), Fact: op.TensorFact(dtype.Int64, op.Known())}
	goesOn := &ir.Value{Name: s.d.names.name("goes_on"), Fact: op.TensorFact(dtype.Bool, op.Known())}
	in := s.parameters(p.Body, args)
	g := &ir.Graph{Inputs: append([]*ir.Value{trip, goesOn}, in...)}
	out := s.body(p.Body, g, in)
	next := s.body(p.Cond, g, out)
	if s.err == nil && (len(first) != 1 || len(next) != 1) {
		s.fail("its condition has %d outputs, want 1", len(first))
	}
	if s.err == nil && len(out) != len(args) {
		s.fail("its body gives %d values, want %d", len(out), len(args))
	}
	if s.err != nil {
		return
	}
	g.Outputs = append(next, out...)
	s.flow(&ir.Node{Op: op.New[op.Loop](), In: append([]*ir.Value{nil, first[0]}, args...), Bodies: []*ir.Graph{g}})
}

// flow appends a node with bodies, of which all outputs are the operator's.
func (s *scope) flow(n *ir.Node) {
	if s.err != nil {
		return
	}
	count := len(n.Bodies[0].Outputs)
	if _, ok := n.Op.(*op.Loop); ok {
		count--
	}
	if count < len(s.o.out) || count == 0 {
		s.fail("it has %d outputs, and its subgraphs give %d", len(s.o.out), count)
		return
	}
	base := "flow"
	if len(s.o.out) > 0 && s.o.out[0] >= 0 {
		base = s.names[s.o.out[0]]
	}
	n.Name, n.Origin = s.d.names.name(base+"/"+n.Op.Name()), base
	for k, b := range n.Bodies {
		b.Name = s.d.names.name(fmt.Sprintf("%s/%d", n.Name, k))
	}
	for range count {
		n.Out = append(n.Out, &ir.Value{Name: s.d.names.name(n.Name + "/out")})
	}
	if s.err = ir.Infer(&ir.Graph{Nodes: []*ir.Node{n}}); s.err != nil {
		return
	}
	s.g.Nodes = append(s.g.Nodes, n)
	for k, v := range n.Out {
		s.fresh[v] = n
		s.store(k, v)
	}
}
