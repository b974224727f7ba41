package tflite

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/wire/flatbuf"
)

// encoder makes the parts of a file from a graph. Helpers note the first error
// and go on with tensor -1, so that encodings read like what they mean.
type encoder struct {
	g      *ir.Graph
	uses   map[*ir.Value][]ir.Use
	params map[*ir.Value]affine.Params // of the values that are integers
	made   map[*ir.Value]*ir.Node      // the DequantizeLinear that made a value
	halves map[*ir.Value]*ir.Value     // constants of float16 by the float32 that a Cast makes of them
	live   map[*ir.Value]live          // by the numbers that are dequantized again
	warn   []diag.Warning

	tensors   []*outTensor
	index     map[tensorKey]int32
	inputs    []int32
	outputs   []int32
	codes     flatbuf.Parts
	known     map[opCode]int32
	used      []usedCode
	operators flatbuf.Parts

	n *ir.Node
	q *op.Quantized // of n, nil where it is float
	h *hybrid       // of n, nil where it is none
	// bytes says that n's kernel takes no int4 weights: they become int8, with
	// the same numbers.
	bytes bool
	gone  map[*ir.Node]bool // nodes that became part of those before
	err   error
}

// tensorKey is what makes a tensor: a value and, for constants, in which order
// of axes and with which scales it is written.
type tensorKey struct {
	v    *ir.Value
	form string
}

type usedCode struct {
	name    string
	version int
}

func newEncoder(g *ir.Graph) *encoder {
	return &encoder{g: g, uses: g.Uses(), params: map[*ir.Value]affine.Params{}, made: map[*ir.Value]*ir.Node{}, halves: map[*ir.Value]*ir.Value{}, live: map[*ir.Value]live{}, index: map[tensorKey]int32{},
		known: map[opCode]int32{}, gone: map[*ir.Node]bool{}}
}

func unwrap(o op.Op) op.Op {
	if q, ok := o.(*op.Quantized); ok {
		return q.Inner
	}
	return o
}

// encodingOf returns what writes n, nil where the format has no words for it.
func encodingOf(n *ir.Node) func(*encoder) {
	if len(n.Bodies) > 0 {
		return nil
	}
	return encodings[unwrap(n.Op).Name()]
}

// foreign is the error for a model with nodes that the format has no words for. It
// names the first with weights, as others may only prepare what that reads.
func (e *encoder) foreign() error {
	nodes := slices.DeleteFunc(slices.Clone(e.g.Nodes), func(n *ir.Node) bool {
		return e.gone[n] || dequantizes(n) || encodingOf(n) != nil
	})
	n := nodes[max(0, slices.IndexFunc(nodes, func(n *ir.Node) bool {
		return slices.ContainsFunc(n.In, func(v *ir.Value) bool { return v != nil && v.Const != nil && v.Type.IsFloat() && v.Const.Rank() > 1 })
	}))]
	hint := "octavo convert --simplify folds normalizations and the like; otherwise leave it out of the model, or write an ONNX model (.onnx)"
	switch unwrap(n.Op).(type) {
	case *op.DynamicQuantizeLSTM:
		hint = "the LSTM of the format quantizes data row by row: quantize the float model with --mode dynamic --target litert"
	case *op.Erf:
		hint = "the format has GELU as a whole, which this was a part of if it was quantized in pieces: quantize the float model with --target litert"
	}
	return e.unsupported(n, "without a counterpart", hint)
}

