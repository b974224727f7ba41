package main

import "fmt"

// The memory of the kernels below, from R15 on, which is a multiple of 64.
const (
	pieceBlock   = 5                             // rows computed at once
	pieceGroups  = 192                           // of a piece of k
	pieceRows    = 240                           // whose sums are kept from one piece to the next
	pieceWeights = 0                             // of groups, or their magnitudes
	pieceSigns   = pieceWeights + 64*pieceGroups // the bits of A that are turned
	pieceLists   = pieceSigns + 64*pieceGroups   // of groups, for each kind: where they lie in a row of A, and above
	pieceSums    = pieceLists + 4*8*pieceGroups  // of rows
	pieceStart   = pieceSums + 64*pieceRows      // what sums begin with
	pieceEnds    = pieceStart + 64               // of the lists
	pieceAt      = pieceEnds + 4*8               // where the next piece begins in B
	pieceTap     = pieceAt + 8                   // its tap
	pieceTaps    = pieceTap + 8                  // taps left, that one too
	pieceDepth   = pieceTaps + 8                 // groups left of that tap
	pieceOffset  = pieceDepth + 8                // where the next group lies in a row
	pieceFirst   = pieceOffset + 8               // whether no sums are kept yet
	pieceLeft    = pieceFirst + 8                // rows
	pieceRowSums = pieceLeft + 8                 // where those of the next row are kept
	pieceAhead   = pieceRowSums + 8              // what is fetched
	pieceLimit   = pieceAhead + 8                // the end of that
	pieceFrame   = pieceLimit + 8 + 64
)

// kinds are those of groups of v vectors: they have a bit for each, set where it
// is multiplied with its signs.
func kinds(v int) []int {
	if v == 1 {
		return []int{3, 2}
	}
	return []int{3, 1, 2, 0}
}

// pairs2 writes the kernel of products of bytes that multiplies two k at once,
// for v vectors of 8 columns: accumulators Y0… (row r from Y(v·r) on), ones in
// Y10.
//
// VPMADDUBSW adds two products in 16 bits, where they have room if the weights
// a, b of each pair have |a+b| ≤ 128. A vector of which some have not is
// multiplied without signs: as a = x−128 is a signed byte,
//
//	w·(x−128) = |w|·a       for w ≥ 0
//	w·(x−127) = |w|·(−a−1)  for w < 0
//
// where sums of pairs of products have room, −a−1 has the bits of a turned, and
// what is missing, 128·w or 127·w, belongs to the column.
//
//	for each piece of k:
//		copy B, sort its groups by the vectors that are so
//		for each block of rows:
//			multiply the groups, kind by kind
//			epilogue and stores, or keep the sums
//
// DI holds the call, R8… the rows, DX the list of groups, R14 its end, AX where a
// group lies in a row, SI where its copy does.
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

