package main

import "fmt"

const (
	// sortedGroups is how many groups of k the kernel below has room for.
	sortedGroups = 2048
	sortedFrame  = 8*sortedGroups + 64
)

// pairs2 writes the kernel of products of bytes that multiplies two k at once,
// for v vectors of 8 columns: accumulators Y0… (row r from Y(v·r) on), A in Y14,
// products in Y14, Y15.
//
// VPMADDUBSW adds two products in 16 bits, where they have room if the weights
// a, b of each pair have |a+b| ≤ 128. Most groups of k are so; the kernel first
// sorts those of its columns, as entries that hold where the group begins in A
// and, above 32 bits, in B. The others, from the end of the list on, are
// multiplied without their signs: as a = (x−128) is a signed byte,
//
//	w·(x−128) = |w|·a       for w ≥ 0
//	w·(x−127) = |w|·(−a−1)  for w < 0
//
// where both factors' products fit in pairs, −a−1 has the bits of a turned,
// and what is missing, 128·w or 127·w, belongs to the column.
//
// R14 is the end of the first list, R15 the beginning of the second, DX an
// entry, AX and CX its halves.
func pairs2(f *file, v int) {
	name := fmt.Sprintf("bytes%dAVX2", 8*v)
	fmt.Fprintf(f, "\n// func %s(c *call)\nTEXT ·%s(SB), 0, $%d-8\n\tNO_LOCAL_POINTERS\n", name, name, sortedFrame)
	f.line("MOVQ c+0(FP), DI")
	f.sortPairs(v)
	f.startPairs(v)
	for _, s := range []string{"row", "c"} {
		f.line("MOVQ call_%s(DI), AX", s)
		f.line("MOVQ AX, call_%sNow(DI)", s)
	}
	f.label("blocks")
	f.line("MOVQ call_m(DI), AX")
	f.line("CMPQ AX, $6")
	f.line("JGE  rows6")
	for m := 5; m > 0; m-- {
		f.line("CMPQ AX, $%d", m)
		f.line("JEQ  rows%d", m)
	}
	f.line("VZEROUPPER")
	f.line("RET")
	for m := 6; m > 0; m-- {
		f.blockPairs(v, m)
		f.line("JMP  blocks")
	}
}

// sortPairs makes the two lists.
func (f *file) sortPairs(v int) {
	f.line("LEAQ list-%d(SP), R14", sortedFrame)
	f.line("LEAQ end-%d(SP), R15", 64)
	f.line("MOVQ call_b(DI), SI")
	f.line("MOVQ call_tap(DI), DX")
	f.line("MOVQ call_taps(DI), BX")
	f.line("MOVQ call_stride(DI), R8")
	f.line("MOVQ R8, R9")
	f.line("SHLQ $32, R9")
	f.line("ADDQ $4, R9")
	f.line("XORL R10, R10")
	f.line("VPCMPEQB Y12, Y12, Y12")
	f.line("VPABSB Y12, Y12")
	f.line("VPCMPEQW Y13, Y13, Y13")
	f.line("VPSRLW $15, Y13, Y13")
	f.line("VPSLLW $7, Y13, Y13")
	f.label("tap")
	f.line("MOVL (DX), AX")
	f.line("ADDQ $4, DX")
	f.line("ORQ  R10, AX")
	f.line("MOVQ call_depth(DI), CX")
	f.label("sort")
	for j := range v {
		f.line("VPMADDUBSW %d(SI), Y12, Y%d", 32*j, j)
		f.line("VPABSW Y%d, Y%d", j, j)
	}
	if v > 1 {
		f.line("VPMAXSW Y1, Y0, Y0")
	}
	f.line("VPCMPGTW Y13, Y0, Y0")
	f.line("VPMOVMSKB Y0, R11")
	f.line("MOVQ AX, (R14)")
	f.line("MOVQ AX, -8(R15)")
	f.line("CMPL R11, $1")
	f.line("SBBQ R11, R11")
	f.line("ANDQ $8, R11")
	f.line("ADDQ R11, R14")
	f.line("LEAQ -8(R15)(R11*1), R15")
	f.line("ADDQ R8, SI")
	f.line("ADDQ R9, AX")
	f.line("DECQ CX")
	f.line("JNZ  sort")
	f.line("SHRQ $32, AX")
	f.line("SHLQ $32, AX")
	f.line("MOVQ AX, R10")
	f.line("DECQ BX")
	f.line("JNZ  tap")
}

