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

// pair is the registers of one of two rows that softmax takes together: beside
// its own it has the addresses of the other, a step behind.
type pair struct {
	x, t          string // of a vector
	most, sum     string
	off           string
	step, doubted string
}

// softmax: two rows at a time, of vectors, the last of each under the mask K1, as
// each row by itself would wait for its own maximum and its own sum. Where one row
// is left it is taken twice, the second time to no effect: its step R14 is 0. R10
// is the row of x, R11 that of what is added, R12 that of bytes, R13 the offset,
// R8 the bit of a row in R15. First the scores ((x − off)·by)·times + add and
// their maximum; then exponentials, beside them in e, and their sum; then bytes.
func softmax() string {
	f := newFile()
	pairs := []pair{
		{x: "Z0", t: "Z1", most: "Z12", sum: "Z13", off: "Z20", doubted: "K3"},
		{x: "Z2", t: "Z3", most: "Z14", sum: "Z15", off: "Z21", step: "(R14*1)", doubted: "K4"},
	}
	each := func(do func(p pair)) {
		for _, p := range pairs {
			do(p)
		}
	}
	// second loads the distance of the second row, 0 where there is none.
	second := func(field string) {
		f.line("MOVQ call_%s(DI), R14", field)
		f.line("CMPQ call_rows(DI), $1")
		f.line("CMOVQEQ R9, R14")
	}
	// across takes all lanes into one, in all lanes.
	across := func(instruction string, reg func(p pair) string) {
		for _, shuffle := range []string{"VSHUFF64X2 $0x4e, %[1]s, %[1]s, %[2]s", "VSHUFF64X2 $0xb1, %[1]s, %[1]s, %[2]s", "VPERMILPS $0x4e, %[1]s, %[2]s", "VPERMILPS $0xb1, %[1]s, %[2]s"} {
			each(func(p pair) { f.line(shuffle, reg(p), p.x) })
			each(func(p pair) { f.line("%s %s, %s, %s", instruction, p.x, reg(p), reg(p)) })
		}
	}
	f.function("softmaxAVX512")
	f.line("MOVQ call_columns(DI), R9")
	f.line("KMOVW R9, K1")
	f.line("XORL R9, R9")
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
	f.line("MOVQ $4, R14")
	f.line("CMPQ call_rows(DI), $1")
	f.line("CMOVQEQ R9, R14")
	f.line("VBROADCASTSS (R13)(R14*1), Z21")
	f.line("VBROADCASTSS call_by(DI), Z22")
	f.line("VBROADCASTSS call_times(DI), Z23")
	each(func(p pair) { f.number(float32(math.Inf(-1)), p.most) })
	second("otherStep")
	f.line("MOVQ R14, DX")
	second("xStep")
	f.vectors("scores", func(mask string) {
		each(func(p pair) { f.load("VMOVUPS", "(SI)"+p.step, mask, p.x) })
		each(func(p pair) { f.line("VSUBPS %s, %s, %s", p.off, p.x, p.x) })
		each(func(p pair) { f.line("VMULPS Z22, %s, %s", p.x, p.x) })
		each(func(p pair) { f.line("VMULPS Z23, %s, %s", p.x, p.x) })
		each(func(p pair) {
			at := "(BX)"
			if p.step != "" {
				at = "(BX)(DX*1)"
			}
			f.load("VADDPS", at+", "+p.x, mask, p.x)
		})
		each(func(p pair) { f.line("VMOVUPS %s, %s(SI)%s", p.x, mask, p.step) })
		each(func(p pair) { f.line("VMAXPS %s, %s, %s%s", p.x, p.most, mask, p.most) })
		f.line("ADDQ $64, SI")
		f.line("ADDQ call_addStep(DI), BX")
	})
	// What is no number shows in the exponentials.
	across("VMAXPS", func(p pair) string { return p.most })

	f.line("MOVQ R10, SI")
	f.line("MOVQ call_e(DI), DX")
	f.line("MOVQ call_xStep(DI), BX")
	// What is less adds nothing to a sum of at least 1, and stays nothing on grids
	// that this runs for; subnormal powers would take a hundred times as long.
	f.number(-80, "Z31")
	f.number(math.Log2E, "Z30")
	f.number(-0.693145751953125, "Z29") // ln2 in two parts
	f.number(-1.42860682030941723212e-6, "Z28")
	for i, c := range power {
		f.number(c, []string{"Z22", "Z23", "Z24", "Z25", "Z26", "Z27"}[i])
	}
	each(func(p pair) { f.line("VPXORD %s, %s, %s", p.sum, p.sum, p.sum) })
	f.vectors("powers", func(mask string) {
		each(func(p pair) { f.load("VMOVUPS", "(SI)"+p.step, mask, p.x) })
		each(func(p pair) { f.line("VSUBPS %s, %s, %s", p.most, p.x, p.x) })
		each(func(p pair) { f.line("VMAXPS %s, Z31, %s", p.x, p.x) })
		each(func(p pair) { f.line("VMULPS Z30, %s, %s", p.x, p.t) })
		each(func(p pair) { f.line("VRNDSCALEPS $0, %s, %s", p.t, p.t) })
		each(func(p pair) { f.line("VFMADD231PS Z29, %s, %s", p.t, p.x) })
		each(func(p pair) { f.line("VFMADD231PS Z28, %s, %s", p.t, p.x) })
		sum := func(p pair) string { return map[string]string{"Z0": "Z4", "Z2": "Z5"}[p.x] }
		each(func(p pair) { f.line("VMOVAPS Z27, %s", sum(p)) })
		for _, c := range []string{"Z26", "Z25", "Z24", "Z23", "Z22"} {
			each(func(p pair) { f.line("VFMADD213PS %s, %s, %s", c, p.x, sum(p)) })
		}
		each(func(p pair) { f.line("VSCALEFPS %s, %s, %s", p.t, sum(p), sum(p)) })
		each(func(p pair) {
			at := "(DX)"
			if p.step != "" {
				at = "(DX)(BX*1)"
			}
			f.line("VMOVUPS %s, %s%s", sum(p), mask, at)
		})
		each(func(p pair) { f.line("VADDPS %s, %s, %s%s", sum(p), p.sum, mask, p.sum) })
		f.line("ADDQ $64, SI")
		f.line("ADDQ $64, DX")
	})
	across("VADDPS", func(p pair) string { return p.sum })

	f.line("MOVQ call_e(DI), SI")
	f.line("MOVQ R12, DX")
	f.quantizer(false)
	each(func(p pair) { f.line("VDIVPS %s, Z30, %s", p.sum, p.sum) })
	f.line("VBROADCASTSS call_error(DI), Z25")
	each(func(p pair) { f.line("KXORW %[1]s, %[1]s, %[1]s", p.doubted) })
	second("yStep")
	f.vectors("bytes", func(mask string) {
		each(func(p pair) {
			at := "(SI)"
			if p.step != "" {
				at = "(SI)(BX*1)"
			}
			f.load("VMOVUPS", at, mask, p.x)
		})
		each(func(p pair) { f.line("VMULPS %s, %s, %s", p.sum, p.x, p.x) })
		// The greater the quotient, the greater its error.
		slack := func(p pair) string { return map[string]string{"Z0": "Z4", "Z2": "Z5"}[p.x] }
		each(func(p pair) { f.line("VMOVAPS Z27, %s", slack(p)) })
		each(func(p pair) { f.line("VFNMADD231PS Z25, %s, %s", p.x, slack(p)) })
		each(func(p pair) {
			f.quantize(p.x, p.t, mask, slack(p), p.x)
			f.line("KORW K5, %[1]s, %[1]s", p.doubted)
		})
		each(func(p pair) { f.line("VPADDD Z26, %s, %s", p.x, p.x) })
		each(func(p pair) { f.line("VPMOVDB %s, %s(DX)%s", p.x, mask, p.step) })
		f.line("ADDQ $64, SI")
		f.line("ADDQ $16, DX")
	})
	// Of a row that there is not the bit says nothing.
	each(func(p pair) {
		f.line("KMOVW %s, CX", p.doubted)
		f.line("MOVQ R15, DX")
		f.line("ORQ R8, DX")
		f.line("TESTL CX, CX")
		f.line("CMOVQNE DX, R15")
		f.line("SHLQ $1, R8")
	})
	f.line("MOVQ call_xStep(DI), BX")
	f.line("LEAQ (R10)(BX*2), R10")
	f.line("MOVQ call_otherStep(DI), BX")
	f.line("LEAQ (R11)(BX*2), R11")
	f.line("MOVQ call_yStep(DI), BX")
	f.line("LEAQ (R12)(BX*2), R12")
	f.line("ADDQ $8, R13")
	f.line("SUBQ $2, call_rows(DI)")
	f.line("JG   row")
	f.line("MOVQ call_doubt(DI), R8")
	f.line("MOVQ R15, (R8)")
	f.line("VZEROUPPER")
	f.line("RET")
	return f.table()
}

// vectors writes a loop over the vectors of a row, whose number is in AX: body for
// all but the last, then for that, under the mask K1. Masked stores of all would
// keep the loads of the next loop waiting.
func (f *file) vectors(name string, body func(mask string)) {
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
