package main

import neon "github.com/octavo-ml/octavo/internal/kernels/_neon"

// blocksNEON writes the kernels of blocks for NEON, which store the numbers of 16
// columns of a panel: R1 is at the codes, R2 at the scales, R3 at the zero
// points, R4 where numbers are stored; R5 counts the k left, R6 is a block's, R8
// those left of it, R9 those of a word. V16…V19 hold the scales, V20…V23 the
// zero points.
func blocksNEON() string {
	f := newFile()
	f.numbersNEON("nibblesNEON", func() {
		f.line("VLD1 (R1), [V0.S4, V1.S4, V2.S4, V3.S4]")
		f.line("ADD $%d, R1", rowBytes)
		f.line("MOVD $8, R9")
		f.line("CMP R8, R9")
		f.line("CSEL LT, R9, R8, R9")
		f.line("SUB R9, R8, R8")
		f.label("step")
		for i := range 4 {
			f.line("%s", neon.Three("and", 4+i, i, 31))
			f.line("%s", neon.Shift("ushr", i, i, 4))
		}
		f.storeNEON(4)
		f.line("SUBS $1, R9, R9")
		f.line("BNE step")
	})
	f.numbersNEON("octetsNEON", func() {
		f.line("VLD1 (R1), [V0.B16]")
		f.line("ADD $64, R1")
		f.line("%s", neon.Two("uxtl2.8h", 2, 0))
		f.line("%s", neon.Two("uxtl.8h", 0, 0))
		for _, i := range []int{2, 0} {
			f.line("%s", neon.Two("uxtl2.4s", i+1, i))
			f.line("%s", neon.Two("uxtl.4s", i, i))
		}
		f.storeNEON(0)
		f.line("SUB $1, R8, R8")
	})
	return f.String()
}

// numbersNEON writes a kernel; word takes up to R8 of k.
func (f *file) numbersNEON(name string, word func()) {
	f.function(name+"(c *blockCall)", 8)
	f.line("MOVD c+0(FP), R0")
	for i, field := range []string{"codes", "scale", "zero", "c", "k", "block", "zeroStep"} {
		f.line("MOVD blockCall_%s(R0), R%d", field, 1+i)
	}
	f.line("MOVD $15, R9")
	f.line("VDUP R9, V31.S4")
	f.label("block")
	f.line("VLD1 (R2), [V16.S4, V17.S4, V18.S4, V19.S4]")
	f.line("VLD1 (R3), [V20.S4, V21.S4, V22.S4, V23.S4]")
	f.line("ADD $%d, R2", rowBytes)
	f.line("ADD R7, R3")
	f.line("CMP R5, R6")
	f.line("CSEL LT, R6, R5, R8")
	f.line("SUB R8, R5, R5")
	f.label("word")
	word()
	f.line("CBNZ R8, word")
	f.line("CBNZ R5, block")
	f.line("RET")
}

// storeNEON makes the numbers of the codes from register v on.
func (f *file) storeNEON(v int) {
	for i := range 4 {
		f.line("%s", neon.Two("scvtf", v+i, v+i))
		f.line("%s", neon.Three("fsub", v+i, v+i, 20+i))
		f.line("%s", neon.Three("fmul", v+i, v+i, 16+i))
	}
	f.line("VST1 [V%d.S4, V%d.S4, V%d.S4, V%d.S4], (R4)", v, v+1, v+2, v+3)
	f.line("ADD $%d, R4", rowBytes)
}
