package gemm

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/kernels/transpose"
)

// Paired returns how many channels products of bfloat16 read for each of the
// given number of steps of a tap: those behind the given ones are zeros, in A
// too. Pairs of elements are whole then, and the pairs of a tap make parts that
// tiles hold.
func Paired(steps, channels int) int {
	for c := channels; ; c++ {
		if pairs := steps * c / Duo; steps*c%Duo == 0 && (pairs <= maxPairs || stepsOf(pairs) > 0) {
			return c
		}
	}
}

// Spread fills dst, runs of held elements, with runs of n from src, each with
// zeros behind.
func Spread(dst, src []uint16, held, n int) {
	if hasBF16() && held <= lanes*Duo {
		done := spread(dst, src, held, n)
		dst, src = dst[done*held:], src[done*n:]
	}
	for len(dst) > 0 {
		copy(dst[:held], src[:n])
		clear(dst[n:held])
		dst, src = dst[held:], src[n:]
	}
}

// paired is Paired of the matrix, and pairedDepth what that makes of a tap.
func (m Matrix) paired() int { return Paired(m.Steps, m.Channels) }

func (m Matrix) pairedDepth() int { return m.Steps * m.paired() }

// BF16Panel is FloatPanel for bfloat16.
func (m Matrix) BF16Panel() int { return Width * m.Taps * m.pairedDepth() }

// BF16Len is the length of the matrix packed by PackBF16Panel.
func (m Matrix) BF16Len() int { return padded(m.Columns) * m.Taps * m.pairedDepth() }

// PackBF16Panel packs panel p of a matrix of floats, rounded, to its place in
// dst: for every Duo of k both elements of each column; what is missing is zero.
// Floats is scratch memory of length FloatPanel.
func (m Matrix) PackBF16Panel(dst []uint16, src, floats []float32, p int) {
	j, held := p*Width, m.paired()
	one := m
	one.Columns = min(Width, m.Columns-j)
	width := padded(one.Columns)
	one.PackFloatPanel(floats, src[j*m.Column:], 0)
	dst = dst[j*m.Taps*m.pairedDepth():]
	row := func(k int) []float32 { // of those of a tap
		if step, c := k/held, k%held; c < m.Channels {
			return floats[(step*m.Channels+c)*width:][:width]
		}
		return zeros[:width]
	}
	for range m.Taps {
		for k := 0; k < m.pairedDepth(); k += Duo {
			interleave(dst[:Duo*width], row(k), row(k+1))
			dst = dst[Duo*width:]
		}
		floats = floats[m.Depth()*width:]
	}
}

// zeros are the elements of a row that is missing.
var zeros [Width]float32

// interleave rounds two rows of whole vectors: their elements follow each other
// in turn.
func interleave(dst []uint16, low, high []float32) {
	if high = high[:len(low)]; hasBF16() {
		duosOf(dst, low, high)
		return
	}
	for i, v := range low {
		dst[2*i], dst[2*i+1] = toBF16(v), toBF16(high[i])
	}
}

// interleaveShort is interleave of what is rounded.
func interleaveShort(dst, low, high []uint16) {
	if high = high[:len(low)]; hasBF16() {
		shortDuosOf(dst, low, high)
		return
	}
	for i, v := range low {
		dst[2*i], dst[2*i+1] = v, high[i]
	}
}

// PackBF16Live packs a k×n matrix of bfloat16 as PackBF16Panel does, whose
// element (i, j) lies at b[i*row + j*column].
func PackBF16Live(dst, b []uint16, k, n, row, column int) {
	depth := Paired(1, k)
	for j := 0; j < n; j += Width {
		cols := min(Width, n-j)
		width := padded(cols)
		panel := dst[j*depth:][:depth*width]
		if row == 1 {
			packBF16Columns(panel, b[j*column:], k, cols, width, column)
		} else {
			packBF16Rows(panel, b[j*column:], k, cols, row, column)
		}
		clear(panel[(k+1)/Duo*Duo*width:])
	}
}

// packBF16Rows packs a panel of columns that do not lie in one piece.
func packBF16Rows(panel, b []uint16, k, cols, row, column int) {
	var rows [Duo][Width]uint16
	var none [Width]uint16
	width := padded(cols)
	for i := 0; i < k; i += Duo {
		var both [Duo][]uint16
		for d := range Duo {
			switch at := b[min(i+d, k-1)*row:]; {
			case i+d == k:
				both[d] = none[:width]
			case column == 1 && cols == width:
				both[d] = at[:width]
			default:
				both[d] = rows[d][:width]
				for j := range cols {
					rows[d][j] = at[j*column]
				}
			}
		}
		interleaveShort(panel[:Duo*width], both[0], both[1])
		panel = panel[Duo*width:]
	}
}

// packBF16Columns packs a panel of columns that lie in one piece each: their duos
// are words that are transposed.
func packBF16Columns(panel, b []uint16, k, cols, width, column int) {
	const most = 64 // of k at a time
	var words [Width][most / Duo]uint32
	if cols < width {
		clear(panel)
	}
	out := unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(panel))), len(panel)/Duo)
	for i := 0; i < k; i += most {
		some := min(most, k-i)
		for j := range cols {
			line := unsafe.Slice((*uint16)(unsafe.Pointer(&words[j])), most)
			copy(line, b[j*column+i:][:some])
			if some%Duo != 0 {
				line[some] = 0
			}
		}
		flat := unsafe.Slice(&words[0][0], Width*most/Duo)
		transpose.Matrix(out[i/Duo*width:], flat, cols, (some+1)/Duo, width, most/Duo)
	}
}
