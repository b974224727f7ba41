package tflite

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// fused returns v behind a fused activation function.
func (s *scope) fused(v *ir.Value, kind byte) *ir.Value {
	switch kind {
	case fusedNone:
		return v
	case fusedRelu:
		return s.node(op.New[op.Relu](), v)
	case fusedReluN1To1:
		return s.clip(v, -1, 1)
	case fusedRelu6:
		return s.clip(v, 0, 6)
	case fusedTanh:
		return s.node(op.New[op.Tanh](), v)
	}
	s.unsupported(fmt.Sprintf("with the fused activation %d", kind), "leave the activation out of the operator")
	return v
}

func (s *scope) clip(v *ir.Value, lo, hi float32) *ir.Value {
	return s.node(op.New[op.Clip](), v, s.cast(s.scalar(lo), v.Type), s.cast(s.scalar(hi), v.Type))
}
