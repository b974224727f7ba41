package main

import "fmt"

// The memory of the kernels below, from R15 on, which is a multiple of 64. The
// groups of a piece of k begin with those of the first kind; those of the
// second end where the memory does.
const (
	pieceBlock   = 5                             // rows computed at once
	pieceGroups  = 128                           // of a piece of k
	pieceRows    = 240                           // whose sums are kept from one piece to the next
	pieceWeights = 0                             // of groups, v vectors each, or their magnitudes
	pieceSigns   = pieceWeights + 64*pieceGroups // of groups of the second kind
	pieceOffsets = pieceSigns + 64*pieceGroups   // where groups lie in a row of A
	pieceEnd     = pieceOffsets + 4*pieceGroups  // of that list
	pieceSums    = pieceEnd                      // of rows
	pieceStart   = pieceSums + 64*pieceRows      // what sums begin with
	pieceAt      = pieceStart + 64               // where the next piece begins in B
	pieceTap     = pieceAt + 8                   // its tap
	pieceTaps    = pieceTap + 8                  // taps left, that one too
	pieceDepth   = pieceTaps + 8                 // groups left of that tap
	pieceOffset  = pieceDepth + 8                // where the next group lies in a row
	pieceFirst   = pieceOffset + 8               // whether no sums are kept yet
	pieceLeft    = pieceFirst + 8                // rows
	pieceRowSums = pieceLeft + 8                 // where those of the next row are kept
	pieceSecond  = pieceRowSums + 8              // the second kind's beginning in the list
	pieceAhead   = pieceSecond + 8               // what is fetched
	pieceLimit   = pieceAhead + 8                // the end of that
	pieceFrame   = pieceLimit + 8 + 64
)

// pairs2 writes the kernel of products of bytes that multiplies two k at once,
// for v vectors of 8 columns: accumulators Y0… (row r from Y(v·r) on), B in Y12,
// Y13, A and products in Y14, Y15.
//
// VPMADDUBSW adds two products in 16 bits, where they have room if the weights
// a, b of each pair have |a+b| ≤ 128. That is the first kind of groups of k. The
// others are multiplied without their signs: as a = x−128 is a signed byte,
//
//	w·(x−128) = |w|·a       for w ≥ 0
//	w·(x−127) = |w|·(−a−1)  for w < 0
//
// where sums of pairs of products have room, −a−1 has the bits of a turned, and
// what is missing, 128·w or 127·w, belongs to the column.
//
//	for each piece of k:
//		copy B, sort its groups
//		for each block of up to 6 rows:
//			multiply the groups of the first kind, then those of the second
//			epilogue and stores, or keep the sums
//
// DI holds the call, R8… the rows, SI the groups of B, DX where they lie in a
// row, AX one of these, R14 the end of the first kind.
func pairs2(f *file, v int) {
	name := fmt.Sprintf("bytes%dAVX2", 8*v)
	fmt.Fprintf(f, "\n// func %s(c *call)\nTEXT ·%s(SB), 0, $%d-8\n\tNO_LOCAL_POINTERS\n", name, name, pieceFrame)
	f.line("MOVQ c+0(FP), DI")
	f.line("LEAQ memory-%d(SP), R15", pieceFrame)
	f.line("ADDQ $63, R15")
	f.line("ANDQ $-64, R15")
	for _, s := range []struct {
		field string
		at    int
	}{{"b", pieceAt}, {"tap", pieceTap}, {"taps", pieceTaps}, {"depth", pieceDepth}} {
		f.line("MOVQ call_%s(DI), AX", s.field)
		f.line("MOVQ AX, %d(R15)", s.at)
	}
	f.line("MOVQ call_tap(DI), AX")
	f.line("MOVLQSX (AX), AX")
	f.line("MOVQ AX, %d(R15)", pieceOffset)
	f.line("MOVQ $1, %d(R15)", pieceFirst)
	f.label("piece")
	f.sortPairs(v)
	f.startPairs(v)
	f.line("MOVQ call_row(DI), AX")
	f.line("MOVQ AX, call_rowNow(DI)")
	f.line("MOVQ call_c(DI), AX")
	f.line("MOVQ AX, call_cNow(DI)")
	f.line("MOVQ call_m(DI), AX")
	f.line("MOVQ AX, %d(R15)", pieceLeft)
	f.line("LEAQ %d(R15), CX", pieceSums)
	f.line("MOVQ CX, %d(R15)", pieceRowSums)
	f.label("blocks")
	f.line("CMPQ AX, $%d", pieceBlock)
	f.line("JGE  rows%d", pieceBlock)
	for m := pieceBlock - 1; m > 0; m-- {
		f.line("CMPQ AX, $%d", m)
		f.line("JEQ  rows%d", m)
	}
	f.line("MOVQ $0, %d(R15)", pieceFirst)
	f.line("CMPQ %d(R15), $0", pieceTaps)
	f.line("JNE  piece")
	f.line("VZEROUPPER")
	f.line("RET")
	for m := pieceBlock; m > 0; m-- {
		f.blockPairs(v, m)
		f.line("MOVQ %d(R15), AX", pieceLeft)
		f.line("SUBQ $%d, AX", m)
		f.line("MOVQ AX, %d(R15)", pieceLeft)
		f.line("JMP  blocks")
	}
}

