package dwconv

import (
	"math"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/kernels/convert"
)

// few are the epilogue and weights of fewer channels than a vector has, in
// their natural order: [taps, channels].
type few struct {
	weights, bias []int32
	multipliers   []float32
}

// newFew returns what ByteFinish holds for few channels, nil for others.
func newFew(p *Last, f *ByteFinish, w []int8) *few {
	if p.Channels >= lane {
		return nil
	}
	taps := len(p.taps)
	s := &few{make([]int32, taps*p.Channels), make([]int32, p.Channels), make([]float32, p.Channels)}
	for c := range p.Channels {
		at, next := p.param(c)
		s.bias[c], s.multipliers[c] = f.params[at], math.Float32frombits(uint32(f.params[at+next]))
		for t := range taps {
			s.weights[t*p.Channels+c] = int32(w[c*taps+t])
		}
	}
	return s
}

// few is generic of all channels where there are few and compute has no code
// for so few.
func (r *byteTask) few() {
	const block = 16 // outputs
	var memory [block * lane]int32
	channels := r.p.Channels
	for o := 0; o < r.count; o += block {
		n := min(block, r.count-o)
		sums := memory[:n*channels]
		for i := range n {
			copy(sums[i*channels:], r.f.few.bias)
		}
		for t := range r.p.taps {
			w, src, step := r.f.few.weights[t*channels:(t+1)*channels], r.pad, r.in.step[t]
			if step != 0 {
				src = r.x[r.in.base+r.in.at[t]+o*step:]
			}
			for i := range n {
				x, dst := src[i*step:][:channels], sums[i*channels:][:channels]
				if channels == 8 {
					multiplyEight((*[8]int32)(dst), (*[8]uint8)(x), (*[8]int32)(w), r.f.flip)
					continue
				}
				for c, v := range x {
					dst[c] += int32(v^r.f.flip) * w[c]
				}
			}
		}
		at := o * channels
		switch {
		case r.float:
			for i, v := range sums {
				r.floats[at+i] = min(max(float32(v)*r.f.few.multipliers[i%channels], r.f.lo), r.f.hi)
			}
		case r.signed:
			convert.RequantizeColumns(unsafe.Slice((*int8)(unsafe.Pointer(&r.y[at])), len(sums)), sums, r.f.few.multipliers, r.f.grid)
		default:
			convert.RequantizeColumns(r.y[at:], sums, r.f.few.multipliers, r.f.grid)
		}
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
