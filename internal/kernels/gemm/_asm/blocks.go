package main

import (
	"fmt"
	"math"
)

// The kernels of blocks take one argument, the call, whose fields go_asm.h
// names, and compute up to four rows of a panel, or store its numbers:
//
//	for each block of k:
//		what is the same for the block
//		for each word, which holds the codes of some k of a column: number, multiply
//	stores
//
// DI holds the call, SI the codes, DX the scales, BX the zero points, R8… the
// rows, R13 where numbers are stored, CX how many k of the block are left, R12
// how many in all.
type blockKernel struct {
	*file
	name   string
	word   int                   // k of a word
	begin  func(m int)           // fills the accumulators
	block  func()                // at the beginning of a block
	load   func()                // a word of each column, SI being at it
	number func(s, j int) string // makes the number of vector j of columns, and says where it is
	times  func(m, s, j int, number string)
	width  int // vectors
	next   int // what SI moves by after a word
	single int // and after one k alone
	scale  int // what DX moves by after a block
	store  func(m int)
}

func (p *blockKernel) write() {
	p.function(p.name+"(c *blockCall)", 8)
	p.line("MOVQ c+0(FP), DI")
	p.line("MOVQ blockCall_codes(DI), SI")
	p.line("MOVQ blockCall_scale(DI), DX")
	p.line("MOVQ blockCall_zero(DI), BX")
	p.line("MOVQ blockCall_k(DI), R12")
	p.line("MOVQ blockCall_c(DI), R13")
	p.line("MOVQ blockCall_m(DI), AX")
	for m := 4; m > 0; m-- {
		p.line("CMPQ AX, $%d", m)
		p.line("JEQ  rows%d", m)
	}
	for m := range 5 {
		p.rows(m)
	}
}

func (p *blockKernel) rows(m int) {
	at := func(name string) string { return fmt.Sprintf("%s%d", name, m) }
	p.label(at("rows"))
	for r := range m {
		p.line("MOVQ blockCall_row+%d(DI), R%d", 8*r, firstRow+r)
	}
	p.begin(m)
	p.label(at("block"))
	p.block()
	p.line("MOVQ blockCall_block(DI), CX")
	p.line("CMPQ R12, CX")
	p.line("CMOVQLT R12, CX")
	p.line("SUBQ CX, R12")
	p.line("SUBQ $%d, CX", p.word)
	p.line("JLT  %s", at("rest"))
	p.line("PCALIGN $32")
	p.label(at("many"))
	p.load()
	for s := range p.word {
		p.one(m, s)
	}
	p.line("ADDQ $%d, SI", p.next)
	p.advance(m, p.word)
	p.line("SUBQ $%d, CX", p.word)
	p.line("JGE  %s", at("many"))
	p.label(at("rest"))
	p.line("ADDQ $%d, CX", p.word)
	p.line("JZ   %s", at("end"))
	p.load()
	p.label(at("one"))
	p.one(m, 0)
	if p.single > 0 {
		p.line("ADDQ $%d, SI", p.single)
	}
	p.advance(m, 1)
	p.line("DECQ CX")
	p.line("JNZ  %s", at("one"))
	p.label(at("end"))
	p.line("ADDQ $%d, DX", p.scale)
	p.line("ADDQ blockCall_zeroStep(DI), BX")
	p.line("TESTQ R12, R12")
	p.line("JNZ  %s", at("block"))
	p.store(m)
	p.line("VZEROUPPER")
	p.line("RET")
}

// one is a step of k, the s-th since the rows moved.
func (p *blockKernel) one(m, s int) {
	for j := range p.width {
		p.times(m, s, j, p.number(s, j))
	}
}

// rowBytes is the length of a row of a panel of numbers.
const rowBytes = 64 * 4

func (p *blockKernel) advance(m, steps int) {
	for r := range m {
		p.line("ADDQ $%d, R%d", 4*steps, firstRow+r)
	}
	if m == 0 {
		p.line("ADDQ $%d, R13", rowBytes*steps)
	}
}