// sortPairs copies a piece of k and leaves R14 at the end of the first kind.
func (f *file) sortPairs(v int) {
	f.line("MOVQ %d(R15), SI", pieceAt)
	f.line("MOVQ %d(R15), DX", pieceTap)
	f.line("MOVQ %d(R15), AX", pieceOffset)
	f.line("MOVQ call_stride(DI), R8")
	f.line("LEAQ %d(R15), R14", pieceOffsets)
	f.line("LEAQ %d(R15), R10", pieceEnd)
	f.line("LEAQ %d(R15), R12", pieceWeights)
	f.line("LEAQ %d(R15), R13", pieceWeights+32*v*pieceGroups)
	f.line("MOVQ $%d, CX", pieceGroups)
	f.line("VPCMPEQB Y12, Y12, Y12")
	f.line("VPABSB Y12, Y12")
	f.line("VPCMPEQW Y13, Y13, Y13")
	f.line("VPSRLW $15, Y13, Y13")
	f.line("VPSLLW $7, Y13, Y13")
	f.label("tap")
	f.line("MOVQ %d(R15), R9", pieceDepth)
	f.line("CMPQ R9, CX")
	f.line("CMOVQGT CX, R9")
	f.line("SUBQ R9, %d(R15)", pieceDepth)
	f.line("SUBQ R9, CX")
	f.label("sort")
	for j := range v {
		f.line("VMOVDQU %d(SI), Y%d", 32*j, j)
		f.line("VPMADDUBSW Y%d, Y12, Y%d", j, 2+j)
		f.line("VPABSW Y%d, Y%d", 2+j, 2+j)
		f.line("VMOVDQU Y%d, %d(R12)", j, 32*j)
		f.line("VMOVDQU Y%d, %d(R13)", j, 32*(j-v))
	}
	if v > 1 {
		f.line("VPMAXSW Y3, Y2, Y2")
	}
	f.line("VPCMPGTW Y13, Y2, Y2")
	f.line("VPMOVMSKB Y2, R11")
	f.line("MOVL AX, (R14)")
	f.line("MOVL AX, -4(R10)")
	f.line("CMPL R11, $1")
	f.line("SBBQ R11, R11")
	f.line("ANDQ $4, R11") // for the first kind
	f.line("ADDQ R11, R14")
	f.line("LEAQ -4(R10)(R11*1), R10")
	f.line("SHLQ $%d, R11", v+2)
	f.line("ADDQ R11, R12")
	f.line("LEAQ %d(R13)(R11*1), R13", -32*v)
	f.line("ADDQ R8, SI")
	f.line("ADDQ $4, AX")
	f.line("DECQ R9")
	f.line("JNZ  sort")
	f.line("CMPQ %d(R15), $0", pieceDepth)
	f.line("JNE  sorted")
	f.line("DECQ %d(R15)", pieceTaps)
	f.line("JZ   last")
	f.line("ADDQ $4, DX")
	f.line("MOVLQSX (DX), AX")
	f.line("MOVQ call_depth(DI), R9")
	f.line("MOVQ R9, %d(R15)", pieceDepth)
	f.line("TESTQ CX, CX")
	f.line("JNZ  tap")
	f.label("sorted")
	f.line("MOVQ DX, %d(R15)", pieceTap)
	f.line("MOVQ AX, %d(R15)", pieceOffset)
	f.line("MOVQ SI, %d(R15)", pieceAt)
	f.line("JMP  ready")
	f.label("last")
	f.line("MOVQ call_ahead(DI), SI")
	f.label("ready")
	f.line("MOVQ SI, %d(R15)", pieceAhead)
	f.line("IMULQ $%d, R8", pieceGroups)
	f.line("ADDQ R8, SI")
	f.line("MOVQ SI, %d(R15)", pieceLimit)
	f.line("MOVQ R10, %d(R15)", pieceSecond)
}

