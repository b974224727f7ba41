package dwconv

import (
	"slices"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/kernels/convert"
)

// fixed is the epilogue of results in fixed-point arithmetic.
type fixed struct {
	rescaling *convert.Rescaling
	// params are those of ByteFinish with a block of convert's a lane instead of
	// multipliers, nil where there are no kernels for it.
	params []int32
}

// fixedParams is how many parameters a channel has in fixed.params.
const fixedParams = 1 + convert.VectorLen/convert.VectorLanes

// FinishFixed is FinishBytes for 8-bit results that r makes of the sums, of which
// none exceeds most in magnitude before the bias of r is added.
func FinishFixed[T uint8 | int8](p *Last, zero T, w []int8, r *convert.Rescaling, most int64) *ByteFinish {
	f := FinishBytes(p, zero, w, r.Bias(), []float32{0}, r.Grid(), 0, 0)
	p.fix(f, r, most)
	if n := p.wide; n != nil {
		n.fix(f.wide, r.Repeat(n.outputs), most)
	}
	return f
}

func (p *Last) fix(f *ByteFinish, r *convert.Rescaling, most int64) {
	f.fixed = &fixed{rescaling: r.Unbiased()}
	if r.Narrow(most) {
		f.fixed.params = p.fixedParams(f.params, r)
	}
}

// fixedParams returns the parameters of kernels, of which own has the biases.
func (p *Last) fixedParams(own []int32, r *convert.Rescaling) []int32 {
	var params []int32
	for from := 0; from < p.Channels; from += side {
		width := side
		if p.natural(from) {
			width = lane
		}
		params = append(params, own[2*from:][:width]...)
		channels := make([]int, width) // by their place
		for i := range channels {
			channels[i] = p.Channels - 1
		}
		for c := from; c < min(from+side, p.Channels); c++ {
			channels[p.slot(c)] = c
		}
		for i := 0; i < width; i += lane {
			params = r.Vector(params, func(l int) int { return channels[i+l] })
		}
	}
	return params
}

// FixedScratchLen is ScratchLen for results of FinishFixed.
func (p *Last) FixedScratchLen() int { return p.fixedFrom() + 4*p.longestRun()*p.Channels }

// fixedFrom is where the sums of a run lie in the scratch memory.
func (p *Last) fixedFrom() int { return roundUp(p.ScratchLen(), side) }

// longestRun is the greatest number of outputs of a run.
func (p *Last) longestRun() int {
	return slices.MaxFunc(p.runs, func(a, b stretch) int { return a.count - b.count }).count
}

// rescale takes the sums of a run to results.
func (r *byteTask) rescale(y []uint8, signed bool) {
	n := r.count * r.p.Channels
	if signed {
		convert.Rescale(r.f.fixed.rescaling, unsafe.Slice((*int8)(unsafe.Pointer(&y[0])), n), r.wholes[:n])
	} else {
		convert.Rescale(r.f.fixed.rescaling, y[:n], r.wholes[:n])
	}
}
