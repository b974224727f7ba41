package runtime

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/conv"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/kernels/histogram"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// dispatchDynamicQuantize quantizes to 8 bits with the range of all elements.
func (pl *plan) dispatchDynamicQuantize(s *step, o *op.DynamicQuantize) {
	x := &pl.values[s.in[0]]
	if x.typ != dtype.Float32 || x.shape == nil || byteless(o.Type) {
		return
	}
	if o.Axis.Set {
		pl.dispatchQuantizeRows(s, o, false)
		return
	}
	for i := range s.out {
		if !pl.place(s, i) {
			return
		}
	}
	n, _ := tensor.Count(x.shape)
	if n == 0 {
		return
	}
	signedType := o.Type == dtype.Int8
	at := pl.lives
	pl.lives++
	s.share(n, eachQuantized*n, func(f *frame, s *step, _, lo, hi int) {
		in, out, p := tensor.Data[float32](f.vals[s.in[0]])[lo:hi], f.out(s), f.lives[at]
		if o.TFLite {
			quantizeLite(out.Bytes()[lo:hi], in, p.factor, float32(p.zero), false)
		} else if signedType {
			convert.Quantize(tensor.Data[int8](out)[lo:hi], in, p.scale, convert.GridOf[int8](p.zero))
		} else {
			convert.Quantize(tensor.Data[uint8](out)[lo:hi], in, p.scale, convert.GridOf[uint8](p.zero))
		}
	})
	s.run = func(f *frame, s *step) error {
		lo, hi := bounds32(tensor.Data[float32](f.vals[s.in[0]]))
		scale, zero := o.Params(lo, hi)
		f.lives[at] = liveParams{scale, int32(zero), o.Factor(lo, hi)}
		if len(s.out) > 1 && s.out[1] >= 0 {
			tensor.Data[float32](f.vals[s.out[1]])[0] = scale
		}
		if len(s.out) > 2 && s.out[2] >= 0 {
			f.vals[s.out[2]].Bytes()[0] = byte(zero)
		}
		return nil
	}
}

// dispatchQuantizeRows quantizes to 8 bits with a range for each row. Where
// shifted, int8 are stored as the uint8 that are 128 more.
func (pl *plan) dispatchQuantizeRows(s *step, o *op.DynamicQuantize, shifted bool) {
	shape := pl.values[s.in[0]].shape
	rows, k, ok := rowsOf(shape, o.Axis.Value)
	if axis, err := op.Axis(o.Axis.Value, len(shape)); err != nil || axis != len(shape)-1 || !ok || rows == 0 || k == 0 {
		return
	}
	for i := range s.out {
		if !pl.place(s, i) {
			return
		}
	}
	signedType, offset := o.Type == dtype.Int8 && !shifted, int32(0)
	if shifted {
		offset = 128
	}
	s.share(rows, eachQuantized*rows*k, func(f *frame, s *step, _, lo, hi int) {
		in, out := tensor.Data[float32](f.vals[s.in[0]]), f.out(s)
		for i := lo; i < hi; i++ {
			row := in[i*k : (i+1)*k]
			least, most := bounds32(row)
			scale, zero := o.Params(least, most)
			if o.TFLite {
				quantizeLite(out.Bytes()[i*k:(i+1)*k], row, o.Factor(least, most), float32(zero), shifted)
			} else if signedType {
				convert.Quantize(tensor.Data[int8](out)[i*k:(i+1)*k], row, scale, convert.GridOf[int8](int32(zero)))
			} else {
				convert.Quantize(tensor.Data[uint8](out)[i*k:(i+1)*k], row, scale, convert.GridOf[uint8](int32(zero)+offset))
			}
			if t := f.tensorAt(s.out, 1); t != nil {
				tensor.Data[float32](t)[i] = scale
			}
			if t := f.tensorAt(s.out, 2); t != nil {
				t.Bytes()[i] = byte(zero)
			}
		}
	})
}

// liveParams are what a run found for an activation.
type liveParams struct {
	scale  float32
	zero   int32
	factor float32
}

// quantizeLite stores round(x·factor + zero), halves away from zero, as int8 or,
// where shifted, as the uint8 that are 128 more.
func quantizeLite(dst []byte, x []float32, factor, zero float32, shifted bool) {
	var chunk [256]float32
	params := [2]float32{factor, zero}
	for len(x) > 0 {
		part := chunk[:min(len(chunk), len(x))]
		eltwise.Mul(part, x[:len(part)], params[:1])
		eltwise.Add(part, part, params[1:])
		convert.QuantizeAway(signed(dst[:len(part)]), part, 1, convert.GridOf[int8](0))
		if shifted {
			gemm.Unsigned(dst[:len(part)], dst[:len(part)], 0x80)
		}
		dst, x = dst[len(part):], x[len(part):]
	}
}

