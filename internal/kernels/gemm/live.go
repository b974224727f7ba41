package gemm

import (
	"encoding/binary"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/transpose"
)

// Live is the plan of products of bytes whose right side B, of k×n elements, is
// known only when they run. B is packed once and then multiplied with blocks of
// rows. A plan does not change: any number of goroutines may use it.
//
// With B' the int8 that stand for B, and z their zero point,
//
//	Σ (a−za)(b−zb) = Σ (a−za)·b' − z·(Σ a − k·za)
//
// where the first sum comes out of the kernels and the second belongs to a row
// of A. Both fit into the 24 bits of a float32, and so does what their exact
// difference is rounded to.
type Live struct {
	k, n       int
	matrix     Matrix
	zeroA      int32 // of A as uint8
	zeroB      int32 // of B as int8
	flipA      uint8
	flipB      uint8
	sums       *ByteEnd // of the kernels
	end        *ByteEnd // likewise, where there is nothing to take off; else nil
	multiplier float32
	float      bool // results, else on the grid
	signed     bool // the grid's integers
	grid       convert.Grid
	bias       int // length of the packed form's beginning, in bytes
}

// maxLive is the greatest k for which all sums fit.
const maxLive = 1 << 24 / (255 * 128)

// NewLive returns the plan for operands with the given zero points, each int8
// where it is signed, else uint8; and false where k is too great for it. f has
// no bias and one multiplier.
func NewLive(k, n int, f Finish, zeroA, zeroB int32, signedA, signedB bool) (*Live, bool) {
	p := &Live{k: k, n: n, zeroA: zeroA, zeroB: zeroB, matrix: Plain(k, n, n, 1), multiplier: f.Multiplier[0], float: f.Float, signed: f.Grid.QMin < 0, grid: f.Grid}
	if signedA {
		p.flipA, p.zeroA = 0x80, zeroA+128
	}
	if !signedB {
		p.flipB, p.zeroB = 0x80, zeroB-128
	}
	if k > maxLive || f.Clamp {
		return nil, false
	}
	none := make([]int8, p.matrix.Bytes())
	p.sums = NewByteEnd(Finish{Multiplier: []float32{1}, Float: true}, p.matrix, none, 0)
	if p.zeroB == 0 {
		p.end = NewByteEnd(f, p.matrix, none, 0)
	}
	p.bias = 4 * padded(n)
	if shifts {
		p.bias *= 2
	}
	return p, true
}

// PackedLen is the length of the packed form of B, a multiple of 64.
func (p *Live) PackedLen() int { return (p.bias + p.matrix.Bytes() + 63) &^ 63 }

// ScratchLen is the length of the scratch memory with which Run computes m
// rows, a multiple of 64. It must be aligned to 4 bytes.
func (p *Live) ScratchLen(m int) int {
	size := 0
	if p.zeroB != 0 && !p.float {
		size = 4 * m * p.n
	}
	if p.copies() {
		size += m * Group * Groups(p.k)
	}
	return (size + 63) &^ 63
}

// Float reports whether results are floats.
func (p *Live) Float() bool { return p.float }

// copies reports whether A is copied, to turn its sign bit or fill its groups.
func (p *Live) copies() bool { return p.flipA != 0 || p.k%Group != 0 }

// Pack stores the packed form of B, whose element (i, j) lies at b[i*row +
// j*column], in dst, which must be aligned to 4 bytes.
func (p *Live) Pack(dst, b []byte, row, column int) {
	packed := dst[p.bias:][:p.matrix.Bytes()]
	bias := unsafe.Slice((*int32)(unsafe.Pointer(&dst[0])), p.bias/4)
	clear(bias)
	groups := Groups(p.k)
	words := row == 1 && p.k%Group == 0 && column%Group == 0 && uintptr(unsafe.Pointer(&b[0]))%4 == 0
	for j := 0; j < p.n; j += Width {
		cols := min(Width, p.n-j)
		width := padded(cols)
		panel := packed[j*groups*Group:][:width*groups*Group]
		switch {
		case words:
			from := b[j*column:][:(cols-1)*column+p.k]
			transpose.Matrix(wordsOf(panel), wordsOf(from), cols, groups, width, column/Group)
			Unsigned(panel, panel, p.flipB)
		default:
			packStrips(panel, b[j*column:], p.k, cols, row, column, width, p.flipB)
		}
	}
	if p.zeroA == 0 && !shifts {
		return
	}
	if row == 1 {
		p.sumColumns(bias, b, column)
	} else {
		p.matrix.Sums(bias, int8s(packed))
	}
	e := p.terms(dst)
	e.weigh(uint8(p.zeroA))
}

