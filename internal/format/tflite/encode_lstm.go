package tflite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// lstmInputs is how many inputs UNIDIRECTIONAL_SEQUENCE_LSTM has.
const lstmInputs = 24

// encodeLSTM writes an LSTM as UNIDIRECTIONAL_SEQUENCE_LSTM, time first: one for
// each direction, the backward one between two REVERSE_V2. Its states are
// variables, which are zeros at first.
func encodeLSTM(e *encoder) {
	o := e.n.Op.(*op.LSTM)
	l := &lstmEncoder{encoder: e, o: o, backward: map[string][]bool{"forward": {false}, "reverse": {true}, "bidirectional": {false, true}}[o.Direction]}
	if !l.plain() || !l.options() {
		return
	}
	x := e.in(0)
	if x < 0 {
		return
	}
	l.quantized = e.h != nil
	var every, last []int32
	for d := range l.backward {
		y := l.direction(x, d)
		if y < 0 {
			return
		}
		every, last = append(every, y), append(last, l.raw)
	}
	if l.wanted(0) {
		l.stack(every, 1, e.out(0))
	}
	if l.wanted(1) {
		for i, y := range last {
			last[i] = l.final(y)
		}
		l.join(last, 0, e.out(1))
	}
	e.warn = append(e.warn, diag.Warning{ID: "OCT012", Msg: fmt.Sprintf("%s: LiteRT keeps the states of an LSTM from one run to the next; call reset_all_variables() of the interpreter before each sequence", e.n.Label())})
}

// lstmEncoder is an LSTM that is being written.
type lstmEncoder struct {
	*encoder
	o         *op.LSTM
	backward  []bool // by direction
	opts      sequenceLSTMOptions
	batch     op.Dim
	cells     int
	quantized bool  // hybrid
	raw       int32 // the results of the last direction in the order of its time
}

// plain reports whether the operator has nothing that the format cannot say.
func (l *lstmEncoder) plain() bool {
	o, n := l.o, l.n
	given := func(i int) *ir.Value {
		if i < len(n.In) {
			return n.In[i]
		}
		return nil
	}
	what, hint := "", "write an ONNX model (.onnx)"
	switch {
	case !constantLengths(given(4), n.In[0]):
		what, hint = "with lengths of sequences", "make all sequences of one length, and leave the lengths out"
	case o.BatchFirst || o.InputForget || o.Clip.Set || given(5) != nil || given(6) != nil || l.wanted(2):
		what, hint = "that no operator of the format is for", "lowering writes it as its steps"
	case n.In[1].Shape == nil || n.In[2].Shape == nil || len(n.In[0].Shape) != 3:
		what = "of unknown shapes"
	}
	if what != "" {
		l.err = l.unsupported(n, what, hint)
		return false
	}
	l.batch, l.cells = n.In[0].Shape[1], 0
	if k, ok := n.In[2].Shape[2].Int(); ok {
		l.cells = k
	}
	if _, ok := l.batch.Int(); !ok {
		l.batch = op.Size(1) // a variable has a size
	}
	return l.cells > 0
}

// options sets the options and what is hybrid.
func (l *lstmEncoder) options() bool {
	l.opts = sequenceLSTMOptions{Fused: fusedTanh, CellClip: l.o.CellClip.Value, TimeMajor: true}
	for i, name := range l.o.Activations {
		want := "Sigmoid"
		if i%3 > 0 {
			want = "Tanh"
		}
		if !strings.EqualFold(name, want) {
			l.err = l.unsupported(l.n, fmt.Sprintf("with the functions %q", l.o.Activations), "the format has Sigmoid, Tanh, Tanh")
			return false
		}
	}
	v, ok := l.live[l.n.In[0]]
	switch {
	case ok && (l.o.LiveState == "" || !v.o.Axis.Set || v.o.Type != dtype.Int8 || v.o.Symmetric != (l.o.LiveState == "symmetric")):
		l.err = l.notHybrid(v)
		return false
	case ok:
		l.h, l.opts.Asymmetric = &hybrid{x: v.x, asymmetric: !v.o.Symmetric}, !v.o.Symmetric
	case l.o.LiveState != "":
		l.err = l.unsupported(l.n, "whose states alone are quantized as the model runs", "quantize the float model with --mode dynamic --target litert")
		return false
	}
	return true
}

