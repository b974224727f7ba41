package runtime

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/dwconv"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// depthwiseLast returns the kernel plan of a convolution whose channels lie last
// and have one filter each, nil for any other.
func depthwiseLast(g op.Geometry) *dwconv.Last {
	rank := len(g.In)
	if g.Layout != op.ChannelsLast || g.Group != g.Channels || g.Filters != g.Channels || g.Transposed || rank > 3 {
		return nil
	}
	// A long filter of one channel fills more of a vector as a product with one
	// column.
	const long = 32
	if taps, _ := tensor.Count(g.Kernel); g.Channels == 1 && taps >= long {
		return nil
	}
	d := dwconv.Geometry{Batch: g.Batch, Channels: g.Channels}
	for i := range 3 {
		d.Size[i], d.Kernel[i], d.Stride[i], d.Dilate[i], d.Result[i] = 1, 1, 1, 1, 1
	}
	for i, from := 3-rank, 0; i < 3; i, from = i+1, from+1 {
		d.Size[i], d.Kernel[i], d.Result[i] = g.In[from], g.Kernel[from], g.Out[from]
		d.Stride[i], d.Dilate[i], d.Pad[i] = g.Strides[from], g.Dilations[from], g.Begin[from]
	}
	return dwconv.NewLast(d)
}

// eachTap is how many multiply-adds of a product of floats take as long as one
// of a depthwise convolution.
const eachTap = 2

// depthwise sets up a depthwise convolution of floats, channels last.
func (pl *plan) depthwise(s *step, key *ir.Node, k *dwconv.Last, bias []float32, b bounds) {
	w := pl.values[s.in[1]].fixed
	packed := pl.packs(key).get(key, "depthwise", k.WeightLen(), func(dst []float32) {
		src := tensor.Data[float32](w)
		k.Pack(dst, func(i int) float32 { return src[i] })
		w.Release()
	})
	end, size := k.Finish(bias, b.on, b.lo, b.hi), k.ScratchLen()
	if pl.p.bf16 {
		pl.mayShorten(s.out[0], -1)
		size += 4 * k.LineLen()
	}
	pl.scratch = max(pl.scratch, size*pl.p.threads)
	s.share(k.Blocks(), eachTap*k.MACs(), func(f *frame, s *step, slot, lo, hi int) {
		if y := f.out(s); y.Type() == dtype.BFloat16 {
			k.RunBF16(tensor.Data[uint16](y), tensor.Data[float32](f.vals[s.in[0]]), packed, end, lo, hi, f.bytes(slot, size))
			return
		}
		k.Run(tensor.Data[float32](f.out(s)), tensor.Data[float32](f.vals[s.in[0]]), packed, end, lo, hi, f.bytes(slot, size))
	})
}

// depthwiseBytes is depthwise for integers, as convolveBytes has them.
func (pl *plan) depthwiseBytes(s *step, key *ir.Node, k *dwconv.Last, q *op.Quantized, fixed *rescaled) error {
	e, err := pl.newFinish(s, q, fixed)
	if err != nil {
		return err
	}
	w, zero := pl.values[s.in[1]].fixed, q.In[0].Zero(0)
	signed := q.In[0].Type == dtype.Int8
	var end *dwconv.ByteFinish
	size := k.ScratchLen()
	switch weights := tensor.Data[int8](w); {
	case fixed != nil && signed:
		end, size = dwconv.FinishFixed(k, int8(zero), weights, fixed.plain(k.Channels), fixed.most), k.FixedScratchLen()
	case fixed != nil:
		end, size = dwconv.FinishFixed(k, uint8(zero), weights, fixed.plain(k.Channels), fixed.most), k.FixedScratchLen()
	case signed:
		end = dwconv.FinishBytes(k, int8(zero), weights, e.bias, e.multipliers, e.grid, e.lo, e.hi)
	default:
		end = dwconv.FinishBytes(k, uint8(zero), weights, e.bias, e.multipliers, e.grid, e.lo, e.hi)
	}
	packed := pl.packs(key).getBytes(key, k.Form(), k.WeightBytes(), func(dst []int8) { k.PackBytes(dst, tensor.Data[int8](w)) })
	pl.scratch = max(pl.scratch, size*pl.p.threads)
	s.share(k.ByteBlocks(), eachTap*k.MACs(), func(f *frame, s *step, slot, lo, hi int) {
		x, y, mem := f.vals[s.in[0]], f.out(s), f.bytes(slot, size)
		if signed {
			depthwiseTo(k, y, tensor.Data[int8](x), packed, end, lo, hi, mem)
		} else {
			depthwiseTo(k, y, tensor.Data[uint8](x), packed, end, lo, hi, mem)
		}
	})
	return nil
}

func depthwiseTo[T uint8 | int8](k *dwconv.Last, y *tensor.Tensor, x []T, w []int8, end *dwconv.ByteFinish, lo, hi int, scratch []byte) {
	switch y.Type() {
	case dtype.Float32:
		dwconv.RunBytes(k, tensor.Data[float32](y), x, w, end, lo, hi, scratch)
	case dtype.Int32:
		dwconv.RunBytes(k, tensor.Data[int32](y), x, w, end, lo, hi, scratch)
	case dtype.Int8:
		dwconv.RunBytes(k, tensor.Data[int8](y), x, w, end, lo, hi, scratch)
	default:
		dwconv.RunBytes(k, tensor.Data[uint8](y), x, w, end, lo, hi, scratch)
	}
}
