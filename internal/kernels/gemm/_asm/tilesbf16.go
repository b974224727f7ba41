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

// constantsBF16 fills Z30 and Z31 with what limits need, and the masks: K1… of
// vectors of floats, K5 and K6 of vectors of bfloat16.
func (f *file) constantsBF16(v int) {
	f.line("MOVQ call_other(DI), AX")
	f.line("MOVQ AX, call_otherNow(DI)")
	f.line("VBROADCASTSS call_least(DI), Z30")
	f.line("VBROADCASTSS call_most(DI), Z31")
	f.masks(v)
	f.line("KMOVQ call_columns(DI), K5")
	f.line("KSHIFTRQ $32, K5, K6")
}

// endRowsBF16 takes the rows of sums whose bits BX has to C, in a loop for each
// kind of epilogue.
func (f *file) endRowsBF16(v int, label string) {
	f.line("TESTL BX, BX")
	f.line("JZ   ended%s", label)
	f.line("MOVQ call_cNow(DI), DX")
	f.line("MOVQ call_otherNow(DI), R15")
	f.line("MOVQ call_ldc(DI), CX")
	f.line("MOVQ tileCall_sums(DI), R13")
	f.line("MOVL tileCall_end(DI), SI")
	kind := func(floats, limits, adds bool) string {
		name := label
		for _, k := range []struct {
			on   bool
			name string
		}{{floats, "Long"}, {limits, "Limited"}, {adds, "Added"}} {
			if k.on {
				name += k.name
			}
		}
		return name
	}
	both := []bool{false, true}
	// The row kinds are told apart once.
	for _, adds := range both {
		if adds {
			f.label("adding" + label)
		} else {
			f.line("TESTQ R15, R15")
			f.line("JNZ  adding%s", label)
		}
		for i, k := range [][2]bool{{true, true}, {true, false}, {false, true}} {
			f.line("CMPL SI, $%d", []int{5, 1, 4}[i])
			f.line("JEQ  row%s", kind(k[0], k[1], adds))
		}
		f.line("JMP  row%s", kind(false, false, adds))
	}
	for _, adds := range both {
		for _, floats := range both {
			for _, limits := range both {
				f.rowsBF16(v, kind(floats, limits, adds), label, floats, limits, adds)
			}
		}
	}
	f.label("taken" + label)
	f.line("MOVQ DX, call_cNow(DI)")
	f.line("MOVQ R15, call_otherNow(DI)")
	f.label("ended" + label)
}

// rowsBF16 is the loop of one kind, which goes on at taken.
func (f *file) rowsBF16(v int, kind, label string, floats, limits, adds bool) {
	f.label("row" + kind)
	f.line("TZCNTL BX, AX")
	f.line("IMULQ $%d, AX", 64*v)
	for j := range v {
		switch sum := fmt.Sprintf("%d(R13)(AX*1)", 64*j); {
		case adds && floats:
			f.line("VMOVUPS %s, Z%d", sum, j)
			f.line("VADDPS %d(R15), Z%d, K%d, Z%d", 64*j, j, 1+j, j)
		case adds:
			f.line("VPMOVZXWD.Z %d(R15), K%d, Z%d", 32*j, 1+j, j)
			f.line("VPSLLD $16, Z%d, Z%d", j, j)
			f.line("VADDPS %s, Z%d, Z%d", sum, j, j)
		case limits:
			f.line("VMAXPS %s, Z30, Z%d", sum, j)
		default:
			f.line("VMOVUPS %s, Z%d", sum, j)
		}
	}
	if limits {
		for j := range v {
			if adds {
				f.line("VMAXPS Z%d, Z30, Z%d", j, j)
			}
			f.line("VMINPS Z%d, Z31, Z%d", j, j)
		}
	}
	for j := 0; j < v; j++ {
		switch {
		case floats:
			f.line("VMOVUPS Z%d, K%d, %d(DX)", j, 1+j, 64*j)
		case j+1 < v:
			f.line("%s", toBF16(j, j+1, j))
			f.line("VMOVDQU16 Z%d, K%d, %d(DX)", j, 5+j/2, 32*j)
			j++
		default:
			f.line("%s", halfBF16(j, j))
			f.line("VMOVDQU16 Y%d, K%d, %d(DX)", j, 1+j, 32*j)
		}
	}
	if adds {
		f.line("ADDQ CX, R15")
	}
	f.line("ADDQ CX, DX")
	f.line("BLSRL BX, BX")
	f.line("JNZ  row%s", kind)
	f.line("JMP  taken%s", label)
}
