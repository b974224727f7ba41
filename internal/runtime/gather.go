package runtime

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// dispatchGather copies what the indices name, as tables of words are read,
// without touching the rest.
func (pl *plan) dispatchGather(s *step, o *op.Gather) {
	data, at := &pl.values[s.in[0]], &pl.values[s.in[1]]
	shape := data.dims()
	axis := o.Axis
	if axis < 0 {
		axis += len(shape)
	}
	if axis < 0 || axis >= len(shape) || data.typ == dtype.String || data.typ.Bits()%8 != 0 || at.typ != dtype.Int64 || !pl.place(s, 0) {
		return
	}
	outer, _ := tensor.Count(shape[:axis])
	inner, _ := tensor.Count(shape[axis+1:])
	size, run := shape[axis], data.typ.Size(inner)
	s.run = func(f *frame, s *step) error {
		src, dst, index := f.vals[s.in[0]].Bytes(), f.out(s).Bytes(), tensor.Data[int64](f.vals[s.in[1]])
		for _, i := range index {
			if i < int64(-size) || i >= int64(size) {
				return evalStep(f, s) // which says what is wrong
			}
		}
		for b := range outer {
			for _, i := range index {
				if i < 0 {
					i += int64(size)
				}
				copy(dst[:run], src[(b*size+int(i))*run:])
				dst = dst[run:]
			}
		}
		return nil
	}
}
