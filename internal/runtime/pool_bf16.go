package runtime

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// maxPoolBF16 sets up a pool of floats, channels last, whose results may be
// bfloat16: the greatest number is rounded, row by row.
func (pl *plan) maxPoolBF16(s *step, g op.Geometry, w reduce.Windows, cost int) {
	size, row := w.In[0]*w.In[1]*g.Channels, w.Out[1]*g.Channels
	m := pl.windowMemory(w, g.Channels, 4, row)
	pl.mayShorten(s.out[0], -1)
	s.share(g.Batch*w.Out[0], cost, func(f *frame, s *step, slot, lo, hi int) {
		x, y := tensor.Data[float32](f.vals[s.in[0]]), f.out(s)
		offsets, mem, sums := m.of(f, slot)
		if y.Type() != dtype.BFloat16 {
			reduce.MaxLast(tensor.Data[float32](y), x, g.Channels, w, -inf, lo, hi, offsets, floatsOf(mem))
			return
		}
		line := unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(sums))), row)
		for i := lo; i < hi; i++ {
			// One row of windows, which begin where those of row i do.
			one, n := w, i/w.Out[0]
			one.Out[0], one.Pad[0] = 1, w.Pad[0]-i%w.Out[0]*w.Stride[0]
			reduce.MaxLast(line, x[n*size:(n+1)*size], g.Channels, one, -inf, 0, 1, offsets, floatsOf(mem))
			gemm.RoundBF16(tensor.Data[uint16](y)[i*row:], line)
		}
	})
}