// graph encodes all nodes.
func (e *encoder) graph() error {
	if len(e.g.States) > 0 {
		return &diag.UnsupportedError{What: "a model with states in a TensorFlow Lite file", Hint: "write an ONNX model (.onnx), or carry the states outside as inputs and outputs"}
	}
	if err := e.find(); err != nil {
		return err
	}
	for _, v := range e.g.Inputs {
		e.inputs = append(e.inputs, e.tensor(v))
	}
	for _, n := range e.g.Nodes {
		if e.gone[n] || dequantizes(n) {
			continue
		}
		e.n, e.q, e.h, e.bytes = n, nil, nil, false
		e.q, _ = n.Op.(*op.Quantized)
		to := encodingOf(n)
		if to == nil {
			return e.foreign()
		}
		if to(e); e.err != nil {
			var ue *diag.UnsupportedError
			if errors.As(e.err, &ue) {
				return e.err
			}
			return fmt.Errorf("%s: %w", n.Label(), e.err)
		}
	}
	for _, v := range e.g.Outputs {
		e.outputs = append(e.outputs, e.tensor(v))
	}
	return e.err
}

// find collects how integers map to numbers.
func (e *encoder) find() error {
	note := func(n *ir.Node, v *ir.Value, p affine.Params) error {
		if v == nil || !p.Present() || v.Const != nil {
			return nil
		}
		if old, ok := e.params[v]; ok && !old.Equal(p) {
			return e.unsupported(n, fmt.Sprintf("that reads the integers of %q with other parameters than they were written with", v.Name), "quantize the float model anew with --target litert")
		}
		if p.Type == dtype.Uint16 || p.Type == dtype.Int16 && !p.Symmetric() {
			return e.unsupported(n, fmt.Sprintf("with %v and zero point %d", p.Type, p.Zero(0)), "kernels take int16 around 0: quantize the float model anew with --target litert --activations int16")
		}
		e.params[v] = p
		return nil
	}
	dynamic := map[*ir.Value]*ir.Node{}
	for _, n := range e.g.Nodes {
		switch o := n.Op.(type) {
		case *op.DynamicQuantize:
			for _, v := range n.Out {
				if v != nil {
					e.live[v] = live{n.In[0], o}
				}
			}
			dynamic[n.Out[0]] = n
			e.gone[n] = true
			continue
		case *op.Cast:
			if c := n.In[0]; c.Const != nil && c.Type == dtype.Float16 && o.To == dtype.Float32 {
				e.halves[n.Out[0]] = c
				e.gone[n] = true
			}
			continue
		case *op.DequantizeLinear:
			if d := dynamic[n.In[0]]; d != nil {
				e.live[n.Out[0]] = live{d.In[0], d.Op.(*op.DynamicQuantize)}
				e.gone[n] = true
				continue
			}
		}
		switch o := n.Op.(type) {
		case *op.Quantized:
			for i, p := range o.In {
				if err := note(n, n.In[i], p); err != nil {
					return err
				}
			}
			for i, p := range o.Out {
				if err := note(n, n.Out[i], p); err != nil {
					return err
				}
			}
		case *op.QuantizeLinear, *op.DequantizeLinear:
			p, ok, err := ir.ParamsOf(n)
			if err != nil {
				return err
			}
			v := n.In[0]
			if _, q := n.Op.(*op.QuantizeLinear); q {
				v = n.Out[0]
			} else {
				e.made[n.Out[0]] = n
			}
			if !ok && v.Const == nil {
				return e.unsupported(n, "with parameters that are computed", "quantize statically, or for hybrid kernels with --mode dynamic")
			}
			if err := note(n, v, p); err != nil {
				return err
			}
		}
	}
	e.carry()
	return nil
}

// carry gives integers that are moved as they are, before they are dequantized
// or after they were quantized, the parameters of where they go or come from.
func (e *encoder) carry() {
	move := func(n *ir.Node) {
		q, ok := n.Op.(op.Quantizable)
		if !ok || !q.Quantization().Moves || len(n.In) == 0 || n.In[0] == nil || n.In[0].Const != nil || !n.In[0].Type.IsInteger() {
			return
		}
		for _, y := range n.Out {
			if y == nil || y.Type != n.In[0].Type {
				continue
			}
			from, in := e.params[n.In[0]]
			to, out := e.params[y]
			switch {
			case in && !out:
				e.params[y] = from
			case out && !in:
				e.params[n.In[0]] = to
			}
		}
	}
	for _, n := range e.g.Nodes {
		move(n)
	}
	for _, n := range slices.Backward(e.g.Nodes) {
		move(n)
	}
}

