package pass

import (
	"fmt"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// maxUnrolled is how many nodes the recurrent operators of a graph may become.
const maxUnrolled = 4096

// unrollRecurrent writes recurrent operators that TensorFlow Lite has not as
// their steps: GRU, RNN, and LSTM with what UNIDIRECTIONAL_SEQUENCE_LSTM cannot
// say. Data are multiplied once for all steps. Equations: ONNX, operators GRU,
// LSTM and RNN; h + z·(h′−h) is written for (1−z)·h + z·h′.
//
// Before: y, last = GRU(x, w, r, b, _, h)
//
// After, for each step t: h = GRU step(Gather(Add(MatMul(x, wᵀ), b), t), Gemm(h, rᵀ))
// and y = Transpose(Reshape(Concat(h of all steps)))
//
// Conditions, others being errors: x is float32, the number of steps is known,
// weights and biases are constant, and functions Sigmoid, Tanh or Relu.
func unrollRecurrent(g *ir.Graph) error {
	m := newMatcher(g)
	names := ir.NewNamer(g)
	var nodes []*ir.Node
	unrolled := 0
	for _, n := range g.Nodes {
		u, ok := unrollerOf(n)
		if o, is := n.Op.(*op.LSTM); !ok || is && m.sequenceLSTM(n, o) {
			nodes = append(nodes, n)
			continue
		}
		u.matcher, u.names, u.left = m, names, maxUnrolled-unrolled
		if err := u.run(); err != nil {
			return err
		}
		nodes, unrolled = append(nodes, u.nodes...), unrolled+len(u.nodes)
	}
	if unrolled == 0 {
		return nil
	}
	g.Nodes = nodes
	return ir.Infer(g)
}

// sequenceLSTM reports whether UNIDIRECTIONAL_SEQUENCE_LSTM is for an LSTM, or
// would be if its lengths were constant.
func (m *matcher) sequenceLSTM(n *ir.Node, o *op.LSTM) bool {
	state := func(i int) bool { return i < len(n.In) && n.In[i] != nil }
	cells := len(n.Out) > 2 && m.read(n.Out[2])
	for i, f := range o.Activations {
		if !strings.EqualFold(f, []string{"Sigmoid", "Tanh", "Tanh"}[i%3]) {
			return false
		}
	}
	return !state(5) && !state(6) && !cells && !o.BatchFirst && !o.InputForget && !o.Clip.Set
}

// read reports whether anything reads v.
func (m *matcher) read(v *ir.Value) bool {
	return v != nil && (len(m.uses[v]) > 0 || m.g.IsOutput(v))
}

// unroller writes one recurrent operator as its steps.
type unroller struct {
	*matcher
	names *ir.Namer
	n     *ir.Node
	name  string // n's, or its first result's
	base  string // of the names of what is added
	nodes []*ir.Node
	left  int // nodes that may be added
	err   error
	// indices are the constants that parts along an axis are taken by.
	indices map[int]*ir.Value

	direction         string
	gates, hidden     int
	functions         []string // per of them for each direction
	per               int
	clip              op.Opt[float32]
	batchFirst        bool
	linearBeforeReset bool     // of a GRU
	lstm              *op.LSTM // nil for others
}

// unrollerOf returns what unrolls a node, if it is a recurrent operator.
func unrollerOf(n *ir.Node) (*unroller, bool) {
	u := &unroller{n: n, name: n.Name, indices: map[int]*ir.Value{}}
	for _, v := range n.Out {
		if u.name == "" && v != nil {
			u.name = v.Name
		}
	}
	var own, usual []string
	switch o := n.Op.(type) {
	case *op.RNN:
		u.gates, u.direction, u.clip, u.batchFirst = 1, o.Direction, o.Clip, o.BatchFirst
		own, usual = o.Activations, []string{"Tanh"}
	case *op.GRU:
		u.gates, u.direction, u.clip, u.batchFirst, u.linearBeforeReset = 3, o.Direction, o.Clip, o.BatchFirst, o.LinearBeforeReset
		own, usual = o.Activations, []string{"Sigmoid", "Tanh"}
	case *op.LSTM:
		u.gates, u.direction, u.clip, u.batchFirst, u.lstm = 4, o.Direction, o.Clip, o.BatchFirst, o
		own, usual = o.Activations, []string{"Sigmoid", "Tanh", "Tanh"}
	default:
		return nil, false
	}
	u.per = len(usual)
	if u.functions = own; len(own) == 0 {
		u.functions = append(usual, usual...)
	}
	return u, true
}

// refuse notes the first error: what is not supported, and what would work.
func (u *unroller) refuse(what, hint string) {
	if u.err == nil {
		u.err = &diag.UnsupportedError{Where: u.n.Label(), What: fmt.Sprintf("%s %s in a TensorFlow Lite model", u.n.Op.Name(), what), Hint: hint}
	}
}

func (u *unroller) tooMany(steps int) {
	u.refuse(fmt.Sprintf("of %d steps, with which the recurrent operators are more than %d nodes,", steps, maxUnrolled), "it is written step by step: fix a shorter sequence with --shape or --dim, or write an ONNX model (.onnx)")
}

// in returns operand i, nil where it is absent.
func (u *unroller) in(i int) *ir.Value {
	if i < len(u.n.In) {
		return u.n.In[i]
	}
	return nil
}

// check returns the number of steps and which directions run backwards, or notes
// why it is not written.
func (u *unroller) check() (steps int, backward []bool) {
	x, w, r := u.in(0), u.in(1), u.in(2)
	backward = map[string][]bool{"forward": {false}, "reverse": {true}, "bidirectional": {false, true}}[u.direction]
	if x == nil || w == nil || r == nil || len(x.Shape) != 3 || len(r.Shape) != 3 {
		u.refuse("of unknown shapes", "fix the dynamic dimensions with --shape or --dim")
		return 0, nil
	}
	if x.Type != dtype.Float32 {
		u.refuse(fmt.Sprintf("of %v", x.Type), "write the float32 model: --mode float16 stores its weights in 16 bits")
		return 0, nil
	}
	for _, f := range u.functions {
		if activationOf(f) == nil {
			u.refuse(fmt.Sprintf("with the function %s", f), "Sigmoid, Tanh and Relu are written; write an ONNX model (.onnx)")
		}
	}
	time := x.Shape[0]
	if u.batchFirst {
		time = x.Shape[1]
	}
	steps, known := time.Int()
	hidden, sized := r.Shape[2].Int()
	switch u.hidden = hidden; {
	case !known:
		u.refuse(fmt.Sprintf("of an unknown number of steps (%v)", time), "it is written step by step: fix the length of the sequence with --shape or --dim, or write an ONNX model (.onnx)")
	case !sized || hidden == 0 || steps == 0:
		u.refuse("of unknown shapes", "fix the dynamic dimensions with --shape or --dim")
	case steps > u.left:
		u.tooMany(steps)
	}
	if lens := u.in(4); lens != nil {
		list, ok := lens.Fact.Numbers()
		if !ok || slices.ContainsFunc(list, func(n int) bool { return n != steps }) {
			u.refuse("with lengths of sequences", "make all sequences of one length, and leave the lengths out")
		}
	}
	return steps, backward
}

// run adds the nodes of all directions and of the results that are read.
func (u *unroller) run() error {
	steps, backward := u.check()
	if u.err != nil {
		return u.err
	}
	every := make([]*ir.Value, steps*len(backward)) // by time, then by direction
	lastH, lastC := make([]*ir.Value, len(backward)), make([]*ir.Value, len(backward))
	for d, back := range backward {
		c := u.cell(d)
		for s := range steps {
			t := s
			if back {
				t = steps - 1 - s
			}
			c.step(t)
			if len(u.nodes) > u.left {
				u.tooMany(steps)
			}
			if u.err != nil {
				return u.err
			}
			every[t*len(backward)+d] = c.h
		}
		lastH[d], lastC[d] = c.h, c.c
	}
	u.all(every, steps, len(backward))
	u.final(lastH, 1)
	if u.lstm != nil {
		u.final(lastC, 2)
	}
	return u.err
}

// along returns part i of v along an axis, without that axis.
func (u *unroller) along(v *ir.Value, axis, i int) *ir.Value {
	o := op.New[op.Gather]()
	o.Axis = axis
	if u.indices[i] == nil {
		u.indices[i] = u.constant("index", tensor.Scalar(int64(i)))
	}
	return u.put(o, v, u.indices[i])
}

// all makes the first result, every state in time, if it is read: [time,
// directions, batch, hidden], or with the batch first.
func (u *unroller) all(states []*ir.Value, steps, directions int) {
	u.base = u.name
	y := u.n.Out[0]
	if !u.read(y) {
		return
	}
	batch := -1
	if b, ok := u.n.In[0].Shape[1-u.timeAxis()].Int(); ok {
		batch = b
	}
	row := states[0]
	if len(states) > 1 {
		join := op.New[op.Concat]()
		join.Axis = 1
		row = u.put(join, states...)
	}
	reshape := func(sizes ...int) *ir.Value {
		return u.put(op.New[op.Reshape](), row, u.constant("shape", list(sizes)))
	}
	switch {
	case u.batchFirst:
		reshape(batch, steps, directions, u.hidden)
	case batch == 1:
		reshape(steps, directions, 1, u.hidden)
	default:
		turn := op.New[op.Transpose]()
		turn.Perm = []int{1, 2, 0, 3}
		u.put(turn, reshape(batch, steps, directions, u.hidden))
	}
	u.result(y)
}

// final makes result k, the last states of the directions, if it is read.
func (u *unroller) final(states []*ir.Value, k int) {
	if k >= len(u.n.Out) || !u.read(u.n.Out[k]) {
		return
	}
	axis := u.timeAxis()
	parts := make([]*ir.Value, len(states))
	for i, v := range states {
		parts[i] = u.put(op.New[op.Unsqueeze](), v, u.constant("axis", list([]int{axis})))
	}
	if len(parts) > 1 {
		join := op.New[op.Concat]()
		join.Axis = axis
		u.put(join, parts...)
	}
	u.result(u.n.Out[k])
}

// timeAxis is that of time in the data and of directions in states; the batch is
// along the other one of 0 and 1.
func (u *unroller) timeAxis() int {
	if u.batchFirst {
		return 1
	}
	return 0
}

// put adds a node with one result.
func (u *unroller) put(o op.Op, in ...*ir.Value) *ir.Value { return u.puts(1, o, in...)[0] }

// puts adds a node with some results.
func (u *unroller) puts(results int, o op.Op, in ...*ir.Value) []*ir.Value {
	n := &ir.Node{Name: u.names.Name(u.base + "/" + o.Name()), Op: o, In: in, Origin: u.n.Origin}
	for i := range results {
		n.Out = append(n.Out, &ir.Value{Name: n.Name})
		if results > 1 {
			n.Out[i].Name = u.names.Name(fmt.Sprintf("%s_%d", n.Name, i))
		}
	}
	u.nodes = append(u.nodes, n)
	return n.Out
}

// result makes y what the last node computes.
func (u *unroller) result(y *ir.Value) { u.nodes[len(u.nodes)-1].Out[0] = y }

// constant returns a new constant.
func (u *unroller) constant(name string, t *tensor.Tensor) *ir.Value {
	return ir.NewConst(u.names.Name(u.base+"/"+name), t)
}
