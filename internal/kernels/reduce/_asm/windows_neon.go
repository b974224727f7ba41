package main

import (
	"fmt"

	neon "github.com/octavo-ml/octavo/internal/kernels/_neon"
)

// windowsNEON is windows2 with vectors of 16 bytes: R5 counts channels, R6 is
// where the last step begins, R7 and R8 the offsets of a window and their
// number, R9 the address of a place.
func windowsNEON() string {
	f := &neonRows{}
	f.WriteString(header)
	for _, typ := range []string{"float32", "uint8", "int8"} {
		arrangement, step, size := "B16", 16, 1
		if typ == "float32" {
			arrangement, step, size = "S4", 4, 4
		}
		f.open("maxPlaces", typ, typ, step)
		f.place(size)
		f.line("VLD1 (R9), [V0.%s]", arrangement)
		f.line("B after")
		f.label("place")
		f.place(size)
		f.line("VLD1 (R9), [V1.%s]", arrangement)
		f.line("%s", neon.Three(map[string]string{"float32": "fmax", "uint8": "umax.16b", "int8": "smax.16b"}[typ], 0, 0, 1))
		f.label("after")
		f.line("SUBS $1, R8, R8")
		f.line("BNE place")
		f.store(size)
		f.line("VST1 [V0.%s], (R9)", arrangement)
		f.shut(step)
	}
	for _, typ := range []string{"uint8", "int8"} {
		sign := map[string]string{"uint8": "u", "int8": "s"}[typ]
		f.open("sumPlaces", "int32", typ, 16)
		for i := range 4 {
			f.line("VEOR V%d.B16, V%d.B16, V%d.B16", i, i, i)
		}
		f.label("place")
		f.place(1)
		f.line("VLD1 (R9), [V4.B16]")
		f.line("%s", neon.Two(sign+"xtl2.8h", 5, 4))
		f.line("%s", neon.Two(sign+"xtl.8h", 4, 4))
		for i := range 2 {
			f.line("%s", neon.Three(sign+"addw", 2*i, 2*i, 4+i))
			f.line("%s", neon.Three(sign+"addw2", 2*i+1, 2*i+1, 4+i))
		}
		f.line("SUBS $1, R8, R8")
		f.line("BNE place")
		f.store(4)
		f.line("VST1 [V0.S4, V1.S4, V2.S4, V3.S4], (R9)")
		f.shut(16)
	}
	// Place p is added to lane p mod 16: a lane is a register of 4 channels.
	f.open("sumPlaces", "float32", "float32", 4)
	for i := range 16 {
		f.line("VEOR V%d.B16, V%d.B16, V%d.B16", i, i, i)
	}
	f.label("place")
	for i := range 16 {
		f.place(4)
		f.line("VLD1 (R9), [V16.S4]")
		f.line("%s", neon.Three("fadd", i, i, 16))
		f.line("SUBS $1, R8, R8")
		f.line("BEQ total")
	}
	f.line("B place")
	f.label("total")
	for width := 8; width > 0; width /= 2 {
		for i := range width {
			f.line("%s", neon.Three("fadd", i, i, i+width))
		}
	}
	f.store(4)
	f.line("VST1 [V0.S4], (R9)")
	f.shut(4)
	return f.String()
}

func (f *neonRows) open(name, dst, typ string, step int) {
	f.begin(name+title[typ], fmt.Sprintf("dst *%s, x *%s, offsets *int, count int, n int", dst, typ), "")
	f.line("MOVD $0, R5")
	f.line("SUB $%d, R4, R6", step)
	f.label("channels")
	f.line("MOVD R2, R7")
	f.line("MOVD R3, R8")
}

// place loads the address of the next place, whose elements have a size, and
// store that of the results.
func (f *neonRows) place(size int) {
	f.line("MOVD.P 8(R7), R9")
	f.line("ADD R1, R9, R9")
	f.element(size)
}

func (f *neonRows) store(size int) {
	f.line("MOVD R0, R9")
	f.element(size)
}

func (f *neonRows) element(size int) {
	if size == 4 {
		f.line("ADD R5<<2, R9, R9")
		return
	}
	f.line("ADD R5, R9, R9")
}

func (f *neonRows) shut(step int) {
	f.line("CMP R6, R5")
	f.line("BEQ done")
	f.line("ADD $%d, R5, R5", step)
	f.line("CMP R6, R5")
	f.line("CSEL GT, R6, R5, R5")
	f.line("B channels")
	f.label("done")
	f.line("RET")
}
