package main

// floats2 writes the float32 kernel of 16 columns of a panel of any width, where
// the steps of k lie R14 bytes apart: accumulators Y0… (row r in Y2r, Y2r+1), B
// in Y12, Y13, A in Y14, Y15. Lines so far apart share few places of the first
// cache, so that B comes from the second: some steps ahead it is called for.
func floats2(f *file) {
	p := &kernel{file: f, name: "floatsAVX2", most: 6, step: 4, scale: 4, unroll: 4}
	p.begin = func(m int) {
		f.line("MOVQ call_stride(DI), R14")
		for i := range 2 * m {
			f.line("VXORPS Y%d, Y%d, Y%d", i, i, i)
		}
	}
	p.one = func(m, s int) {
		f.line("VMOVUPS (SI), Y12")
		f.line("VMOVUPS 32(SI), Y13")
		f.line("PREFETCHT0 (SI)(R14*8)")
		f.line("ADDQ R14, SI")
		for r := range m {
			a := 14 + r%2
			f.line("VBROADCASTSS %d(R%d)(AX*1), Y%d", 4*s, firstRow+r, a)
			f.line("VFMADD231PS Y12, Y%d, Y%d", a, 2*r)
			f.line("VFMADD231PS Y13, Y%d, Y%d", a, 2*r+1)
		}
	}
	p.end = func(m int, _ string) {
		f.line("MOVQ call_bias(DI), AX")
		for i := range 2 * m {
			f.line("VADDPS %d(AX), Y%d, Y%d", 32*(i%2), i, i)
		}
		p.other(m, "CX", func(r int) {
			f.line("VADDPS (AX), Y%d, Y%d", 2*r, 2*r)
			f.line("VADDPS 32(AX), Y%d, Y%d", 2*r+1, 2*r+1)
		})
		f.line("VBROADCASTSS call_least(DI), Y12")
		f.line("VBROADCASTSS call_most(DI), Y13")
		f.line("VBROADCASTSS call_tie(DI), Y14")
		for r := range m {
			for h := range 2 {
				x := 2*r + h
				f.line("VMAXPS Y%d, Y12, Y%d", x, x)
				f.line("VADDPS Y14, Y%d, Y%d", x, x)
				f.line("VMINPS Y%d, Y13, Y%d", x, x)
				f.line("VMOVUPS Y%d, %d(DX)", x, 32*h)
			}
			f.line("ADDQ CX, DX")
		}
	}
	p.write()
}

// unsigned2 turns the bits of n·64 bytes that eight bytes hold.
func unsigned2(f *file) {
	f.function("unsignedAVX2(dst, src *uint8, n int, bits uint64)", 32)
	f.line("MOVQ dst+0(FP), DI")
	f.line("MOVQ src+8(FP), SI")
	f.line("MOVQ n+16(FP), CX")
	f.line("VPBROADCASTQ bits+24(FP), Y2")
	f.label("next")
	f.line("VPXOR (SI), Y2, Y0")
	f.line("VPXOR 32(SI), Y2, Y1")
	f.line("VMOVDQU Y0, (DI)")
	f.line("VMOVDQU Y1, 32(DI)")
	f.line("ADDQ $64, SI")
	f.line("ADDQ $64, DI")
	f.line("DECQ CX")
	f.line("JNZ  next")
	f.line("VZEROUPPER")
	f.line("RET")
}

// center2: X0…X3 are four rows of 16 bytes less the zero point as far as an
// int8 holds it, X4…X7 what that lacks; the difference of bytes that wraps
// tells. Interleaved they become four times four columns. X12…X15 add up the
// columns, X8 holds the zero point, X9 what turns the sign bit, X10 ones.
func center2(f *file) {
	f.function("centerAVX2(dst *int8, sums *int32, src *uint8, c *centering)", 32)
	f.line("MOVQ dst+0(FP), DI")
	f.line("MOVQ sums+8(FP), R11")
	f.line("MOVQ src+16(FP), SI")
	f.line("MOVQ c+24(FP), DX")
	f.line("MOVQ centering_groups(DX), CX")
	f.line("MOVQ centering_step(DX), R8")
	f.line("MOVQ centering_stride(DX), R9")
	f.line("MOVQ centering_second(DX), R10")
	f.line("VPBROADCASTD centering_zero(DX), X8")
	f.line("VPBROADCASTD centering_flip(DX), X9")
	f.line("VPCMPEQD X10, X10, X10")
	f.line("VPABSB X10, X10")
	for i := range 4 {
		f.line("VMOVDQU %d(R11), X%d", 16*i, 12+i)
	}
	f.line("LEAQ (R8)(R8*2), AX")
	f.label("group")
	for i, at := range []string{"(SI)", "(SI)(R8*1)", "(SI)(R8*2)", "(SI)(AX*1)"} {
		f.line("VPXOR %s, X9, X11", at)
		f.line("VPSUBSB X8, X11, X%d", i)
		f.line("VPSUBB X8, X11, X%d", 4+i)
		f.line("VPSUBB X%d, X%d, X%d", i, 4+i, 4+i)
	}
	f.interleaved(0, "(DI)")
	f.line("TESTQ R10, R10")
	f.line("JZ   one")
	f.interleaved(4, "(DI)(R10*1)")
	f.label("one")
	f.line("LEAQ (SI)(R8*4), SI")
	f.line("ADDQ R9, DI")
	f.line("DECQ CX")
	f.line("JNZ  group")
	for i := range 4 {
		f.line("VMOVDQU X%d, %d(R11)", 12+i, 16*i)
	}
	f.line("VZEROUPPER")
	f.line("RET")
}

// interleaved stores four rows from register x on as columns, and adds them up.
func (f *file) interleaved(x int, at string) {
	f.line("VPUNPCKLBW X%d, X%d, X11", x+1, x)
	f.line("VPUNPCKHBW X%d, X%d, X%d", x+1, x, x)
	f.line("VPUNPCKLBW X%d, X%d, X%d", x+3, x+2, x+1)
	f.line("VPUNPCKHBW X%d, X%d, X%d", x+3, x+2, x+2)
	f.line("VPUNPCKHWD X%d, X11, X%d", x+1, x+3)
	f.line("VPUNPCKLWD X%d, X11, X11", x+1)
	f.line("VPUNPCKHWD X%d, X%d, X%d", x+2, x, x+1)
	f.line("VPUNPCKLWD X%d, X%d, X%d", x+2, x, x+2)
	// In order: X11, x+3, x+2, x+1.
	for i, r := range []int{11, x + 3, x + 2, x + 1} {
		f.line("VMOVDQU X%d, %d%s", r, 16*i, at)
		f.line("VPMADDUBSW X%d, X10, X%d", r, r)
		f.line("VPMOVSXBW X10, Y%d", x)
		f.line("VPMADDWD X%d, X%d, X%d", x, r, r)
		f.line("VPADDD X%d, X%d, X%d", r, 12+i, 12+i)
	}
}

func panels2() string {
	f := newFile()
	floats2(f)
	unsigned2(f)
	center2(f)
	row2(f)
	return f.String()
}
