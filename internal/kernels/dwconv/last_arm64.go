//go:build !noasm

package dwconv

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/cpu"
)

// compute is generic of all channels.
func (r *floatTask) compute() {
	if !cpu.Has(cpu.NEON) || r.p.Channels < lane {
		r.generic(0)
		return
	}
	a := r.args()
	a.channels = r.p.Channels / lane * lane
	lastF32NEON(a)
	r.generic(a.channels)
}

// vectors reports whether compute of bytes has code for so many channels.
func vectors(channels int) bool { return cpu.Has(cpu.NEON) && channels >= lane }

// together reports whether compute of bytes has code for several rows at once.
func together() bool { return false }

// rescales reports whether compute of bytes has code for fixed-point results of
// the inputs' type.
func rescales() bool { return false }

// compute is generic of all channels.
func (r *byteTask) compute() {
	if !vectors(r.p.Channels) {
		r.generic(0)
		return
	}
	a := r.args()
	a.channels = r.p.Channels / lane * lane
	if r.p.natural(r.p.Channels - 1) {
		a.natural = lane
	}
	if !r.float && !r.whole {
		_ = r.y[r.count*r.p.Channels-1]
		a.dst = unsafe.Pointer(&r.y[0])
		lastBytesNEON(a)
		r.generic(a.channels)
		return
	}
	_ = r.sums[roundUp(r.p.Channels, side)-1]
	a.dst, a.count = unsafe.Pointer(&r.sums[0]), 1
	for o := range r.count {
		lastSumsNEON(a)
		r.finish(o, 0, a.channels)
		a.base, a.off = a.base+r.p.Stride[2]*r.p.Channels, 0
	}
	r.generic(a.channels)
}

// columns is compute of the channels that have weights by columns. It returns how
// many are done.
func (r *byteTask) columns(*framed, []int8) int { return 0 }

//go:noescape
func lastF32NEON(a *lastArgs)

//go:noescape
func lastBytesNEON(a *lastArgs)

//go:noescape
func lastSumsNEON(a *lastArgs)