// sumColumns stores what the columns of B' add up to, which lie column apart, as
// the kernels see them: less by 128 where the sign bit was turned.
func (p *Live) sumColumns(sums []int32, b []byte, column int) {
	var at, part [maxRows]int32
	for i := range at {
		at[i] = int32(i * column)
	}
	turn := p.flipB ^ 0x80
	for j := 0; j < p.n; j += maxRows {
		m, done := min(maxRows, p.n-j), 0
		b := b[j*column:]
		if clear(part[:]); turn == 0 {
			done = sumRows(&part, b, at[:], m, p.k)
		}
		for i := range m {
			sums[j+i] = part[i] + sumOf(b[i*column+done:][:p.k-done], turn) - 128*int32(p.k)
		}
	}
}

// terms returns an epilogue with the terms that the packed form begins with.
func (p *Live) terms(packed []byte) ByteEnd {
	all := unsafe.Slice((*int32)(unsafe.Pointer(&packed[0])), p.bias/4)
	if !shifts {
		return ByteEnd{bias: all}
	}
	return ByteEnd{bias: all[:len(all)/2], shifted: all[len(all)/2:]}
}

// Run writes the product of m rows of A, which are rows one after the other, to
// c: row i at c[i*ldc], in elements of the result. A's elements lie at
// row[i] + d.
func (p *Live) Run(c []byte, ldc int, a []byte, row []int32, m int, packed, scratch []byte) {
	if p.end != nil {
		var at [maxRows]int32
		a, row = p.left(&at, a, row, m, scratch)
		p.multiply(c, ldc, a, row, m, packed, p.end)
		return
	}
	to, ld := c, ldc
	if !p.float {
		to, ld = scratch[:4*m*p.n], p.n
		scratch = scratch[len(to):]
	}
	sums := unsafe.Slice((*float32)(unsafe.Pointer(&to[0])), (m-1)*ld+p.n)
	var off [maxRows]float32
	p.Sums(sums, ld, a, row, m, packed, scratch, off[:])
	for i := range m {
		line := sums[i*ld:][:p.n]
		eltwise.Sub(line, line, off[i:i+1])
		by := [1]float32{p.multiplier}
		eltwise.Mul(line, line, by[:])
		switch {
		case p.float:
		case p.signed:
			convert.Quantize(int8s(c[i*ldc:][:p.n]), line, 1, p.grid)
		default:
			convert.Quantize(c[i*ldc:][:p.n], line, 1, p.grid)
		}
	}
}

// Multiplier is what the sums are multiplied with.
func (p *Live) Multiplier() float32 { return p.multiplier }

// Sums writes the product of m ≤ 64 rows of A as sums before the
// multiplication, of which off[i] has to be taken off in row i first.
func (p *Live) Sums(c []float32, ldc int, a []byte, row []int32, m int, packed, scratch []byte, off []float32) {
	var at [maxRows]int32
	a, row = p.left(&at, a, row, m, scratch)
	p.multiply(unsafe.Slice((*byte)(unsafe.Pointer(&c[0])), 4*len(c)), ldc, a, row, m, packed, p.sums)
	off = off[:m]
	if p.zeroB == 0 {
		clear(off)
		return
	}
	var sums [maxRows]int32
	done := sumRows(&sums, a, row, m, p.k)
	for i := range off {
		sum := sums[i]
		if done < p.k {
			sum += sumOf(a[row[i]:][done:p.k], 0)
		}
		off[i] = float32(p.zeroB * (sum - int32(p.k)*p.zeroA))
	}
}

// left returns the rows of A as kernels take them, and where they are.
func (p *Live) left(at *[maxRows]int32, a []byte, row []int32, m int, scratch []byte) ([]byte, []int32) {
	if !p.copies() {
		return a, row
	}
	stride := Group * Groups(p.k)
	for i := range m {
		at[i] = int32(i * stride)
		Unsigned(scratch[i*stride:][:p.k], a[row[i]:], p.flipA)
	}
	return scratch, at[:]
}