// startPairs stores what the accumulators begin with.
func (f *file) startPairs(v int) {
	f.line("MOVQ call_b(DI), SI")
	f.line("MOVQ call_bias(DI), AX")
	for j := range v {
		f.line("VMOVDQU %d(AX), Y%d", 32*j, j)
	}
	f.line("VMOVDQU ·tops<>(SB), Y12")
	f.line("VMOVDQU ·ones<>(SB), Y13")
	f.line("MOVQ R15, DX")
	f.line("LEAQ end-64(SP), BX")
	f.line("CMPQ DX, BX")
	f.line("JEQ  start")
	f.label("missing")
	f.line("MOVLQSX 4(DX), CX")
	for j := range v {
		f.line("VMOVDQU %d(SI)(CX*1), Y2", 32*j)
		f.line("VPXOR Y3, Y3, Y3")
		f.line("VPCMPGTB Y2, Y3, Y3")
		f.line("VPXOR Y12, Y3, Y3")
		f.line("VPMADDUBSW Y2, Y3, Y2")
		f.line("VPMADDWD Y13, Y2, Y2")
		f.line("VPADDD Y2, Y%d, Y%d", j, j)
	}
	f.line("ADDQ $8, DX")
	f.line("CMPQ DX, BX")
	f.line("JNE  missing")
	f.label("start")
	for j := range v {
		f.line("VMOVDQU Y%d, start-%d(SP)", j, 64-32*j)
	}
}

// blockPairs computes m rows.
func (f *file) blockPairs(v, m int) {
	at := func(name string) string { return fmt.Sprintf("%s%d", name, m) }
	f.label(at("rows"))
	f.line("MOVQ call_a(DI), CX")
	f.line("MOVQ call_rowNow(DI), AX")
	for r := range m {
		f.line("MOVLQSX %d(AX), R%d", 4*r, firstRow+r)
	}
	for r := range m {
		f.line("ADDQ CX, R%d", firstRow+r)
	}
	f.line("ADDQ $%d, AX", 4*m)
	f.line("MOVQ AX, call_rowNow(DI)")
	for r := range m {
		for j := range v {
			f.line("VMOVDQU start-%d(SP), Y%d", 64-32*j, v*r+j)
		}
	}
	f.line("LEAQ list-%d(SP), DX", sortedFrame)
	f.line("CMPQ DX, R14")
	f.line("JEQ  %s", at("signs"))
	f.line("PCALIGN $32")
	f.label(at("plain"))
	f.entry()
	for j := range v {
		f.line("VMOVDQU %d(SI)(CX*1), Y%d", 32*j, 12+j)
	}
	for r := range m {
		f.line("VPBROADCASTD (R%d)(AX*1), Y14", firstRow+r)
		for j := range v {
			p := 15 - j // the last is that of A
			f.line("VPMADDUBSW Y%d, Y14, Y%d", 12+j, p)
			f.line("VPMADDWD ·ones<>(SB), Y%d, Y%d", p, p)
			f.line("VPADDD Y%d, Y%d, Y%d", p, v*r+j, v*r+j)
		}
	}
	f.line("CMPQ DX, R14")
	f.line("JNE  %s", at("plain"))
	f.label(at("signs"))
	f.line("MOVQ R15, DX")
	f.line("LEAQ end-64(SP), BX")
	f.line("CMPQ DX, BX")
	f.line("JEQ  %s", at("end"))
	f.line("PCALIGN $32")
	f.label(at("sign"))
	f.entry()
	for j := range v {
		f.line("VMOVDQU %d(SI)(CX*1), Y12", 32*j)
		f.line("VPXOR Y13, Y13, Y13")
		f.line("VPCMPGTB Y12, Y13, Y13")
		f.line("VPXOR ·tops<>(SB), Y13, Y13")
		f.line("VPABSB Y12, Y12")
		for r := range m {
			p := 14 + r%2
			f.line("VPBROADCASTD (R%d)(AX*1), Y%d", firstRow+r, p)
			f.line("VPXOR Y13, Y%d, Y%d", p, p)
			f.line("VPMADDUBSW Y%d, Y12, Y%d", p, p)
			f.line("VPMADDWD ·ones<>(SB), Y%d, Y%d", p, p)
			f.line("VPADDD Y%d, Y%d, Y%d", p, v*r+j, v*r+j)
		}
	}
	f.line("CMPQ DX, BX")
	f.line("JNE  %s", at("sign"))
	f.label(at("end"))
	f.line("MOVQ call_cNow(DI), DX")
	f.line("MOVQ call_ldc(DI), CX")
	f.endPairs(v, m, at("floats"))
	f.line("MOVQ DX, call_cNow(DI)")
	f.line("SUBQ $%d, call_m(DI)", m)
}

