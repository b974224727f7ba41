package main

import (
	"fmt"

	neon "github.com/octavo-ml/octavo/internal/kernels/_neon"
)

// arm64 writes the kernels of NEON: those of AVX2, on vectors of four.
func arm64() *file {
	f := begin()
	f.boundsNEON()
	f.zerosNEON()
	f.countNEON()
	return f
}

// args begins a function whose parameters go to R0….
func (f *file) args(name, parameters string, names ...string) {
	fmt.Fprintf(f, "\n// func %s(%s)\nTEXT ·%s(SB), NOSPLIT, $0-24\n", name, parameters, name)
	for i, name := range names {
		f.line("MOVD %s+%d(FP), R%d", name, 8*i, i)
	}
}

// boundsNEON is bounds: two sets of accumulators, V0…V3 and V4…V7, and V20 of
// ones.
func (f *file) boundsNEON() {
	ops := []string{"umin", "umax", "smax", "umin"}
	f.args("boundsNEON", "x *float32, steps int, out *[64]uint32", "x", "steps", "out")
	f.line("VMOVI $255, V20.B16")
	f.line("VLD1 (R0), [V16.S4]")
	for i := range 8 {
		from := 16
		if i%4 == 3 {
			from = 20
		}
		f.line("VORR V%d.B16, V%d.B16, V%d.B16", from, from, i)
	}
	f.WriteString("\nbounds:\n")
	f.line("VLD1.P 32(R0), [V16.S4, V17.S4]")
	for half := range 2 {
		f.line("%s", neon.Three("add", 18+half, 16+half, 16+half))
		f.line("%s", neon.Three("add", 18+half, 18+half, 20))
		for i, op := range ops {
			f.line("%s", neon.Three(op, 4*half+i, 4*half+i, 16+half+i/3*2))
		}
	}
	f.line("SUBS $1, R1, R1")
	f.line("BNE bounds")
	for i, op := range ops {
		f.line("%s", neon.Three(op, i, i, 4+i))
		f.line("VST1 [V%d.S4], (R2)", i)
		f.line("ADD $64, R2")
	}
	f.line("RET")
}

// zerosNEON is zeros: V4 and V5 are those of either sign.
func (f *file) zerosNEON() {
	f.args("zerosNEON", "bits *uint32, vectors int, out *[16]uint32", "bits", "vectors", "out")
	f.line("VMOVI $0, V0.B16")
	f.line("VMOVI $0, V1.B16")
	f.line("VMOVI $0, V4.B16")
	f.line("MOVW $0x80000000, R3")
	f.line("VDUP R3, V5.S4")
	f.WriteString("\nzeros:\n")
	f.line("VLD1.P 16(R0), [V2.S4]")
	for i := range 2 {
		f.line("%s", neon.Three("cmeq", 6+i, 2, 4+i))
		f.line("%s", neon.Three("sub", i, i, 6+i))
	}
	f.line("SUBS $1, R1, R1")
	f.line("BNE zeros")
	f.line("VST1 [V0.S4], (R2)")
	f.line("ADD $32, R2")
	f.line("VST1 [V1.S4], (R2)")
	f.line("RET")
}

// countNEON is count, for the want of a lower level too.
func (f *file) countNEON() {
	f.args("countNEON", "tables *[2]cells, bits *uint32, steps int", "tables", "bits", "steps")
	f.line("ADD $%d, R0, R3", 8<<16)
	f.line("MOVD $1<<40, R4")
	f.WriteString("\ncount:\n")
	for i := range 8 {
		table, key, low, cell := 3*(i%2), 5+i%4, 9+i%4, 13+i%4
		f.line("MOVHU %d(R1), R%d", 4*i+2, key)
		f.line("MOVHU %d(R1), R%d", 4*i, low)
		f.line("MOVD (R%d)(R%d<<3), R%d", table, key, cell)
		f.line("ADD R4, R%d, R%d", low, low)
		f.line("ADD R%d, R%d, R%d", low, cell, cell)
		f.line("MOVD R%d, (R%d)(R%d<<3)", cell, table, key)
	}
	f.line("ADD $32, R1")
	f.line("SUBS $1, R2, R2")
	f.line("BNE count")
	f.line("RET")
}
