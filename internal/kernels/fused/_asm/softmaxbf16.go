package main

import "math"

// softmaxBF16 writes softmax to bfloat16, row by row, of vectors, the last of each
// under the mask K1. R10 is the row of x, R11 that of what is added, R12 that of
// results.
func softmaxBF16() string {
	f := newFile()
	f.function("softmaxBF16")
	f.line("MOVQ call_columns(DI), R9")
	f.line("KMOVW R9, K1")
	f.line("MOVQ call_vectors(DI), AX")
	f.line("MOVQ call_x(DI), R10")
	f.line("MOVQ call_other(DI), R11")
	f.line("MOVQ call_y(DI), R12")
	f.line("VBROADCASTSS call_times(DI), Z16")
	f.number(float32(math.Inf(-1)), "Z17")
	f.number(1, "Z18")
	f.number(-80, "Z31")
	f.number(math.Log2E, "Z30")
	f.number(-0.693145751953125, "Z29") // ln2 in two parts
	f.number(-1.42860682030941723212e-6, "Z28")
	for i, c := range power {
		f.number(c, []string{"Z22", "Z23", "Z24", "Z25", "Z26", "Z27"}[i])
	}
	across := func(instruction, reg string) {
		for _, shuffle := range []string{"VSHUFF64X2 $0x4e, %[1]s, %[1]s, Z0", "VSHUFF64X2 $0xb1, %[1]s, %[1]s, Z0", "VPERMILPS $0x4e, %[1]s, Z0", "VPERMILPS $0xb1, %[1]s, Z0"} {
			f.line(shuffle, reg)
			f.line("%s Z0, %s, %s", instruction, reg, reg)
		}
	}
	f.label("row")
	f.line("MOVQ R10, SI")
	f.line("MOVQ R11, BX")
	f.line("VMOVAPS Z17, Z12")
	f.vectors("scores", func(mask string) {
		f.load("VMOVUPS", "(SI)", mask, "Z0")
		f.line("VMULPS Z16, Z0, Z0")
		f.load("VADDPS", "(BX), Z0", mask, "Z0")
		f.line("VMOVUPS Z0, %s(SI)", mask)
		f.line("VMAXPS Z12, Z0, %sZ12", mask)
		f.line("ADDQ $64, SI")
		f.line("ADDQ call_addStep(DI), BX")
	})
	across("VMAXPS", "Z12")
	f.line("MOVQ R10, SI")
	f.line("VPXORD Z13, Z13, Z13")
	f.vectors("powers", func(mask string) {
		f.load("VMOVUPS", "(SI)", mask, "Z0")
		f.line("VSUBPS Z12, Z0, Z0")
		f.line("VCMPPS $5, Z31, Z0, K2") // not less, or no number
		f.line("VMAXPS Z0, Z31, Z0")
		f.line("VMULPS Z30, Z0, Z1")
		f.line("VRNDSCALEPS $0, Z1, Z1")
		f.line("VFMADD231PS Z29, Z1, Z0")
		f.line("VFMADD231PS Z28, Z1, Z0")
		f.line("VMOVAPS Z27, Z2")
		for _, c := range []string{"Z26", "Z25", "Z24", "Z23", "Z22"} {
			f.line("VFMADD213PS %s, Z0, Z2", c)
		}
		f.line("VSCALEFPS.Z Z1, Z2, K2, Z2")
		f.line("VMOVUPS Z2, %s(SI)", mask)
		f.line("VADDPS Z2, Z13, %sZ13", mask)
		f.line("ADDQ $64, SI")
	})
	across("VADDPS", "Z13")
	f.line("VDIVPS Z13, Z18, Z13")
	f.line("MOVQ R10, SI")
	f.line("MOVQ R12, DX")
	f.vectors("results", func(mask string) {
		f.load("VMOVUPS", "(SI)", mask, "Z0")
		f.line("VMULPS Z13, Z0, Z0")
		// The assembler does not know it: EVEX, map 0F38, prefix F3.
		f.line("BYTE $0x62; BYTE $0xf2; BYTE $0x7e; BYTE $0x48; BYTE $0x72; BYTE $0xc0 // VCVTNEPS2BF16 Z0, Y0")
		f.line("VMOVDQU16 Y0, %s(DX)", mask)
		f.line("ADDQ $64, SI")
		f.line("ADDQ $32, DX")
	})
	f.line("ADDQ call_xStep(DI), R10")
	f.line("ADDQ call_otherStep(DI), R11")
	f.line("ADDQ call_yStep(DI), R12")
	f.line("DECQ call_rows(DI)")
	f.line("JNZ  row")
	f.line("VZEROUPPER")
	f.line("RET")
	return f.table()
}
