package gemm

import "encoding/binary"

// Codes says where the elements of a k×n matrix of small unsigned integers lie,
// and what they stand for: element (i, j) is number i*Row + j*Column in Data,
// whose bytes hold the first code in their lowest bits, and is the real number
//
//	(code − zero)·scale
//
// in two float32 operations. Parameter number (i/Block)*ScaleRow +
// j*ScaleColumn of Scale and Zero belongs to it; a list with one number serves
// all elements.
type Codes struct {
	K, N, Bits  int // Bits is 2, 4 or 8
	Data        []byte
	Row, Column int
	Flip        byte // bits to turn in each code: the sign bit makes int4 and int8 unsigned
	Block       int  // at least 1
	Scale, Zero []float32
	ScaleRow    int
	ScaleColumn int
}

// Blocks is a packed matrix of codes of 4 or 8 bits, in panels of Width columns
// whatever the number of columns is. It does not change: any number of
// goroutines may use it.
type Blocks struct {
	k, n, bits, block int
	// codes are, in a panel, for each 8 k of each column the four bytes that hold
	// them, or for each k of each column a byte.
	codes []byte
	// scale and zero have Width elements for each block of a panel. zero is nil
	// where it is level for all, which is an integer of at most 8 bits.
	scale, zero []float32
	level       float32
	levels      [Width]float32
	table       [lanes]float32 // what codes of 4 bits are, less level
	// plain says that scales and zero points can be multiplied and divided by
	// powers of 16 without rounding, up to most, and powers are those: times
	// level where that is the zero point of all.
	plain  bool
	powers [nibbles]float32
}

// nibbles is how many codes of 4 bits a word holds.
const nibbles = 8

// Blockable reports whether PackBlocks takes a matrix: blocks of 4 bits must
// not end inside a word.
func Blockable(k, bits, block int) bool { return bits == 8 || block >= k || block%nibbles == 0 }

// PackBlocks packs a matrix that is Blockable.
func PackBlocks(c Codes) *Blocks {
	b := &Blocks{k: c.K, n: c.N, bits: max(4, c.Bits), block: min(c.Block, c.K)}
	panels, blocks := (c.N+Width-1)/Width, b.blocks()
	b.codes, b.scale = make([]byte, panels*b.panelBytes()), make([]float32, panels*blocks*Width)
	if !b.settle(c.Zero) {
		b.zero = make([]float32, len(b.scale))
	}
	for p := range panels {
		b.packCodes(&c, p)
	}
	for j := range c.N {
		at := j/Width*blocks*Width + j%Width
		for i := range blocks {
			from := i*c.ScaleRow + j*c.ScaleColumn
			b.scale[at+i*Width] = pick(c.Scale, from)
			if b.zero != nil {
				b.zero[at+i*Width] = pick(c.Zero, from)
			}
		}
	}
	b.raise()
	return b
}

// raise sets what kernels need that leave codes where they are in their words.
func (b *Blocks) raise() {
	const least, most = 0x1p-100, 0x1p100 // a power of 16 up to the seventh leaves these normal
	within := func(v, least float32) bool { return v == 0 || least <= max(v, -v) && max(v, -v) <= most }
	b.plain = true
	for _, s := range b.scale {
		b.plain = b.plain && within(s, least)
	}
	for _, z := range b.zero {
		b.plain = b.plain && within(z, 0)
	}
	power := float32(1)
	if b.zero == nil {
		power = b.level
	}
	for i := range b.powers {
		b.powers[i] = power
		power *= 16
	}
}

// pick returns element i, or the only one.
func pick(s []float32, i int) float32 {
	if len(s) == 1 {
		return s[0]
	}
	return s[i]
}

// settle takes note of a zero point that all blocks share and reports whether
// there is one.
func (b *Blocks) settle(zero []float32) bool {
	b.level = zero[0]
	for _, z := range zero {
		if z != b.level {
			return false
		}
	}
	for i := range b.levels {
		b.levels[i] = b.level
	}
	for i := range b.table {
		b.table[i] = float32(i) - b.level
	}
	return b.level >= 0 && b.level <= 255 && b.level == float32(uint8(b.level))
}

