package main

import "fmt"

// Registers of AVX2 that hold what quantization needs: what takes a sign off,
// the factor, the least and the greatest value, how far from a whole number is
// beyond doubt, and the zero point.
const (
	unsign = "Y15"
	factor = "Y14"
	least  = "Y13"
	most   = "Y12"
	slack  = "Y11"
	level  = "Y10"
	flip   = "Y9"
)

// tails2: a block whose columns are a multiple of 16, of which call_vectors
// says how many. R9 counts them, R10 is where they begin in a row of floats. The
// integers of 16 columns are Y4 and Y5.
func tails2() string {
	f := newFile()
	for _, k := range []struct {
		name        string
		other, gelu bool
	}{
		{name: "bytesAVX2"},
		{name: "bytesOtherAVX2", other: true},
		{name: "geluBytesAVX2", gelu: true},
	} {
		f.rows2(k.name, "MOVQ call_bias(DI), AX", func() {
			if k.other {
				f.line("MOVQ call_other(DI), BX")
			}
			if k.gelu {
				f.line("MOVQ call_doubt(DI), R8")
			}
		}, func(v int) {
			f.line("VMOVUPS %d(SI)(R10*1), Y0", 32*v)
			f.line("VADDPS %d(AX)(R10*1), Y0, Y0", 32*v)
			if k.other {
				f.line("VADDPS %d(BX)(R10*1), Y0, Y0", 32*v)
			}
			if !k.gelu {
				f.line("VDIVPS %s, Y0, Y0", factor)
				f.limit2(false)
				f.line("VCVTPS2DQ Y0, Y%d", 4+v)
				return
			}
			f.gelu2()
			f.line("VMULPS %s, Y0, Y0", factor)
			f.quantize2(slack, fmt.Sprintf("Y%d", 4+v))
			f.line("VMOVMSKPS Y2, R11")
			f.line("MOVB R11, %d(R8)", v)
			if v == 1 {
				f.line("ADDQ $2, R8")
			}
		}, func() {
			if k.other {
				f.line("ADDQ call_otherStep(DI), BX")
			}
			if k.gelu {
				// Rows of doubts have eight bytes.
				f.line("SUBQ call_vectors(DI), R8")
				f.line("SUBQ call_vectors(DI), R8")
				f.line("ADDQ $8, R8")
			}
		})
	}
	f.rows2("levelsAVX2", "MOVQ call_off(DI), AX", func() {}, func(v int) {
		if v == 0 {
			f.line("VBROADCASTSS (AX), Y3")
		}
		f.line("VMOVUPS %d(SI)(R10*1), Y0", 32*v)
		f.line("VSUBPS Y3, Y0, Y0")
		f.line("VMULPS %s, Y0, Y0", factor)
		f.limit2(false)
		f.line("VCVTPS2DQ Y0, Y%d", 4+v)
	}, func() { f.line("ADDQ $4, AX") })
	f.table()
	f.WriteString("\n")
	for d, row := range gelu {
		for i, v := range row {
			fmt.Fprintf(f, "DATA gelu<>+%d(SB)/4, $(%v)\n", 64*d+4*i, v)
		}
	}
	fmt.Fprintf(f, "GLOBL gelu<>(SB), RODATA|NOPTR, $%d\n", 64*len(gelu))
	return f.String()
}

// rows2 writes a function of rows: integers makes those of half v of 16 columns,
// next follows a row.
func (f *file) rows2(name, load string, start func(), integers func(v int), next func()) {
	f.function(name)
	f.line("MOVQ call_x(DI), SI")
	f.line("MOVQ call_y(DI), DX")
	f.line("MOVQ call_rows(DI), CX")
	f.line("%s", load)
	start()
	f.quantizer2()
	f.line("VPBROADCASTW call_level(DI), %s", level)
	f.line("VPBROADCASTD call_flip(DI), %s", flip)
	f.label("row")
	f.line("MOVQ call_vectors(DI), R9")
	f.line("XORL R10, R10")
	f.line("MOVQ DX, R12")
	f.label("columns")
	for v := range 2 {
		integers(v)
	}
	f.line("VPACKSSDW Y5, Y4, Y4")
	f.line("VPERMQ $0xd8, Y4, Y4")
	f.line("VPADDSW %s, Y4, Y4", level)
	f.line("VEXTRACTI128 $1, Y4, X5")
	f.line("VPACKUSWB X5, X4, X4")
	f.line("VPXOR X%s, X4, X4", flip[1:])
	f.line("VMOVDQU X4, (R12)")
	f.line("ADDQ $64, R10")
	f.line("ADDQ $16, R12")
	f.line("DECQ R9")
	f.line("JNZ  columns")
	f.line("ADDQ call_xStep(DI), SI")
	f.line("ADDQ call_yStep(DI), DX")
	next()
	f.line("DECQ CX")
	f.line("JNZ  row")
	f.line("VZEROUPPER")
	f.line("RET")
}

// quantizer2 loads what quantize2 needs, but for the zero point of words.
func (f *file) quantizer2() {
	f.bits(1<<31-1, unsign)
	for i, name := range []string{"slack", "hi", "lo", "factor"} {
		f.line("VBROADCASTSS call_%s(DI), %s", name, []string{slack, most, least, factor}[i])
	}
}

// limit2 limits Y0; a NaN becomes the least value, or stays.
func (f *file) limit2(stays bool) {
	if stays {
		f.line("VMAXPS Y0, %s, Y0", least)
	} else {
		f.line("VMAXPS %s, Y0, Y0", least)
	}
	f.line("VMINPS Y0, %s, Y0", most)
}

// quantize2 takes the quotient Y0 to integers, and fills in Y2 the elements that
// might be others; a NaN is one of them.
func (f *file) quantize2(slack, to string) {
	f.limit2(true)
	f.line("VROUNDPS $0, Y0, Y1")
	f.line("VSUBPS Y1, Y0, Y0")
	f.line("VANDPS %s, Y0, Y0", unsign)
	f.line("VCMPPS $6, %s, Y0, Y2", slack)
	f.line("VCVTPS2DQ Y1, %s", to)
}

// gelu2 is Gelu of Y0, by the same operations as in AVX-512: Y1 is the place in
// a piece, Y2 the piece, Y3 the sum, Y8 which half of the pieces that is.
func (f *file) gelu2() {
	f.number(16/reach, "Y6")
	f.number(15.999, "Y7")
	f.line("VANDPS %s, Y0, Y1", unsign)
	f.line("VMULPS Y6, Y1, Y1")
	f.line("VMINPS Y7, Y1, Y1")
	f.line("VCVTTPS2DQ Y1, Y2")
	f.line("VROUNDPS $1, Y1, Y3")
	f.line("VSUBPS Y3, Y1, Y1")
	f.line("VPSLLD $28, Y2, Y8")
	pick := func(d int, to string) {
		f.line("VPERMPS gelu<>+%d(SB), Y2, %s", 64*d, to)
		f.line("VPERMPS gelu<>+%d(SB), Y2, Y7", 64*d+32)
		f.line("VBLENDVPS Y8, Y7, %s, %s", to, to)
	}
	pick(4, "Y3")
	for d := 3; d >= 0; d-- {
		pick(d, "Y6")
		f.line("VFMADD213PS Y6, Y1, Y3")
	}
	f.line("VXORPS Y6, Y6, Y6")
	f.line("VFMADD231PS Y6, Y0, Y3")
	f.line("VMAXPS Y0, Y6, Y0")
	f.line("VADDPS Y3, Y0, Y0")
}