// dequantizes reports whether n dequantizes a constant, which is written where
// it is read.
func dequantizes(n *ir.Node) bool {
	_, ok := n.Op.(*op.DequantizeLinear)
	return ok && n.In[0].Const != nil
}

// folded returns the numbers that a constant of sums stands for, which no kernel
// dequantizes; nil for anything else.
func (e *encoder) folded(v *ir.Value) *tensor.Tensor {
	n := e.made[v]
	if n == nil || n.In[0].Const == nil || n.In[0].Type != dtype.Int32 {
		return nil
	}
	p, ok, err := ir.ParamsOf(n)
	if err != nil || !ok {
		return nil
	}
	c, err := affine.Dequantize(n.In[0].Const, p, dtype.Float32)
	if err != nil {
		e.err = err
	}
	return c
}

// add appends a tensor.
func (e *encoder) add(x *outTensor) int32 {
	e.tensors = append(e.tensors, x)
	return int32(len(e.tensors) - 1)
}

// quantizationFor returns what a file says of params, of which a uint8 moves by
// 128: shift says so.
func quantizationFor(p affine.Params) (q quantization, typ dtype.Type, shift bool) {
	typ, shift = p.Type, p.Type == dtype.Uint8
	if shift {
		typ = dtype.Int8
	}
	if !p.Present() {
		return q, typ, false
	}
	q.scale, q.zero = p.Scale, make([]int64, len(p.Scale))
	for i := range q.zero {
		if q.zero[i] = p.Zero(i); shift {
			q.zero[i] -= 128
		}
	}
	q.axis = max(p.Axis, 0)
	return q, typ, shift
}

// tensor returns the number of v's tensor.
func (e *encoder) tensor(v *ir.Value) int32 {
	if v == nil || e.err != nil {
		return -1
	}
	if v.Const != nil {
		return e.constant(v, affine.Params{}, nil)
	}
	key := tensorKey{v: v}
	if i, ok := e.index[key]; ok {
		return i
	}
	if c := e.folded(v); c != nil {
		e.index[key] = e.constant(ir.NewConst(v.Name, c), affine.Params{}, nil)
		return e.index[key]
	}
	if e.stored(v) {
		return e.widened(v, nil)
	}
	if l, ok := e.live[v]; ok {
		e.err = e.notHybrid(l)
		return -1
	}
	x := &outTensor{name: v.Name, typ: v.Type, shape: v.Shape}
	if p, ok := e.params[v]; ok {
		x.quantization, x.typ, _ = quantizationFor(p)
	}
	if v.Shape == nil {
		e.err = fmt.Errorf("value %q has no known rank", v.Name)
		return -1
	}
	if slices.Index(elementTypes[:], x.typ) < 0 {
		e.err = &diag.UnsupportedError{Where: v.Name, What: fmt.Sprintf("values of type %v in a TensorFlow Lite model", x.typ), Hint: "write an ONNX model (.onnx)"}
		return -1
	}
	e.index[key] = e.add(x)
	return e.index[key]
}

