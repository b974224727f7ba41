package tflite

import (
	"fmt"
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// quantized returns how tensor i maps to numbers, and false where it is not
// quantized.
func (s *scope) quantized(i int) (quantization, bool) {
	x := &s.sub.tensors[i]
	typ, err := s.d.elementType(x)
	if err != nil || !typ.IsInteger() || !affine.Quantizable(typ) {
		return quantization{}, false
	}
	q, ok, err := s.d.quantizationOf(x)
	if err != nil && s.err == nil {
		s.err = err
	}
	return q, ok && err == nil
}

// params returns the scale and the zero point of integers of type typ as
// constants, for a tensor of which one axis has n elements where q is per axis.
func (s *scope) params(q quantization, typ dtype.Type, name string) (scale, zero *ir.Value) {
	shape := []int{len(q.scale)}
	if len(q.scale) == 1 {
		shape = nil
	}
	scale = ir.NewConst(s.d.names.name(name+"/scale"), tensor.FromSlice(q.scale, shape...))
	if !affine.Quantizable(typ) { // also of a tensor that could not be read
		s.fail("tensor %q: %v where its quantization is of integers", name, typ)
		return scale, nil
	}
	if typ.Bits() > 16 {
		return scale, nil // sums: their zero point is 0
	}
	least, most := affine.Scheme{Type: typ}.Range()
	for _, z := range q.zero {
		if z < least || z > most {
			s.fail("tensor %q: zero point %d is no %v", name, z, typ)
			return scale, nil
		}
	}
	return scale, ir.NewConst(s.d.names.name(name+"/zero_point"), tensor.FromInts(typ, q.zero, shape...))
}

// perAxis checks a quantization against the shape of its tensor and returns its
// axis.
func (s *scope) perAxis(q quantization, v *ir.Value, name string) int {
	if len(q.scale) <= 1 {
		return 0
	}
	a, err := op.Axis(q.axis, len(v.Shape))
	if err != nil {
		s.fail("tensor %q: quantized along %w", name, err)
		return 0
	}
	if n, ok := v.Shape[a].Int(); !ok || n != len(q.scale) {
		s.fail("tensor %q: %d scales along axis %d of shape %v", name, len(q.scale), a, v.Shape)
	}
	return a
}

// dequantize returns v, which holds the integers of a tensor, as numbers.
func (s *scope) dequantize(v *ir.Value, q quantization, name string) *ir.Value {
	return s.dequantizeBy(op.New[op.DequantizeLinear](), v, q, name)
}

// dequantizeApart is dequantize where that is an operator of the file.
func (s *scope) dequantizeApart(v *ir.Value, q quantization, name string) *ir.Value {
	o := op.New[op.DequantizeLinear]()
	o.Apart = true
	return s.dequantizeBy(o, v, q, name)
}

func (s *scope) dequantizeBy(o *op.DequantizeLinear, v *ir.Value, q quantization, name string) *ir.Value {
	if q.block > 0 {
		return s.dequantizeBlocks(o, v, q, name)
	}
	o.Axis = s.perAxis(q, v, name)
	scale, zero := s.params(q, v.Type, name)
	in := []*ir.Value{v, scale}
	if zero != nil {
		in = append(in, zero)
	}
	return s.named(name, o, in...)
}

// dequantizeBlocks reads scales that lie in a tensor of their own, along the
// last axis.
func (s *scope) dequantizeBlocks(o *op.DequantizeLinear, v *ir.Value, q quantization, name string) *ir.Value {
	o.Axis, o.BlockSize = len(v.Shape)-1, q.block
	in := []*ir.Value{v}
	for _, i := range []int{q.scales, q.zeros} {
		if i < 0 && len(in) > 1 {
			break
		}
		if i < 0 || i >= len(s.sub.tensors) {
			s.fail("tensor %q: its scales are tensor %d of %d", name, i, len(s.sub.tensors))
			return v
		}
		in = append(in, s.value(i))
	}
	if in[1].Type != dtype.Float32 && in[1].Const != nil {
		c, err := op.Convert(in[1].Const, dtype.Float32)
		if err != nil {
			s.fail("tensor %q: its scales: %w", name, err)
			return v
		}
		in[1] = ir.NewConst(s.d.names.name(in[1].Name+"/float32"), c)
	}
	return s.named(name, o, in...)
}

// named is node for a value that belongs to a tensor and not to the operator.
func (s *scope) named(name string, o op.Op, in ...*ir.Value) *ir.Value {
	v := s.node(o, in...)
	n := s.fresh[v]
	s.rename(v, s.d.names.name(name+"/"+o.Name()))
	if n != nil {
		n.Origin = name
	}
	return v
}

// quantize returns v in the integers of tensor i.
func (s *scope) quantize(v *ir.Value, q quantization, i int) *ir.Value {
	typ, _ := s.d.elementType(&s.sub.tensors[i])
	o := op.New[op.QuantizeLinear]()
	o.Round = affine.RoundHalfAway
	if len(q.scale) != 1 {
		o.Axis = s.perAxis(q, v, s.names[i])
	}
	scale, zero := s.params(q, typ, s.names[i])
	in := []*ir.Value{v, scale}
	if zero != nil {
		in = append(in, zero)
	} else {
		o.OutputType = typ
	}
	return s.node(o, in...)
}

// weight returns input k with its axes in the order perm, as numbers. A
// constant stays one, with its scales in front of it.
func (s *scope) weight(k int, perm ...int) *ir.Value {
	i := s.o.in[k]
	if from, ok := s.widened[i]; ok {
		i = from
	}
	v := s.value(i)
	if len(v.Shape) != len(perm) {
		s.fail("weights of shape %v, want %d dimensions", v.Shape, len(perm))
		return v
	}
	moved := !slices.IsSorted(perm)
	if v.Const == nil {
		if v = s.in(k); moved {
			t := op.New[op.Transpose]()
			t.Perm = perm
			v = s.node(t, v)
		}
		return v
	}
	key := weightKey{i, fmt.Sprint(perm)}
	if w := s.weights[key]; w != nil {
		return w
	}
	w := v
	if moved {
		w = ir.NewConst(s.d.names.name(v.Name+"/permuted"), tensor.Permuted(v.Const, perm))
	}
	if q, ok := s.quantized(i); ok {
		if q.axis = slices.Index(perm, s.perAxis(q, v, v.Name)); q.block > 0 && moved {
			s.unsupported("with weights in blocks", "quantize its weights per axis")
			return w
		}
		w = s.dequantize(w, q, v.Name)
	} else if w.Type == dtype.Float16 || w.Type == dtype.BFloat16 {
		c := op.New[op.Cast]()
		c.To = dtype.Float32
		w = s.named(v.Name, c, w)
	}
	s.weights[key] = w
	return w
}

// bias returns input k, nil where it is absent, for an operator whose data is
// input x and whose weight is input w. Integers are in the product of the
// scales of those two.
func (s *scope) bias(k, x, w int) *ir.Value {
	if !s.has(k) {
		return nil
	}
	i := s.o.in[k]
	v := s.value(i)
	if !v.Type.IsInteger() || v.Const == nil || s.err != nil {
		return s.in(k)
	}
	q, ok, err := s.d.quantizationOf(&s.sub.tensors[i])
	if err != nil {
		s.fail("%w", err)
		return nil
	}
	if !ok {
		q.scale = s.product(x, w)
	}
	q.axis, q.block = 0, 0
	q.zero = make([]int64, len(q.scale))
	vals, _ := tensor.Ints(v.Const)
	if len(q.scale) == 0 || len(q.scale) > 1 && len(q.scale) != len(vals) {
		s.fail("tensor %q: %d scales for %d elements", v.Name, len(q.scale), len(vals))
		return nil
	}
	if v.Type == dtype.Int64 {
		if v, ok = s.narrow(v, vals); !ok {
			return s.wide(v, vals, q)
		}
	}
	return s.dequantize(v, q, v.Name)
}

// product returns the products of the scales of two inputs.
func (s *scope) product(x, w int) []float32 {
	a, ok := s.quantized(s.o.in[x])
	b, weighted := s.quantized(s.o.in[w])
	if !ok || !weighted || len(a.scale) != 1 {
		return nil
	}
	out := make([]float32, len(b.scale))
	for i, v := range b.scale {
		out[i] = a.scale[0] * v
	}
	return out
}

// narrow returns a constant of int64 as int32, where all elements fit.
func (s *scope) narrow(v *ir.Value, vals []int64) (*ir.Value, bool) {
	for _, x := range vals {
		if x < math.MinInt32 || x > math.MaxInt32 {
			return v, false
		}
	}
	return ir.NewConst(s.d.names.name(v.Name+"/int32"), tensor.FromInts(dtype.Int32, vals, v.Const.Shape()...)), true
}

// wide returns sums that no int32 holds as numbers, each rounded once.
func (s *scope) wide(v *ir.Value, vals []int64, q quantization) *ir.Value {
	out := make([]float32, len(vals))
	for i, x := range vals {
		out[i] = float32(float64(x) * float64(q.scale[min(i, len(q.scale)-1)]))
	}
	return ir.NewConst(s.d.names.name(v.Name+"/float32"), tensor.FromSlice(out, v.Const.Shape()...))
}

// hybrid returns input x as an operator with integer weights in input w sees
// it: float data is quantized to int8 while the model runs, by its own range,
// in lanes along axis where lanes is set (LiteRT's kernels, EvalHybrid).
func (s *scope) hybrid(x *ir.Value, w int, asymmetric, lanes bool) *ir.Value {
	i := s.o.in[w]
	if _, ok := s.quantized(s.o.in[0]); ok {
		return x // its operands are integers
	}
	if _, ok := s.quantized(i); !ok || x.Type != dtype.Float32 || s.value(i).Const == nil {
		return x
	}
	key := liveKey{x, asymmetric, lanes}
	if v := s.live[key]; v != nil {
		return v
	}
	q := op.New[op.DynamicQuantize]()
	q.Type, q.Symmetric, q.TFLite = dtype.Int8, !asymmetric, true
	d := op.New[op.DequantizeLinear]()
	if lanes {
		n, ok := x.Shape[len(x.Shape)-1].Int()
		if !ok || n == 0 {
			return x
		}
		q.Axis = op.Some(-1)
		d.Axis, d.BlockSize = -1, n
	}
	v := s.node(d, s.nodes(q, 3, x)...)
	if s.err == nil {
		s.live[key] = v
	}
	return v
}
