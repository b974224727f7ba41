package gemm

import "unsafe"

// Pair is the plan of a product of two matrices of bytes that are both known
// only when it runs, A of m×k and B of k×n elements, row by row. It does not
// change: any number of goroutines may use it.
//
// An element of B less its zero point has nine bits. It is the sum of up to
// three int8, which are multiplied with the same A one after the other.
type Pair struct {
	m, k, n      int
	zeroA        uint8 // of A as uint8
	zeroB        int32
	flipA        uint8
	signedB      bool
	parts        int
	split        [][256]int8 // the parts of each element of B, by its bits
	copies       bool        // A, to turn its sign bit or fill its groups
	rows         *Rows
	matrix       Matrix
	end          *ByteEnd
	bias, packed int // lengths in bytes of the parts of the scratch memory
}

// NewPair returns the plan for operands with the given zero points, each int8
// where it is signed, else uint8. f has no bias and one multiplier.
func NewPair(m, k, n int, f Finish, zeroA, zeroB int32, signedA, signedB bool) *Pair {
	p := &Pair{m: m, k: k, n: n, zeroA: uint8(zeroA), zeroB: zeroB, signedB: signedB, parts: 1}
	if signedA {
		p.flipA = 0x80
		p.zeroA ^= p.flipA
	}
	least := int32(0)
	if signedB {
		least = -128
	}
	for lo, hi := least-zeroB, least+255-zeroB; lo < -128 || hi > 127; p.parts++ {
		lo, hi = min(lo+128, 0), max(hi-127, 0)
	}
	p.fillSplit(least, least+255)
	stride := k
	if p.copies = signedA || k%Group != 0; p.copies {
		stride = Group * Groups(k)
	}
	p.rows = RowsOf(m, stride)
	p.rows.Tap, p.rows.Depth = make([]int32, p.parts), k
	p.matrix = Matrix{Columns: n, Taps: p.parts, Steps: 1, Channels: k}
	p.bias, p.packed = 2*4*padded(n), p.matrix.Bytes()
	p.end = NewByteEnd(f, p.matrix, make([]int8, p.packed), 0)
	return p
}

// ScratchLen is the length of the scratch memory that Run needs, a multiple of
// 64. It must be aligned to 4 bytes.
func (p *Pair) ScratchLen() int {
	n := p.bias + p.packed
	if p.copies {
		n += p.m * Group * Groups(p.k)
	}
	return (n + 63) &^ 63
}

// Run writes the product to c, whose rows follow each other.
func (p *Pair) Run(c, a, b, scratch []byte) {
	packed := unsafe.Slice((*int8)(unsafe.Pointer(&scratch[p.bias])), p.packed)
	e := *p.end
	both := unsafe.Slice((*int32)(unsafe.Pointer(&scratch[0])), p.bias/4)
	e.bias, e.shifted = both[:len(both)/2], both[len(both)/2:]
	clear(e.bias)
	if p.signedB {
		packCentered(packed, e.bias, unsafe.Slice((*int8)(unsafe.Pointer(&b[0])), p.k*p.n), p)
	} else {
		packCentered(packed, e.bias, b[:p.k*p.n], p)
	}
	e.weigh(p.zeroA)
	if p.copies {
		to, stride := scratch[p.bias+p.packed:], Group*Groups(p.k)
		for i := range p.m {
			Unsigned(to[i*stride:][:p.k], a[i*p.k:], p.flipA)
		}
		a = to
	}
	panel := p.matrix.BytePanel()
	for j := 0; j < p.n; j += Width {
		Bytes(c[j*e.Size():], p.n, a, p.rows, p.m, packed[j/Width*panel:], j, min(Width, p.n-j), &e)
	}
}

// packCentered packs B less its zero point, in parts, and adds up its columns.
func packCentered[T uint8 | int8](dst []int8, sums []int32, b []T, p *Pair) {
	for j := 0; j < p.n; j += lanes {
		width := padded(min(Width, p.n-j/Width*Width))
		c := centering{
			groups: p.k / Group, step: p.n, stride: width * Group, second: Groups(p.k) * width * Group,
			zero: uint32(uint8(p.zeroB)) * 0x01010101,
		}
		out, done := dst[j/Width*Width*p.parts*Groups(p.k)*Group+j%Width*Group:], 0
		if !p.signedB {
			c.flip = 0x80808080
		}
		if p.parts == 1 {
			c.second = 0
		}
		if c.zero ^= c.flip; p.n-j >= lanes && p.parts < 3 && c.groups > 0 {
			done = center(out, sums[j:j+lanes], b[j:], &c)
		}
		packSplit(out, sums[j:], b[j:], p, done, min(lanes, p.n-j), width)
	}
}

// centering is what kernels pack of 16 columns: groups of Group rows that lie
// step bytes apart, less the zero point; what exceeds an int8 goes second bytes
// further on, unless that is 0.
type centering struct {
	groups, step, stride, second int
	zero, flip                   uint32
}

// packSplit packs the cols ≤ 16 columns from group first on.
func packSplit[T uint8 | int8](dst []int8, sums []int32, b []T, p *Pair, first, cols, width int) {
	groups := Groups(p.k)
	var none [lanes]T
	for i := range none {
		none[i] = T(p.zeroB)
	}
	for g := first; g < groups; g++ {
		row := func(i int) []T {
			if g*Group+i < p.k {
				return b[(g*Group+i)*p.n:][:cols]
			}
			return none[:cols]
		}
		r0, r1, r2, r3 := row(0), row(1), row(2), row(3)
		for i, v := range r0 {
			sums[i] += int32(v) + int32(r1[i]) + int32(r2[i]) + int32(r3[i]) - Group*p.zeroB
		}
		for t := range p.parts {
			out := dst[(t*groups+g)*width*Group:][:lanes*Group]
			clear(out[cols*Group:])
			part := &p.split[t]
			for i, v := range r0 {
				cell := (*[Group]int8)(out[i*Group:])
				cell[0], cell[1], cell[2], cell[3] = part[uint8(v)], part[uint8(r1[i])], part[uint8(r2[i])], part[uint8(r3[i])]
			}
		}
	}
}

// fillSplit fills the tables of the parts of elements from lo to hi.
func (p *Pair) fillSplit(lo, hi int32) {
	p.split = make([][256]int8, p.parts)
	for q := lo; q <= hi; q++ {
		rest := q - p.zeroB
		for t := range p.split {
			part := max(-128, min(rest, 127))
			p.split[t][uint8(q)] = int8(part)
			rest -= part
		}
	}
}
