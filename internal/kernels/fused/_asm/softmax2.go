package main

import (
	"fmt"
	"math"
)

// softmax2 is softmax for vectors of AVX2, the last of each row under the mask
// Y9 and its bytes stored one by one, R14 of them; registers are those of
// softmax. Arguments of e are limited to where its powers are normal: what is
// below is nothing beside the sum.
func softmax2() string {
	f := newFile()
	f.function("softmaxAVX2")
	f.line("MOVQ call_columns(DI), R14")
	f.line("LEAQ sliding<>+32(SB), AX")
	f.line("MOVQ R14, CX")
	f.line("SHLQ $2, CX")
	f.line("SUBQ CX, AX")
	f.line("VMOVUPS (AX), Y9")
	f.line("MOVQ call_vectors(DI), AX")
	f.line("MOVQ call_x(DI), R10")
	f.line("MOVQ call_other(DI), R11")
	f.line("MOVQ call_y(DI), R12")
	f.line("MOVQ call_off(DI), R13")
	f.line("MOVQ $1, R8")
	f.line("XORL R15, R15")
	f.label("row")
	step := func(name string, body func(last bool)) {
		f.line("MOVQ AX, CX")
		f.line("DECQ CX")
		f.line("JZ   %sLast", name)
		f.label(name)
		body(false)
		f.line("DECQ CX")
		f.line("JNZ  %s", name)
		f.label(name + "Last")
		body(true)
	}
	load := func(last bool, at, to string) {
		if last {
			f.line("VMASKMOVPS (%s), Y9, %s", at, to)
		} else {
			f.line("VMOVUPS (%s), %s", at, to)
		}
	}
	store := func(last bool, from, at string) {
		if last {
			f.line("VMASKMOVPS %s, Y9, (%s)", from, at)
		} else {
			f.line("VMOVUPS %s, (%s)", from, at)
		}
	}
	across := func(instruction, reg string) {
		f.line("VEXTRACTF128 $1, %s, X0", reg)
		f.line("%s X0, X%s, X0", instruction, reg[1:])
		f.line("VPERMILPS $0x4e, X0, X1")
		f.line("%s X1, X0, X0", instruction)
		f.line("VPERMILPS $0xb1, X0, X1")
		f.line("%s X1, X0, X0", instruction)
		f.line("VBROADCASTSS X0, %s", reg)
	}
	f.line("MOVQ R10, SI")
	f.line("MOVQ R11, BX")
	f.line("VBROADCASTSS (R13), Y3")
	f.line("VBROADCASTSS call_by(DI), Y4")
	f.line("VBROADCASTSS call_times(DI), Y5")
	f.number(float32(math.Inf(-1)), "Y6")
	f.line("VMOVAPS Y6, Y7")
	step("scores", func(last bool) {
		load(last, "SI", "Y0")
		load(last, "BX", "Y1")
		f.line("VSUBPS Y3, Y0, Y0")
		f.line("VMULPS Y4, Y0, Y0")
		f.line("VMULPS Y5, Y0, Y0")
		f.line("VADDPS Y1, Y0, Y0")
		store(last, "Y0", "SI")
		if last {
			f.line("VBLENDVPS Y9, Y0, Y6, Y0")
		}
		f.line("VMAXPS Y0, Y7, Y7")
		f.line("ADDQ $32, SI")
		f.line("ADDQ call_addStep(DI), BX")
	})
	across("VMAXPS", "Y7")

	f.line("MOVQ R10, SI")
	f.line("MOVQ call_e(DI), DX")
	f.number(-86, "Y10")
	f.number(math.Log2E, "Y11")
	f.number(-0.693145751953125, "Y12")
	f.number(-1.42860682030941723212e-6, "Y13")
	f.number(power[5], "Y14")
	for i, reg := range []string{"Y3", "Y4", "Y5", "Y6", "Y15"} {
		f.number(power[i], reg)
	}
	f.line("VXORPS Y8, Y8, Y8")
	step("powers", func(last bool) {
		load(last, "SI", "Y0")
		f.line("VSUBPS Y7, Y0, Y0")
		f.line("VMAXPS Y0, Y10, Y0")
		f.line("VMULPS Y11, Y0, Y1")
		f.line("VROUNDPS $0, Y1, Y1")
		f.line("VFMADD231PS Y12, Y1, Y0")
		f.line("VFMADD231PS Y13, Y1, Y0")
		f.line("VMOVAPS Y14, Y2")
		for _, c := range []string{"Y15", "Y6", "Y5", "Y4", "Y3"} {
			f.line("VFMADD213PS %s, Y0, Y2", c)
		}
		f.line("VCVTPS2DQ Y1, Y1")
		f.line("VPSLLD $23, Y1, Y1")
		f.line("VPADDD Y1, Y2, Y2")
		if last {
			f.line("VANDPS Y9, Y2, Y2")
		}
		store(last, "Y2", "DX")
		f.line("VADDPS Y2, Y8, Y8")
		f.line("ADDQ $32, SI")
		f.line("ADDQ $32, DX")
	})
	across("VADDPS", "Y8")

	f.line("MOVQ call_e(DI), SI")
	f.line("MOVQ R12, DX")
	f.quantizer2()
	f.line("VDIVPS Y8, %s, %s", factor, factor)
	f.line("VBROADCASTSS call_error(DI), Y3")
	f.line("VPBROADCASTD call_zero(DI), Y4")
	f.bits(255, "Y5")
	f.line("VXORPS Y6, Y6, Y6")
	step("bytes", func(last bool) {
		load(last, "SI", "Y0")
		f.line("VMULPS %s, Y0, Y0", factor)
		// The greater the quotient, the greater its error.
		f.line("VMOVAPS %s, Y7", slack)
		f.line("VFNMADD231PS Y3, Y0, Y7")
		f.quantize2("Y7", "Y0")
		if last {
			f.line("VANDPS Y9, Y2, Y2")
		}
		f.line("VORPS Y2, Y6, Y6")
		f.line("VPADDD Y4, Y0, Y0")
		f.line("VPAND Y5, Y0, Y0")
		f.line("VEXTRACTI128 $1, Y0, X1")
		f.line("VPACKUSDW X1, X0, X0")
		f.line("VPACKUSWB X0, X0, X0")
		if !last {
			f.line("VMOVQ X0, (DX)")
		} else {
			f.line("VMOVQ X0, SI")
			f.line("MOVQ R14, CX")
			f.label("one")
			f.line("MOVB SI, (DX)")
			f.line("SHRQ $8, SI")
			f.line("INCQ DX")
			f.line("DECQ CX")
			f.line("JNZ  one")
		}
		f.line("ADDQ $32, SI")
		f.line("ADDQ $8, DX")
	})
	f.line("VMOVMSKPS Y6, CX")
	f.line("MOVQ R15, DX")
	f.line("ORQ R8, DX")
	f.line("TESTL CX, CX")
	f.line("CMOVQNE DX, R15")
	f.line("SHLQ $1, R8")
	f.line("ADDQ call_xStep(DI), R10")
	f.line("ADDQ call_otherStep(DI), R11")
	f.line("ADDQ call_yStep(DI), R12")
	f.line("ADDQ $4, R13")
	f.line("DECQ call_rows(DI)")
	f.line("JNZ  row")
	f.line("MOVQ call_doubt(DI), R8")
	f.line("MOVQ R15, (R8)")
	f.line("VZEROUPPER")
	f.line("RET")
	f.table()
	f.WriteString("\n// Ones, then zeros.\n")
	for i := range 16 {
		word := "0xffffffff"
		if i >= 8 {
			word = "0"
		}
		fmt.Fprintf(f, "DATA sliding<>+%d(SB)/4, $%s\n", 4*i, word)
	}
	f.WriteString("GLOBL sliding<>(SB), RODATA|NOPTR, $64\n")
	return f.String()
}
