package main

// losses writes the errors of rounding, four elements a step for two scales, and
// the ends of what is rounded, sixteen a step.
func losses() string {
	f := &file{}
	f.WriteString(header)
	f.WriteString("\n// func lossesAVX2(sums *[2]float64, x *float32, steps int, scales *[2]float64, lo, hi float64)\n")
	f.WriteString("TEXT ·lossesAVX2(SB), NOSPLIT, $0-48\n")
	f.line("MOVQ sums+0(FP), DI")
	f.line("MOVQ x+8(FP), SI")
	f.line("MOVQ steps+16(FP), CX")
	f.line("MOVQ scales+24(FP), AX")
	f.line("VBROADCASTSD (AX), Y10")
	f.line("VBROADCASTSD 8(AX), Y11")
	f.line("VBROADCASTSD lo+32(FP), Y12")
	f.line("VBROADCASTSD hi+40(FP), Y13")
	f.line("VBROADCASTSD ·roundMagic<>(SB), Y14")
	f.line("VMOVUPD (DI), X9") // a sum for each scale
	f.WriteString("\nnext:\n")
	f.line("VCVTPS2PD (SI), Y0")
	for i := range 2 {
		s, y := 10+i, 1+i
		f.line("VDIVPD Y%d, Y0, Y%d", s, y)
		f.line("VMAXPD Y12, Y%d, Y%d", y, y)
		f.line("VMINPD Y13, Y%d, Y%d", y, y)
		f.line("VADDPD Y14, Y%d, Y%d", y, y)
		f.line("VSUBPD Y14, Y%d, Y%d", y, y)
		f.line("VMULPD Y%d, Y%d, Y%d", s, y, y)
		f.line("VSUBPD Y%d, Y0, Y%d", y, y)
		f.line("VMULPD Y%d, Y%d, Y%d", y, y, y)
	}
	// Both sums take the elements in order.
	f.line("VUNPCKLPD Y2, Y1, Y3")
	f.line("VUNPCKHPD Y2, Y1, Y4")
	f.line("VADDPD X3, X9, X9")
	f.line("VADDPD X4, X9, X9")
	f.line("VEXTRACTF128 $1, Y3, X3")
	f.line("VEXTRACTF128 $1, Y4, X4")
	f.line("VADDPD X3, X9, X9")
	f.line("VADDPD X4, X9, X9")
	f.line("ADDQ $16, SI")
	f.line("DECQ CX")
	f.line("JNZ  next")
	f.line("VMOVUPD X9, (DI)")
	f.line("VZEROUPPER")
	f.line("RET")
	f.WriteString("\nDATA ·roundMagic<>(SB)/8, $0x4338000000000000\nGLOBL ·roundMagic<>(SB), RODATA|NOPTR, $8\n")

	f.WriteString("\n// func endsAVX2(r *[3]float32, x *float32, steps int)\n")
	f.WriteString("TEXT ·endsAVX2(SB), NOSPLIT, $0-24\n")
	f.line("MOVQ r+0(FP), DI")
	f.line("MOVQ x+8(FP), SI")
	f.line("MOVQ steps+16(FP), CX")
	for i := range 4 {
		f.line("VBROADCASTSS (SI), Y%d", i) // least in 0 and 1, greatest in 2 and 3
	}
	f.line("VXORPS Y4, Y4, Y4")
	f.line("VXORPS Y5, Y5, Y5")
	f.WriteString("\nmore:\n")
	for i := range 2 {
		f.line("VMOVUPS %d(SI), Y%d", 32*i, 6+i)
		f.line("VMINPS Y%d, Y%d, Y%d", 6+i, i, i)
		f.line("VMAXPS Y%d, Y%d, Y%d", 6+i, 2+i, 2+i)
		f.line("VSUBPS Y%d, Y%d, Y%d", 6+i, 6+i, 6+i)
		f.line("VORPS Y%d, Y%d, Y%d", 6+i, 4+i, 4+i)
	}
	f.line("ADDQ $64, SI")
	f.line("DECQ CX")
	f.line("JNZ  more")
	for i, op := range []string{"VMINPS", "VMAXPS", "VORPS"} {
		y := 2 * i
		f.line("%s Y%d, Y%d, Y%d", op, y+1, y, y)
		f.line("VEXTRACTF128 $1, Y%d, X7", y)
		f.line("%s X7, X%d, X%d", op, y, y)
		for _, order := range []int{0x4e, 0xb1} {
			f.line("VPERMILPS $%#x, X%d, X7", order, y)
			f.line("%s X7, X%d, X%d", op, y, y)
		}
		f.line("VMOVSS X%d, %d(DI)", y, 4*i)
	}
	f.line("VZEROUPPER")
	f.line("RET")
	return f.String()
}
