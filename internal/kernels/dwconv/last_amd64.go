//go:build !noasm

package dwconv

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/cpu"
)

// compute is generic of all channels.
func (r *floatTask) compute() {
	masks := cpu.Has(cpu.AVX512)
	if !cpu.Has(cpu.AVX2) || !r.f.plain {
		r.generic(0)
		return
	}
	a := r.args()
	if masks {
		lastF32AVX512(a)
		return
	}
	whole := r.p.Channels / lane * lane
	if a.channels = whole; whole > 0 {
		lastF32AVX2(a)
	}
	if whole == r.p.Channels {
		return
	}
	a.channels, a.off = r.p.Channels-whole, 4*whole
	w, bias := a.w, a.params
	a.w, a.params = unsafe.Pointer(&r.w[whole*len(r.p.taps)]), unsafe.Pointer(&r.f.bias[whole])
	lastRestF32AVX2(a)
	a.w, a.params = w, bias
}

// vectors reports whether compute of bytes has code for so many channels.
func vectors(channels int) bool { return cpu.Has(cpu.VNNI) || cpu.Has(cpu.AVX2) && channels >= lane }

// together reports whether compute of bytes has code for several rows at once.
func together() bool { return cpu.Has(cpu.VNNI) }

// rescales reports whether compute of bytes has code for fixed-point results of
// the inputs' type.
func rescales() bool { return cpu.Has(cpu.VNNI) }

// compute is generic of all channels.
func (r *byteTask) compute() {
	if !vectors(r.p.Channels) || r.f.far {
		r.generic(0)
		return
	}
	a := r.args()
	dot := cpu.Has(cpu.VNNI)
	if !dot {
		a.channels = r.p.Channels / lane * lane
		if r.p.natural(r.p.Channels - 1) {
			a.natural = lane
		}
		_, _ = r.f.signs.weights[2*r.p.ownBytes()-1], r.f.signs.params[2*packed(r.p.Channels)-1]
		a.w, a.params, a.turn = unsafe.Pointer(&r.f.signs.weights[0]), unsafe.Pointer(&r.f.signs.params[0]), r.p.ownBytes()
	}
	if r.float || r.whole {
		r.sum(a, dot)
		return
	}
	_ = r.y[(a.rows-1)*r.rowOut+r.count*r.p.Channels-1]
	a.dst = unsafe.Pointer(&r.y[0])
	switch flip := r.f.flip != 0; {
	case r.fixed && flip:
		lastInt8FixedVNNI(a)
	case r.fixed:
		lastUint8FixedVNNI(a)
	case dot && flip && r.signed:
		lastInt8Int8VNNI(a)
	case dot && flip:
		lastInt8Uint8VNNI(a)
	case dot && r.signed:
		lastUint8Int8VNNI(a)
	case dot:
		lastUint8Uint8VNNI(a)
	case r.signed:
		lastInt8AVX2(a)
	default:
		lastUint8AVX2(a)
	}
	if !dot && a.channels < r.p.Channels {
		r.few()
	}
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
		a.base, a.off, a.rows = a.base+r.p.Stride[2]*r.p.Channels, 0, 1
	}
	r.generic(a.channels)
}

//go:noescape
func lastF32AVX2(a *lastArgs)

//go:noescape
func lastRestF32AVX2(a *lastArgs)

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
func lastUint8FixedVNNI(a *lastArgs)

//go:noescape
func lastInt8FixedVNNI(a *lastArgs)

//go:noescape
func lastInt8Uint8VNNI(a *lastArgs)

//go:noescape
func lastInt8Int8VNNI(a *lastArgs)

//go:noescape
func lastInt8SumsVNNI(a *lastArgs)
