package main

import "math"

// power holds the coefficients of e^r for |r| <= ln2/2, lowest first,
// interpolated at Chebyshev's nodes; it is at most 2e-7 off.
var power = []float32{1.00000012, 1, 0.499988228, 0.166664988, 0.0419225618, 0.00836986955}

// load writes an instruction that reads memory, under a mask zeros behind it.
func (f *file) load(name, from, mask, to string) {
	if mask != "" {
		name += ".Z"
	}
	f.line("%s %s, %s%s", name, from, mask, to)
}

// softmax: rows of vectors, the last of each under the mask K1. R10 is the row
// of x, R11 that of what is added, R12 that of bytes, R13 the offset, R8 the bit
// of a row in R15. First the scores
// ((x − off)·by)·times + add and their maximum, Z12; then exponentials, beside
// them in e, and their sum; then bytes.
func softmax() string {
	f := newFile()
	f.function("softmaxAVX512")
	f.line("MOVQ call_columns(DI), R9")
	f.line("KMOVW R9, K1")
	f.line("MOVQ call_vectors(DI), AX")
	f.line("MOVQ call_x(DI), R10")
	f.line("MOVQ call_other(DI), R11")
	f.line("MOVQ call_y(DI), R12")
	f.line("MOVQ call_off(DI), R13")
	f.line("MOVQ $1, R8")
	f.line("XORL R15, R15")
	f.label("row")
	f.line("MOVQ R10, SI")
	f.line("MOVQ R11, BX")
	f.line("VBROADCASTSS (R13), Z20")
	f.line("VBROADCASTSS call_by(DI), Z21")
	f.line("VBROADCASTSS call_times(DI), Z22")
	f.number(float32(math.Inf(-1)), "Z12")
	step := func(name string, body func(mask string)) {
		// All vectors but the last are whole: masked stores would keep the loads of
		// the next loop waiting.
		f.line("MOVQ AX, CX")
		f.line("DECQ CX")
		f.line("JZ   %sLast", name)
		f.label(name)
		body("")
		f.line("DECQ CX")
		f.line("JNZ  %s", name)
		f.label(name + "Last")
		body("K1, ")
	}
	step("scores", func(mask string) {
		f.load("VMOVUPS", "(SI)", mask, "Z0")
		f.line("VSUBPS Z20, Z0, Z0")
		f.line("VMULPS Z21, Z0, Z0")
		f.line("VMULPS Z22, Z0, Z0")
		f.load("VADDPS", "(BX), Z0", mask, "Z0")
		f.line("VMOVUPS Z0, %s(SI)", mask)
		f.line("VMAXPS Z0, Z12, %sZ12", mask)
		f.line("ADDQ $64, SI")
		f.line("ADDQ call_addStep(DI), BX")
	})
	// The maximum of all lanes in all lanes. What is no number shows in the
	// exponentials.
	f.line("VSHUFF64X2 $0x4e, Z12, Z12, Z0")
	f.line("VMAXPS Z0, Z12, Z12")
	f.line("VSHUFF64X2 $0xb1, Z12, Z12, Z0")
	f.line("VMAXPS Z0, Z12, Z12")
	f.line("VPERMILPS $0x4e, Z12, Z0")
	f.line("VMAXPS Z0, Z12, Z12")
	f.line("VPERMILPS $0xb1, Z12, Z0")
	f.line("VMAXPS Z0, Z12, Z12")

	f.line("MOVQ R10, SI")
	f.line("MOVQ call_e(DI), DX")
	// What is less adds nothing to a sum of at least 1, and stays nothing on grids
	// that this runs for; subnormal powers would take a hundred times as long.
	f.number(-80, "Z31")
	f.number(math.Log2E, "Z30")
	f.number(-0.693145751953125, "Z29") // ln2 in two parts
	f.number(-1.42860682030941723212e-6, "Z28")
	for i, c := range power {
		f.number(c, []string{"Z22", "Z23", "Z24", "Z25", "Z26", "Z27"}[i])
	}
	f.line("VPXORD Z13, Z13, Z13")
	step("powers", func(mask string) {
		f.load("VMOVUPS", "(SI)", mask, "Z0")
		f.line("VSUBPS Z12, Z0, Z0")
		f.line("VMAXPS Z0, Z31, Z0")
		f.line("VMULPS Z30, Z0, Z1")
		f.line("VRNDSCALEPS $0, Z1, Z1")
		f.line("VFMADD231PS Z29, Z1, Z0")
		f.line("VFMADD231PS Z28, Z1, Z0")
		f.line("VMOVAPS Z27, Z2")
		for _, c := range []string{"Z26", "Z25", "Z24", "Z23", "Z22"} {
			f.line("VFMADD213PS %s, Z0, Z2", c)
		}
		f.line("VSCALEFPS Z1, Z2, Z2")
		f.line("VMOVUPS Z2, %s(DX)", mask)
		f.line("VADDPS Z2, Z13, %sZ13", mask)
		f.line("ADDQ $64, SI")
		f.line("ADDQ $64, DX")
	})
	f.line("VSHUFF64X2 $0x4e, Z13, Z13, Z0")
	f.line("VADDPS Z0, Z13, Z13")
	f.line("VSHUFF64X2 $0xb1, Z13, Z13, Z0")
	f.line("VADDPS Z0, Z13, Z13")
	f.line("VPERMILPS $0x4e, Z13, Z0")
	f.line("VADDPS Z0, Z13, Z13")
	f.line("VPERMILPS $0xb1, Z13, Z0")
	f.line("VADDPS Z0, Z13, Z13")

	f.line("MOVQ call_e(DI), SI")
	f.line("MOVQ R12, DX")
	f.quantizer(false)
	f.line("VDIVPS Z13, Z30, Z30")
	f.line("VBROADCASTSS call_error(DI), Z25")
	f.line("KXORW K3, K3, K3")
	step("bytes", func(mask string) {
		f.load("VMOVUPS", "(SI)", mask, "Z0")
		f.line("VMULPS Z30, Z0, Z0")
		// The greater the quotient, the greater its error.
		f.line("VMOVAPS Z27, Z2")
		f.line("VFNMADD231PS Z25, Z0, Z2")
		f.quantize(mask, "Z2", "Z0")
		f.line("VPADDD Z26, Z0, Z0")
		f.line("KORW K5, K3, K3")
		f.line("VPMOVDB Z0, %s(DX)", mask)
		f.line("ADDQ $64, SI")
		f.line("ADDQ $16, DX")
	})
	f.line("KMOVW K3, CX")
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
	return f.table()
}
