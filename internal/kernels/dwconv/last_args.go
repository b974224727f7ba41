//go:build !noasm && (amd64 || arm64)

package dwconv

import (
	"slices"
	"unsafe"
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
	//lint:ignore U1000 assembly alone uses it
	left int // outputs to do, for the variant
	most int32
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

// args returns what a variant of the run reads. Run has seen to it that x is
// long enough.
func (r *floatTask) args() lastArgs {
	c := r.p.Channels
	_, _ = r.f.bias[roundUp(c, lane)-1], r.y[r.count*c-1]
	a := r.p.args(&r.in, r.count, 4)
	a.dst, a.x, a.pad = unsafe.Pointer(&r.y[0]), unsafe.Pointer(&r.x[0]), unsafe.Pointer(&r.pad[0])
	a.w, a.params = unsafe.Pointer(&r.w[0]), unsafe.Pointer(&r.f.bias[0])
	a.lo, a.hi = r.f.lo, r.f.hi
	return a
}

// args returns what a variant of the run reads, but for where results go.
func (r *byteTask) args() lastArgs {
	_ = r.f.params[2*packed(r.p.Channels)-1]
	a := r.p.args(&r.in, r.count, 1)
	a.x, a.pad = unsafe.Pointer(&r.x[0]), unsafe.Pointer(&r.pad[0])
	a.w, a.params = unsafe.Pointer(&r.w[0]), unsafe.Pointer(&r.f.params[0])
	g := r.f.grid
	a.lo, a.hi = float32(g.QMin-g.ZeroPoint), float32(g.QMax-g.ZeroPoint)
	a.zero, a.least, a.most, a.flip = g.ZeroPoint, g.QMin, g.QMax, int32(r.f.flip)*0x01010101
	return a
}
