package gemm

import (
	"encoding/binary"
	"unsafe"
)

// Width is the number of columns of a panel of B. The last panel has 16, 32 or
// 48 where that is enough.
const Width = 64

// lanes is what the width of a panel is a multiple of.
const lanes = 16

// Group is how many consecutive k the panels of bytes hold together: what one
// dot-product instruction multiplies.
const Group = 4

// Groups returns the number of groups that hold k elements.
func Groups(k int) int { return (k + Group - 1) / Group }

// padded returns the columns of all panels of a matrix of n.
func padded(n int) int { return (n + lanes - 1) / lanes * lanes }

// Matrix says where the elements of a matrix B lie in the slice that is to be
// packed: column j, tap t, step s and channel c at j*Column + t*Tap + s*Step +
// c*Channel. k runs over channels, then steps, then taps.
type Matrix struct {
	Columns, Taps, Steps, Channels int
	Column, Tap, Step, Channel     int
}

// Plain is the k×n matrix whose element (i, j) lies at i*row + j*column.
func Plain(k, n, row, column int) Matrix {
	return Matrix{Columns: n, Taps: 1, Steps: 1, Channels: k, Column: column, Channel: row}
}

// Depth is the number of k of a tap.
func (m Matrix) Depth() int { return m.Steps * m.Channels }

// FloatPanel and BytePanel are the lengths of a packed panel of Width columns.
func (m Matrix) FloatPanel() int { return Width * m.Taps * m.Depth() }

// BytePanel is FloatPanel for bytes: each tap begins a group.
func (m Matrix) BytePanel() int { return Width * m.Taps * Group * Groups(m.Depth()) }

// Floats is the length of the matrix packed by PackFloats.
func (m Matrix) Floats() int { return padded(m.Columns) * m.Taps * m.Depth() }

// Bytes is the length of the matrix packed by PackBytes.
func (m Matrix) Bytes() int { return padded(m.Columns) * m.Taps * Group * Groups(m.Depth()) }

// Sums adds to each column's element of dst what its packed bytes add up to.
func (m Matrix) Sums(dst []int32, packed []int8) {
	for p := range m.Panels() {
		m.SumPanel(dst, packed, p)
	}
}

// SumPanel is Sums of the columns of panel p alone.
func (m Matrix) SumPanel(dst []int32, packed []int8, p int) {
	// Two columns to a word, as numbers from 0 to 255 added up in the two
	// halves of each: so many groups do not run over.
	const most, odd, signs = 128, 0x00ff00ff00ff00ff, 0x8080808080808080
	size, j := m.Taps*Groups(m.Depth()), p*Width
	cols := min(Width, m.Columns-j)
	width := padded(cols)
	panel := packed[j*size*Group:][:width*size*Group]
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(panel))), len(panel))
	out := dst[j : j+cols]
	for left := size; left > 0; left -= most {
		groups := min(left, most)
		var sums [Width / 2]uint64
		words := sums[:width/2]
		for range groups {
			for i := range words {
				w := binary.LittleEndian.Uint64(bytes[8*i:]) ^ signs
				words[i] += w&odd + w>>8&odd
			}
			bytes = bytes[width*Group:]
		}
		for i := range out {
			w := uint32(words[i/2] >> (i % 2 * 32))
			out[i] += int32(w&0xffff+w>>16) - int32(groups*Group*128)
		}
	}
}