// sortPairs copies a piece of k and makes the lists, whose ends, from R15 on, are
// the words of R14: in memory one would wait for the other.
func (f *file) sortPairs(v int) {
	f.line("MOVQ %d(R15), SI", pieceAt)
	f.line("MOVQ %d(R15), DX", pieceTap)
	f.line("MOVQ %d(R15), AX", pieceOffset)
	f.line("MOVQ call_stride(DI), R8")
	ends := 0
	for kind := range 4 {
		ends |= (pieceLists + 8*pieceGroups*kind) << (16 * kind)
	}
	f.line("MOVQ $%#x, R14", ends)
	f.line("XORL R12, R12")
	f.line("MOVQ $%d, BX", pieceGroups)
	f.line("VPCMPEQB Y12, Y12, Y12")
	f.line("VPABSB Y12, Y12")
	f.line("VPCMPEQW Y13, Y13, Y13")
	f.line("VPSRLW $15, Y13, Y13")
	f.line("VPSLLW $7, Y13, Y13")
	f.label("tap")
	f.line("MOVQ %d(R15), R9", pieceDepth)
	f.line("CMPQ R9, BX")
	f.line("CMOVQGT BX, R9")
	f.line("SUBQ R9, %d(R15)", pieceDepth)
	f.line("SUBQ R9, BX")
	f.label("sort")
	for j := range v {
		f.line("VMOVDQU %d(SI), Y%d", 32*j, j)
		f.line("VPMADDUBSW Y%d, Y12, Y%d", j, 2+j)
		f.line("VPABSW Y%d, Y%d", 2+j, 2+j)
		f.line("VMOVDQU Y%d, %d(R15)(R12*1)", j, pieceWeights+32*j)
		f.line("VPCMPGTW Y13, Y%d, Y%d", 2+j, 2+j)
		f.line("VPMOVMSKB Y%d, R%d", 2+j, 10+j)
		f.line("CMPL R%d, $1", 10+j)
		f.line("SBBQ R%d, R%d", 10+j, 10+j)
	}
	f.line("ANDL $1, R10")
	if v > 1 {
		f.line("ANDL $2, R11")
		f.line("ORL  R11, R10")
	} else {
		f.line("ORL  $2, R10")
	}
	f.line("SHLL $4, R10")
	f.line("MOVL R10, CX")
	f.line("MOVQ R14, R13")
	f.line("SHRQ CX, R13")
	f.line("MOVWLZX R13, R13")
	f.line("MOVL AX, (R15)(R13*1)")
	f.line("MOVL R12, 4(R15)(R13*1)")
	f.line("MOVL $8, R13")
	f.line("SHLQ CX, R13")
	f.line("ADDQ R13, R14")
	f.line("ADDQ $%d, R12", 32*v)
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
	f.line("TESTQ BX, BX")
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
	for kind := range 4 {
		f.line("MOVWLZX R14, AX")
		f.line("ADDQ R15, AX")
		f.line("MOVQ AX, %d(R15)", pieceEnds+8*kind)
		f.line("SHRQ $16, R14")
	}
}

// each goes through the list of a kind of groups; label is one of its own.
func (f *file) each(kind int, label string, group func()) {
	f.line("LEAQ %d(R15), DX", pieceLists+8*pieceGroups*kind)
	f.line("MOVQ %d(R15), R14", pieceEnds+8*kind)
	f.line("CMPQ DX, R14")
	f.line("JEQ  %sEnd", label)
	f.line("PCALIGN $32")
	f.label(label)
	f.line("MOVLQSX (DX), AX")
	f.line("MOVLQSX 4(DX), SI")
	f.line("ADDQ $8, DX")
	group()
	f.line("CMPQ DX, R14")
	f.line("JNE  %s", label)
	f.label(label + "End")
}

// startPairs makes magnitudes and signs, and stores what sums begin with.
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
	for _, kind := range kinds(v)[1:] {
		f.each(kind, fmt.Sprintf("magnitude%d", kind), func() {
			for j := range v {
				if kind>>j&1 > 0 {
					continue
				}
				f.line("VMOVDQU %d(R15)(SI*1), Y2", pieceWeights+32*j)
				f.line("VPCMPGTB Y2, Y11, Y3")
				f.line("VPXOR Y12, Y3, Y3")
				f.line("VPABSB Y2, Y4")
				f.line("VMOVDQU Y4, %d(R15)(SI*1)", pieceWeights+32*j)
				f.line("VMOVDQU Y3, %d(R15)(SI*1)", pieceSigns+32*j)
				f.line("VPMADDUBSW Y2, Y3, Y2")
				f.line("VPMADDWD Y13, Y2, Y2")
				f.line("VPADDD Y2, Y%d, Y%d", j, j)
			}
		})
	}
	for j := range v {
		f.line("VMOVDQU Y%d, %d(R15)", j, pieceStart+32*j)
	}
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
		bytesRow2(f, v)
	}
	return f.String()
}
