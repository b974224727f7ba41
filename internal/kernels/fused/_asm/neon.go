package main

import (
	"fmt"

	neon "github.com/octavo-ml/octavo/internal/kernels/_neon"
)

// tailsNEON writes the kernels of blocks whose columns are a multiple of 16, of
// which call_vectors says how many. R0 holds the call, R1, R2, R3 and R4 where
// rows of x, of results, of the bias or the offsets, and of the other addend
// begin, R5 the rows left; R6…R9 go along a row, R10 are the vectors left of it.
// V0…V3 hold 16 columns, V8 the factor, V9 and V10 the least and the greatest
// value, V11 the zero point.
func tailsNEON() string {
	f := newFile()
	add := func(from string) {
		f.line("VLD1.P 64(%s), [V4.S4, V5.S4, V6.S4, V7.S4]", from)
		for i := range 4 {
			f.line("%s", neon.Three("fadd", i, i, 4+i))
		}
	}
	for _, other := range []bool{false, true} {
		name := map[bool]string{false: "bytesNEON", true: "bytesOtherNEON"}[other]
		f.rowsNEON(name, "bias", other, func() {
			f.line("MOVD R3, R8")
			f.line("MOVD R4, R9")
		}, func() {
			add("R8")
			if other {
				add("R9")
			}
			for i := range 4 {
				f.line("%s", neon.Three("fdiv", i, i, 8))
			}
		})
	}
	f.rowsNEON("levelsNEON", "off", false, func() {
		f.line("VLD1R.P 4(R3), [V4.S4]")
	}, func() {
		for i := range 4 {
			f.line("%s", neon.Three("fsub", i, i, 4))
			f.line("%s", neon.Three("fmul", i, i, 8))
		}
	})
	return f.String()
}

// rowsNEON writes a kernel: row begins one, and columns takes 16 columns to
// quotients. FMAXNM gives the bound for a NaN, and FCVTNS rounds half to even.
func (f *file) rowsNEON(name, second string, other bool, row, columns func()) {
	fmt.Fprintf(f, "\n// func %s(c *call)\nTEXT ·%s(SB), NOSPLIT, $0-8\n", name, name)
	f.line("MOVD c+0(FP), R0")
	for i, field := range []string{"x", "y", second, "other", "rows"} {
		f.line("MOVD call_%s(R0), R%d", field, 1+i)
	}
	for i, field := range []string{"factor", "lo", "hi", "zero"} {
		f.line("MOVWU call_%s(R0), R6", field)
		f.line("VDUP R6, V%d.S4", 8+i)
	}
	f.label("row")
	f.line("MOVD R1, R6")
	f.line("MOVD R2, R7")
	row()
	f.line("MOVD call_vectors(R0), R10")
	f.label("columns")
	f.line("VLD1.P 64(R6), [V0.S4, V1.S4, V2.S4, V3.S4]")
	columns()
	for i := range 4 {
		f.line("%s", neon.Three("fmaxnm", i, i, 9))
		f.line("%s", neon.Three("fminnm", i, i, 10))
		f.line("%s", neon.Two("fcvtns", i, i))
		f.line("%s", neon.Three("add", i, i, 11))
	}
	for _, i := range []int{0, 2} {
		f.line("%s", neon.Two("xtn.4h", i, i))
		f.line("%s", neon.Two("xtn2.8h", i, i+1))
	}
	f.line("%s", neon.Two("xtn.8b", 0, 0))
	f.line("%s", neon.Two("xtn2.16b", 0, 2))
	f.line("VST1.P [V0.B16], 16(R7)")
	f.line("SUBS $1, R10, R10")
	f.line("BNE columns")
	step := func(field, to string) {
		f.line("MOVD call_%s(R0), R6", field)
		f.line("ADD R6, %s, %s", to, to)
	}
	step("xStep", "R1")
	step("yStep", "R2")
	if other {
		step("otherStep", "R4")
	}
	f.line("SUBS $1, R5, R5")
	f.line("BNE row")
	f.line("RET")
}
