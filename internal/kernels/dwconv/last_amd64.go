//go:build !noasm

package dwconv

import (
	"slices"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/cpu"
)

// lastArgs is what variants of Last's runs read, by its layout.
type lastArgs struct {
	dst, x, pad           unsafe.Pointer
	at, step, live        unsafe.Pointer
	w, params             unsafe.Pointer
	table, taps, groups   int
	count, channels, next int // next is in bytes
	lo, hi                float32
	zero, least           int32
	flip                  int32
	base                  int
	move                  int // bytes that all taps move by from output to output, 0 if some do not
	off                   int // bytes that they have moved by
	natural               int // channels left where the last block's lie in order, 0 if they do not
	left                  int // outputs to do, for the variant
	most                  int32
}

// args returns what floats and bytes have in common.
func (p *Last) args(in *reads, count, size int) lastArgs {
	move := p.Stride[2] * p.Channels * size
	if slices.Contains(in.step[:len(p.taps)], 0) {
		move = 0
	}
	return lastArgs{
		at: unsafe.Pointer(&in.at[0]), step: unsafe.Pointer(&in.step[0]), live: unsafe.Pointer(&in.live[0]),
		table: p.table, taps: len(p.taps), groups: p.groups,
		base: in.base, move: move,
		count: count, channels: p.Channels, next: p.Channels * size,
	}
}

// compute is generic of all channels.
func (r *floatTask) compute() {
	if !cpu.Has(cpu.AVX2) || !r.f.plain || r.p.Channels < lane {
		r.generic(0)
		return
	}
	// Run has seen to it that x is long enough.
	c := r.p.Channels
	_, _ = r.f.bias[roundUp(c, lane)-1], r.y[r.count*c-1]
	a := r.p.args(&r.in, r.count, 4)
	a.dst, a.x, a.pad = unsafe.Pointer(&r.y[0]), unsafe.Pointer(&r.x[0]), unsafe.Pointer(&r.pad[0])
	a.w, a.params = unsafe.Pointer(&r.w[0]), unsafe.Pointer(&r.f.bias[0])
	a.lo, a.hi = r.f.lo, r.f.hi
	if cpu.Has(cpu.AVX512) {
		lastF32AVX512(&a)
		return
	}
	a.channels = r.p.Channels / lane * lane
	lastF32AVX2(&a)
	r.generic(a.channels)
}

// compute is generic of all channels.
func (r *byteTask) compute() {
	if !cpu.Has(cpu.AVX2) || r.p.Channels < lane || r.f.far {
		r.generic(0)
		return
	}
	_ = r.f.params[2*packed(r.p.Channels)-1]
	a := r.p.args(&r.in, r.count, 1)
	a.x, a.pad = unsafe.Pointer(&r.x[0]), unsafe.Pointer(&r.pad[0])
	a.w, a.params = unsafe.Pointer(&r.w[0]), unsafe.Pointer(&r.f.params[0])
	g := r.f.grid
	a.lo, a.hi = float32(g.QMin-g.ZeroPoint), float32(g.QMax-g.ZeroPoint)
	a.zero, a.least, a.most, a.flip = g.ZeroPoint, g.QMin, g.QMax, int32(r.f.flip)*0x01010101
	dot := cpu.Has(cpu.VNNI)
	if !dot {
		a.channels = r.p.Channels / lane * lane
		if r.p.natural(r.p.Channels - 1) {
			a.natural = lane
		}
	}
	if r.float {
		r.sum(&a, dot)
		return
	}
	_ = r.y[r.count*r.p.Channels-1]
	a.dst = unsafe.Pointer(&r.y[0])
	switch flip := r.f.flip != 0; {
	case dot && flip && r.signed:
		lastInt8Int8VNNI(&a)
	case dot && flip:
		lastInt8Uint8VNNI(&a)
	case dot && r.signed:
		lastUint8Int8VNNI(&a)
	case dot:
		lastUint8Uint8VNNI(&a)
	case r.signed:
		lastInt8AVX2(&a)
	default:
		lastUint8AVX2(&a)
	}
	r.generic(a.channels)
}

// sum computes output by output, and finishes the sums here.
func (r *byteTask) sum(a *lastArgs, dot bool) {
	_ = r.sums[roundUp(r.p.Channels, side)-1]
	a.dst = unsafe.Pointer(&r.sums[0])
	count := a.count
	a.count = 1
	for o := range count {
		switch {
		case !dot:
			lastSumsAVX2(a)
		case r.f.flip != 0:
			lastInt8SumsVNNI(a)
		default:
			lastUint8SumsVNNI(a)
		}
		r.finish(o, 0, a.channels)
		a.base, a.off = a.base+r.p.Stride[2]*r.p.Channels, 0
	}
	r.generic(a.channels)
}

//go:noescape
func lastF32AVX2(a *lastArgs)

//go:noescape
func lastUint8AVX2(a *lastArgs)

//go:noescape
func lastInt8AVX2(a *lastArgs)

//go:noescape
func lastSumsAVX2(a *lastArgs)

//go:noescape
func lastF32AVX512(a *lastArgs)

//go:noescape
func lastUint8Uint8VNNI(a *lastArgs)

//go:noescape
func lastUint8Int8VNNI(a *lastArgs)

//go:noescape
func lastUint8SumsVNNI(a *lastArgs)

//go:noescape
func lastInt8Uint8VNNI(a *lastArgs)

//go:noescape
func lastInt8Int8VNNI(a *lastArgs)

//go:noescape
func lastInt8SumsVNNI(a *lastArgs)