// startPairs makes magnitudes and signs of groups of the second kind, which
// begin at R13 and whose list R10 does, and stores what sums begin with.
func (f *file) startPairs(v int) {
	for j := range v {
		f.line("VPXOR Y%d, Y%d, Y%d", j, j, j)
	}
	f.line("CMPQ %d(R15), $0", pieceFirst)
	f.line("JEQ  more")
	f.line("MOVQ call_bias(DI), AX")
	for j := range v {
		f.line("VMOVDQU %d(AX), Y%d", 32*j, j)
	}
	f.label("more")
	f.line("VMOVDQU ·tops<>(SB), Y12")
	f.line("VMOVDQU ·ones<>(SB), Y13")
	f.line("VPXOR Y11, Y11, Y11")
	f.line("LEAQ %d(R15), BX", pieceEnd)
	f.line("CMPQ R10, BX")
	f.line("JEQ  start")
	f.label("magnitude")
	for j := range v {
		f.line("VMOVDQU %d(R13), Y2", 32*j)
		f.line("VPCMPGTB Y2, Y11, Y3")
		f.line("VPXOR Y12, Y3, Y3")
		f.line("VPABSB Y2, Y4")
		f.line("VMOVDQU Y4, %d(R13)", 32*j)
		f.line("VMOVDQU Y3, %d(R13)", pieceSigns+32*j)
		f.line("VPMADDUBSW Y2, Y3, Y2")
		f.line("VPMADDWD Y13, Y2, Y2")
		f.line("VPADDD Y2, Y%d, Y%d", j, j)
	}
	f.line("ADDQ $%d, R13", 32*v)
	f.line("ADDQ $4, R10")
	f.line("CMPQ R10, BX")
	f.line("JNE  magnitude")
	f.label("start")
	for j := range v {
		f.line("VMOVDQU Y%d, %d(R15)", j, pieceStart+32*j)
	}
}

