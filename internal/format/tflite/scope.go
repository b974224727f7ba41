package tflite

import (
	"errors"
	"fmt"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// scope is a subgraph that is being converted, with the graph that its nodes go
// to. Helpers note the first error and go on with empty values, so that
// conversions read like what they mean.
type scope struct {
	d     *decoder
	sub   *subgraph
	g     *ir.Graph
	names []string // of the tensors
	// stored are the tensors' values in the types of the file, real the same
	// dequantized; nil where there is none yet.
	stored, real []*ir.Value
	// widened says which tensor a float one was dequantized from.
	widened map[int]int
	weights map[weightKey]*ir.Value
	// rows are data as rows, and live what is quantized as the model runs: once
	// for all products that read it.
	rows    map[*ir.Value]*ir.Value
	live    map[liveKey]*ir.Value
	handles map[int]string // variables by the tensor of their handle

	o     *operator
	fresh map[*ir.Value]*ir.Node // what o has made, and nothing is called after
	err   error
}

type liveKey struct {
	x                 *ir.Value
	asymmetric, lanes bool
}

type weightKey struct {
	tensor int
	perm   string
}

// scope begins the conversion of a subgraph into g. given are the names of
// tensors that are to have others than the file's.
func (d *decoder) scope(index int, g *ir.Graph, given map[int]string) *scope {
	d.called[index] = true
	sub := d.f.graphs[index]
	n := len(sub.tensors)
	if !d.f.buf.Spend(0) {
		n = 0
	}
	s := &scope{d: d, sub: sub, g: g, names: make([]string, n), stored: make([]*ir.Value, n), real: make([]*ir.Value, n),
		widened: map[int]int{}, weights: map[weightKey]*ir.Value{}, rows: map[*ir.Value]*ir.Value{}, live: map[liveKey]*ir.Value{}, handles: map[int]string{}}
	for _, constants := range []bool{false, true} {
		for i := range s.names {
			if x := &sub.tensors[i]; given[i] != "" {
				s.names[i] = given[i]
			} else if d.holdsData(x) == constants {
				s.names[i] = d.names.name(short(x.name, constants))
			}
		}
	}
	return s
}

// holdsData reports whether a tensor has a buffer that is not empty.
func (d *decoder) holdsData(x *tensorInfo) bool {
	if x.buffer <= 0 || x.buffer >= d.f.buffers.Len() {
		return false
	}
	b := d.f.buffers.Table(x.buffer)
	return b.Vector(bufferData, 1).Len() > 0 || b.Uint64(bufferOffset, 0) > 1
}

// short returns one of the names that converters join by semicolons where they
// fuse operators: of a result the first one, the operator that gives it, of a
// constant the last one, which it was made of.
func short(name string, constant bool) string {
	i, j := strings.Index(name, ";"), strings.LastIndex(name, ";")
	switch {
	case i > 0 && !constant:
		name = name[:i]
	case j >= 0 && j < len(name)-1 && constant:
		name = name[j+1:]
	}
	return strings.ToValidUTF8(name, "?")
}

// convert converts all operators.
func (s *scope) convert() error {
	for i := range s.sub.operators {
		o := &s.sub.operators[i]
		if err := s.operator(o); err != nil {
			name, _ := codeName(o.code)
			if len(o.out) > 0 && o.out[0] >= 0 {
				name += fmt.Sprintf(" of %q", s.sub.tensors[o.out[0]].name)
			}
			var ue *diag.UnsupportedError
			if errors.As(err, &ue) {
				return err
			}
			return fmt.Errorf("operator %d, %s: %w", i, name, err)
		}
	}
	return nil
}

func (s *scope) operator(o *operator) error {
	if s.d.left--; s.d.left < 0 {
		return fmt.Errorf("the subgraphs call each other too often")
	}
	s.o, s.fresh, s.err = o, map[*ir.Value]*ir.Node{}, nil
	name, known := codeName(o.code)
	if !known {
		return &diag.UnsupportedError{Where: s.d.src.Path, What: name, Hint: fmt.Sprintf("operators up to %s (%d) are known; a newer release may read it", codeNames[len(codeNames)-1], len(codeNames)-1)}
	}
	c := s.d.table[name]
	if c.to == nil {
		return s.custom()
	}
	if o.version < 1 || o.version > c.version {
		return &diag.UnsupportedError{Where: s.d.src.Path, What: fmt.Sprintf("%s in version %d", name, o.version), Hint: fmt.Sprintf("version 1 to %d is read; convert the model with an older converter, or use a newer release", c.version)}
	}
	if len(o.in) < c.in || len(o.out) < c.out {
		return fmt.Errorf("it has %d inputs and %d outputs, want at least %d and %d", len(o.in), len(o.out), c.in, c.out)
	}
	for k := range c.in {
		if o.in[k] < 0 {
			return fmt.Errorf("input %d is missing", k)
		}
	}
	for k := range c.out {
		if o.out[k] < 0 {
			return fmt.Errorf("output %d is missing", k)
		}
	}
	c.to(s)
	if s.err == nil {
		s.err = s.d.f.buf.Err()
	}
	return s.err
}

// fail notes the first error.
func (s *scope) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}

