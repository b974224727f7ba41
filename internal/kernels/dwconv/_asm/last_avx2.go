package main

import (
	"fmt"
	"strings"
)

// lastBytesAVX2 is the run of bytes on AVX2: of 32 channels, or of 16, whose
// sums are registers 0 to 3. The interleaved bytes of four taps, with the sign
// bit turned, and all bits where the weight is negative, are multiplied with the
// weights' magnitudes: no sum of two products leaves 16 bits. What that changes
// is in the parameters. R15 is how far the bits to turn lie behind the
// magnitudes. Constants: Y10 the upper bound, Y11 the zero point in words, Y12
// the least result, Y13 ones in words. BP is not used: it belongs to the caller.
func lastBytesAVX2(f *file, name, to string) {
	f.begin(name, "MOVQ", "SI")
	f.absolute("Y", 0)
	f.line("VBROADCASTSS %d(SI), Y10", argHi)
	f.line("VPBROADCASTW %d(SI), Y11", argZero)
	f.line("VPBROADCASTB %d(SI), Y12", argLeast)
	f.line("VPCMPEQW Y13, Y13, Y13")
	f.line("VPSRLW $15, Y13, Y13")
	f.line("MOVQ %d(SI), R15", argTurn)
	f.label("output")
	f.line("MOVQ %d(SI), R13", argW)
	f.line("MOVQ %d(SI), R14", argParams)
	f.line("MOVQ %d(SI), BX", argChannels)
	f.line("MOVQ %d(SI), AX", argOff)
	f.label("block")
	f.line("CMPQ BX, $16")
	f.line("JLT  next")
	f.line("CMPQ BX, %d(SI)", argNatural)
	f.line("JEQ  single")
	// Two halves of a block: their dwords lie 64 bytes apart.
	for h := range 2 {
		half, lane := fmt.Sprintf("half%d", h), fmt.Sprintf("lane%d", 2*h)
		f.line("CMPQ BX, $32")
		f.line("JLT  %s", lane)
		lanesAVX2(f, half, "Y", 64, 32*h, to)
		f.line("SUBQ $32, BX")
		if h == 0 {
			f.line("CMPQ BX, $16")
			f.line("JLT  next")
			f.line("JMP  %send", half)
		} else {
			f.line("JMP  whole")
		}
		f.label(lane)
		lanesAVX2(f, lane, "X", 64, 32*h, to)
		f.line("JMP  next")
		f.label(half + "end")
	}
	f.label("whole")
	f.line("MOVQ %d(SI), R8", argGroups)
	f.line("SHLQ $8, R8")
	f.line("ADDQ R8, R13")
	f.line("ADDQ $512, R14")
	f.line("JMP  block")
	f.label("single")
	lanesAVX2(f, "single", "X", 16, 0, to)
	f.label("next")
	f.advance("advance", "Y", 0, 1)
	f.line("DECQ CX")
	f.line("JNZ  output")
	f.line("VZEROUPPER")
	f.line("RET")
}

// lanesAVX2 computes a vector of channels of one output, whose dwords of
// parameters and weights lie apart bytes apart and begin at from.
func lanesAVX2(f *file, label, reg string, apart, from int, to string) {
	line := func(format string, args ...any) { f.line(strings.ReplaceAll(format, "V%d", reg+"%d"), args...) }
	for i := range 4 {
		line("VMOVDQU %d(R14), V%d", apart*i+from, i)
	}
	f.line("MOVQ %d(SI), DX", argLive)
	f.line("MOVQ %d(SI), R12", argGroups)
	if from > 0 {
		f.line("ADDQ $%d, R13", from)
	}
	f.label(label + "Group")
	f.taps()
	for i, r := range []string{"R8", "R9", "R10", "R11"} {
		line("VMOVDQU (%s)(AX*1), V%d", r, 4+i)
	}
	line("VPUNPCKHBW V%d, V%d, V%d", 5, 4, 8)
	line("VPUNPCKLBW V%d, V%d, V%d", 5, 4, 4)
	line("VPUNPCKHBW V%d, V%d, V%d", 7, 6, 9)
	line("VPUNPCKLBW V%d, V%d, V%d", 7, 6, 6)
	line("VPUNPCKHWD V%d, V%d, V%d", 6, 4, 5)
	line("VPUNPCKLWD V%d, V%d, V%d", 6, 4, 4)
	line("VPUNPCKHWD V%d, V%d, V%d", 9, 8, 7)
	line("VPUNPCKLWD V%d, V%d, V%d", 9, 8, 6)
	f.line("LEAQ (R13)(R15*1), R8")
	for i := range 4 {
		line("VMOVDQU %d(R13), V%d", apart*i, 8)
		line("VPXOR %d(R8), V%d, V%d", apart*i, 4+i, 4+i)
		line("VPMADDUBSW V%d, V%d, V%d", 4+i, 8, 8)
		line("VPMADDWD V%d, V%d, V%d", 13, 8, 8)
		line("VPADDD V%d, V%d, V%d", 8, i, i)
	}
	f.line("ADDQ $32, DX")
	f.line("ADDQ $%d, R13", 4*apart)
	f.line("DECQ R12")
	f.line("JNZ  %sGroup", label)
	// Back to the beginning of the block.
	f.line("MOVQ %d(SI), R8", argGroups)
	f.line("IMULQ $%d, R8", 4*apart)
	f.line("SUBQ R8, R13")
	if from > 0 {
		f.line("SUBQ $%d, R13", from)
	}
	channels := map[string]int{"X": 16, "Y": 32}[reg]
	if to == "sums" {
		f.line("LEAQ (DI)(AX*4), R8")
		for i := range 4 {
			// AX counts channels already done.
			line("VMOVDQU V%d, %d(R8)", i, apart*i-3*from)
		}
		f.line("ADDQ $%d, AX", channels)
		return
	}
	for i := range 4 {
		line("VCVTDQ2PS V%d, V%d", i, i)
		line("VMULPS %d(R14), V%d, V%d", 4*apart+apart*i+from, i, i)
		line("VMINPS V%d, V%d, V%d", i, 10, i)
		line("VCVTPS2DQ V%d, V%d", i, i)
	}
	line("VPACKSSDW V%d, V%d, V%d", 1, 0, 0)
	line("VPACKSSDW V%d, V%d, V%d", 3, 2, 2)
	line("VPADDSW V%d, V%d, V%d", 11, 0, 0)
	line("VPADDSW V%d, V%d, V%d", 11, 2, 2)
	if to == "uint8" {
		line("VPACKUSWB V%d, V%d, V%d", 2, 0, 0)
		line("VPMAXUB V%d, V%d, V%d", 12, 0, 0)
	} else {
		line("VPACKSSWB V%d, V%d, V%d", 2, 0, 0)
		line("VPMAXSB V%d, V%d, V%d", 12, 0, 0)
	}
	line("VMOVDQU V%d, (DI)(AX*1)", 0)
	f.line("ADDQ $%d, AX", channels)
}
