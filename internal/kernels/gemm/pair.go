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
	copies       bool // A, to turn its sign bit or fill its groups
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
	lo, hi := -zeroB, 255-zeroB
	if signedB {
		lo, hi = lo-128, hi-128
	}
	for lo < -128 || hi > 127 {
		lo, hi = min(lo+128, 0), max(hi-127, 0)
		p.parts++
	}
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
	if p.signedB {
		packCentered(packed, unsafe.Slice((*int8)(unsafe.Pointer(&b[0])), p.k*p.n), p)
	} else {
		packCentered(packed, b[:p.k*p.n], p)
	}
	e := *p.end
	both := unsafe.Slice((*int32)(unsafe.Pointer(&scratch[0])), p.bias/4)
	e.bias, e.shifted = both[:len(both)/2], both[len(both)/2:]
	clear(e.bias)
	p.matrix.Sums(e.bias, packed)
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

// packCentered packs B less its zero point, in parts.
func packCentered[T uint8 | int8](dst []int8, b []T, p *Pair) {
	groups := Groups(p.k)
	var none [Width]T
	for i := range none {
		none[i] = T(p.zeroB)
	}
	for j := 0; j < p.n; j += Width {
		cols := min(Width, p.n-j)
		width := padded(cols)
		panel := dst[j*p.parts*groups*Group:]
		for g := range groups {
			row := func(i int) []T {
				if g*Group+i < p.k {
					return b[(g*Group+i)*p.n+j:][:cols]
				}
				return none[:cols]
			}
			r0, r1, r2, r3 := row(0), row(1), row(2), row(3)
			for t := range p.parts {
				out := panel[(t*groups+g)*width*Group:][:width*Group]
				clear(out[cols*Group:])
				if p.parts == 1 {
					z := T(p.zeroB)
					for i := range r0 {
						cell := (*[Group]int8)(out[i*Group:])
						cell[0], cell[1], cell[2], cell[3] = int8(r0[i]-z), int8(r1[i]-z), int8(r2[i]-z), int8(r3[i]-z)
					}
					continue
				}
				for i := range r0 {
					cell := (*[Group]int8)(out[i*Group:])
					cell[0], cell[1], cell[2], cell[3] = p.split(int32(r0[i]), t), p.split(int32(r1[i]), t), p.split(int32(r2[i]), t), p.split(int32(r3[i]), t)
				}
			}
		}
	}
}

// split returns part t of an element of B less its zero point.
func (p *Pair) split(v int32, t int) int8 {
	v -= p.zeroB
	// What parts before this one took.
	v -= max(-128*int32(t), min(v, 127*int32(t)))
	return int8(max(-128, min(v, 127)))
}
