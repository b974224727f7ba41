package main

import "fmt"

// The memory of the kernels below, from R15 on: sums of columns, then the low and
// the high halves of some bytes of A.
const (
	rowSums  = 0
	rowLow   = 256
	rowHigh  = rowLow + 32
	rowFrame = rowHigh + 32 + 32 // from a multiple of 32 on

	rowGroups = 8    // whose products, of half a byte, have room in 16 bits
	rowAhead  = 4096 // how far before its use B is fetched, in bytes
)

// bytesRow2 writes the kernel of products of one row of bytes with a whole panel of
// v vectors of 8 columns: sums of 16 bits in Y0…, A in Y8, products in Y9….
//
// Two products of bytes have no room in 16 bits, but those of half a byte of A
// have, sixteen of them: 16·15·128 < 2¹⁵. So A is cut into halves, and both are
// multiplied with some groups of B before their sums are widened: of four vectors at a
// time, so that B is loaded once.
func bytesRow2(f *file, v int) {
	p := &kernel{file: f, name: fmt.Sprintf("bytesRow%dAVX2", 8*v), most: 1, step: 4, scale: 1, stride: 32 * v, frame: rowFrame}
	p.begin = func(int) {
		f.line("LEAQ memory-%d(SP), R15", rowFrame)
		f.line("ADDQ $31, R15")
		f.line("ANDQ $-32, R15")
		f.line("MOVQ call_bias(DI), AX")
		for i := range v {
			f.line("VMOVDQU %d(AX), Y%d", 32*i, i)
			f.line("VMOVDQU Y%d, %d(R15)", i, rowSums+32*i)
		}
		f.line("VMOVDQU ·ones<>(SB), Y12")
		f.line("VPSLLW $4, Y12, Y13")
		f.line("VPCMPEQB Y14, Y14, Y14")
		f.line("VPSRLW $12, Y14, Y14")
		f.line("VPACKUSWB Y14, Y14, Y14")
	}
	p.all = func(int) {
		f.line("MOVQ call_depth(DI), CX")
		f.label("piece")
		f.line("MOVQ $%d, R9", rowGroups)
		f.line("CMPQ CX, R9")
		f.line("CMOVQLT CX, R9")
		f.line("SUBQ R9, CX")
		f.line("LEAQ (R8)(AX*1), R11")
		f.line("CMPQ R9, $%d", rowGroups)
		f.line("JNE  few")
		f.line("VMOVDQU (R11), Y8")
		f.rowHalves()
		for first := 0; first < v; first += 4 {
			f.rowGroups(v, first, min(4, v-first))
		}
		f.line("ADDQ $%d, SI", rowGroups*32*v)
		f.line("ADDQ $%d, AX", 4*rowGroups)
		f.line("TESTQ CX, CX")
		f.line("JNZ  piece")
		f.line("JMP  through")
		f.label("few") // no byte behind the last group is A's
		f.line("XORL R10, R10")
		f.label("copy")
		f.line("MOVL (R11)(R10*4), R12")
		f.line("MOVL R12, %d(R15)(R10*4)", rowLow)
		f.line("INCQ R10")
		f.line("CMPQ R10, R9")
		f.line("JLT  copy")
		f.line("VMOVDQU %d(R15), Y8", rowLow)
		f.rowHalves()
		f.rowHalf(v, "low", rowLow, 12)
		f.rowHalf(v, "high", rowHigh, 13)
		f.line("LEAQ %d(R11), SI", 32*v)
		f.label("through")
	}
	p.end = func(_ int, floats string) {
		f.line("CMPQ call_float(DI), $1")
		f.line("JLE  %sscaled", floats)
		for i := range v { // whole sums are stored as floats are
			f.line("VMOVDQU %d(R15), Y%d", rowSums+32*i, i)
		}
		f.line("JMP  %s", floats)
		f.label(floats + "scaled")
		f.line("MOVQ call_multiplier(DI), AX")
		for i := range v {
			f.line("VCVTDQ2PS %d(R15), Y%d", rowSums+32*i, i)
			f.line("VMULPS %d(AX), Y%d, Y%d", 32*i, i, i)
		}
		f.line("CMPQ call_float(DI), $0")
		f.line("JNE  %s", floats)
		f.line("VBROADCASTSS call_most(DI), Y12")
		f.line("VPBROADCASTD call_zero(DI), Y13")
		f.line("VPBROADCASTD call_low(DI), Y14")
		f.line("VPBROADCASTD call_flip(DI), Y15")
		f.line("VMOVDQU ·apart<>(SB), Y11")
		for i := range v {
			f.line("VMINPS Y%d, Y12, Y%d", i, i)
			f.line("VCVTPS2DQ Y%d, Y%d", i, i)
		}
		for i := 0; i < v; i += 2 {
			f.line("VPACKSSDW Y%d, Y%d, Y%d", i+1, i, i)
			f.line("VPADDSW Y13, Y%d, Y%d", i, i)
			f.line("VPACKUSWB Y%d, Y%d, Y%d", i, i, i)
			f.line("VPERMD Y%d, Y11, Y%d", i, i)
			f.line("VPMAXUB Y14, Y%d, Y%d", i, i)
			f.line("VPXOR Y15, Y%d, Y%d", i, i)
			f.line("VMOVDQU X%d, %d(DX)", i, 8*i)
		}
		f.line("ADDQ CX, DX")
		f.line("JMP  %sdone", floats)
		f.label(floats)
		for i := range v {
			f.line("VMOVUPS Y%d, %d(DX)", i, 32*i)
		}
		f.line("ADDQ CX, DX")
		f.label(floats + "done")
	}
	p.write()
}