func (s *scope) unsupported(what, hint string) {
	if s.err == nil {
		name, _ := codeName(s.o.code)
		s.err = &diag.UnsupportedError{Where: s.d.src.Path, What: fmt.Sprintf("%s (operator %d) %s", name, s.o.index, what), Hint: hint}
	}
}

// has reports whether input k is there.
func (s *scope) has(k int) bool { return k < len(s.o.in) && s.o.in[k] >= 0 }

// value returns tensor i in the type of the file.
func (s *scope) value(i int) *ir.Value {
	if v := s.stored[i]; v != nil {
		return v
	}
	x := &s.sub.tensors[i]
	none := &ir.Value{Name: s.names[i]}
	if from, ok := s.widened[i]; ok {
		s.stored[i] = s.widen(from, i)
		return s.stored[i]
	}
	if x.variable {
		v := s.d.variableOf(s, x, s.names[i])
		s.stored[i] = v
		return v
	}
	c, err := s.d.constant(x)
	if err != nil {
		if s.err == nil {
			s.err = err
		}
		return none
	}
	if c == nil {
		typ, err := s.d.elementType(x)
		if n, ok := tensor.Count(x.shape); err != nil || !ok || n > 0 || typ.Bits() == 0 {
			s.fail("tensor %q is read before it is computed", x.name)
			return none
		}
		c = tensor.New(typ, x.shape...)
	}
	s.stored[i] = ir.NewConst(s.names[i], c)
	return s.stored[i]
}

// raw returns input k in the type of the file.
func (s *scope) raw(k int) *ir.Value {
	if !s.has(k) {
		return s.missing(k)
	}
	return s.value(s.o.in[k])
}

// in returns input k as numbers: dequantized where it is quantized.
func (s *scope) in(k int) *ir.Value {
	if !s.has(k) {
		return s.missing(k)
	}
	return s.number(s.o.in[k])
}

// missing notes that input k is left out where it must not be.
func (s *scope) missing(k int) *ir.Value {
	s.fail("input %d is missing", k)
	return &ir.Value{Name: s.d.names.name("missing")}
}

// number returns tensor i dequantized, or as it is where it is not quantized.
func (s *scope) number(i int) *ir.Value {
	if v := s.real[i]; v != nil {
		return v
	}
	v := s.value(i)
	q, ok := s.quantized(i)
	if !ok {
		return v
	}
	s.real[i] = s.dequantize(v, q, s.names[i])
	return s.real[i]
}

// rename calls a fresh value after the tensor that it is.
func (s *scope) rename(v *ir.Value, name string) {
	if n := s.fresh[v]; n != nil && len(n.Out) > 0 && n.Out[0] == v {
		n.Name = name
	}
	v.Name = name
	delete(s.fresh, v)
}

