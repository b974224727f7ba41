package runtime

import (
	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/conv"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// finish describes how accumulators become results.
type finish struct {
	bias        []int32
	multipliers []float32 // one, or one a channel
	grid        convert.Grid
	typ         dtype.Type // of the result: Uint8, Int8 or Float32
	lo, hi      float32    // clamp of float results
}

// newFinish prepares the epilogue of a convolution or product.
func (pl *plan) newFinish(s *step, q *op.Quantized) (*finish, error) {
	e := &finish{typ: dtype.Float32, lo: -inf, hi: inf}
	units := affine.Units(q.In[0].Scale[0], q.In[1].Scale)
	if b := pl.constant(s, 2); b != nil {
		var err error
		if e.bias, err = affine.AccumulatorBias(b, q.In[2], 1, units); err != nil {
			return nil, err
		}
	}
	if out := q.Out[0]; out.Present() {
		e.typ = out.Type
		e.multipliers = affine.Multipliers(units, out.Scale[0])
		lo, hi := out.Type.Range()
		if q.Clamp != nil {
			lo, hi = out.Bounds(q.Clamp.Lo, q.Clamp.Hi)
		}
		e.grid = convert.Grid{ZeroPoint: int32(out.Zero(0)), QMin: int32(lo), QMax: int32(hi)}
		return e, nil
	}
	e.multipliers = units
	if q.Clamp != nil {
		e.lo, e.hi = float32(q.Clamp.Lo), float32(q.Clamp.Hi)
	}
	return e, nil
}

// row finishes sums of one channel into y at index at.
func (e *finish) row(y *tensor.Tensor, channel, at int, sums []int32) {
	if e.bias != nil {
		b := e.bias[channel]
		for i := range sums {
			sums[i] += b
		}
	}
	m := e.multipliers[0]
	if len(e.multipliers) > 1 {
		m = e.multipliers[channel]
	}
	switch e.typ {
	case dtype.Uint8:
		convert.Requantize(tensor.Data[uint8](y)[at:at+len(sums)], sums, m, e.grid)
	case dtype.Int8:
		convert.Requantize(tensor.Data[int8](y)[at:at+len(sums)], sums, m, e.grid)
	default:
		dst := tensor.Data[float32](y)[at : at+len(sums)]
		for i, v := range sums {
			dst[i] = min(max(float32(v)*m, e.lo), e.hi)
		}
	}
}

// tile finishes a tile of sums, rows channels from the given one on, into y
// from index at on; channels lie step apart there.
func (e *finish) tile(y *tensor.Tensor, step int, sums *[gemm.MR * gemm.NR]int32, channel, at, rows, count int) {
	q := gemm.Requantize{Bias: e.bias, Multiplier: e.multipliers, Grid: e.grid}
	switch e.typ {
	case dtype.Uint8:
		gemm.StoreBytes(tensor.Data[uint8](y)[at:], step, sums, channel, rows, count, &q)
	case dtype.Int8:
		gemm.StoreBytes(tensor.Data[int8](y)[at:], step, sums, channel, rows, count, &q)
	default:
		for r := range rows {
			e.row(y, channel+r, at+r*step, sums[r*gemm.NR:r*gemm.NR+count])
		}
	}
}

func (pl *plan) dispatchQuantizedConv(s *step, key *ir.Node, q *op.Quantized, o *op.Conv) error {
	x, w := &pl.values[s.in[0]], &pl.values[s.in[1]]
	if x.shape == nil || !pl.symmetricWeight(s, q) || len(x.shape) > 5 || !q.In[1].IsPerTensor() && q.In[1].Axis != 0 {
		return nil
	}
	g, err := o.Geometry(x.shape, w.fixed.Shape())
	if err != nil {
		return err
	}
	k, d := conv.NewPlan(geometryOf(g)), depthwiseLast(g)
	if g.Layout == op.ChannelsLast && k.Depthwise() && d == nil || !pl.place(s, 0) {
		return nil
	}
	if d != nil {
		return pl.depthwiseBytes(s, key, d, q)
	}
	if g.Layout == op.ChannelsLast {
		return pl.convolveBytes(s, key, conv.NewLast(geometryOf(g), element(x.typ)), q)
	}
	e, err := pl.newFinish(s, q)
	if err != nil {
		return err
	}
	zero, signed := int(q.In[0].Zero(0)), x.typ == dtype.Int8
	if gemm.HasDot() && k.Bytes() {
		e.takeOff(unsigned(zero, signed), w.fixed, g.Filters, 0)
		packed := pl.p.weights.getBytes(key, "conv", k.WeightBytes(), func(dst []int8) {
			k.PackBytes(dst, tensor.Data[int8](w.fixed))
			w.fixed.Release()
		})
		size := k.ScratchBytes()
		pl.scratch = max(pl.scratch, size*pl.p.threads)
		s.share(k.Blocks(), k.MACs(), func(f *frame, s *step, slot, lo, hi int) {
			in, y := f.vals[s.in[0]], f.out(s)
			tile := func(sums *[gemm.MR * gemm.NR]int32, channel, at, rows, count int) {
				e.tile(y, k.OutPixels(), sums, channel, at, rows, count)
			}
			if signed {
				conv.RunBytes(k, tensor.Data[int8](in), zero, packed, lo, hi, f.bytes(slot, size), tile)
			} else {
				conv.RunBytes(k, tensor.Data[uint8](in), zero, packed, lo, hi, f.bytes(slot, size), tile)
			}
		})
		return nil
	}
	packed := pl.p.weights.get(key, "conv", k.WeightLen(), func(dst []float32) {
		src := tensor.Data[int8](w.fixed)
		k.Pack(dst, func(i int) float32 { return float32(src[i]) })
		w.fixed.Release()
	})
	size := k.ScratchLen()
	pl.scratch = max(pl.scratch, 4*size*pl.p.threads)
	s.share(k.Blocks(), k.MACs(), func(f *frame, s *step, slot, lo, hi int) {
		in, y := f.vals[s.in[0]], f.out(s)
		emit := func(channel, at int, sums []int32) { e.row(y, channel, at, sums) }
		if signed {
			conv.RunInt(k, tensor.Data[int8](in), zero, packed, lo, hi, f.floats(slot, size), emit)
		} else {
			conv.RunInt(k, tensor.Data[uint8](in), zero, packed, lo, hi, f.floats(slot, size), emit)
		}
	})
	return nil
}

// unsigned returns the zero point of the uint8 that stand for activations in
// panels of bytes.
func unsigned(zero int, signed bool) int32 {
	if signed {
		return int32(uint8(zero) ^ gemm.Flip[int8]())
	}
	return int32(zero)
}

// takeOff takes zero times the sum of a channel's weights off its bias. The
// channels lie along an axis of w.
func (e *finish) takeOff(zero int32, w *tensor.Tensor, channels, axis int) {
	bias := make([]int32, channels)
	copy(bias, e.bias)
	inner := 1
	for _, d := range w.Shape()[axis+1:] {
		inner *= d
	}
	for i, v := range tensor.Data[int8](w) {
		bias[i/inner%channels] -= zero * int32(v)
	}
	e.bias = bias
}
