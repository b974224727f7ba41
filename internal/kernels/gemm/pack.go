package gemm

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/kernels/transpose"
)

// Panels is the number of panels of a packed matrix.
func (m Matrix) Panels() int { return (m.Columns + Width - 1) / Width }

// PackFloats packs a matrix: panels of columns, in each for every k the
// elements of all columns; missing columns are zero.
func PackFloats(dst, src []float32, m Matrix) {
	for p := range m.Panels() {
		m.PackFloatPanel(dst, src, p)
	}
}

// PackBytes packs a matrix: panels of columns, in each for every Group of k of
// a tap the Group elements of each column; what is missing is zero.
func PackBytes(dst, src []int8, m Matrix) {
	for p := range m.Panels() {
		m.PackBytePanel(dst, src, p)
	}
}

// PackFloatPanel packs panel p to its place in dst.
func (m Matrix) PackFloatPanel(dst, src []float32, p int) {
	j := p * Width
	cols := min(Width, m.Columns-j)
	width := padded(cols)
	dst, src = dst[j*m.Taps*m.Depth():][:width*m.Taps*m.Depth()], src[j*m.Column:]
	if cols < width {
		for at := cols; at < len(dst); at += width {
			clear(dst[at : at+width-cols])
		}
	}
	if m.Column > 1 && m.Channel > 1 && m.packTurned(dst, src, cols, width) {
		return
	}
	for t := range m.Taps {
		for s := range m.Steps {
			m.packFloatRows(dst[(t*m.Steps+s)*m.Channels*width:], src[t*m.Tap+s*m.Step:], cols, width)
		}
	}
}

// packFloatRows packs the rows of a step.
func (m Matrix) packFloatRows(dst, src []float32, cols, width int) {
	if m.Channel == 1 {
		transpose.Matrix(words(dst), words(src), cols, m.Channels, width, m.Column)
		return
	}
	for k := range m.Channels {
		row, column := dst[k*width:][:cols], src[k*m.Channel:]
		if m.Column == 1 {
			copy(row, column)
			continue
		}
		for i, o := 0, 0; i < len(row); i, o = i+1, o+m.Column {
			row[i] = column[o]
		}
	}
}

// packTurned packs a panel of filters: columns in which the taps of a channel
// follow each other. Some channels at a time are transposed as they lie, and the
// rows that this makes are put in order. It reports whether the panel is one.
func (m Matrix) packTurned(dst, src []float32, cols, width int) bool {
	const most = 72
	last := (m.Taps-1)*m.Tap + (m.Steps-1)*m.Step
	if last >= m.Channel || m.Channel > most || m.Column < m.Channels*m.Channel {
		return false
	}
	var turned [most * Width]float32
	for c := 0; c < m.Channels; c += most / m.Channel {
		n := min(most/m.Channel, m.Channels-c)
		transpose.Matrix(words(turned[:]), words(src[c*m.Channel:]), cols, n*m.Channel, Width, m.Column)
		for t := range m.Taps {
			for s := range m.Steps {
				from, at := t*m.Tap+s*m.Step, ((t*m.Steps+s)*m.Channels+c)*width
				for range n {
					copy(dst[at:at+cols], turned[from*Width:])
					from, at = from+m.Channel, at+width
				}
			}
		}
	}
	return true
}

// words returns elements of 4 bytes, or groups of bytes, as transpositions take
// them.
func words[T float32 | int8](s []T) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(*new(T)))/Group)
}

// PackBytePanel is PackFloatPanel for bytes.
func (m Matrix) PackBytePanel(dst, src []int8, p int) {
	j := p * Width
	cols, groups := min(Width, m.Columns-j), Groups(m.Depth())
	row := Group * padded(cols)
	dst, src = dst[j*Group*m.Taps*groups:][:row*m.Taps*groups], src[j*m.Column:]
	if Group*cols < row {
		for at := Group * cols; at < len(dst); at += row {
			clear(dst[at : at+row-Group*cols])
		}
	}
	if m.Channels%Group == 0 && m.Channel == 1 && m.Column%Group == 0 {
		n := m.Channels / Group
		for t := range m.Taps {
			for s := range m.Steps {
				from := src[t*m.Tap+s*m.Step:][:(cols-1)*m.Column+m.Channels]
				transpose.Matrix(words(dst[(t*groups+s*n)*row:]), words(from), cols, n, row/Group, m.Column/Group)
			}
		}
		return
	}
	done := 0 // groups of each tap
	if m.Column == 1 && m.Steps == 1 {
		done = m.packRows(dst, src, cols, row)
	}
	for t := range m.Taps {
		for g := done; g < groups; g++ {
			m.packGroup(dst[(t*groups+g)*row:][:Group*cols], src[t*m.Tap:], g*Group)
		}
	}
}

// packRows packs what kernels can of a panel whose rows lie in one piece, and
// returns how many groups of each tap that is.
func (m Matrix) packRows(dst, src []int8, cols, row int) (done int) {
	groups, sums := m.Channels/Group, [lanes]int32{}
	if cols%lanes > 0 || groups == 0 {
		return 0
	}
	const rows = 64 // of groups, which each 16 columns read anew
	for t := range m.Taps {
		for g := 0; g < groups; g += rows {
			c := centering{groups: min(rows, groups-g), step: m.Channel, stride: row}
			for i := 0; i < cols; i += lanes {
				if center(dst[(t*Groups(m.Channels)+g)*row+i*Group:], sums[:], src[t*m.Tap+g*Group*m.Channel+i:], &c) == 0 {
					return 0
				}
			}
		}
	}
	return groups
}

// packGroup stores, column by column, the Group elements of src from k on.
func (m Matrix) packGroup(row, src []int8, k int) {
	s, c := k/m.Channels, k%m.Channels
	from := s*m.Step + c*m.Channel
	if c+Group <= m.Channels {
		// All in one step, as nearly always.
		if m.Channel == 1 {
			for ; len(row) > 0; row = row[Group:] {
				*(*[Group]int8)(row) = *(*[Group]int8)(src[from:])
				from += m.Column
			}
			return
		}
		for ; len(row) > 0; row = row[Group:] {
			cell, o := (*[Group]int8)(row), from
			cell[0] = src[o]
			o += m.Channel
			cell[1] = src[o]
			o += m.Channel
			cell[2] = src[o]
			cell[3] = src[o+m.Channel]
			from += m.Column
		}
		return
	}
	var off [Group]int
	n := min(Group, m.Depth()-k)
	for i := range n {
		off[i] = (k+i)/m.Channels*m.Step + (k+i)%m.Channels*m.Channel
	}
	for i := 0; len(row) > 0; i, row = i+m.Column, row[Group:] {
		cell := (*[Group]int8)(row)
		*cell = [Group]int8{}
		for g := range n {
			cell[g] = src[i+off[g]]
		}
	}
}
