package main

import "fmt"

// lastBytesAVX2 is the run of bytes on AVX2: lanes of 16 channels, whose sums
// are X0..X3. The interleaved bytes of four taps are multiplied as words, even
// and odd ones apart, which is exact. Constants: X10 the upper bound, X11 the
// zero point in words, X12 the least result, X13 the mask of even bytes, X14 the
// flip. BP is not used: it belongs to the caller.
func lastBytesAVX2(f *file, name, to string) {
	f.begin(name, "MOVQ", "SI")
	f.absolute("Y", 0)
	f.line("VBROADCASTSS %d(SI), X10", argHi)
	f.line("VPBROADCASTW %d(SI), X11", argZero)
	f.line("VPBROADCASTB %d(SI), X12", argLeast)
	f.line("VPCMPEQW X13, X13, X13")
	f.line("VPSRLW $8, X13, X13")
	f.line("VPBROADCASTD %d(SI), X14", argFlip)
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
	// Four lanes of a block: their dwords lie 64 bytes apart.
	for l := range 4 {
		laneAVX2(f, fmt.Sprintf("lane%d", l), 64, 16*l, to)
		f.line("SUBQ $16, BX")
		if l < 3 {
			f.line("CMPQ BX, $16")
			f.line("JLT  next")
		}
	}
	f.line("MOVQ %d(SI), R8", argGroups)
	f.line("SHLQ $8, R8")
	f.line("ADDQ R8, R13")
	f.line("ADDQ $512, R14")
	f.line("JMP  block")
	f.label("single")
	laneAVX2(f, "single", 16, 0, to)
	f.label("next")
	f.advance("advance", "Y", 0, 1)
	f.line("DECQ CX")
	f.line("JNZ  output")
	f.line("VZEROUPPER")
	f.line("RET")
}

// laneAVX2 computes 16 channels of one output, whose dwords of parameters and
// weights lie apart bytes apart and begin at from.
func laneAVX2(f *file, label string, apart, from int, to string) {
	for i := range 4 {
		f.line("VMOVDQU %d(R14), X%d", apart*i+from, i)
	}
	f.line("MOVQ %d(SI), DX", argLive)
	f.line("MOVQ %d(SI), R12", argGroups)
	if from > 0 {
		f.line("ADDQ $%d, R13", from)
	}
	f.label(label + "Group")
	f.taps()
	for i, r := range []string{"R8", "R9", "R10", "R11"} {
		f.line("VPXOR (%s)(AX*1), X14, X%d", r, 4+i)
	}
	f.line("VPUNPCKHBW X5, X4, X8")
	f.line("VPUNPCKLBW X5, X4, X4")
	f.line("VPUNPCKHBW X7, X6, X9")
	f.line("VPUNPCKLBW X7, X6, X6")
	f.line("VPUNPCKHWD X6, X4, X5")
	f.line("VPUNPCKLWD X6, X4, X4")
	f.line("VPUNPCKHWD X9, X8, X7")
	f.line("VPUNPCKLWD X9, X8, X6")
	for i := range 4 {
		f.line("VMOVDQU %d(R13), X8", apart*i)
		f.line("VPSLLW $8, X8, X9")
		f.line("VPSRAW $8, X9, X9")
		f.line("VPAND X13, X%d, X15", 4+i)
		f.line("VPMADDWD X9, X15, X15")
		f.line("VPADDD X15, X%d, X%d", i, i)
		f.line("VPSRAW $8, X8, X8")
		f.line("VPSRLW $8, X%d, X15", 4+i)
		f.line("VPMADDWD X8, X15, X15")
		f.line("VPADDD X15, X%d, X%d", i, i)
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
	if to == "sums" {
		f.line("LEAQ (DI)(AX*4), R8")
		for i := range 4 {
			// AX counts lanes already done.
			f.line("VMOVDQU X%d, %d(R8)", i, apart*i-3*from)
		}
		f.line("ADDQ $16, AX")
		return
	}
	for i := range 4 {
		f.line("VCVTDQ2PS X%d, X%d", i, i)
		f.line("VMULPS %d(R14), X%d, X%d", 4*apart+apart*i+from, i, i)
		f.line("VMINPS X%d, X10, X%d", i, i)
		f.line("VCVTPS2DQ X%d, X%d", i, i)
	}
	f.line("VPACKSSDW X1, X0, X0")
	f.line("VPACKSSDW X3, X2, X2")
	f.line("VPADDSW X11, X0, X0")
	f.line("VPADDSW X11, X2, X2")
	if to == "uint8" {
		f.line("VPACKUSWB X2, X0, X0")
		f.line("VPMAXUB X12, X0, X0")
	} else {
		f.line("VPACKSSWB X2, X0, X0")
		f.line("VPMAXSB X12, X0, X0")
	}
	f.line("VMOVDQU X0, (DI)(AX*1)")
	f.line("ADDQ $16, AX")
}
