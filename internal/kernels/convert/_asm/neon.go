package main

import (
	"fmt"
	"strings"

	neon "github.com/octavo-ml/octavo/internal/kernels/_neon"
)

// neonFile writes functions of steps of 16 elements: R0, R1 and R2 are where
// they are written and read, R3 the steps left. V0…V7 hold elements, V8…
// parameters.
type neonFile struct{ *file }

func neons() string {
	f := neonFile{&file{}}
	f.WriteString(header)
	for _, typ := range []string{"Uint8", "Int8"} {
		lower := strings.ToLower(typ)
		f.function("requantize"+typ, "dst *"+lower+", acc *int32", "scale, lo, hi float32, zero int32")
		f.toGrid(func(i int) {
			f.line("%s", neon.Two("scvtf", i, i))
			f.line("%s", neon.Three("fmul", i, i, 8))
		})
		f.function("quantize"+typ, "dst *"+lower+", x *float32", "scale, lo, hi float32, zero int32")
		f.toGrid(func(i int) { f.line("%s", neon.Three("fdiv", i, i, 8)) })
		f.function("dequantize"+typ, "dst *float32, q *"+lower, "scale float32, zero int32")
		f.next()
		f.widen(typ, "R1", 0)
		for i := range 4 {
			f.line("%s", neon.Three("sub", i, i, 9))
			f.line("%s", neon.Two("scvtf", i, i))
			f.line("%s", neon.Three("fmul", i, i, 8))
		}
		f.line("VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)")
		f.again()
		f.sum(typ)
		f.product(typ)
	}
	f.halves()
	return f.String()
}

// function begins a function whose parameters, named so, fill the registers
// from V8 on.
func (f neonFile) function(name, pointers, parameters string) {
	var names []string
	for _, list := range []string{pointers, parameters} {
		for _, p := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
			names = append(names, strings.Fields(p)[0])
		}
	}
	count := strings.Count(pointers, ",") + 1
	parts := []string{pointers, "steps int"}
	if parameters != "" {
		parts = append(parts, parameters)
	}
	name += "NEON"
	fmt.Fprintf(f, "\n// func %s(%s)\nTEXT ·%s(SB), NOSPLIT, $0-%d\n", name, strings.Join(parts, ", "), name, 8*count+8+4*(len(names)-count))
	for i, p := range names[:count] {
		f.line("MOVD %s+%d(FP), R%d", p, 8*i, i)
	}
	f.line("MOVD steps+%d(FP), R3", 8*count)
	for i, p := range names[count:] {
		f.line("MOVWU %s+%d(FP), R4", p, 8*count+8+4*i)
		f.line("VDUP R4, V%d.S4", 8+i)
	}
}

func (f neonFile) next() { f.WriteString("\nnext:\n") }

func (f neonFile) again() {
	f.line("SUBS $1, R3, R3")
	f.line("BNE next")
	f.line("RET")
}

// toGrid rounds to bytes what value makes of registers. FMAXNM gives the bound
// for a NaN, and FCVTNS rounds half to even.
func (f neonFile) toGrid(value func(i int)) {
	f.next()
	f.line("VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]")
	for i := range 4 {
		value(i)
	}
	f.round(9)
	for i := range 4 {
		f.line("%s", neon.Three("add", i, i, 11))
	}
	f.narrow()
	f.again()
}

// round bounds V0…V3 by the registers lo and lo+1 and rounds them to integers.
func (f neonFile) round(lo int) {
	for i := range 4 {
		f.line("%s", neon.Three("fmaxnm", i, i, lo))
		f.line("%s", neon.Three("fminnm", i, i, lo+1))
		f.line("%s", neon.Two("fcvtns", i, i))
	}
}

// narrow stores the integers of V0…V3, which bytes hold.
func (f neonFile) narrow() {
	f.line("%s", neon.Two("xtn.4h", 0, 0))
	f.line("%s", neon.Two("xtn2.8h", 0, 1))
	f.line("%s", neon.Two("xtn.4h", 2, 2))
	f.line("%s", neon.Two("xtn2.8h", 2, 3))
	f.line("%s", neon.Two("xtn.8b", 0, 0))
	f.line("%s", neon.Two("xtn2.16b", 0, 2))
	f.line("VST1.P [V0.B16], 16(R0)")
}