// multiply runs the kernels.
func (p *Live) multiply(c []byte, ldc int, a []byte, row []int32, m int, packed []byte, end *ByteEnd) {
	r := Rows{Row: row, Tap: noTap[:], Depth: p.k}
	e := *end
	terms := p.terms(packed)
	e.bias, e.shifted = terms.bias, terms.shifted
	b := int8s(packed[p.bias:][:p.matrix.Bytes()])
	panel := p.matrix.BytePanel()
	for j := 0; j < p.n; j += Width {
		Bytes(c[j*e.Size():], ldc, a, &r, m, b[j/Width*panel:], j, min(Width, p.n-j), &e)
	}
}

// maxRows is the greatest number of rows that Run computes.
const maxRows = 64

var noTap [1]int32

// PackLive packs a matrix of floats as PackFloats does, whose element (i, j)
// lies at b[i*row + j*column].
func PackLive(dst, b []float32, k, n, row, column int) {
	if row != 1 {
		PackFloats(dst, b, Plain(k, n, row, column))
		return
	}
	for j := 0; j < n; j += Width {
		cols := min(Width, n-j)
		width := padded(cols)
		panel := dst[j*k:][:k*width]
		if cols < width {
			clear(panel)
		}
		transpose.Matrix(words32(panel), words32(b[j*column:][:(cols-1)*column+k]), cols, k, width, column)
	}
}

// packStrips packs one panel: groups of Group rows of B become columns of Group
// bytes.
func packStrips(panel, b []byte, k, cols, row, column, width int, flip uint8) {
	j, whole := 0, k/Group
	if column == 1 && whole > 0 {
		for ; j+lanes <= cols; j += lanes {
			strip(panel[j*Group:], b[j:], whole, row, width*Group, flip)
		}
		if k%Group != 0 {
			packColumns(panel[whole*width*Group:], b[whole*Group*row:], k%Group, 0, j, row, column, width, flip)
		}
	}
	if width > cols {
		for g := range Groups(k) {
			clear(panel[(g*width+cols)*Group : (g+1)*width*Group])
		}
	}
	packColumns(panel, b, k, j, cols, row, column, width, flip)
}

func packColumns(panel, b []byte, k, from, to, row, column, width int, flip uint8) {
	for g := range Groups(k) {
		for j := from; j < to; j++ {
			cell := (*[Group]byte)(panel[(g*width+j)*Group:])
			*cell = [Group]byte{}
			for c := range min(Group, k-g*Group) {
				cell[c] = b[(g*Group+c)*row+j*column] ^ flip
			}
		}
	}
}

// stripGeneric is the twin of strip: groups of Group rows of lanes bytes, which
// lie step apart, become lanes columns of Group bytes; the groups lie stride
// apart in dst.
func stripGeneric(dst, src []byte, groups, step, stride int, flip uint8) {
	for g := range groups {
		out, in := dst[g*stride:][:lanes*Group], src[g*Group*step:]
		for c := range Group {
			for j, v := range in[c*step:][:lanes] {
				out[j*Group+c] = v ^ flip
			}
		}
	}
}

// sumOf returns the sum of bytes, the bits of flip turned in each.
func sumOf(x []byte, flip uint8) (sum int32) {
	const low = 0x00ff00ff00ff00ff
	mask := uint64(flip) * 0x0101010101010101
	for len(x) >= 8 {
		// Each of four sums of two bytes a step has 16 bits.
		n := min(len(x)/8, 128)
		var acc uint64
		for i := range n {
			v := binary.LittleEndian.Uint64(x[8*i:]) ^ mask
			acc += v&low + v>>8&low
		}
		acc = acc&0x0000ffff0000ffff + acc>>16&0x0000ffff0000ffff
		sum += int32(acc>>32) + int32(acc&0xffffffff)
		x = x[8*n:]
	}
	for _, v := range x {
		sum += int32(v ^ flip)
	}
	return sum
}

func int8s(b []byte) []int8 {
	return unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(b))), len(b))
}

func wordsOf(b []byte) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4)
}

func words32(f []float32) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(f))), len(f))
}