// rowHalf multiplies R9 groups of B, from SI on, with halves of bytes, and adds to
// the sums what the factors in a register make of them. R11 ends at the last group.
func (f *file) rowHalf(v int, name string, from, factor int) {
	f.line("LEAQ %d(R15), R10", from)
	f.line("MOVQ SI, R11")
	f.line("MOVQ R9, R12")
	f.line("VPBROADCASTD (R10), Y8")
	for i := range v {
		f.line("VPMADDUBSW %d(R11), Y8, Y%d", 32*i, i)
	}
	f.line("DECQ R12")
	f.line("JZ   %sEnd", name)
	f.line("PCALIGN $32")
	f.label(name)
	f.line("ADDQ $4, R10")
	f.line("ADDQ $%d, R11", 32*v)
	f.line("VPBROADCASTD (R10), Y8")
	for i := range v {
		f.line("VPMADDUBSW %d(R11), Y8, Y%d", 32*i, 9+i%3)
		f.line("VPADDW Y%d, Y%d, Y%d", 9+i%3, i, i)
	}
	f.line("DECQ R12")
	f.line("JNZ  %s", name)
	f.label(name + "End")
	f.rowWiden(v, factor)
}

// rowGroups multiplies as many groups as there is room for with n vectors of
// columns from the first on: sums of the low halves in Y0…, of the high ones in Y4….
func (f *file) rowGroups(v, first, n int) {
	for g := range rowGroups {
		for i := 0; i < n; i += 2 {
			f.line("PREFETCHT0 %d(SI)", rowAhead+32*(v*g+first+i))
		}
		f.line("VPBROADCASTD %d(R15), Y8", rowLow+4*g)
		f.line("VPBROADCASTD %d(R15), Y9", rowHigh+4*g)
		for i := range n {
			f.line("VMOVDQU %d(SI), Y10", 32*(v*g+first+i))
			if g == 0 {
				f.line("VPMADDUBSW Y10, Y8, Y%d", i)
				f.line("VPMADDUBSW Y10, Y9, Y%d", 4+i)
				continue
			}
			f.line("VPMADDUBSW Y10, Y8, Y11")
			f.line("VPMADDUBSW Y10, Y9, Y15")
			f.line("VPADDW Y11, Y%d, Y%d", i, i)
			f.line("VPADDW Y15, Y%d, Y%d", 4+i, 4+i)
		}
	}
	for i := range n {
		f.line("VPMADDWD Y12, Y%d, Y%d", i, i)
		f.line("VPMADDWD Y13, Y%d, Y%d", 4+i, 4+i)
		f.line("VPADDD Y%d, Y%d, Y%d", 4+i, i, i)
		f.line("VPADDD %d(R15), Y%d, Y%d", rowSums+32*(first+i), i, i)
		f.line("VMOVDQU Y%d, %d(R15)", i, rowSums+32*(first+i))
	}
}

// rowHalves stores the halves of the bytes in Y8.
func (f *file) rowHalves() {
	f.line("VPAND Y14, Y8, Y9")
	f.line("VMOVDQU Y9, %d(R15)", rowLow)
	f.line("VPSRLW $4, Y8, Y8")
	f.line("VPAND Y14, Y8, Y8")
	f.line("VMOVDQU Y8, %d(R15)", rowHigh)
}

// rowWiden adds what the factors in a register make of sums of 16 bits to the sums.
func (f *file) rowWiden(v, factor int) {
	for i := range v {
		f.line("VPMADDWD Y%d, Y%d, Y%d", factor, i, i)
		f.line("VPADDD %d(R15), Y%d, Y%d", rowSums+32*i, i, i)
		f.line("VMOVDQU Y%d, %d(R15)", i, rowSums+32*i)
	}
}