// store makes v output k, in the type of the file.
func (s *scope) store(k int, v *ir.Value) {
	if k >= len(s.o.out) || s.o.out[k] < 0 || s.err != nil {
		return
	}
	i := s.o.out[k]
	x := &s.sub.tensors[i]
	typ, err := s.d.elementType(x)
	if err != nil {
		s.err = err
		return
	}
	if s.stored[i] != nil && !x.variable {
		s.fail("tensor %q is computed twice", x.name)
		return
	}
	if v.Type != dtype.Invalid && v.Type.IsFloat() != typ.IsFloat() {
		s.fail("it computes %v, and the file declares %q as %v", v.Type, x.name, typ)
		return
	}
	if v.Type != dtype.Invalid && v.Type != typ {
		c := op.New[op.Cast]()
		c.To = typ
		v = s.node(c, v)
	}
	if s.fresh[v] == nil {
		v = s.node(op.New[op.Identity](), v)
	}
	if v.Type == dtype.Invalid {
		v.Type = typ
	}
	s.rename(v, s.names[i])
	s.stored[i], s.real[i] = v, nil
}

// set makes the number v output k: quantized where that is.
func (s *scope) set(k int, v *ir.Value) {
	if k >= len(s.o.out) || s.o.out[k] < 0 || s.err != nil {
		return
	}
	i := s.o.out[k]
	if q, ok := s.quantized(i); ok {
		s.d.integer = true
		v = s.quantize(v, q, i)
	}
	s.store(k, v)
}

// result returns tensor i as an output of the graph, which must not be an
// input or a constant under its own name.
func (s *scope) result(i int) (*ir.Value, error) {
	s.err, s.fresh = nil, map[*ir.Value]*ir.Node{}
	v := s.value(i)
	return v, s.err
}

// node appends an operator with one output, of which it returns what is known.
func (s *scope) node(o op.Op, in ...*ir.Value) *ir.Value { return s.nodes(o, 1, in...)[0] }

// nodes appends an operator with outs outputs.
func (s *scope) nodes(o op.Op, outs int, in ...*ir.Value) []*ir.Value {
	base := "value"
	if s.o != nil && len(s.o.out) > 0 && s.o.out[0] >= 0 {
		base = s.names[s.o.out[0]]
	}
	n := &ir.Node{Op: o, In: in, Origin: base}
	for range outs {
		n.Out = append(n.Out, &ir.Value{Name: s.d.names.name(base + "/" + o.Name())})
	}
	n.Name = n.Out[0].Name
	if s.err != nil {
		return n.Out
	}
	if err := ir.Infer(&ir.Graph{Nodes: []*ir.Node{n}}); err != nil {
		s.err = err
	}
	s.g.Nodes = append(s.g.Nodes, n)
	for _, v := range n.Out {
		s.fresh[v] = n
	}
	return n.Out
}

// list returns a constant list of int64.
func (s *scope) list(vals ...int) *ir.Value {
	out := make([]int64, len(vals))
	for i, v := range vals {
		out[i] = int64(v)
	}
	return s.constant(tensor.FromSlice(out, len(out)))
}

func (s *scope) scalar(v float32) *ir.Value { return s.constant(tensor.Scalar(v)) }

func (s *scope) constant(t *tensor.Tensor) *ir.Value {
	base := "constant"
	if s.o != nil && len(s.o.out) > 0 && s.o.out[0] >= 0 {
		base = s.names[s.o.out[0]] + "/constant"
	}
	return ir.NewConst(s.d.names.name(base), t)
}

// numbers returns the elements of input k, which must be a constant list.
func (s *scope) numbers(k int, what string) []int {
	v := s.raw(k)
	if s.err != nil {
		return nil
	}
	ints, ok := v.Fact.Numbers()
	if !ok {
		s.unsupported(fmt.Sprintf("with %s that are computed", what), "fix the shapes of the inputs when the model is converted, or fold its constants")
	}
	return ints
}

// lengths returns input k, a list, as int64.
func (s *scope) lengths(k int) *ir.Value {
	v := s.raw(k)
	if vals, ok := tensorInts(v); ok && v.Const != nil {
		return s.constant(tensor.FromSlice(vals, v.Const.Shape()...))
	}
	return s.cast(v, dtype.Int64)
}

func tensorInts(v *ir.Value) ([]int64, bool) {
	if v.Const == nil {
		return nil, false
	}
	return tensor.Ints(v.Const)
}

func (s *scope) cast(v *ir.Value, to dtype.Type) *ir.Value {
	if v.Type == to {
		return v
	}
	c := op.New[op.Cast]()
	c.To = to
	return s.node(c, v)
}
