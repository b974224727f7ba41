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
	turn int // from the magnitudes of weights to the bits that are turned
	// Rows of outputs to do, where all taps of all of them are there, and what
	// inputs and results move by from the end of one to the next, in bytes.
	rows, rowIn, rowOut int
}

// set takes over a run of outputs. Every run has a lastArgs of the task: filling
// the memory that it keeps is much less than passing a copy on.
func (a *lastArgs) set(p *Last, in *reads, count, size int) {
	a.move = p.Stride[2] * p.Channels * size
	if slices.Contains(in.step[:len(p.taps)], 0) {
		a.move = 0
	}
	a.at, a.step = unsafe.Pointer(&in.at[0]), unsafe.Pointer(&in.step[0])
	a.base, a.count, a.channels, a.off = in.base, count, p.Channels, 0
	a.rows = 1
}

// init sets what all runs have in common.
func (a *lastArgs) init(p *Last, in *reads, size int) {
	a.live = unsafe.Pointer(&in.live[0])
	a.table, a.taps, a.groups, a.next = p.table, len(p.taps), p.groups, p.Channels*size
}

// args returns what a variant of the run reads. Run has seen to it that x is
// long enough.
func (r *floatTask) args() *lastArgs {
	c, a := r.p.Channels, &r.own
	_, _ = r.f.bias[roundUp(c, lane)-1], r.y[r.count*c-1]
	if a.live == nil {
		a.init(r.p, &r.in, 4)
		a.x, a.pad = unsafe.Pointer(&r.x[0]), unsafe.Pointer(&r.pad[0])
		a.w, a.params = unsafe.Pointer(&r.w[0]), unsafe.Pointer(&r.f.bias[0])
		a.lo, a.hi = r.f.lo, r.f.hi
	}
	a.set(r.p, &r.in, r.count, 4)
	a.dst = unsafe.Pointer(&r.y[0])
	return a
}

// args returns what a variant of the run reads, but for where results go.
func (r *byteTask) args() *lastArgs {
	a := &r.own
	if a.live == nil {
		_ = r.f.params[2*packed(r.p.Channels)-1]
		a.init(r.p, &r.in, 1)
		a.x, a.pad = unsafe.Pointer(&r.x[0]), unsafe.Pointer(&r.pad[0])
		a.w, a.params = unsafe.Pointer(&r.w[0]), unsafe.Pointer(&r.f.params[0])
		g := r.f.grid
		a.lo, a.hi = float32(g.QMin-g.ZeroPoint), float32(g.QMax-g.ZeroPoint)
		a.zero, a.least, a.most, a.flip = g.ZeroPoint, g.QMin, g.QMax, int32(r.f.flip)*0x01010101
	}
	a.set(r.p, &r.in, r.count, 1)
	if r.fixed {
		_ = r.f.fixed.params[fixedParams*packed(r.p.Channels)-1]
		a.params = unsafe.Pointer(&r.f.fixed.params[fixedParams*r.from])
	}
	if r.from > 0 {
		a.channels, a.off = r.p.Channels-r.from, r.from
		a.w = unsafe.Pointer(&r.w[r.from*r.p.groups*group])
		if !r.fixed {
			a.params = unsafe.Pointer(&r.f.params[2*r.from])
		}
	}
	if r.rows > 1 {
		a.rows, a.rowIn, a.rowOut = r.rows, r.rowIn-r.count*a.move, r.rowOut-r.count*a.next
	}
	return a
}