// packCodes stores the codes of panel p.
func (b *Blocks) packCodes(c *Codes, p int) {
	per, mask, first := 8/c.Bits, byte(1<<c.Bits-1), p*Width
	to, cols := b.codes[p*b.panelBytes():], min(Width, b.n-first)
	i := 0
	if c.Bits == 4 && c.Row == 1 && c.Column%nibbles == 0 {
		// The words are there as they are wanted.
		flip := uint32(c.Flip) * 0x11111111
		for ; i+nibbles <= b.k; i += nibbles {
			for j := range cols {
				word := binary.LittleEndian.Uint32(c.Data[((first+j)*c.Column+i)/2:])
				binary.LittleEndian.PutUint32(to[(i/nibbles*Width+j)*4:], word^flip)
			}
		}
	}
	for ; i < b.k; i++ {
		from := i*c.Row + first*c.Column
		for j := range cols {
			code := (c.Data[from/per]>>(from%per*c.Bits) ^ c.Flip) & mask
			from += c.Column
			if b.bits == 8 {
				to[i*Width+j] = code
			} else {
				to[(i/nibbles*Width+j)*4+i%nibbles/2] |= code << (i % 2 * 4)
			}
		}
	}
}

func (b *Blocks) blocks() int { return (b.k + b.block - 1) / b.block }

// panelBytes is the length of a panel of codes.
func (b *Blocks) panelBytes() int {
	if b.bits == 8 {
		return b.k * Width
	}
	return (b.k + nibbles - 1) / nibbles * 4 * Width
}

// Panels is the number of panels: what Multiply takes one of.
func (b *Blocks) Panels() int { return (b.n + Width - 1) / Width }

// directly is for how many rows codes become numbers in registers, once for all
// rows. For more of them a panel of numbers is written first.
const directly = 4

// ScratchLen is how many floats of scratch memory a product of m rows needs.
func (b *Blocks) ScratchLen(m int) int {
	if m <= directly && inRegisters() {
		return 0
	}
	return b.k * Width
}

// End returns the epilogue for a bias, which is nil or one number a column.
func (b *Blocks) End(bias []float32) *FloatEnd {
	return NewFloatEnd(b.Panels()*Width, bias, false, 0, 0)
}

// Multiply writes the product of m rows of A with columns Width·p to
// Width·(p+1) of the matrix to the rows of c, which are ldc elements apart, c[0]
// being column 0. It is what Floats makes of the real numbers of the matrix, to
// the bit. r has the one tap 0 and a depth of k.
func (b *Blocks) Multiply(c []float32, ldc int, a []float32, r *Rows, m, p int, e *FloatEnd, scratch []float32) {
	if m == 0 {
		return
	}
	j := p * Width
	cols := min(Width, b.n-j)
	_, _, c = a[:r.reach(m, b.k)], r.Row[:m], c[j:(m-1)*ldc+j+cols]
	bias := e.bias[j : j+Width]
	if len(scratch) == 0 {
		b.direct(c, ldc, a, r.Row[:m], p, cols)
		for i := range m {
			row := c[i*ldc:][:cols]
			for x, v := range bias[:cols] {
				row[x] += v
			}
		}
		return
	}
	panel := scratch[:b.k*Width]
	b.numbers(panel, p)
	floats(c, nil, ldc, a, r, m, panel, Width, cols, bias, e)
}

// numbersGeneric writes the real numbers of a panel, row by row: the twin that
// defines them.
func (b *Blocks) numbersGeneric(dst []float32, p int) {
	codes, blocks := b.codes[p*b.panelBytes():], b.blocks()
	for i := 0; i < b.k; {
		at := (p*blocks + i/b.block) * Width
		zero := &b.levels
		if b.zero != nil {
			zero = (*[Width]float32)(b.zero[at:])
		}
		scale := (*[Width]float32)(b.scale[at:])
		if b.bits == 8 {
			row := (*[Width]byte)(codes[i*Width:])
			for j, code := range row {
				dst[i*Width+j] = float32((float32(code) - zero[j]) * scale[j])
			}
			i++
			continue
		}
		words, out := codes[i/nibbles*4*Width:][:4*Width], dst[i*Width:min(i+nibbles, b.k)*Width]
		for j := range Width {
			word, z, s := binary.LittleEndian.Uint32(words[4*j:]), zero[j], scale[j]
			for x := j; x < len(out); x += Width {
				out[x] = float32((float32(int32(word&15)) - z) * s)
				word >>= 4
			}
		}
		i += nibbles
	}
}
