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
	return f.String()
}