// widen reads 16 bytes into four registers of integers.
func (f neonFile) widen(typ, from string, first int) {
	sign := strings.ToLower(typ[:1])
	if sign == "i" {
		sign = "s"
	}
	f.line("VLD1.P 16(%s), [V%d.B16]", from, first)
	f.line("%s", neon.Two(sign+"xtl2.8h", first+2, first))
	f.line("%s", neon.Two(sign+"xtl.8h", first, first))
	for _, i := range []int{first + 2, first} {
		f.line("%s", neon.Two(sign+"xtl2.4s", i+1, i))
		f.line("%s", neon.Two(sign+"xtl.4s", i, i))
	}
}

func (f neonFile) sum(typ string) {
	f.function("sum"+typ, "dst, a, b *"+strings.ToLower(typ), "fa, fb, c, lo, hi float32")
	f.next()
	f.widen(typ, "R1", 4)
	f.widen(typ, "R2", 16)
	for i := range 4 {
		f.line("%s", neon.Two("scvtf", 4+i, 4+i))
		f.line("%s", neon.Two("scvtf", 16+i, 16+i))
		f.line("VORR V10.B16, V10.B16, V%d.B16", i)
		f.line("%s", neon.Three("fmla", i, 16+i, 9))
		f.line("%s", neon.Three("fmla", i, 4+i, 8))
	}
	f.round(11)
	f.narrow()
	f.again()
}

func (f neonFile) product(typ string) {
	f.function("product"+typ, "dst, a, b *"+strings.ToLower(typ), "za, zb int32, m, c, lo, hi float32")
	f.next()
	f.widen(typ, "R1", 0)
	f.widen(typ, "R2", 4)
	for i := range 4 {
		f.line("%s", neon.Three("sub", i, i, 8))
		f.line("%s", neon.Three("sub", 4+i, 4+i, 9))
		f.line("%s", neon.Two("scvtf", i, i))
		f.line("%s", neon.Two("scvtf", 4+i, 4+i))
		f.line("%s", neon.Three("fmul", i, i, 4+i))
		f.line("%s", neon.Three("fmul", i, i, 10))
		f.line("%s", neon.Three("fadd", i, i, 11))
	}
	f.round(12)
	f.narrow()
	f.again()
}

// halves writes the conversions between float32 and the 16-bit floats.
func (f neonFile) halves() {
	for _, d := range [][3]string{{"decodeF16", "fcvtl", "fcvtl2"}, {"decodeBF16", "shll16.4s", "shll16_2.4s"}} {
		f.function(d[0], "dst *float32, src *uint16", "")
		f.next()
		f.line("VLD1.P 32(R1), [V4.H8, V5.H8]")
		for i := range 2 {
			f.line("%s", neon.Two(d[1], 2*i, 4+i))
			f.line("%s", neon.Two(d[2], 2*i+1, 4+i))
		}
		f.line("VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)")
		f.again()
	}
	f.function("encodeF16", "dst *uint16, src *float32", "")
	f.next()
	f.line("VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]")
	for i := range 2 {
		f.line("%s", neon.Two("fcvtn", 4+i, 2*i))
		f.line("%s", neon.Two("fcvtn2", 4+i, 2*i+1))
	}
	f.line("VST1.P [V4.H8, V5.H8], 32(R0)")
	f.again()
	// V8 holds ones, V9 what is added to round half down, V10 the quiet bit of a
	// NaN, which is not rounded.
	f.function("encodeBF16", "dst *uint16, src *float32", "")
	for i, v := range []int{1, 0x7fff, 1 << 22} {
		f.line("MOVD $%d, R4", v)
		f.line("VDUP R4, V%d.S4", 8+i)
	}
	f.next()
	f.line("VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]")
	for i := range 4 {
		x, y, number := i, 4+i, 16+i
		f.line("%s", neon.Three("fcmeq", number, x, x))
		f.line("%s", neon.Shift("ushr", y, x, 16))
		f.line("%s", neon.Three("and", y, y, 8))
		f.line("%s", neon.Three("add", y, y, 9))
		f.line("%s", neon.Three("add", y, y, x))
		f.line("%s", neon.Three("orr", x, x, 10))
		f.line("%s", neon.Three("bsl", number, y, x))
		f.line("%s", neon.Shift("ushr", number, number, 16))
	}
	for i := range 2 {
		f.line("%s", neon.Two("xtn.4h", 16+2*i, 16+2*i))
		f.line("%s", neon.Two("xtn2.8h", 16+2*i, 17+2*i))
	}
	f.line("VORR V18.B16, V18.B16, V17.B16")
	f.line("VST1.P [V16.H8, V17.H8], 32(R0)")
	f.again()
}
