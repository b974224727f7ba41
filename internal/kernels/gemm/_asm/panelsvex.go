package main

// bytesVEX writes the kernel of products of bytes for AVX-VNNI, of 16 columns
// of a panel of any width: accumulators Y0… (row r in Y2r, Y2r+1), B in Y12,
// Y13, A in Y14, Y15; R14 holds how far apart the steps of k lie.
func bytesVEX() string {
	f := newFile()
	p := &kernel{file: f, name: "bytesAVXVNNI", most: 6, step: 4, scale: 1, unroll: 4}
	p.begin = func(m int) {
		f.line("MOVQ call_stride(DI), R14")
		f.line("MOVQ call_bias(DI), AX")
		for i := range 2 * m {
			f.line("VMOVDQU %d(AX), Y%d", 32*(i%2), i)
		}
	}
	p.one = func(m, s int) {
		f.line("VMOVDQU (SI), Y12")
		f.line("VMOVDQU 32(SI), Y13")
		f.line("ADDQ R14, SI")
		for r := range m {
			a := 14 + r%2
			f.line("VPBROADCASTD %d(R%d)(AX*1), Y%d", 4*s, firstRow+r, a)
			f.dot(2*r, a, 12)
			f.dot(2*r+1, a, 13)
		}
	}
	p.end = func(m int, floats string) { endBytesVEX(f, m, floats) }
	p.write()
	return f.String()
}

// dot adds to each int32 of a register the products of four unsigned bytes of a
// with four signed ones of b. Go's assembler has the instruction with the prefix
// EVEX alone; this is VEX.256.66.0F38.W0 50 /r of Intel's manual, volume 2.
func (f *file) dot(sum, a, b int) {
	high := func(r int) int { return (1 - r>>3) & 1 }
	f.line("BYTE $0xc4; BYTE $%#02x; BYTE $%#02x; BYTE $0x50; BYTE $%#02x // VPDPBUSD Y%d, Y%d, Y%d",
		high(sum)<<7|1<<6|high(b)<<5|2, (15-a)<<3|1<<2|1, 3<<6|sum&7<<3|b&7, b, a, sum)
}

// endBytesVEX: multipliers in Y12, Y13; then Y12 holds the greatest value as a
// float, Y13 the zero point as words, Y14 the least value, Y15 what turns the
// sign bit.
func endBytesVEX(f *file, m int, floats string) {
	f.line("MOVQ call_multiplier(DI), AX")
	f.line("VMOVUPS (AX), Y12")
	f.line("VMOVUPS 32(AX), Y13")
	f.line("CMPQ call_float(DI), $1")
	f.line("JGT  %s", floats)
	for i := range 2 * m {
		f.line("VCVTDQ2PS Y%d, Y%d", i, i)
		f.line("VMULPS Y%d, Y%d, Y%d", 12+i%2, i, i)
	}
	f.line("CMPQ call_float(DI), $0")
	f.line("JNE  %s", floats)
	f.line("VBROADCASTSS call_most(DI), Y12")
	f.line("VPBROADCASTD call_zero(DI), Y13")
	f.line("VPBROADCASTD call_low(DI), Y14")
	f.line("VPBROADCASTD call_flip(DI), Y15")
	for r := range m {
		x, y := 2*r, 2*r+1
		for _, v := range []int{x, y} {
			f.line("VMINPS Y%d, Y12, Y%d", v, v)
			f.line("VCVTPS2DQ Y%d, Y%d", v, v)
		}
		f.line("VPACKSSDW Y%d, Y%d, Y%d", y, x, x)
		f.line("VPERMQ $0xd8, Y%d, Y%d", x, x)
		f.line("VPADDSW Y13, Y%d, Y%d", x, x)
		f.line("VEXTRACTI128 $1, Y%d, X%d", x, y)
		f.line("VPACKUSWB X%d, X%d, X%d", y, x, x)
		f.line("VPMAXUB X14, X%d, X%d", x, x)
		f.line("VPXOR X15, X%d, X%d", x, x)
		f.line("VMOVDQU X%d, (DX)", x)
		f.line("ADDQ CX, DX")
	}
	f.line("JMP  %sdone", floats)
	f.label(floats)
	for r := range m {
		f.line("VMOVUPS Y%d, (DX)", 2*r)
		f.line("VMOVUPS Y%d, 32(DX)", 2*r+1)
		f.line("ADDQ CX, DX")
	}
	f.label(floats + "done")
}
