package runtime

import (
	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// eachQuantized is what quantizing or dequantizing an element costs, in
// multiply-adds.
const eachQuantized = 8

// dispatchQuantize takes float32 to a grid of 8 bits.
func (pl *plan) dispatchQuantize(s *step, o *op.QuantizeLinear) {
	x := &pl.values[s.in[0]]
	p, ok, err := ir.ParamsOf(s.node)
	if err != nil || !ok || !p.IsPerTensor() || o.Precision != dtype.Invalid && o.Precision != dtype.Float32 ||
		x.typ != dtype.Float32 || x.shape == nil || p.Type != dtype.Uint8 && p.Type != dtype.Int8 || !pl.place(s, 0) {
		return
	}
	n, _ := tensor.Count(x.shape)
	scale, zero, signed, away := p.Scale[0], int32(p.Zero(0)), p.Type == dtype.Int8, o.Round == affine.RoundHalfAway
	s.share(n, eachQuantized*n, func(f *frame, s *step, _, lo, hi int) {
		in, out := tensor.Data[float32](f.vals[s.in[0]])[lo:hi], f.out(s)
		switch {
		case signed && away:
			convert.QuantizeAway(tensor.Data[int8](out)[lo:hi], in, scale, convert.GridOf[int8](zero))
		case away:
			convert.QuantizeAway(tensor.Data[uint8](out)[lo:hi], in, scale, convert.GridOf[uint8](zero))
		case signed:
			convert.Quantize(tensor.Data[int8](out)[lo:hi], in, scale, convert.GridOf[int8](zero))
		default:
			convert.Quantize(tensor.Data[uint8](out)[lo:hi], in, scale, convert.GridOf[uint8](zero))
		}
	})
}

// dispatchDequantize takes 8 bits to float32.
func (pl *plan) dispatchDequantize(s *step) {
	x := &pl.values[s.in[0]]
	p, ok, err := ir.ParamsOf(s.node)
	if err != nil || !ok || !p.IsPerTensor() || x.typ != dtype.Uint8 && x.typ != dtype.Int8 || x.shape == nil || s.node.Out[0].Type != dtype.Float32 {
		return
	}
	if len(s.node.In) > 2 && s.node.In[2] != nil && s.node.In[2].Type != x.typ || !pl.place(s, 0) {
		return
	}
	n, _ := tensor.Count(x.shape)
	scale, zero, signed := p.Scale[0], int32(p.Zero(0)), x.typ == dtype.Int8
	s.share(n, eachQuantized*n, func(f *frame, s *step, _, lo, hi int) {
		in, out := f.vals[s.in[0]], tensor.Data[float32](f.out(s))[lo:hi]
		if signed {
			convert.Dequantize(out, tensor.Data[int8](in)[lo:hi], scale, zero)
		} else {
			convert.Dequantize(out, tensor.Data[uint8](in)[lo:hi], scale, zero)
		}
	})
}
