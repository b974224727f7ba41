package main

// bounds is min(max(x, lo), hi), 16 elements a step, for bounds that are
// numbers. Of two zeros, taken in both orders, max keeps the joined +0 and min
// the joined -0; a NaN is put back.
func bounds() string {
	f := &file{}
	f.WriteString(header)
	f.WriteString("\n// func clampAVX512(dst, x *float32, steps int, lo, hi float32)\nTEXT ·clampAVX512(SB), NOSPLIT, $0-32\n")
	f.line("MOVQ dst+0(FP), DI")
	f.line("MOVQ x+8(FP), SI")
	f.line("MOVQ steps+16(FP), CX")
	f.line("VBROADCASTSS lo+24(FP), Z8")
	f.line("VBROADCASTSS hi+28(FP), Z9")
	f.WriteString("\nnext:\n")
	f.line("VMOVUPS (SI), Z0")
	f.line("VMAXPS Z0, Z8, Z1")
	f.line("VMAXPS Z8, Z0, Z2")
	f.line("VPANDD Z1, Z2, Z1")
	f.line("VMINPS Z1, Z9, Z2")
	f.line("VMINPS Z9, Z1, Z3")
	f.line("VPORD Z2, Z3, Z1")
	f.line("VCMPPS $3, Z0, Z0, K1")
	f.line("VBLENDMPS Z0, Z1, K1, Z1")
	f.line("VMOVUPS Z1, (DI)")
	f.line("ADDQ $64, SI")
	f.line("ADDQ $64, DI")
	f.line("DECQ CX")
	f.line("JNZ  next")
	f.line("VZEROUPPER")
	f.line("RET")
	return f.String()
}
