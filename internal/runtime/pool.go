package runtime

import (
	"math"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// windowsOf returns the windows of a pool over one or two spatial axes.
func windowsOf(g op.Geometry) (reduce.Windows, bool) {
	w := reduce.Windows{In: [2]int{1, 1}, Out: [2]int{1, 1}, Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, Dilate: [2]int{1, 1}}
	if len(g.In) < 1 || len(g.In) > 2 {
		return w, false
	}
	for i, to := 0, 2-len(g.In); to < 2; i, to = i+1, to+1 {
		w.In[to], w.Out[to], w.Kernel[to] = g.In[i], g.Out[i], g.Kernel[i]
		w.Stride[to], w.Dilate[to], w.Pad[to] = g.Strides[i], g.Dilations[i], g.Begin[i]
	}
	return w, true
}

// dispatchMaxPool runs pools whose places nobody asks for. On integers of one
// grid it is the same: order is kept.
func (pl *plan) dispatchMaxPool(s *step, o *op.MaxPool) {
	x := &pl.values[s.in[0]]
	if len(x.shape) < 3 || len(s.out) > 1 && s.out[1] >= 0 {
		return
	}
	if x.typ != dtype.Float32 && x.typ != dtype.Uint8 && x.typ != dtype.Int8 {
		return
	}
	g, err := o.Geometry(x.shape)
	if err != nil {
		return
	}
	w, ok := windowsOf(g)
	if !ok || !pl.place(s, 0) {
		return
	}
	cost := g.Batch * g.Channels * g.Places() * g.Taps()
	if o.Layout == op.ChannelsLast && pl.p.bf16 && x.typ == dtype.Float32 {
		pl.maxPoolBF16(s, g, w, cost/16)
		return
	}
	if o.Layout == op.ChannelsLast {
		m := pl.windowMemory(w, g.Channels, x.typ.Bits()/8, 0)
		s.share(g.Batch*w.Out[0], cost/16, func(f *frame, s *step, slot, lo, hi int) {
			in, out := f.vals[s.in[0]], f.out(s)
			offsets, mem, _ := m.of(f, slot)
			switch in.Type() {
			case dtype.Float32:
				reduce.MaxLast(tensor.Data[float32](out), tensor.Data[float32](in), g.Channels, w, float32(math.Inf(-1)), lo, hi, offsets, floatsOf(mem))
			case dtype.Int8:
				reduce.MaxLast(tensor.Data[int8](out), tensor.Data[int8](in), g.Channels, w, math.MinInt8, lo, hi, offsets, signed(mem))
			default:
				reduce.MaxLast(tensor.Data[uint8](out), tensor.Data[uint8](in), g.Channels, w, 0, lo, hi, offsets, mem)
			}
		})
		return
	}
	s.share(g.Batch*g.Channels, cost, func(f *frame, s *step, _, lo, hi int) {
		in, out := f.vals[s.in[0]], f.out(s)
		switch in.Type() {
		case dtype.Float32:
			maxPlanes(out, in, tensor.Data[float32], lo, hi, w, float32(math.Inf(-1)))
		case dtype.Int8:
			maxPlanes(out, in, tensor.Data[int8], lo, hi, w, math.MinInt8)
		default:
			maxPlanes(out, in, tensor.Data[uint8], lo, hi, w, 0)
		}
	})
}

func maxPlanes[T reduce.Number](out, in *tensor.Tensor, data func(*tensor.Tensor) []T, lo, hi int, w reduce.Windows, least T) {
	reduce.MaxWindows(data(out)[lo*w.Out[0]*w.Out[1]:], data(in)[lo*w.In[0]*w.In[1]:], hi-lo, w, least)
}

// windowMemory is scratch memory of pools: for the places of a window, for the
// lines of a row of windows, and for sums, all in bytes.
type windowMemory struct{ offsets, lines, sums int }

// windowMemory reserves it, for channels of size bytes each and a number of sums.
func (pl *plan) windowMemory(w reduce.Windows, channels, size, sums int) windowMemory {
	m := windowMemory{8 * w.Kernel[0] * w.Kernel[1], (size*w.Room(channels, size) + 7) &^ 7, (4*sums + 7) &^ 7}
	pl.scratch = max(pl.scratch, m.size()*pl.p.threads)
	return m
}

func (m windowMemory) size() int { return m.offsets + m.lines + m.sums }

// of returns the memory of a slot.
func (m windowMemory) of(f *frame, slot int) (offsets []int, lines []byte, sums []int32) {
	mem := f.bytes(slot, m.size())
	offsets = unsafe.Slice((*int)(unsafe.Pointer(unsafe.SliceData(mem))), m.offsets/8)
	mem = mem[m.offsets:]
	return offsets, mem[:m.lines], unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(mem[m.lines:]))), m.sums/4)
}