// wanted reports whether output k is read.
func (l *lstmEncoder) wanted(k int) bool {
	return k < len(l.n.Out) && l.n.Out[k] != nil && (len(l.uses[l.n.Out[k]]) > 0 || l.g.IsOutput(l.n.Out[k]))
}

// constantLengths reports whether lengths, if any, are those of the whole data.
func constantLengths(v, x *ir.Value) bool {
	if v == nil {
		return true
	}
	list, ok := v.Fact.Numbers()
	return ok && len(x.Shape) > 0 && !slices.ContainsFunc(list, func(n int) bool { return !x.Shape[0].Is(n) })
}

// direction writes one direction and returns its results [time, batch, cells].
func (l *lstmEncoder) direction(x int32, d int) int32 {
	if l.backward[d] {
		x = l.reversed(x)
	}
	in := slices.Repeat([]int32{-1}, lstmInputs)
	in[lstmData] = x
	for g, at := range gateOf {
		in[lstmWeights+g], in[lstmRecurrent+g] = l.gate(1, d, at), l.gate(2, d, at)
		in[lstmBiases+g] = l.bias(d, at)
	}
	if p := l.plainConstant(7); p != nil {
		for k, at := range []int{0, 2, 1} { // of input, forget, output
			in[lstmPeepholes+k] = l.given(part(p, d, at, 3, l.cells))
		}
	}
	state := op.Shape{l.batch, op.Size(l.cells)}
	for _, k := range []int{lstmOutputState, lstmCellState} {
		in[k] = l.add(&outTensor{name: fmt.Sprintf("%s/state_%d", l.n.Out[0].Name, len(l.tensors)), typ: dtype.Float32, shape: state, variable: true})
	}
	full := l.tensors[x].shape.Clone()
	full[2] = op.Size(l.cells)
	y := l.like(x, full)
	l.emit("UNIDIRECTIONAL_SEQUENCE_LSTM", l.opts, in, y)
	if l.raw = y; l.backward[d] {
		y = l.reversed(y)
	}
	if l.err != nil {
		return -1
	}
	return y
}

// gateOf are the gates input, forget, cell and output by their place in ONNX.
var gateOf = [4]int{0, 2, 3, 1}

// gate returns the weight of a gate, at its place in ONNX: rows of operand k.
func (l *lstmEncoder) gate(k, d, at int) int32 {
	v := l.n.In[k]
	if l.quantized {
		n := l.made[v]
		if n == nil || n.In[0].Const == nil || n.In[0].Type != dtype.Int8 {
			l.err = l.notHybrid(l.live[l.n.In[0]])
			return -1
		}
		p, ok, err := ir.ParamsOf(n)
		if err != nil || !ok || !p.Symmetric() || p.BlockSize > 0 || len(p.Scale) > 1 && (p.Axis != 0 || len(p.Scale) != len(l.backward)) {
			l.err = orError(err, l.unsupported(l.n, "with a scale for each row of its weights", "its kernel takes one for each gate: quantize with --target litert"))
			return -1
		}
		q, _, _ := quantizationFor(affine.PerTensor(p.Type, p.Scale[min(d, len(p.Scale)-1)], 0))
		t := part(n.In[0].Const, d, at, 4, l.cells)
		return l.add(&outTensor{name: fmt.Sprintf("%s/%d", n.In[0].Name, len(l.tensors)), typ: dtype.Int8, shape: op.Known(t.Shape()...), data: t, quantization: q})
	}
	w := l.plainConstant(k)
	if w == nil {
		l.err = orError(l.err, l.unsupported(l.n, "with weights that are computed", "make them constants"))
		return -1
	}
	return l.given(part(w, d, at, 4, l.cells))
}

