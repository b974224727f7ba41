package main

// avx512Store requantizes one tile: bias and multiplier a row from p, then the
// bounds, then bytes by truncation, which the bounds make exact. VMAXPS gives
// its second source, the bound, for a NaN.
func avx512Store() string {
	f := newFile()
	f.function("storeAVX512(dst *uint8, ldc int, sums *[MR * NR]int32, p *store)", 32)
	f.line("MOVQ dst+0(FP), DI")
	f.line("MOVQ ldc+8(FP), R8")
	f.line("MOVQ sums+16(FP), SI")
	f.line("MOVQ p+24(FP), DX")
	f.line("VBROADCASTSS %d(DX), Z4", 8*rows)
	f.line("VBROADCASTSS %d(DX), Z5", 8*rows+4)
	f.line("VPBROADCASTD %d(DX), Z6", 8*rows+8)
	for r := range rows {
		f.line("VMOVDQU32 %d(SI), Z%d", 64*r, r)
		f.line("VPADDD.BCST %d(DX), Z%d, Z%d", 4*r, r, r)
		f.line("VCVTDQ2PS Z%d, Z%d", r, r)
		f.line("VMULPS.BCST %d(DX), Z%d, Z%d", 4*(rows+r), r, r)
		f.line("VMAXPS Z4, Z%d, Z%d", r, r)
		f.line("VMINPS Z5, Z%d, Z%d", r, r)
		f.line("VCVTPS2DQ Z%d, Z%d", r, r)
		f.line("VPADDD Z6, Z%d, Z%d", r, r)
		f.line("VPMOVDB Z%d, (DI)", r)
		if r < rows-1 {
			f.line("ADDQ R8, DI")
		}
	}
	f.line("VZEROUPPER")
	f.line("RET")
	return f.String()
}