// entry reads the next entry of a list.
func (f *file) entry() {
	f.line("MOVLQSX (DX), AX")
	f.line("MOVLQSX 4(DX), CX")
	f.line("ADDQ $8, DX")
}

// endPairs: multipliers in Y12, Y13; then Y12 holds the greatest value, Y13 the
// zero point as words, Y14 the least value, Y15 what turns the sign bit. Two
// rows are packed together.
func (f *file) endPairs(v, m int, floats string) {
	f.line("MOVQ call_multiplier(DI), AX")
	for j := range v {
		f.line("VMOVUPS %d(AX), Y%d", 32*j, 12+j)
	}
	for i := range v * m {
		f.line("VCVTDQ2PS Y%d, Y%d", i, i)
		f.line("VMULPS Y%d, Y%d, Y%d", 12+i%v, i, i)
	}
	f.line("CMPQ call_float(DI), $0")
	f.line("JNE  %s", floats)
	f.line("CMPQ call_over(DI), $0")
	f.line("JEQ  %swithin", floats)
	f.line("VBROADCASTSS call_most(DI), Y12")
	for i := range v * m {
		f.line("VMINPS Y%d, Y12, Y%d", i, i)
	}
	f.label(floats + "within")
	f.line("VPBROADCASTD call_high(DI), Y12")
	f.line("VPBROADCASTD call_zero(DI), Y13")
	f.line("VPBROADCASTD call_low(DI), Y14")
	f.line("VPBROADCASTD call_flip(DI), Y15")
	for i := range v * m {
		f.line("VCVTPS2DQ Y%d, Y%d", i, i)
	}
	for r := 0; r < m; r += 2 {
		n := min(2, m-r)
		x, y := v*r, v*(r+n-1) // the registers of the rows
		// Behind the first step each lane holds four columns of all the vectors.
		index := 11
		if v == 1 {
			f.line("VPACKSSDW Y%d, Y%d, Y%d", y, x, x)
			f.line("VPADDSW Y13, Y%d, Y%d", x, x)
			f.line("VPACKUSWB Y%d, Y%d, Y%d", x, x, x)
		} else {
			for _, r := range []int{x, y}[:n] {
				f.line("VPACKSSDW Y%d, Y%d, Y%d", r+1, r, r)
				f.line("VPADDSW Y13, Y%d, Y%d", r, r)
			}
			f.line("VPACKUSWB Y%d, Y%d, Y%d", y, x, x)
			index = x + 1
		}
		f.line("VMOVDQU ·apart<>(SB), Y%d", index)
		f.line("VPERMD Y%d, Y%d, Y%d", x, index, x)
		f.line("VPMINUB Y12, Y%d, Y%d", x, x)
		f.line("VPMAXUB Y14, Y%d, Y%d", x, x)
		f.line("VPXOR Y15, Y%d, Y%d", x, x)
		stores := []string{"VMOVDQU X%d, (DX)", "VEXTRACTI128 $1, Y%d, (DX)"}
		if v == 1 {
			stores = []string{"VMOVQ X%d, (DX)", "VPEXTRQ $1, X%d, (DX)"}
		}
		for _, store := range stores[:n] {
			f.line(store, x)
			f.line("ADDQ CX, DX")
		}
	}
	f.line("JMP  %sdone", floats)
	f.label(floats)
	for r := range m {
		for j := range v {
			f.line("VMOVUPS Y%d, %d(DX)", v*r+j, 32*j)
		}
		f.line("ADDQ CX, DX")
	}
	f.label(floats + "done")
}

// words writes a constant of eight dwords.
func (f *file) words(name string, words ...uint32) {
	for i := range 8 {
		fmt.Fprintf(f, "DATA ·%s<>+%d(SB)/4, $%#x\n", name, 4*i, words[i%len(words)])
	}
	fmt.Fprintf(f, "GLOBL ·%s<>(SB), RODATA|NOPTR, $32\n", name)
}

// bytes2 writes the kernels of products of bytes.
func bytes2() string {
	f := newFile()
	f.WriteString("#include \"funcdata.h\"\n\n")
	f.words("ones", 0x00010001)
	f.words("tops", 0x80808080)
	f.words("apart", 0, 4, 1, 5, 2, 6, 3, 7)
	for v := 2; v > 0; v-- {
		pairs2(f, v)
	}
	return f.String()
}
