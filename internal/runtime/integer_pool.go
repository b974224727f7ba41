package runtime

import (
	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// dispatchQuantizedMean runs means of integers over windows, or over whole
// channels, of activations whose channels lie last.
func (pl *plan) dispatchQuantizedMean(s *step, q *op.Quantized, g op.Geometry, pool *op.AveragePool) {
	x, out := &pl.values[s.in[0]], q.Out[0]
	w, ok := windowsOf(g)
	if !ok || g.Layout != op.ChannelsLast || q.Round != affine.RoundHalfEven || x.typ.Bits() != 8 || out.Type.Bits() != 8 || !pl.place(s, 0) {
		return
	}
	lo, hi := limits(q)
	m := meanOf{
		zero: int32(q.In[0].Zero(0)), grid: convert.Grid{ZeroPoint: int32(out.Zero(0)), QMin: lo, QMax: hi},
		sizes: windowSizes(g, pool), channels: g.Channels, in: q.In[0].Scale[0], out: out.Scale[0],
	}
	// The sums of one window, or of a row of them.
	blocks, room := channelBlocks(g.Channels), channelBlock
	together := w.Together(g.Channels, 1)
	if together {
		room = w.Out[1] * g.Channels
	}
	memory := pl.windowMemory(w, g.Channels, 1, room)
	s.share(g.Batch*w.Out[0]*blocks, g.Batch*g.Channels*g.Places()*g.Taps()/4, func(f *frame, s *step, slot, from, to int) {
		offsets, mem, sums := memory.of(f, slot)
		x, y := f.vals[s.in[0]], f.out(s)
		emit := func(at, place, count int, sums []int32) { m.store(y, at, place, count, sums) }
		for i := from; i < to; i++ {
			row, first := i/blocks, i%blocks*channelBlock
			part := sums[:room]
			if !together {
				part = sums[:min(channelBlock, g.Channels-first)]
			}
			if x.Type() == dtype.Int8 {
				reduce.SumLast(tensor.Data[int8](x), g.Channels, first, w, row, row+1, offsets, signed(mem), part, emit)
			} else {
				reduce.SumLast(tensor.Data[uint8](x), g.Channels, first, w, row, row+1, offsets, mem, part, emit)
			}
		}
	})
}

// meanOf finishes the sums of windows of integers.
type meanOf struct {
	zero     int32
	grid     convert.Grid
	sizes    func(place, count int) int
	channels int
	in, out  float32 // scales
}

// store writes the means of count elements of every channel, of one place or of
// several, as Quantized.averagePool has them.
func (m *meanOf) store(y *tensor.Tensor, at, place, count int, sums []int32) {
	size := m.sizes(place, count)
	for k := 1; k*m.channels < len(sums); k++ {
		if m.sizes(place+k, count) != size {
			m.store(y, at+k*m.channels, place+k, count, sums[k*m.channels:])
			sums = sums[:k*m.channels]
			break
		}
	}
	zeros := m.zero * int32(count)
	for i := range sums {
		sums[i] -= zeros
	}
	multiplier := m.in / float32(m.out*float32(max(size, 1)))
	if y.Type() == dtype.Int8 {
		convert.Requantize(tensor.Data[int8](y)[at:at+len(sums)], sums, multiplier, m.grid)
	} else {
		convert.Requantize(tensor.Data[uint8](y)[at:at+len(sums)], sums, multiplier, m.grid)
	}
}