// part returns n rows from place at on, of direction d of a constant with so many
// parts.
func part(t *tensor.Tensor, d, at, parts, n int) *tensor.Tensor {
	shape := t.Shape()
	rows, err := t.Reshape(append([]int{shape[0] * shape[1]}, shape[2:]...)...)
	if err != nil {
		panic(err) // it has as many elements
	}
	from := (d*parts + at) * n
	return rows.Slice(from, from+n)
}

// bias returns the bias of a gate: the sum of ONNX's two, zeros where there are
// none.
func (l *lstmEncoder) bias(d, at int) int32 {
	sum := make([]float32, l.cells)
	if b := l.plainConstant(3); b != nil {
		for _, half := range []int{at, 4 + at} {
			for i, v := range tensor.Data[float32](part(b, d, half, 8, l.cells)) {
				sum[i] += v
			}
		}
	}
	return l.given(tensor.FromSlice(sum, l.cells))
}

// plainConstant returns operand k as numbers, nil where it is absent or computed.
func (l *lstmEncoder) plainConstant(k int) *tensor.Tensor {
	if k >= len(l.n.In) || l.n.In[k] == nil {
		return nil
	}
	v := l.n.In[k]
	if c := l.halves[v]; c != nil {
		v = c
	}
	t, err := v.Const, error(nil)
	switch n := l.made[v]; {
	case n != nil && dequantizes(n):
		p, ok, err := ir.ParamsOf(n)
		if err != nil || !ok {
			l.err = orError(l.err, orError(err, l.unsupported(l.n, "with computed parameters", "make them constants")))
			return nil
		}
		if t, err = affine.Dequantize(n.In[0].Const, p, dtype.Float32); err != nil {
			l.err = orError(l.err, err)
			return nil
		}
	case t != nil && t.Type() != dtype.Float32:
		t, err = op.Convert(t, dtype.Float32)
	}
	if l.err = orError(l.err, err); l.err != nil {
		return nil
	}
	return t
}

// reversed returns x with its time turned.
func (l *lstmEncoder) reversed(x int32) int32 {
	if x < 0 {
		return -1
	}
	y := l.like(x, l.tensors[x].shape)
	l.emit("REVERSE_V2", nil, []int32{x, l.list(0)}, y)
	return y
}

// final returns the last step [1, batch, cells].
func (l *lstmEncoder) final(x int32) int32 {
	shape := l.tensors[x].shape.Clone()
	shape[0] = op.Size(1)
	y := l.like(x, shape)
	l.emit("STRIDED_SLICE", stridedSliceOptions{BeginMask: 6, EndMask: 7}, []int32{x, l.list(-1, 0, 0), l.list(0, 0, 0), l.list(1, 1, 1)}, y)
	return y
}

// stack makes y of parts with a new axis.
func (l *lstmEncoder) stack(parts []int32, axis int, y int32) {
	if len(parts) == 1 {
		l.emit("EXPAND_DIMS", nil, []int32{parts[0], l.given(tensor.Scalar(int32(axis)))}, y)
		return
	}
	for i, x := range parts {
		shape := slices.Insert(l.tensors[x].shape.Clone(), axis, op.Size(1))
		parts[i] = l.like(x, shape)
		l.emit("EXPAND_DIMS", nil, []int32{x, l.given(tensor.Scalar(int32(axis)))}, parts[i])
	}
	l.join(parts, axis, y)
}

// join makes y of parts along an axis that they have.
func (l *lstmEncoder) join(parts []int32, axis int, y int32) {
	if len(parts) == 1 {
		l.reshapeTo(parts[0], y)
		return
	}
	l.emit("CONCATENATION", concatenationOptions{Axis: int32(axis)}, parts, y)
}