// blocks512 writes the kernels of AVX-512 for four vectors of columns:
// accumulators from Z0 on, row by row, scales in Z16…, zero points in Z20…, what
// the sixteen codes are in Z24, words in Z25…, numbers in Z29…
func blocks512() string {
	f := newFile()
	for _, kind := range []string{"nibbles", "nibblesZero", "octets"} {
		turn := 0
		p := &blockKernel{file: f, name: kind + "AVX512", word: 8, width: 4, next: 256, scale: 256}
		p.begin = func(m int) {
			for i := range 4 * m {
				f.line("VPXORD Z%d, Z%d, Z%d", i, i, i)
			}
			switch kind {
			case "nibbles":
				f.line("MOVQ blockCall_table(DI), AX")
				f.line("VMOVUPS (AX), Z24")
			case "nibblesZero":
				f.line("VMOVDQU32 ·sixteen<>(SB), Z24")
			}
		}
		p.block = func() {
			for j := range 4 {
				f.line("VMOVUPS %d(DX), Z%d", 64*j, 16+j)
				if kind != "nibbles" {
					f.line("VMOVUPS %d(BX), Z%d", 64*j, 20+j)
				}
			}
		}
		p.load = func() {
			for j := range 4 {
				f.line("PREFETCHT0 %d(SI)", fetchAhead+64*j)
				f.line("VMOVDQU32 %d(SI), Z%d", 64*j, 25+j)
			}
		}
		p.number = func(s, j int) string {
			turn++
			t := fmt.Sprintf("Z%d", 29+turn%3)
			if kind == "octets" {
				f.line("VPMOVZXBD %d(SI), %s", 64*s+16*j, t)
				f.line("VCVTDQ2PS %s, %s", t, t)
			} else {
				f.line("VPERMPS Z24, Z%d, %s", 25+j, t)
				f.line("VPSRLD $4, Z%d, Z%d", 25+j, 25+j)
			}
			if kind != "nibbles" {
				f.line("VSUBPS Z%d, %s, %s", 20+j, t, t)
			}
			f.line("VMULPS Z%d, %s, %s", 16+j, t, t)
			return t
		}
		p.times = func(m, s, j int, t string) {
			for r := range m {
				f.line("VFMADD231PS.BCST %d(R%d), %s, Z%d", 4*s, firstRow+r, t, 4*r+j)
			}
			if m == 0 {
				f.line("VMOVUPS %s, %d(R13)", t, rowBytes*s+64*j)
			}
		}
		if kind == "octets" {
			p.word, p.next, p.single, p.load = octetsAtOnce, octetsAtOnce*64, 64, func() {
				for i := range octetsAtOnce {
					f.line("PREFETCHT0 %d(SI)", fetchAhead+64*i)
				}
			}
		}
		p.store = func(m int) {
			if m == 0 {
				return
			}
			f.line("KMOVQ blockCall_columns(DI), K1")
			for j := 1; j < 4; j++ {
				f.line("KSHIFTRQ $%d, K1, K%d", 16*j, 1+j)
			}
			for r := range m {
				for j := range 4 {
					f.line("VMOVUPS Z%d, K%d, %d(R13)", 4*r+j, 1+j, 64*j)
				}
				f.line("ADDQ blockCall_ldc(DI), R13")
			}
		}
		p.write()
	}
	f.WriteString("\n// The floats 0 to 15.\n")
	for i := range 16 {
		fmt.Fprintf(f, "DATA ·sixteen<>+%d(SB)/4, $%#x\n", 4*i, math.Float32bits(float32(i)))
	}
	f.WriteString("GLOBL ·sixteen<>(SB), RODATA|NOPTR, $64\n")
	return f.String()
}

// octetsAtOnce is how many k the kernels of bytes take at once.
const octetsAtOnce = 4

// fetchAhead is how far before their use codes are fetched, in bytes.
const fetchAhead = 2048

// blocks2 writes those of AVX2, for two vectors of columns: accumulators from Y0
// on, words in Y8, Y9, numbers in Y10, Y11, A in Y12…Y14, what masks a code in
// Y15.
func blocks2() string {
	f := newFile()
	f.WriteString("#include \"funcdata.h\"\n")
	for _, kind := range []string{"nibbles", "octets"} {
		p := &blockKernel{file: f, name: kind + "AVX2", word: 8, width: 2, next: 256, scale: 256}
		p.begin = func(m int) {
			for i := range 2 * m {
				f.line("VXORPS Y%d, Y%d, Y%d", i, i, i)
			}
			f.line("VPCMPEQD Y15, Y15, Y15")
			f.line("VPSRLD $28, Y15, Y15")
		}
		p.block = func() {}
		p.load = func() {
			f.line("PREFETCHT0 %d(SI)", fetchAhead)
			f.line("VMOVDQU (SI), Y8")
			f.line("VMOVDQU 32(SI), Y9")
		}
		p.number = func(s, j int) string {
			t := fmt.Sprintf("Y%d", 10+j)
			if kind == "octets" {
				f.line("VPMOVZXBD %d(SI), %s", 64*s+8*j, t)
			} else {
				f.line("VPAND Y15, Y%d, %s", 8+j, t)
				f.line("VPSRLD $4, Y%d, Y%d", 8+j, 8+j)
			}
			f.line("VCVTDQ2PS %s, %s", t, t)
			f.line("VSUBPS %d(BX), %s, %s", 32*j, t, t)
			f.line("VMULPS %d(DX), %s, %s", 32*j, t, t)
			return t
		}
		p.times = func(m, s, j int, t string) {
			if m == 0 {
				f.line("VMOVUPS %s, %d(R13)", t, rowBytes*s+32*j)
				return
			}
			if j == 0 {
				return
			}
			for r := range m {
				a := 12 + r%3
				f.line("VBROADCASTSS %d(R%d), Y%d", 4*s, firstRow+r, a)
				f.line("VFMADD231PS Y10, Y%d, Y%d", a, 2*r)
				f.line("VFMADD231PS Y11, Y%d, Y%d", a, 2*r+1)
			}
		}
		if kind == "octets" {
			p.word, p.next, p.single, p.load = octetsAtOnce, octetsAtOnce*64, 64, func() {
				for i := range octetsAtOnce {
					f.line("PREFETCHT0 %d(SI)", fetchAhead+64*i)
				}
			}
		}
		p.store = func(m int) {
			for r := range m {
				f.line("VMOVUPS Y%d, (R13)", 2*r)
				f.line("VMOVUPS Y%d, 32(R13)", 2*r+1)
				f.line("ADDQ blockCall_ldc(DI), R13")
			}
		}
		p.write()
	}
	blocksRow2(f)
	return f.String()
}