// constant returns the tensor of a constant with its axes in the order perm,
// nil for its own, and with params, the zero Params for plain numbers. Integers
// of uint8 move by 128.
func (e *encoder) constant(v *ir.Value, p affine.Params, perm []int) int32 {
	key := tensorKey{v, fmt.Sprint(perm, p.Type, e.bytes, p.Axis, p.Scale, p.ZeroPoint)}
	if i, ok := e.index[key]; ok {
		return i
	}
	x := &outTensor{name: v.Name, data: v.Const, typ: v.Const.Type()}
	if p.Type == dtype.Int4 && e.bytes {
		vals, _ := tensor.Ints(x.data)
		x.data, p.Type = tensor.FromInts(dtype.Int8, vals, x.data.Shape()...), dtype.Int8
	}
	if p.Present() {
		shift := false
		if x.quantization, x.typ, shift = quantizationFor(p); shift {
			x.data = turned(x.data)
		}
		if p.BlockSize > 0 {
			e.err = e.unsupported(e.n, "with weights in blocks", "quantize the float model with a scale for each channel (--granularity channel)")
			return -1
		}
	}
	if perm != nil && !slices.IsSorted(perm) {
		x.data = tensor.Permuted(x.data, perm)
		if len(x.scale) > 1 {
			x.axis = slices.Index(perm, x.axis)
		}
	}
	x.shape = op.Known(x.data.Shape()...)
	e.index[key] = e.add(x)
	return e.index[key]
}

// turned is uint8 less 128, as int8.
func turned(t *tensor.Tensor) *tensor.Tensor {
	return tensor.Computed(dtype.Int8, t.Shape(), func(off int64, dst []byte) error {
		if err := t.ReadAt(dst, off); err != nil {
			return err
		}
		for i := range dst {
			dst[i] ^= 0x80
		}
		return nil
	})
}

// in returns the tensor of input k, -1 where it is absent. A constant operand of
// a quantized operator keeps its parameters.
func (e *encoder) in(k int) int32 {
	if k >= len(e.n.In) || e.n.In[k] == nil {
		return -1
	}
	v := e.n.In[k]
	if k == 0 && e.h != nil {
		return e.tensor(e.h.x)
	}
	if v.Const != nil && e.q != nil && k < len(e.q.In) && e.q.In[k].Present() {
		return e.constant(v, e.q.In[k], nil)
	}
	return e.tensor(v)
}

// weight returns input k, a constant, with its axes in the order perm; a
// computed one is transposed.
func (e *encoder) weight(k int, perm ...int) int32 {
	v := e.n.In[k]
	if e.h != nil {
		return e.constant(e.h.w, e.h.params, perm)
	}
	if e.stored(v) {
		return e.widened(v, perm)
	}
	if v.Const == nil {
		if perm != nil && !slices.IsSorted(perm) {
			return e.transposed(e.tensor(v), perm)
		}
		return e.tensor(v)
	}
	var p affine.Params
	if e.q != nil && k < len(e.q.In) {
		p = e.q.In[k]
	}
	return e.constant(v, p, perm)
}

// transposed appends a TRANSPOSE.
func (e *encoder) transposed(x int32, perm []int) int32 {
	if x < 0 {
		return -1
	}
	from := e.tensors[x]
	shape := make(op.Shape, len(perm))
	for i, a := range perm {
		shape[i] = from.shape[a]
	}
	y := e.like(x, shape)
	e.emit("TRANSPOSE", nil, []int32{x, e.list(perm...)}, y)
	return y
}

// like returns a new tensor with another shape, and all else of x.
func (e *encoder) like(x int32, shape op.Shape) int32 {
	if x < 0 {
		return -1
	}
	from := e.tensors[x]
	return e.add(&outTensor{name: fmt.Sprintf("%s/%d", strings.TrimSuffix(from.name, integersOf), len(e.tensors)), typ: from.typ, shape: shape, quantization: from.quantization})
}

// out returns the tensor of output k.
func (e *encoder) out(k int) int32 { return e.tensor(e.n.Out[k]) }

// list returns a constant list of int32.
func (e *encoder) list(vals ...int) int32 { return e.array([]int{len(vals)}, vals...) }

func (e *encoder) array(shape []int, vals ...int) int32 {
	out := make([]int32, len(vals))
	for i, v := range vals {
		out[i] = int32(max(min(v, math.MaxInt32), math.MinInt32))
	}
	return e.given(tensor.FromSlice(out, shape...))
}

