package runtime

import (
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// dispatchMaxPool runs pools over planes whose places nobody asks for. On
// integers of one grid it is the same: order is kept.
func (pl *plan) dispatchMaxPool(s *step, o *op.MaxPool) {
	x := &pl.values[s.in[0]]
	if len(x.shape) != 4 || o.Layout != op.ChannelsFirst || len(s.out) > 1 && s.out[1] >= 0 {
		return
	}
	if x.typ != dtype.Float32 && x.typ != dtype.Uint8 && x.typ != dtype.Int8 {
		return
	}
	g, err := o.Geometry(x.shape)
	if err != nil || !pl.place(s, 0) {
		return
	}
	w := reduce.Windows{In: [2]int(g.In), Out: [2]int(g.Out), Kernel: [2]int(g.Kernel), Stride: [2]int(g.Strides), Dilate: [2]int(g.Dilations), Pad: [2]int(g.Begin)}
	planes := g.Batch * g.Channels
	s.share(planes, planes*g.Places()*g.Taps(), func(f *frame, s *step, _, lo, hi int) {
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
