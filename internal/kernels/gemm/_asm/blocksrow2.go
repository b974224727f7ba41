package main

import "fmt"

// The kernels of one row and a whole panel of codes of 4 bits on AVX2 keep sums of
// eight vectors of columns in Y0…, so that no product waits for the one before.
//
// Codes are not moved to the lowest bits of their words: code c of nibble s stands
// for c·16ˢ, from which zero·16ˢ is taken off and which is multiplied with
// scale/16ˢ. Multiplying by powers of 2 is exact for what Blocks.plain admits, so
// that numbers are the same. The sign bit is in nibble 7: its words are shifted.
const (
	rowVectors = 8
	rowScales  = 0 // from R15 on: scales over 16ˢ, for s from 1 on
	rowNibbles = 7 // whose numbers are positive where they are
	nibbleRow  = 32 * rowVectors * (rowNibbles - 1)
)

func blocksRow2(f *file) {
	for _, zeros := range []bool{false, true} {
		name := "nibblesRowAVX2"
		if zeros {
			name = "nibblesZeroRowAVX2"
		}
		fmt.Fprintf(f, "\n// func %s(c *blockCall)\nTEXT ·%s(SB), 0, $%d-8\n\tNO_LOCAL_POINTERS\n", name, name, nibbleRow+32)
		f.line("MOVQ c+0(FP), DI")
		f.line("LEAQ memory-%d(SP), R15", nibbleRow+32)
		f.line("ADDQ $31, R15")
		f.line("ANDQ $-32, R15")
		f.line("MOVQ blockCall_codes(DI), SI")
		f.line("MOVQ blockCall_scale(DI), DX")
		f.line("MOVQ blockCall_zero(DI), BX")
		f.line("MOVQ blockCall_table(DI), R9")
		f.line("MOVQ blockCall_row(DI), R8")
		f.line("MOVQ blockCall_k(DI), R12")
		for i := range rowVectors {
			f.line("VXORPS Y%d, Y%d, Y%d", i, i, i)
		}
		f.label("block")
		f.line("VBROADCASTSS ·sixteenth<>(SB), Y8")
		for i := range rowVectors {
			f.line("VMULPS %d(DX), Y8, Y9", 32*i)
			for s := 1; s < rowNibbles; s++ {
				f.line("VMOVUPS Y9, %d(R15)", f.rowScale(s, i))
				if s+1 < rowNibbles {
					f.line("VMULPS Y8, Y9, Y9")
				}
			}
		}
		f.line("MOVQ blockCall_block(DI), CX")
		f.line("CMPQ R12, CX")
		f.line("CMOVQLT R12, CX")
		f.line("SUBQ CX, R12")
		f.line("SUBQ $8, CX")
		f.line("JLT  rest")
		f.line("PCALIGN $32")
		f.label("many")
		for i := range rowVectors / 2 {
			f.line("PREFETCHT0 %d(SI)", fetchAhead+64*i)
		}
		for s := range 8 {
			f.nibble(s, zeros)
		}
		f.line("ADDQ $256, SI")
		f.line("ADDQ $32, R8")
		f.line("SUBQ $8, CX")
		f.line("JGE  many")
		f.label("rest")
		f.line("ADDQ $8, CX")
		f.line("JZ   end")
		for s := range 7 { // of the last word
			f.nibble(s, zeros)
			f.line("DECQ CX")
			f.line("JZ   end")
		}
		f.label("end")
		f.line("ADDQ $256, DX")
		f.line("ADDQ blockCall_zeroStep(DI), BX")
		f.line("TESTQ R12, R12")
		f.line("JNZ  block")
		f.line("MOVQ blockCall_c(DI), R13")
		for i := range rowVectors {
			f.line("VMOVUPS Y%d, %d(R13)", i, 32*i)
		}
		f.line("VZEROUPPER")
		f.line("RET")
	}
	f.WriteString("\nDATA ·sixteenth<>(SB)/4, $0x3d800000\nGLOBL ·sixteenth<>(SB), RODATA|NOPTR, $4\n")
	f.WriteString("\n// The bits of each nibble.\n")
	for s := range rowNibbles {
		fmt.Fprintf(f, "DATA ·nibbleBits<>+%d(SB)/4, $%#x\n", 4*s, 15<<(4*s))
	}
	fmt.Fprintf(f, "GLOBL ·nibbleBits<>(SB), RODATA|NOPTR, $%d\n", 4*rowNibbles)
}

// rowScale is where, from R15 on, scale i over 16ˢ lies.
func (f *file) rowScale(s, i int) int { return rowScales + 32*(rowVectors*(s-1)+i) }

// nibble multiplies A with the numbers of nibble s: A in Y8, what is taken off, or
// 16ˢ, in Y13, the bits of the nibble in Y14.
func (f *file) nibble(s int, zeros bool) {
	at := min(s, rowNibbles-1)
	f.line("VBROADCASTSS %d(R8), Y8", 4*s)
	f.line("VBROADCASTSS %d(R9), Y13", 4*at)
	f.line("VPBROADCASTD ·nibbleBits<>+%d(SB), Y14", 4*at)
	for i := range rowVectors {
		t := 9 + i%4
		if s == at {
			f.line("VPAND %d(SI), Y14, Y%d", 32*i, t)
		} else {
			f.line("VMOVDQU %d(SI), Y%d", 32*i, t)
			f.line("VPSRLD $4, Y%d, Y%d", t, t)
			f.line("VPAND Y14, Y%d, Y%d", t, t)
		}
		f.line("VCVTDQ2PS Y%d, Y%d", t, t)
		if zeros {
			f.line("VFNMADD231PS %d(BX), Y13, Y%d", 32*i, t)
		} else {
			f.line("VSUBPS Y13, Y%d, Y%d", t, t)
		}
		if at == 0 {
			f.line("VMULPS %d(DX), Y%d, Y%d", 32*i, t, t)
		} else {
			f.line("VMULPS %d(R15), Y%d, Y%d", f.rowScale(at, i), t, t)
		}
		f.line("VFMADD231PS Y%d, Y8, Y%d", t, i)
	}
}
