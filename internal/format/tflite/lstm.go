package tflite

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// The inputs of UNIDIRECTIONAL_SEQUENCE_LSTM (lstm_shared.h). Gates are in the
// order input, forget, cell, output.
const (
	lstmData           = 0
	lstmWeights        = 1
	lstmRecurrent      = 5
	lstmPeepholes      = 9 // of input, forget and output
	lstmBiases         = 12
	lstmProjection     = 16
	lstmProjectionBias = 17
	lstmOutputState    = 18
	lstmCellState      = 19
	lstmNorms          = 20
)

// onnxGates are the gates in ONNX's order: input, output, forget, cell.
var onnxGates = []int{0, 3, 1, 2}

// sequenceLSTM is LSTM with its states as variables.
func sequenceLSTM(s *scope) {
	p := optionsOf[sequenceLSTMOptions](s.o)
	for _, k := range []int{lstmProjection, lstmProjectionBias, lstmNorms, lstmNorms + 1, lstmNorms + 2, lstmNorms + 3} {
		if s.has(k) {
			s.unsupported("with a projection or normalized gates", "leave them out of the operator")
			return
		}
	}
	for k := lstmWeights; k < lstmPeepholes; k++ {
		if !s.has(k) {
			s.unsupported("with a coupled input gate", "give it weights of its own")
			return
		}
	}
	if !s.has(lstmOutputState) || !s.has(lstmCellState) {
		s.fail("it has no state")
		return
	}
	o := op.New[op.LSTM]()
	o.HiddenSize = s.sizes(s.raw(lstmRecurrent), "weights", 0)[0]
	if p.Fused != fusedTanh {
		name, ok := map[byte]string{fusedRelu: "Relu"}[p.Fused]
		if !ok {
			s.unsupported(fmt.Sprintf("with the activation %d", p.Fused), "use tanh or relu")
			return
		}
		o.Activations = []string{"Sigmoid", name, name}
	}
	if p.CellClip > 0 {
		o.CellClip = op.Some(p.CellClip)
	}
	x := s.in(lstmData)
	if live := s.hybrid(x, lstmWeights, p.Asymmetric, true); live != x {
		x, o.LiveState = live, "symmetric"
		if p.Asymmetric {
			o.LiveState = "asymmetric"
		}
	}
	w, r := s.gates(lstmWeights), s.gates(lstmRecurrent)
	b := s.lstmBiases(o.HiddenSize)
	if !p.TimeMajor {
		x = s.swapped(x) // runtimes insist on time in front
	}
	// States have an axis of directions, which the files leave out.
	at := s.list(0)
	h := s.node(op.New[op.Unsqueeze](), s.in(lstmOutputState), at)
	c := s.node(op.New[op.Unsqueeze](), s.in(lstmCellState), at)
	in := []*ir.Value{x, w, r, b, nil, h, c}
	if s.has(lstmPeepholes) {
		in = append(in, s.joined(s.in(lstmPeepholes), s.in(lstmPeepholes+2), s.in(lstmPeepholes+1)))
	}
	out := s.nodes(o, 3, in...)
	y := s.node(op.New[op.Squeeze](), out[0], s.list(1))
	if !p.TimeMajor {
		y = s.swapped(y)
	}
	s.set(0, y)
	s.update(lstmOutputState, s.node(op.New[op.Squeeze](), out[1], at))
	s.update(lstmCellState, s.node(op.New[op.Squeeze](), out[2], at))
}

// swapped returns v with time and batch in each other's place.
func (s *scope) swapped(v *ir.Value) *ir.Value {
	t := op.New[op.Transpose]()
	t.Perm = []int{1, 0, 2}
	return s.node(t, v)
}

// gates returns the weights of the gates from input k on, as ONNX has them.
func (s *scope) gates(k int) *ir.Value {
	var parts []*ir.Value
	for _, g := range onnxGates {
		parts = append(parts, s.weight(k+g, 0, 1))
	}
	return s.joined(parts...)
}

// lstmBiases has two biases in ONNX; the second one is zeros.
func (s *scope) lstmBiases(hidden int) *ir.Value {
	zeros := func(n int) *ir.Value { return s.constant(tensor.New(dtype.Float32, n)) }
	if s.err != nil {
		return zeros(1)
	}
	var parts []*ir.Value
	for _, g := range onnxGates {
		b := s.bias(lstmBiases+g, lstmData, lstmWeights+g)
		if b == nil {
			b = zeros(hidden)
		}
		parts = append(parts, b)
	}
	return s.joined(append(parts, zeros(4*hidden))...)
}

// joined returns the parts one behind the other, with an axis of directions in
// front.
func (s *scope) joined(parts ...*ir.Value) *ir.Value {
	if s.err != nil {
		return &ir.Value{}
	}
	var consts []*tensor.Tensor
	for _, p := range parts {
		if p.Const != nil && p.Type == dtype.Float32 && sameRows(p.Const, parts[0].Const) {
			consts = append(consts, p.Const)
		}
	}
	if len(consts) == len(parts) {
		t := tensor.Joined(0, consts...)
		if w, err := t.Reshape(append([]int{1}, t.Shape()...)...); err == nil {
			return s.constant(w)
		}
	}
	return s.node(op.New[op.Unsqueeze](), s.node(op.New[op.Concat](), parts...), s.list(0))
}

// sameRows reports whether two tensors have the same shape but for the first
// axis.
func sameRows(a, b *tensor.Tensor) bool {
	if b == nil || a.Rank() != b.Rank() || a.Rank() == 0 {
		return false
	}
	for i := 1; i < a.Rank(); i++ {
		if a.Shape()[i] != b.Shape()[i] {
			return false
		}
	}
	return true
}