// blockPairs computes m rows.
func (f *file) blockPairs(v, m int) {
	at := func(name string) string { return fmt.Sprintf("%s%d", name, m) }
	f.label(at("rows"))
	f.fetchPairs(at("fetched"))
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
	for i := range v * m {
		f.line("VMOVDQU %d(R15), Y%d", pieceStart+32*(i%v), i)
	}
	f.line("CMPQ %d(R15), $0", pieceFirst)
	f.line("JNE  %s", at("begin"))
	f.line("MOVQ %d(R15), AX", pieceRowSums)
	for i := range v * m {
		f.line("VPADDD %d(AX), Y%d, Y%d", 32*i, i, i)
	}
	f.label(at("begin"))
	f.line("VMOVDQU ·ones<>(SB), Y10")
	f.line("LEAQ %d(R15), DX", pieceOffsets)
	f.line("LEAQ %d(R15), SI", pieceWeights)
	f.line("CMPQ DX, R14")
	f.line("JEQ  %s", at("second"))
	f.line("PCALIGN $32")
	f.label(at("plain"))
	f.line("MOVLQSX (DX), AX")
	f.line("ADDQ $4, DX")
	for j := range v {
		f.line("VMOVDQU %d(SI), Y%d", 32*j, 11+j)
	}
	for r := range m {
		f.line("VPBROADCASTD (R%d)(AX*1), Y13", firstRow+r)
		for j := range v {
			p := 14 + j
			f.line("VPMADDUBSW Y%d, Y13, Y%d", 11+j, p)
			f.line("VPMADDWD Y10, Y%d, Y%d", p, p)
			f.line("VPADDD Y%d, Y%d, Y%d", p, v*r+j, v*r+j)
		}
	}
	f.line("ADDQ $%d, SI", 32*v)
	f.line("CMPQ DX, R14")
	f.line("JNE  %s", at("plain"))
	f.label(at("second"))
	f.line("LEAQ %d(R15), BX", pieceEnd)
	f.line("MOVQ %d(R15), DX", pieceSecond)
	f.line("LEAQ %d(R15), SI", pieceWeights+32*v*pieceGroups)
	f.line("MOVQ DX, AX")
	f.line("SUBQ BX, AX")
	f.line("SHLQ $%d, AX", v+2)
	f.line("ADDQ AX, SI")
	f.line("CMPQ DX, BX")
	f.line("JEQ  %s", at("end"))
	f.line("PCALIGN $32")
	f.label(at("signs"))
	f.line("MOVLQSX (DX), AX")
	f.line("ADDQ $4, DX")
	for j := range v {
		f.line("VMOVDQU %d(SI), Y%d", 32*j, 11+j)
		f.line("VMOVDQU %d(SI), Y%d", pieceSigns+32*j, 13+j)
	}
	for r := range m {
		for j := range v {
			f.line("VPBROADCASTD (R%d)(AX*1), Y15", firstRow+r)
			f.line("VPXOR Y%d, Y15, Y15", 13+j)
			f.line("VPMADDUBSW Y15, Y%d, Y15", 11+j)
			f.line("VPMADDWD Y10, Y15, Y15")
			f.line("VPADDD Y15, Y%d, Y%d", v*r+j, v*r+j)
		}
	}
	f.line("ADDQ $%d, SI", 32*v)
	f.line("CMPQ DX, BX")
	f.line("JNE  %s", at("signs"))
	f.label(at("end"))
	f.line("CMPQ %d(R15), $0", pieceTaps)
	f.line("JNE  %s", at("keep"))
	f.line("MOVQ call_cNow(DI), DX")
	f.line("MOVQ call_ldc(DI), CX")
	f.endPairs(v, m, at("floats"))
	f.line("MOVQ DX, call_cNow(DI)")
	f.line("JMP  %s", at("kept"))
	f.label(at("keep"))
	f.line("MOVQ %d(R15), AX", pieceRowSums)
	for i := range v * m {
		f.line("VMOVDQU Y%d, %d(AX)", i, 32*i)
	}
	f.line("ADDQ $%d, AX", 32*v*m)
	f.line("MOVQ AX, %d(R15)", pieceRowSums)
	f.label(at("kept"))
}

// fetchPairs brings some of what follows in B near.
func (f *file) fetchPairs(done string) {
	f.line("MOVQ %d(R15), AX", pieceAhead)
	f.line("CMPQ AX, %d(R15)", pieceLimit)
	f.line("JGE  %s", done)
	f.line("MOVQ call_stride(DI), CX")
	for range 16 {
		f.line("PREFETCHT1 (AX)")
		f.line("ADDQ CX, AX")
	}
	f.line("MOVQ AX, %d(R15)", pieceAhead)
	f.label(done)
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
	for v := 8; v > 0; v -= 2 {
		row2(f, v)
	}
	return f.String()
}
