package main

// floatsNEON writes the kernel of 16 columns of a panel of any width: R0 holds
// the call, R1 the next rows' offsets, R2 and R3 where C is and how far its
// rows lie apart, R4 the blocks left; R8… the rows, R19… where they are read;
// R12 the panel, R13 how far apart its steps of k are, R14 the taps, R15 and
// R23 how many taps and steps are left. Accumulators V0… (row r from V4r on),
// B in V16…V19, A in V20…. R17 is where the other addend is.
func floatsNEON() string {
	const most = 4
	f := newFile()
	f.include()
	f.function("floatsNEON(c *call)", 8)
	f.line("MOVD c+0(FP), R0")
	f.line("MOVD call_row(R0), R1")
	f.line("MOVD call_c(R0), R2")
	f.line("MOVD call_ldc(R0), R3")
	f.line("MOVD call_blocks(R0), R4")
	f.line("MOVD call_m(R0), R5")
	f.line("MOVD call_stride(R0), R13")
	f.line("MOVD call_other(R0), R17")
	for m := most; m > 1; m-- {
		f.line("CMP $%d, R5", m)
		f.line("BEQ rows%d", m)
	}
	for m := 1; m <= most; m++ {
		f.rowsNEON(m)
	}
	return f.String()
}

func (f *file) rowsNEON(m int) {
	at := func(name string) string { return name + string(rune('0'+m)) }
	f.label(at("rows"))
	f.line("MOVD call_a(R0), R6")
	for r := range m {
		f.line("MOVW.P 4(R1), R7")
		f.line("ADD R7<<2, R6, R%d", 8+r)
	}
	for i := range 4 * m {
		f.line("VEOR V%d.B16, V%d.B16, V%d.B16", i, i, i)
	}
	f.line("MOVD call_b(R0), R12")
	f.line("MOVD call_tap(R0), R14")
	f.line("MOVD call_taps(R0), R15")
	f.label(at("tap"))
	f.line("MOVW.P 4(R14), R7")
	for r := range m {
		f.line("ADD R7<<2, R%d, R%d", 8+r, 19+r)
	}
	f.line("MOVD call_depth(R0), R23")
	f.line("CBZ R23, %s", at("end"))
	f.label(at("step"))
	f.line("VLD1 (R12), [V16.S4, V17.S4, V18.S4, V19.S4]")
	f.line("ADD R13, R12, R12")
	for r := range m {
		f.line("VLD1R.P 4(R%d), [V%d.S4]", 19+r, 20+r)
	}
	for r := range m {
		for c := range 4 {
			f.line("VFMLA V%d.S4, V%d.S4, V%d.S4", 16+c, 20+r, 4*r+c)
		}
	}
	f.line("SUBS $1, R23, R23")
	f.line("BNE %s", at("step"))
	f.label(at("end"))
	f.line("SUBS $1, R15, R15")
	f.line("BNE %s", at("tap"))
	f.line("MOVD call_bias(R0), R6")
	f.line("VLD1 (R6), [V16.S4, V17.S4, V18.S4, V19.S4]")
	for i := range 4 * m {
		f.word("fadd", faddS4, i, i, 16+i%4)
	}
	f.line("CBZ R17, %s", at("alone"))
	for r := range m {
		f.line("VLD1 (R17), [V16.S4, V17.S4, V18.S4, V19.S4]")
		f.line("ADD R3, R17, R17")
		for c := range 4 {
			f.word("fadd", faddS4, 4*r+c, 4*r+c, 16+c)
		}
	}
	f.label(at("alone"))
	f.line("ADD $call_least, R0, R6")
	f.line("VLD1R (R6), [V20.S4]")
	f.line("ADD $call_most, R0, R6")
	f.line("VLD1R (R6), [V21.S4]")
	for r := range m {
		for c := range 4 {
			x := 4*r + c
			f.word("fmax", fmaxS4, x, x, 20)
			f.word("fmin", fminS4, x, x, 21)
		}
		f.line("VST1 [V%d.S4, V%d.S4, V%d.S4, V%d.S4], (R2)", 4*r, 4*r+1, 4*r+2, 4*r+3)
		f.line("ADD R3, R2, R2")
	}
	f.line("SUBS $1, R4, R4")
	f.line("BNE %s", at("rows"))
	f.line("RET")
}
