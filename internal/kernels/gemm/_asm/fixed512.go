package main

// fixed writes what makes of sums integers less their zero point, by the blocks
// that convert.Rescaling.Vector describes: doubled products have their quotients
// in the upper halves of lanes of 64 bits.
func (f *file) fixed(v, m int) {
	const block, odd, sign = 64 * 6, firstB + 6, firstB + 7
	f.line("MOVQ call_fixed(DI), AX")
	f.line("MOVL $0x5555, CX")
	f.line("KMOVW CX, K5")
	f.line("MOVQ call_ldc(DI), CX")
	for j := range v {
		for i := range 6 {
			f.line("VMOVDQU32 %d(AX), Z%d", block*j+64*i, firstB+i)
		}
		for r := range m {
			x := acc(v, r, j)
			f.line("VPSRLVD Z%d, Z%d, Z%d", firstB, x, sign)
			f.line("VPADDD Z%d, Z%d, Z%d", x, x, x)
			f.line("VPSRLQ $32, Z%d, Z%d", x, odd)
			f.line("VPMULDQ Z%d, Z%d, Z%d", firstB+1, x, x)
			f.line("VPMULDQ Z%d, Z%d, Z%d", firstB+2, odd, odd)
			f.line("VPADDQ Z%d, Z%d, Z%d", firstB+3, x, x)
			f.line("VPADDQ Z%d, Z%d, Z%d", firstB+4, odd, odd)
			f.line("VMOVSHDUP Z%d, K5, Z%d", x, odd)
			f.line("VPSUBD Z%d, Z%d, Z%d", sign, odd, odd)
			f.line("VPSRAVD Z%d, Z%d, Z%d", firstB+5, odd, x)
		}
	}
}
