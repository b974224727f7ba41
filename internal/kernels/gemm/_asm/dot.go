package main

const group = 4

// avx2Interleave: X0..X3 hold the rows, then the columns.
func avx2Interleave(f *file) {
	f.function("interleaveAVX2(dst, src *uint8, groups, step int, flip uint8)", 33)
	f.line("MOVQ dst+0(FP), DI")
	f.line("MOVQ src+8(FP), SI")
	f.line("MOVQ groups+16(FP), CX")
	f.line("MOVQ step+24(FP), DX")
	f.line("VPBROADCASTB flip+32(FP), X9")
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
	f.line("ADDQ $%d, DI", cols*group)
	f.line("DECQ CX")
	f.line("JNZ  next")
	f.line("VZEROUPPER")
	f.line("RET")
}

// vnni: two sets of accumulators, Z0..Z3 and Z4..Z7, as one would wait for the
// latency of VPDPBUSD.
func vnni() string {
	f := newFile()
	f.function("dotVNNI(sums *[MR * NR]int32, a *int8, b *uint8, groups int)", 32)
	f.line("MOVQ sums+0(FP), DI")
	f.line("MOVQ a+8(FP), SI")
	f.line("MOVQ b+16(FP), DX")
	f.line("MOVQ groups+24(FP), CX")
	for r := range rows {
		f.line("VMOVDQU32 %d(DI), Z%d", 64*r, r)
	}
	for r := range rows {
		f.line("VPXORD Z%d, Z%d, Z%d", rows+r, rows+r, rows+r)
	}
	multiply := func(at, b, acc int) {
		f.line("VMOVDQU32 %d(DX), Z%d", 64*at, b)
		for r := range rows {
			f.line("VPDPBUSD.BCST %d(SI), Z%d, Z%d", group*(rows*at+r), b, acc+r)
		}
	}
	f.line("SUBQ $2, CX")
	f.line("JLT  last")
	f.label("pair")
	multiply(0, 16, 0)
	multiply(1, 17, rows)
	f.line("ADDQ $%d, SI", 2*rows*group)
	f.line("ADDQ $%d, DX", 2*cols*group)
	f.line("SUBQ $2, CX")
	f.line("JGE  pair")
	f.label("last")
	f.line("ADDQ $1, CX")
	f.line("JLT  store")
	multiply(0, 16, 0)
	f.label("store")
	for r := range rows {
		f.line("VPADDD Z%d, Z%d, Z%d", rows+r, r, r)
		f.line("VMOVDQU32 Z%d, %d(DI)", r, 64*r)
	}
	f.line("VZEROUPPER")
	f.line("RET")
	return f.String()
}
