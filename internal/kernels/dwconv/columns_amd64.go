//go:build !noasm

package dwconv

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/cpu"
)

// columnsArgs is what kernels by columns read; assembly knows its fields by name.
type columnsArgs struct {
	dst, x, w, params       unsafe.Pointer
	blocks, rows, count     int
	pixel, line             int // bytes between neighbours of a line, and between lines
	rowIn, rowOut           int // bytes between rows of outputs, in the input and the results
	zero, least, most, flip uint32
	//lint:ignore U1000 assembly alone uses it
	now uintptr
}

// columns is compute of the channels that have weights by columns. It returns how
// many are done.
func (r *byteTask) columns(f *framed, w []int8) int {
	if !cpu.Has(cpu.VNNI) {
		return 0
	}
	done, rows := f.columns*side, max(1, r.rows)
	_, _, _ = w[f.columns*column-1], r.f.params[2*done-1], r.y[(rows-1)*r.rowOut+r.count*r.p.Channels-1]
	_ = r.x[r.in.base+(rows-1)*r.rowIn+3*f.line+f.behind-1]
	g := r.f.grid
	a := columnsArgs{
		dst: unsafe.Pointer(&r.y[0]), x: unsafe.Pointer(&r.x[r.in.base]), w: unsafe.Pointer(&w[0]), params: unsafe.Pointer(&r.f.params[0]),
		blocks: f.columns, rows: rows, count: r.count, pixel: r.p.Channels, line: f.line, rowIn: r.rowIn, rowOut: r.rowOut,
		zero:  uint32(uint16(g.ZeroPoint)) * 0x10001,
		least: uint32(uint8(g.QMin)) * 0x01010101, most: uint32(uint8(g.QMax)) * 0x01010101,
		flip: uint32(r.f.flip) * 0x01010101,
	}
	one, flip := r.p.Stride[2] == 1, r.f.flip != 0
	if r.fixed {
		a.params = unsafe.Pointer(&r.f.fixed.params[:fixedParams*done][0])
	}
	switch {
	case r.fixed && one && flip:
		columns1Int8FixedVNNI(&a)
	case r.fixed && one:
		columns1Uint8FixedVNNI(&a)
	case r.fixed && flip:
		columns2Int8FixedVNNI(&a)
	case r.fixed:
		columns2Uint8FixedVNNI(&a)
	case one && flip && r.signed:
		columns1Int8Int8VNNI(&a)
	case one && flip:
		columns1Int8Uint8VNNI(&a)
	case one && r.signed:
		columns1Uint8Int8VNNI(&a)
	case one:
		columns1Uint8Uint8VNNI(&a)
	case flip && r.signed:
		columns2Int8Int8VNNI(&a)
	case flip:
		columns2Int8Uint8VNNI(&a)
	case r.signed:
		columns2Uint8Int8VNNI(&a)
	default:
		columns2Uint8Uint8VNNI(&a)
	}
	return done
}

//go:noescape
func columns1Uint8Uint8VNNI(a *columnsArgs)

//go:noescape
func columns1Uint8Int8VNNI(a *columnsArgs)

//go:noescape
func columns1Int8Uint8VNNI(a *columnsArgs)

//go:noescape
func columns1Int8Int8VNNI(a *columnsArgs)

//go:noescape
func columns2Uint8Uint8VNNI(a *columnsArgs)

//go:noescape
func columns2Uint8Int8VNNI(a *columnsArgs)

//go:noescape
func columns2Int8Uint8VNNI(a *columnsArgs)

//go:noescape
func columns2Int8Int8VNNI(a *columnsArgs)

//go:noescape
func columns1Uint8FixedVNNI(a *columnsArgs)

//go:noescape
func columns1Int8FixedVNNI(a *columnsArgs)

//go:noescape
func columns2Uint8FixedVNNI(a *columnsArgs)

//go:noescape
func columns2Int8FixedVNNI(a *columnsArgs)
