package main

import "fmt"

func neon() string {
	f := newFile()
	neonTile(f)
	neonFinish(f)
	neonAddInts(f)
	return f.String()
}

// Instructions on 4 floats that Go's assembler lacks; operands are d, n, m.
const (
	faddS4   = 0x4e20d400
	fmaxS4   = 0x4e20f400
	fminS4   = 0x4ea0f400
	fcvtzsS4 = 0x4ea1b800
)

func (f *file) word(name string, opcode, d, n, m int) {
	f.line("WORD $0x%08x // %s", opcode|m<<16|n<<5|d, fmt.Sprintf("%s v%d.4s, v%d.4s, v%d.4s", name, d, n, m))
}

// neonTile: accumulators V0..V15 (row r in V4r..V4r+3), b in V16..V19, a in
// V20, its broadcasts in V21..V24.
func neonTile(f *file) {
	f.function("tileNEON(t *Tile, a, b *float32, k int)", 32)
	f.line("MOVD t+0(FP), R0")
	f.line("MOVD a+8(FP), R1")
	f.line("MOVD b+16(FP), R2")
	f.line("MOVD k+24(FP), R3")
	f.line("MOVD R0, R4")
	for r := range rows {
		f.line("VLD1.P 64(R4), [V%d.S4, V%d.S4, V%d.S4, V%d.S4]", 4*r, 4*r+1, 4*r+2, 4*r+3)
	}
	f.label("loop")
	f.line("VLD1.P 64(R2), [V16.S4, V17.S4, V18.S4, V19.S4]")
	f.line("VLD1.P 16(R1), [V20.S4]")
	for r := range rows {
		f.line("VDUP V20.S[%d], V%d.S4", r, 21+r)
	}
	for r := range rows {
		for c := range 4 {
			f.line("VFMLA V%d.S4, V%d.S4, V%d.S4", 16+c, 21+r, 4*r+c)
		}
	}
	f.line("SUBS $1, R3, R3")
	f.line("BNE  loop")
	for r := range rows {
		f.line("VST1.P [V%d.S4, V%d.S4, V%d.S4, V%d.S4], 64(R0)", 4*r, 4*r+1, 4*r+2, 4*r+3)
	}
	f.line("RET")
}

// neonFinish: the row bias in V16, the column bias in V17..V20, bounds in V21,
// V22. FMAX and FMIN treat zeros and NaN as Go does.
func neonFinish(f *file) {
	f.function("finishNEON(t *Tile, f *finish)", 16)
	f.line("MOVD t+0(FP), R0")
	f.line("MOVD f+8(FP), R1")
	f.line("VLD1.P 16(R1), [V16.S4]")
	f.line("VLD1.P 64(R1), [V17.S4, V18.S4, V19.S4, V20.S4]")
	f.line("VLD1R.P 4(R1), [V21.S4]")
	f.line("VLD1R (R1), [V22.S4]")
	for r := range rows {
		f.line("VDUP V16.S[%d], V23.S4", r)
		f.line("VLD1 (R0), [V0.S4, V1.S4, V2.S4, V3.S4]")
		for c := range 4 {
			f.word("fadd", faddS4, c, c, 23)
			f.word("fadd", faddS4, c, c, 17+c)
			f.word("fmax", fmaxS4, c, c, 21)
			f.word("fmin", fminS4, c, c, 22)
		}
		f.line("VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)")
	}
	f.line("RET")
}

func neonAddInts(f *file) {
	f.function("addIntsNEON(sums *[MR * NR]int32, t *Tile)", 16)
	f.line("MOVD sums+0(FP), R0")
	f.line("MOVD t+8(FP), R1")
	for range rows {
		f.line("VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]")
		f.line("VLD1 (R0), [V4.S4, V5.S4, V6.S4, V7.S4]")
		for c := range 4 {
			f.line("WORD $0x%08x // fcvtzs v%d.4s, v%d.4s", fcvtzsS4|c<<5|c, c, c)
			f.line("VADD V%d.S4, V%d.S4, V%d.S4", c, 4+c, 4+c)
		}
		f.line("VST1.P [V4.S4, V5.S4, V6.S4, V7.S4], 64(R0)")
	}
	f.line("RET")
}
