package main

import "fmt"

// halvesAMX writes the kernels of products of bfloat16 that use tiles, of v
// vectors of columns; see bytesAMX. Their epilogue is that of endBF16: R15 is
// where what is added lies, or 0.
func halvesAMX() string {
	f := newFile()
	f.WriteString("#include \"funcdata.h\"\n")
	for v := 4; v > 0; v-- {
		t := &tileKernel{file: f, name: fmt.Sprintf("dot%dAMX", 16*v), v: v, scale: 2, dot: f.tileDotBF16}
		t.constants, t.endRows = func() { f.constantsBF16(v) }, func(label string) { f.endRowsBF16(v, label) }
		t.write()
	}
	return f.String()
}

// constantsBF16 fills Z29, Z30 and Z31 with what limits need, and the masks: K1…
// of vectors of floats, K5 and K6 of vectors of bfloat16.
func (f *file) constantsBF16(v int) {
	f.line("MOVQ call_other(DI), AX")
	f.line("MOVQ AX, call_otherNow(DI)")
	f.line("VBROADCASTSS call_least(DI), Z29")
	f.line("VBROADCASTSS call_tie(DI), Z30")
	f.line("VBROADCASTSS call_most(DI), Z31")
	f.masks(v)
	f.line("KMOVQ call_columns(DI), K5")
	f.line("KSHIFTRQ $32, K5, K6")
}

// endRowsBF16 takes the rows of sums whose bits BX has to C.
func (f *file) endRowsBF16(v int, label string) {
	at := func(name string) string { return name + label }
	f.line("TESTL BX, BX")
	f.line("JZ   %s", at("ended"))
	f.line("MOVQ call_cNow(DI), DX")
	f.line("MOVQ call_otherNow(DI), R15")
	f.line("MOVQ call_ldc(DI), CX")
	f.line("MOVQ tileCall_sums(DI), R13")
	f.line("MOVL tileCall_end(DI), SI")
	f.label(at("row"))
	f.line("TZCNTL BX, AX")
	f.line("IMULQ $%d, AX", 64*v)
	for j := range v {
		f.line("VMOVUPS %d(R13)(AX*1), Z%d", 64*j, j)
	}
	f.line("TESTQ R15, R15")
	f.line("JZ   %s", at("alone"))
	f.line("TESTL $1, SI")
	f.line("JNZ  %s", at("long"))
	for j := range v {
		f.line("VPMOVZXWD.Z %d(R15), K%d, Z%d", 32*j, 1+j, v+j)
		f.line("VPSLLD $16, Z%d, Z%d", v+j, v+j)
		f.line("VADDPS Z%d, Z%d, Z%d", v+j, j, j)
	}
	f.line("ADDQ CX, R15")
	f.line("JMP  %s", at("alone"))
	f.label(at("long"))
	for j := range v {
		f.line("VADDPS %d(R15), Z%d, K%d, Z%d", 64*j, j, 1+j, j)
	}
	f.line("ADDQ CX, R15")
	f.label(at("alone"))
	f.line("TESTL $4, SI")
	f.line("JZ   %s", at("free"))
	for j := range v {
		f.line("VMAXPS Z%d, Z29, Z%d", j, j)
		f.line("VADDPS Z30, Z%d, Z%d", j, j)
		f.line("VMINPS Z%d, Z31, Z%d", j, j)
	}
	f.label(at("free"))
	f.line("TESTL $1, SI")
	f.line("JNZ  %s", at("floats"))
	for j := 0; j < v; j += 2 {
		if j+1 < v {
			f.line("%s", toBF16(j, j+1, j))
			f.line("VMOVDQU16 Z%d, K%d, %d(DX)", j, 5+j/2, 32*j)
			continue
		}
		f.line("%s", halfBF16(j, j))
		f.line("VMOVDQU16 Y%d, K%d, %d(DX)", j, 1+j, 32*j)
	}
	f.label(at("next"))
	f.line("ADDQ CX, DX")
	f.line("BLSRL BX, BX")
	f.line("JNZ  %s", at("row"))
	f.line("MOVQ DX, call_cNow(DI)")
	f.line("MOVQ R15, call_otherNow(DI)")
	f.line("JMP  %s", at("ended"))
	f.label(at("floats"))
	for j := range v {
		f.line("VMOVUPS Z%d, K%d, %d(DX)", j, 1+j, 64*j)
	}
	f.line("JMP  %s", at("next"))
	f.label(at("ended"))
}
