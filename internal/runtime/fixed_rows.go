package runtime

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// dispatchFixedMap runs functions of single integers between types that a table
// of bytes does not serve.
func (pl *plan) dispatchFixedMap(s *step, q *op.Quantized) {
	f := q.FixedMap()
	n, ok := tensor.Count(pl.values[s.in[0]].shape)
	if f == nil || pl.values[s.in[0]].shape == nil || !ok || !pl.place(s, 0) {
		return
	}
	s.share(n, n*eachQuantized, func(fr *frame, s *step, _, lo, hi int) {
		x, y := fr.vals[s.in[0]], fr.out(s)
		switch x.Type() {
		case dtype.Int8:
			mapTo(y, tensor.Data[int8](x), f, lo, hi)
		case dtype.Uint8:
			mapTo(y, x.Bytes(), f, lo, hi)
		default:
			mapTo(y, tensor.Data[int16](x), f, lo, hi)
		}
	})
}

func mapTo[T int8 | uint8 | int16](y *tensor.Tensor, x []T, f func(int32) int32, lo, hi int) {
	switch y.Type() {
	case dtype.Int8:
		mapEach(tensor.Data[int8](y)[lo:hi], x[lo:hi], f)
	case dtype.Uint8:
		mapEach(y.Bytes()[lo:hi], x[lo:hi], f)
	default:
		mapEach(tensor.Data[int16](y)[lo:hi], x[lo:hi], f)
	}
}

func mapEach[U, T int8 | uint8 | int16](dst []U, x []T, f func(int32) int32) {
	for i, q := range x {
		dst[i] = U(f(int32(q)))
	}
}

// dispatchFixedRows runs softmax and the like along the last axis, row by row.
func (pl *plan) dispatchFixedRows(s *step, q *op.Quantized) {
	x := &pl.values[s.in[0]]
	f, axis := q.FixedRows()
	if x.shape == nil || axis != -1 && axis != len(x.shape)-1 {
		return
	}
	rows, n, ok := rowsOf(x.shape, -1)
	if !ok || !pl.place(s, 0) {
		return
	}
	if _, soft := q.Inner.(*op.Softmax); soft && q.In[0].Type.Bits() == 8 {
		row := op.FixedSoftmaxBytes(q.In[0].Type, q.In[0].Scale[0])
		s.share(rows, rows*n*costSoftmax, func(fr *frame, s *step, _, lo, hi int) {
			x, y := fr.vals[s.in[0]].Bytes(), fr.out(s).Bytes()
			for at := lo * n; at < hi*n; at += n {
				row(y[at:at+n], x[at:at+n])
			}
		})
		return
	}
	pl.scratch = max(pl.scratch, 4*n*pl.p.threads)
	s.share(rows, rows*n*costSoftmax, func(fr *frame, s *step, slot, lo, hi int) {
		x, y := fr.vals[s.in[0]], fr.out(s)
		row := unsafe.Slice((*int32)(unsafe.Pointer(&fr.scratch[4*slot*n])), n)
		for at := lo * n; at < hi*n; at += n {
			switch x.Type() {
			case dtype.Int8:
				softmaxRow(tensor.Data[int8](y)[at:at+n], tensor.Data[int8](x)[at:at+n], row, f)
			case dtype.Uint8:
				softmaxRow(y.Bytes()[at:at+n], x.Bytes()[at:at+n], row, f)
			default:
				softmaxRow(tensor.Data[int16](y)[at:at+n], tensor.Data[int16](x)[at:at+n], row, f)
			}
		}
	})
}

func softmaxRow[T int8 | uint8 | int16](dst, x []T, row []int32, f func(dst, x []int32)) {
	for i, q := range x {
		row[i] = int32(q)
	}
	f(row, row)
	for i, q := range row {
		dst[i] = T(q)
	}
}

// dispatchFixedPool averages the windows of bytes whose channels lie last.
func (pl *plan) dispatchFixedPool(s *step, q *op.Quantized, o *op.AveragePool) {
	g, err := o.Geometry(pl.values[s.in[0]].shape)
	if err != nil || hollow(g) {
		return
	}
	lo, hi := q.FixedLimits()
	pl.fixedSums(s, g, func(_ int) func(sum int32, count int) int64 {
		return func(sum int32, count int) int64 {
			return min(max(op.AverageOf(int64(sum), int64(count)), lo), hi)
		}
	})
}

// hollow reports whether a window lies in the padding alone.
func hollow(g op.Geometry) bool {
	for i, n := range g.Out {
		for place := range n {
			some := false
			for tap := range g.Kernel[i] {
				_, ok := g.Source(i, place, tap)
				some = some || ok
			}
			if !some {
				return true
			}
		}
	}
	return false
}

// dispatchFixedMean averages or sums bytes over axes beside each other that the
// channels follow.
func (pl *plan) dispatchFixedMean(s *step, q *op.Quantized, noop, mean bool) {
	x := &pl.values[s.in[0]]
	first, n, ok := pl.reducedAxes(s, noop)
	if x.shape == nil || !ok || first+n >= len(x.shape) {
		return
	}
	before, _ := tensor.Count(x.shape[:first])
	places, _ := tensor.Count(x.shape[first : first+n])
	channels, _ := tensor.Count(x.shape[first+n:])
	g, ok := whole([]int{before, places, channels}, op.ChannelsLast)
	if !ok || before == 0 || channels == 0 {
		return
	}
	lo, hi := q.FixedLimits()
	zx, zy := int32(q.In[0].Zero(0)), q.Out[0].Zero(0)
	k := fixedFactor(q.MeanFactor(places, mean))
	pl.fixedSums(s, g, func(places int) func(sum int32, count int) int64 {
		zeros := zx * int32(places)
		return func(sum int32, _ int) int64 { return min(max(int64(k.Of(sum-zeros))+zy, lo), hi) }
	})
}

// fixedSums sums the windows of bytes of activations whose channels lie last; end
// returns, for windows of so many places, what becomes of a sum of count
// elements.
func (pl *plan) fixedSums(s *step, g op.Geometry, end func(places int) func(sum int32, count int) int64) {
	x := &pl.values[s.in[0]]
	w, ok := windowsOf(g)
	if !ok || g.Layout != op.ChannelsLast || byteless(x.typ) || byteless(pl.values[s.out[0]].typ) || !pl.place(s, 0) {
		return
	}
	// The sums of one window, or of a row of them.
	blocks, room := channelBlocks(g.Channels), channelBlock
	together := w.Together(g.Channels, 1)
	if together {
		room = w.Out[1] * g.Channels
	}
	memory := pl.windowMemory(w, g.Channels, 1, room)
	finish := end(g.Taps())
	s.share(g.Batch*w.Out[0]*blocks, g.Batch*g.Channels*g.Places()*g.Taps()/4, func(f *frame, s *step, slot, from, to int) {
		offsets, mem, sums := memory.of(f, slot)
		x, y := f.vals[s.in[0]], f.out(s)
		emit := func(at, _, count int, sums []int32) {
			dst := y.Bytes()[at : at+len(sums)]
			for i, v := range sums {
				dst[i] = byte(finish(v, count))
			}
		}
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