// windowSizes returns how many elements the mean of each place is over.
func windowSizes(g op.Geometry, pool *op.AveragePool) func(place, count int) int {
	if pool == nil || !pool.CountIncludePad {
		return func(_, count int) int { return count }
	}
	sizes := make([]int, g.Places())
	for i := range sizes {
		sizes[i] = g.Padded(i)
	}
	return func(place, _ int) int { return sizes[place] }
}

// whole returns the geometry of one window over all places.
func whole(shape []int, l op.Layout) (op.Geometry, bool) {
	rank := len(shape) - 2
	if rank < 1 {
		return op.Geometry{}, false
	}
	g := op.Geometry{Batch: shape[0], Channels: shape[l.Channel(len(shape))], Layout: l}
	places := 1
	for i := range rank {
		places *= shape[l.Spatial()+i]
	}
	g.Filters, g.In, g.Kernel = g.Channels, []int{1, places}, []int{1, places}
	g.Out, g.Strides, g.Dilations, g.Begin = []int{1, 1}, []int{1, 1}, []int{1, 1}, []int{0, 0}
	return g, places > 0
}

// dispatchMean runs means over the windows of activations whose channels lie
// last, or over whole channels.
func (pl *plan) dispatchMean(s *step, g op.Geometry, pool *op.AveragePool) {
	x := &pl.values[s.in[0]]
	w, ok := windowsOf(g)
	if x.typ != dtype.Float32 || !ok || g.Layout != op.ChannelsLast && pool != nil || !pl.place(s, 0) {
		return
	}
	cost := g.Batch * g.Channels * g.Places() * g.Taps()
	if g.Layout != op.ChannelsLast {
		n := w.In[1]
		s.share(g.Batch*g.Channels, cost, func(f *frame, s *step, _, lo, hi int) {
			src, dst := tensor.Data[float32](f.vals[s.in[0]]), tensor.Data[float32](f.out(s))
			for i := lo; i < hi; i++ {
				dst[i] = reduce.MeanF32(src[i*n : (i+1)*n])
			}
		})
		return
	}
	m, sizes := pl.windowMemory(w, g.Channels, 4, 0), windowSizes(g, pool)
	blocks := channelBlocks(g.Channels)
	s.share(g.Batch*w.Out[0]*blocks, cost/4, func(f *frame, s *step, slot, lo, hi int) {
		offsets, mem, _ := m.of(f, slot)
		dst, src := tensor.Data[float32](f.out(s)), tensor.Data[float32](f.vals[s.in[0]])
		for i := lo; i < hi; i++ {
			row, first := i/blocks, i%blocks*channelBlock
			reduce.MeanLast(dst, src, g.Channels, first, min(first+channelBlock, g.Channels), w, sizes, row, row+1, offsets, floatsOf(mem))
		}
	})
}

// channelBlock is how many channels a part of a mean takes: a window over whole
// channels leaves nothing else to share.
const channelBlock = 256

func channelBlocks(channels int) int { return (channels + channelBlock - 1) / channelBlock }

// dispatchReduceMean runs a mean over all spatial axes of activations whose
// channels lie last, or over the last axes.
func (pl *plan) dispatchReduceMean(s *step, noop bool) {
	x := &pl.values[s.in[0]]
	if x.shape == nil {
		return
	}
	first, n, ok := pl.reducedAxes(s, noop)
	if !ok {
		return
	}
	before, _ := tensor.Count(x.shape[:first])
	places, _ := tensor.Count(x.shape[first : first+n])
	channels, _ := tensor.Count(x.shape[first+n:])
	if first+n == len(x.shape) {
		before, channels = 1, before
		if g, ok := whole([]int{1, channels, places}, op.ChannelsFirst); ok && channels > 0 {
			pl.dispatchMean(s, g, nil)
		}
		return
	}
	if g, ok := whole([]int{before, places, channels}, op.ChannelsLast); ok && before > 0 && channels > 0 {
		pl.dispatchMean(s, g, nil)
	}
}
