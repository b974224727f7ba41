package tflite

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// Operators between numbers and the integers that stand for them.
var quantizers = []conversion{
	{"DEQUANTIZE", "DequantizeOptions", 8, 1, 1, dequantize},
	{"QUANTIZE", "QuantizeOptions", 5, 1, 1, quantize},
}

// quantize also goes from integers to others of another scale.
func quantize(s *scope) {
	if _, ok := s.quantized(s.o.out[0]); !ok && s.err == nil {
		s.fail("its output has no scale")
		return
	}
	s.set(0, s.in(0))
}

// dequantize of a constant is made where it is used, so that weights stay
// constants.
func dequantize(s *scope) {
	i, out := s.o.in[0], s.o.out[0]
	v := s.value(i)
	if s.err == nil && v.Const != nil && out >= 0 && s.stored[out] == nil {
		s.widened[out] = i
		return
	}
	if q, ok := s.quantized(i); ok {
		s.d.integer = true
		s.set(0, s.dequantizeApart(v, q, s.names[out]))
		return
	}
	s.set(0, s.cast(v, dtype.Float32))
}

// widen returns tensor from, which DEQUANTIZE turns into tensor i, as numbers.
func (s *scope) widen(from, i int) *ir.Value {
	v := s.value(from)
	var w *ir.Value
	if q, ok := s.quantized(from); ok {
		w = s.dequantizeApart(v, q, s.names[i])
	} else {
		c := op.New[op.Cast]()
		c.To = dtype.Float32
		w = s.named(s.names[i], c, v)
	}
	w.Name = s.names[i]
	return w
}
