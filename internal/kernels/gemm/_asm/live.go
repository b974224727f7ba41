package main

// live: X0..X3 hold four rows, then the columns.
func live() string {
	f := newFile()
	f.function("stripAVX2(dst, src *uint8, groups, step, stride int, flip uint8)", 41)
	f.line("MOVQ dst+0(FP), DI")
	f.line("MOVQ src+8(FP), SI")
	f.line("MOVQ groups+16(FP), CX")
	f.line("MOVQ step+24(FP), DX")
	f.line("MOVQ stride+32(FP), R9")
	f.line("VPBROADCASTB flip+40(FP), X9")
	f.line("LEAQ (DX)(DX*2), R8")
	f.label("next")
	f.line("VPXOR (SI), X9, X0")
	f.line("VPXOR (SI)(DX*1), X9, X1")
	f.line("VPXOR (SI)(DX*2), X9, X2")
	f.line("VPXOR (SI)(R8*1), X9, X3")
	f.line("VPUNPCKLBW X1, X0, X4")
	f.line("VPUNPCKHBW X1, X0, X5")
	f.line("VPUNPCKLBW X3, X2, X6")
	f.line("VPUNPCKHBW X3, X2, X7")
	f.line("VPUNPCKLWD X6, X4, X0")
	f.line("VPUNPCKHWD X6, X4, X1")
	f.line("VPUNPCKLWD X7, X5, X2")
	f.line("VPUNPCKHWD X7, X5, X3")
	for i := range 4 {
		f.line("VMOVDQU X%d, %d(DI)", i, 16*i)
	}
	f.line("LEAQ (SI)(DX*4), SI")
	f.line("ADDQ R9, DI")
	f.line("DECQ CX")
	f.line("JNZ  next")
	f.line("VZEROUPPER")
	f.line("RET")
	sums(f)
	weigh(f)
	return f.String()
}

// sums adds up rows of bytes, 32 a step, in the four lanes of Y0.
func sums(f *file) {
	f.function("sumRowsAVX2(sums *[maxRows]int32, a *byte, row *int32, m, steps int)", 40)
	f.line("MOVQ sums+0(FP), DI")
	f.line("MOVQ a+8(FP), SI")
	f.line("MOVQ row+16(FP), DX")
	f.line("MOVQ m+24(FP), CX")
	f.line("MOVQ steps+32(FP), R8")
	f.line("VPXOR Y3, Y3, Y3")
	f.label("row")
	f.line("MOVLQSX (DX), AX")
	f.line("ADDQ SI, AX")
	f.line("MOVQ R8, BX")
	f.line("VPXOR Y0, Y0, Y0")
	f.label("step")
	f.line("VPSADBW (AX), Y3, Y1")
	f.line("VPADDQ Y1, Y0, Y0")
	f.line("ADDQ $32, AX")
	f.line("DECQ BX")
	f.line("JNZ  step")
	f.line("VEXTRACTI128 $1, Y0, X1")
	f.line("VPADDQ X1, X0, X0")
	f.line("VPSRLDQ $8, X0, X1")
	f.line("VPADDQ X1, X0, X0")
	f.line("VMOVD X0, (DI)")
	f.line("ADDQ $4, DI")
	f.line("ADDQ $4, DX")
	f.line("DECQ CX")
	f.line("JNZ  row")
	f.line("VZEROUPPER")
	f.line("RET")
}

// weigh multiplies the sums of columns with a zero point, and their scales with
// one, 16 a step.
func weigh(f *file) {
	f.function("weighAVX2(bias, sums *int32, multiplier, units *float32, steps int, zero int32, scale float32)", 48)
	f.line("MOVQ bias+0(FP), DI")
	f.line("MOVQ sums+8(FP), SI")
	f.line("MOVQ multiplier+16(FP), R8")
	f.line("MOVQ units+24(FP), R9")
	f.line("MOVQ steps+32(FP), CX")
	f.line("MOVL zero+40(FP), AX")
	f.line("VMOVD AX, X4")
	f.line("VPBROADCASTD X4, Y4")
	f.line("VBROADCASTSS scale+44(FP), Y5")
	f.label("columns")
	for i := range 2 {
		f.line("VPMULLD %d(SI), Y4, Y%d", 32*i, i)
		f.line("VMULPS %d(R9), Y5, Y%d", 32*i, 2+i)
	}
	for i := range 2 {
		f.line("VMOVDQU Y%d, %d(DI)", i, 32*i)
		f.line("VMOVUPS Y%d, %d(R8)", 2+i, 32*i)
	}
	for _, r := range []string{"DI", "SI", "R8", "R9"} {
		f.line("ADDQ $64, %s", r)
	}
	f.line("DECQ CX")
	f.line("JNZ  columns")
	f.line("VZEROUPPER")
	f.line("RET")
}