// scalar returns a constant float.
func (e *encoder) scalar(x float32) int32 { return e.given(tensor.Scalar(x)) }

// given returns a constant of the format's own; small ones that are alike are
// one.
func (e *encoder) given(t *tensor.Tensor) int32 {
	key := tensorKey{form: fmt.Sprint(t.Type(), t.Shape()) + alike(t)}
	if i, ok := e.index[key]; ok {
		return i
	}
	i := e.owned(t)
	if alike(t) != "" {
		e.index[key] = i
	}
	return i
}

// owned returns a constant that is nobody else's.
func (e *encoder) owned(t *tensor.Tensor) int32 {
	return e.add(&outTensor{name: fmt.Sprintf("constant_%d", len(e.tensors)), typ: t.Type(), shape: op.Known(t.Shape()...), data: t})
}

// numbers returns input k, which must be a constant list.
func (e *encoder) numbers(k int, what string) []int {
	if k >= len(e.n.In) || e.n.In[k] == nil {
		return nil
	}
	vals, ok := e.n.In[k].Fact.Numbers()
	if !ok && e.err == nil {
		e.err = e.unsupported(e.n, fmt.Sprintf("with %s that are computed", what), "fix the dynamic dimensions with --shape or --dim")
	}
	return vals
}

// ints32 returns input k as int32: a constant list is written so, one that is
// computed as int64 is cast.
func (e *encoder) ints32(k int) int32 {
	v := e.n.In[k]
	if vals, ok := v.Fact.Numbers(); ok {
		return e.array(e.sizes(v), vals...)
	}
	x := e.tensor(v)
	if x < 0 || v.Type == dtype.Int32 {
		return x
	}
	y := e.add(&outTensor{name: v.Name + "/int32", typ: dtype.Int32, shape: v.Shape})
	e.emit("CAST", castOptions{typeNumber(v.Type), typeNumber(dtype.Int32)}, []int32{x}, y)
	return y
}

func typeNumber(t dtype.Type) byte { return byte(max(slices.Index(elementTypes[:], t), 0)) }

// sizes returns the shape of v, which must be known.
func (e *encoder) sizes(v *ir.Value) []int {
	s, ok := dims(v)
	if !ok && e.err == nil {
		e.err = e.unsupported(e.n, fmt.Sprintf("with %q of shape %v", v.Name, v.Shape), "fix the dynamic dimensions with --shape or --dim")
	}
	return s
}

// emit appends an operator with the name of its code.
func (e *encoder) emit(name string, options any, in []int32, out ...int32) {
	if e.err != nil {
		return
	}
	at := slices.Index(codeNames[:], name)
	table := tableOf[name]
	x := &written{name: name, options: options, in: e.infos(in), out: e.infos(out)}
	version := versionOf(x)
	var f flatbuf.Fields
	f.Int32(operatorCode, e.code(opCode{at, "", version}))
	f.Part(operatorInputs, flatbuf.Numbers(in))
	f.Part(operatorOutputs, flatbuf.Numbers(out))
	if table != "" {
		if options == nil {
			options = noOptions{}
		}
		f.Union(operatorOptionsType, unionNumbers[table], writeOptions(options))
	}
	e.operators = append(e.operators, &f)
	e.used = append(e.used, usedCode{name: name, version: version})
}

// infos returns the tensors, nil for those that are absent.
func (e *encoder) infos(list []int32) []*outTensor {
	out := make([]*outTensor, len(list))
	for i, x := range list {
		if x >= 0 {
			out[i] = e.tensors[x]
		}
	}
	return out
}

// tableOf is the options table of each operator that is read or written.
var tableOf = func() map[string]string {
	m := map[string]string{}
	for name, c := range conversions {
		m[name] = c.options
	}
	return m
}()

// dims returns the known sizes of a value, and false where one is not known.
func dims(v *ir.Value) ([]int, bool) {
	if v.Shape == nil {
		return nil, false
	}
	return v.Shape.Ints()
}
