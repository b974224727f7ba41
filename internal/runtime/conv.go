package runtime

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/conv"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// geometryOf is a convolution's geometry as kernels have it.
func geometryOf(g op.Geometry) conv.Geometry {
	return conv.Geometry{
		Batch: g.Batch, In: g.Channels, Out: g.Filters, Group: g.Group,
		Size: g.In, Kernel: g.Kernel, Stride: g.Strides, Dilate: g.Dilations, Pad: g.Begin, Result: g.Out,
		Transposed: g.Transposed,
	}
}

// convPlan returns the plan of a convolution, cut so that the program's threads
// find parts of it.
func (pl *plan) convPlan(g conv.Geometry, e conv.Element) *conv.Plan {
	if pl.p.threads > 1 {
		g.Parts = 2 * pl.p.threads // more of them would copy more padding
	}
	return conv.NewPlan(g, e)
}

func (pl *plan) dispatchConv(s *step, key *ir.Node, geometry func(x, w []int) (op.Geometry, error), b bounds) error {
	x, w := &pl.values[s.in[0]], &pl.values[s.in[1]]
	bias := pl.constant(s, 2)
	if x.typ != dtype.Float32 || w.fixed == nil || x.shape == nil || len(x.shape) > 5 || len(s.in) > 2 && s.in[2] >= 0 && bias == nil {
		return nil
	}
	g, err := geometry(x.shape, w.fixed.Shape())
	if err != nil {
		return err
	}
	if g.Layout != op.ChannelsLast || !pl.place(s, 0) {
		return nil
	}
	var bs []float32
	if bias != nil {
		bs = tensor.Data[float32](bias)
	}
	if d := depthwiseLast(g); d != nil {
		pl.depthwise(s, key, d, bs, b)
		return nil
	}
	pl.convolve(s, key, pl.convPlan(geometryOf(g), pl.floating()), bs, b, -1)
	return nil
}

// convolve sets up a convolution channels last of floats, as which a product
// with a matrix runs too. Input other of the step is added to the result, unless
// it is -1.
func (pl *plan) convolve(s *step, key *ir.Node, k *conv.Plan, bias []float32, b bounds, other int) {
	if pl.p.bf16 {
		pl.convolveBF16(s, key, k, bias, b, other)
		return
	}
	w := pl.values[s.in[1]].fixed
	packed := pl.packs(key).get(key, "rows", k.WeightLen(), func(dst []float32) {
		src := tensor.Data[float32](w)
		pl.inParts(k.Packs(), len(src), func(lo, hi int) { k.PackParts(dst, src, lo, hi) })
		w.Release()
	})
	ends := k.FloatEnds(bias, b.on, b.lo, b.hi)
	size := k.ScratchLen()
	pl.scratch = max(pl.scratch, 4*size*pl.p.threads)
	s.share(k.Blocks(), k.Cost(), func(f *frame, s *step, slot, lo, hi int) {
		xs, ys := tensor.Data[float32](f.vals[s.in[0]]), tensor.Data[float32](f.out(s))
		k.Run(ys, addend[float32](f, s, other), xs, packed, ends, lo, hi, f.floats(slot, size))
	})
}

// bytesAtOnce is how many products of bytes take as long as one of floats.
const bytesAtOnce = 4

// convolveBytes is convolve for integers, whose results are those of fixed unless
// it is nil. The plan computes n outputs of the convolution together, which are
// stride apart.
func (pl *plan) convolveBytes(s *step, key *ir.Node, k *conv.Plan, q *op.Quantized, n, stride int, fixed *rescaled) error {
	e, err := pl.newFinish(s, q, fixed)
	if err != nil {
		return err
	}
	w, zero := pl.values[s.in[1]].fixed, uint8(q.In[0].Zero(0))
	form := "rows"
	if n > 1 {
		form = fmt.Sprintf("rows, %d abreast", n)
		e.repeat(n)
	}
	packed := pl.packs(key).getBytes(key, form, k.WeightBytes(), func(dst []int8) {
		src := shifted(w, n, stride)
		pl.inParts(k.Packs(), len(src), func(lo, hi int) { k.PackByteParts(dst, src, lo, hi) })
		w.Release()
	})
	sums := pl.packs(key).getSums(key, form, k.Filters(), func(dst []int32) {
		pl.inParts(k.Packs(), len(packed), func(lo, hi int) { k.SumParts(dst, packed, lo, hi) })
	})
	ends := k.ByteEnds(e.kernels(q, k.Filters()), sums, zero)
	size := k.ScratchLen()
	pl.scratch = max(pl.scratch, size*pl.p.threads)
	s.share(k.Blocks(), k.Cost()/bytesAtOnce, func(f *frame, s *step, slot, lo, hi int) {
		k.RunBytes(f.out(s).Bytes(), f.vals[s.in[0]].Bytes(), zero, packed, ends, lo, hi, f.bytes(slot, size))
	})
	return nil
}

// repeat makes the epilogue that of n times the channels.
func (e *finish) repeat(n int) {
	if e.bias != nil {
		e.bias = slices.Repeat(e.bias, n)
	}
	if len(e.multipliers) > 1 {
		e.multipliers = slices.Repeat(e.multipliers, n)
	}
}

// kernels returns the epilogue of so many columns as kernels have it.
func (e *finish) kernels(q *op.Quantized, columns int) gemm.Finish {
	if e.fixed != nil {
		return gemm.Finish{Fixed: e.fixed.plain(columns), Most: e.fixed.most}
	}
	return gemm.Finish{
		Bias: e.bias, Multiplier: e.multipliers, Grid: e.grid,
		Float: e.typ == dtype.Float32, Clamp: q.Clamp != nil, Lo: e.lo, Hi: e.hi, Whole: e.typ == dtype.Int32,
	}
}

// element is the type of a convolution's integers.
func element(t dtype.Type) conv.Element {
	if t == dtype.Int8 {
		return conv.Int8
	}
	return conv.Uint8
}
