package dwconv

import (
	"math"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/kernels/convert"
)

// few are the epilogue and weights of the channels that fill no lane, from one
// on to the last, in their natural order: [taps, channels].
type few struct {
	from          int
	weights, bias []int32
	multipliers   []float32
}

// newFew returns what ByteFinish holds for them, nil where there are none.
func newFew(p *Last, f *ByteFinish, w []int8) *few {
	taps, n := len(p.taps), p.Channels%lane
	if n == 0 {
		return nil
	}
	s := &few{p.Channels - n, make([]int32, taps*n), make([]int32, n), make([]float32, n)}
	for i := range n {
		c := s.from + i
		at, next := p.param(c)
		s.bias[i], s.multipliers[i] = f.params[at], math.Float32frombits(uint32(f.params[at+next]))
		for t := range taps {
			s.weights[t*n+i] = int32(w[c*taps+t])
		}
	}
	return s
}

// few is generic of the channels that fill no lane.
func (r *byteTask) few() {
	const block = 16 // outputs
	var memory [block * lane]int32
	f := r.f.few
	channels := len(f.bias)
	for o := 0; o < r.count; o += block {
		n := min(block, r.count-o)
		sums := memory[:n*channels]
		for i := range n {
			copy(sums[i*channels:], f.bias)
		}
		for t := range r.p.taps {
			w, src, step := f.weights[t*channels:(t+1)*channels], r.pad, r.in.step[t]
			if step != 0 {
				src = r.x[r.in.base+r.in.at[t]+o*step:]
			}
			for i := range n {
				x, dst := src[i*step+f.from:][:channels], sums[i*channels:][:channels]
				if channels == 8 {
					multiplyEight((*[8]int32)(dst), (*[8]uint8)(x), (*[8]int32)(w), r.f.flip)
					continue
				}
				for c, v := range x {
					dst[c] += int32(v^r.f.flip) * w[c]
				}
			}
		}
		if f.from == 0 {
			r.store(o*channels, sums)
			continue
		}
		for i := range n {
			r.store((o+i)*r.p.Channels+f.from, sums[i*channels:(i+1)*channels])
		}
	}
}

// store takes sums of whole outputs, or of one, to results from index at on.
func (r *byteTask) store(at int, sums []int32) {
	m := r.f.few.multipliers
	switch {
	case r.whole:
		copy(r.wholes[at:], sums)
	case r.float:
		for i, v := range sums {
			r.floats[at+i] = min(max(float32(v)*m[i%len(m)], r.f.lo), r.f.hi)
		}
	case r.signed:
		convert.RequantizeColumns(unsafe.Slice((*int8)(unsafe.Pointer(&r.y[at])), len(sums)), sums, m, r.f.grid)
	default:
		convert.RequantizeColumns(r.y[at:], sums, m, r.f.grid)
	}
}

func multiplyEight(dst *[8]int32, x *[8]uint8, w *[8]int32, flip uint8) {
	dst[0] += int32(x[0]^flip) * w[0]
	dst[1] += int32(x[1]^flip) * w[1]
	dst[2] += int32(x[2]^flip) * w[2]
	dst[3] += int32(x[3]^flip) * w[3]
	dst[4] += int32(x[4]^flip) * w[4]
	dst[5] += int32(x[5]^flip) * w[5]
	dst[6] += int32(x[6]^flip) * w[6]
	dst[7] += int32(x[7]^flip) * w[7]
}