// bounds32 returns the least and the greatest element, widened to hold 0; NaN
// where there is one.
func bounds32(x []float32) (lo, hi float32) {
	if e, finite := histogram.Bounds(x); finite {
		return min(0, e.Min), max(0, e.Max)
	}
	for _, v := range x {
		lo, hi = min(lo, v), max(hi, v)
	}
	return lo, hi
}

// dispatchLive runs a product of bytes whose scale and zero point a run finds
// with a constant matrix without zero points, to real numbers.
func (pl *plan) dispatchLive(s *step, key *ir.Node) error {
	const a, b, bias = 0, 1, 6
	x, w := &pl.values[s.in[a]], pl.constant(s, b)
	rows, k, ok := rowsOf(x.shape, -1)
	if !ok || !pl.liveOperands(s) || w.Rank() != 2 || s.given(bias) {
		return nil
	}
	n := w.Shape()[1]
	if w.Shape()[0] != k || k == 0 || n == 0 || rows == 0 || !pl.unitsOf(s, n) || !pl.place(s, 0) {
		return nil
	}
	pl.convolveLive(s, key, conv.NewPlan(matrixGeometry(rows, k, n, false), element(x.typ)))
	return nil
}

// dispatchLiveConv is dispatchLive for a convolution, channels last.
func (pl *plan) dispatchLiveConv(s *step, key *ir.Node, o *op.ConvIntegerToFloat) error {
	x, w := &pl.values[s.in[0]], pl.constant(s, 1)
	if x.shape == nil || len(x.shape) > 5 || !pl.liveOperands(s) {
		return nil
	}
	g, err := o.Conv().Geometry(x.shape, w.Shape())
	if err != nil {
		return err
	}
	if g.Layout != op.ChannelsLast || g.Group != 1 || g.Filters == 0 || w.Len() == 0 || !pl.unitsOf(s, g.Filters) || !pl.place(s, 0) {
		return nil
	}
	pl.convolveLive(s, key, conv.NewPlan(geometryOf(g), element(x.typ)))
	return nil
}

// liveOperands reports whether operands 0 to 5 of a step, as those of
// MatMulIntegerToFloat, are what kernels take: bytes with one scale and one zero
// point, and a constant int8 with zero points of 0.
func (pl *plan) liveOperands(s *step) bool {
	const a, b, aScale, bScale, aZero, bZero = 0, 1, 2, 3, 4, 5
	w, units := pl.constant(s, b), pl.constant(s, bScale)
	return w != nil && w.Type() == dtype.Int8 && units != nil && units.Type() == dtype.Float32 && !byteless(pl.values[s.in[a]].typ) && pl.centered(s, b, bZero) &&
		s.given(aZero) && isScalar(&pl.values[s.in[aZero]]) && isScalar(&pl.values[s.in[aScale]])
}

// unitsOf reports whether a step has one scale of its weight, or n.
func (pl *plan) unitsOf(s *step, n int) bool {
	units := pl.constant(s, 3).Len()
	return units == 1 || units == n
}

// convolveLive sets up the product, or convolution, of one group.
func (pl *plan) convolveLive(s *step, key *ir.Node, c *conv.Plan) {
	const a, b, aScale, bScale, aZero = 0, 1, 2, 3, 4
	w, units := pl.constant(s, b), pl.constant(s, bScale)
	packed := pl.packs(key).getBytes(key, "rows", c.WeightBytes(), func(dst []int8) {
		src := tensor.Data[int8](w)
		pl.inParts(c.Packs(), len(src), func(lo, hi int) { c.PackByteParts(dst, src, lo, hi) })
		w.Release()
	})
	ends := c.LiveEnd(tensor.Data[float32](units), packed)
	at := len(pl.ends)
	pl.ends = append(pl.ends, ends)
	size := c.ScratchLen()
	pl.scratch = max(pl.scratch, size*pl.p.threads)
	s.share(c.Blocks(), c.MACs()/bytesAtOnce, func(f *frame, s *step, slot, lo, hi int) {
		e := &f.ends[at]
		c.RunBytes(f.out(s).Bytes(), f.vals[s.in[a]].Bytes(), e.zero, packed, e.list[:], lo, hi, f.bytes(slot, size))
	})
	s.run = func(f *frame, s *step) error {
		e := &f.ends[at]
		e.zero = f.vals[s.in[aZero]].Bytes()[0]
		ends.Set(e.list[0], c.Unsigned(e.zero), tensor.Data[float32](f.vals[s.in[aScale]])[0], 0, c.Filters())
		return nil
	}
}

func isScalar(v *planned) bool {
	n, ok := tensor.Count(v.dims())
	return v.dims() != nil && ok && n == 1
}

// liveEnd is the epilogue of a product in one frame.
type liveEnd struct {
	zero  byte
	scale float32
	list  [1]*gemm.ByteEnd
}
