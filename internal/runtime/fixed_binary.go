package runtime

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// fixedPair is the arithmetic of a sum, a difference or a product in TensorFlow
// Lite's arithmetic, operands being of one type.
type fixedPair struct {
	product      bool
	za, zb       int32
	a, b, y      convert.Fixed
	shift        int
	sign         int32
	zero, lo, hi int32
	// of 8 bits
	sum  *convert.FixedSum
	mult *convert.FixedProduct
}

func fixedPairOf(q *op.Quantized) *fixedPair {
	p := &fixedPair{za: int32(q.In[0].Zero(0)), zb: int32(q.In[1].Zero(0)), zero: int32(q.Out[0].Zero(0))}
	lo, hi := q.FixedLimits()
	p.lo, p.hi = int32(lo), int32(hi)
	bytes := q.In[0].Type.Bits() == 8 && q.Out[0].Type.Bits() == 8
	if _, p.product = q.Inner.(*op.Mul); p.product {
		p.y = fixedFactor(q.MulFactor())
		if bytes {
			p.mult = convert.NewFixedProduct(p.y, p.za, p.zb, p.zero, p.lo, p.hi)
		}
		return p
	}
	s := q.Addition()
	p.a, p.b, p.y, p.shift, p.sign = fixedFactor(s.A), fixedFactor(s.B), fixedFactor(s.Y), s.Shift, s.Sign
	if bytes {
		p.sum = convert.NewFixedSum(p.a, p.b, p.y, p.za, p.zb, int32(p.shift), p.sign, p.zero, p.lo, p.hi)
	}
	return p
}

// end limits v + zero, which does not wrap.
func (p *fixedPair) end(v int32) int32 { return min(max(v, p.lo-p.zero), p.hi-p.zero) + p.zero }

// fixedRun stores the results of elements of both operands.
func fixedRun[T uint8 | int8 | int16](p *fixedPair, dst, x, y []T) {
	x, y = x[:len(dst)], y[:len(dst)]
	switch {
	case p.mult != nil:
		switch d := any(dst).(type) {
		case []int8:
			convert.MultiplyFixed(p.mult, d, any(x).([]int8), any(y).([]int8))
		case []uint8:
			convert.MultiplyFixed(p.mult, d, any(x).([]uint8), any(y).([]uint8))
		}
	case p.product:
		for i := range dst {
			dst[i] = T(p.end(p.y.Of((int32(x[i]) - p.za) * (int32(y[i]) - p.zb))))
		}
	case p.sum != nil:
		switch d := any(dst).(type) {
		case []int8:
			convert.SumFixed(p.sum, d, any(x).([]int8), any(y).([]int8))
		case []uint8:
			convert.SumFixed(p.sum, d, any(x).([]uint8), any(y).([]uint8))
		}
	default:
		for i := range dst {
			dst[i] = T(p.end(p.y.Of(p.a.Of((int32(x[i])-p.za)<<p.shift) + p.sign*p.b.Of((int32(y[i])-p.zb)<<p.shift))))
		}
	}
}

// dispatchFixedBinary runs sums and products of which one operand may be
// repeated.
func (pl *plan) dispatchFixedBinary(s *step, q *op.Quantized) {
	known := func(v *planned) bool { return v.fixed != nil || v.shape != nil } // a scalar constant has no sizes
	a, b := pl.values[s.in[0]].dims(), pl.values[s.in[1]].dims()
	if !known(&pl.values[s.in[0]]) || !known(&pl.values[s.in[1]]) {
		return
	}
	sp, ok := spreadOf(a, b)
	first := false // the repeated operand
	if !ok {
		if sp, ok = spreadOf(b, a); !ok {
			return
		}
		first = true
	}
	n := sp.outer * sp.down * sp.inner * sp.across
	if n == 0 || !pl.place(s, 0) {
		return
	}
	if sp.down == 1 && sp.across == 1 {
		pl.overwrite(s, 0)
	}
	p := fixedPairOf(q)
	size := 2 * tileLen
	pl.scratch = max(pl.scratch, size*pl.p.threads)
	parts, each := sp.parts()
	s.share(parts, n*eachQuantized, func(f *frame, s *step, slot, lo, hi int) {
		x, y, out, tile := f.vals[s.in[0]], f.vals[s.in[1]], f.out(s), f.bytes(slot, size)
		switch out.Type() {
		case dtype.Int8:
			fixedPairs(p, sp, first, tensor.Data[int8](out), tensor.Data[int8](x), tensor.Data[int8](y), lo, hi, each, signed(tile))
		case dtype.Uint8:
			fixedPairs(p, sp, first, out.Bytes(), x.Bytes(), y.Bytes(), lo, hi, each, tile)
		default:
			words := unsafe.Slice((*int16)(unsafe.Pointer(&tile[0])), tileLen)
			fixedPairs(p, sp, first, tensor.Data[int16](out), tensor.Data[int16](x), tensor.Data[int16](y), lo, hi, each, words)
		}
	})
}

// fixedPairs computes parts from to to, as pairs does.
func fixedPairs[T uint8 | int8 | int16](p *fixedPair, s spread, first bool, dst, a, b []T, from, to, each int, tile []T) {
	large, small := a, b
	if first {
		large, small = b, a
	}
	have := 0
	for i := from; i < to; i++ {
		lo, hi, meets := portion(s, i, each, len(dst), small, tile, &have)
		for ; lo < hi; lo += len(meets) {
			n := min(len(meets), hi-lo)
			x, y := large[lo:lo+n], meets[:n]
			if first {
				x, y = y, x
			}
			fixedRun(p, dst[lo:lo+n], x, y)
		}
	}
}
