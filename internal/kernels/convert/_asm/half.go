package main

import "fmt"

// halves writes the conversions between float32 and the 16-bit floats, 16
// elements a step.
func halves() string {
	f := &file{}
	f.WriteString(header)
	f.each("decodeF16AVX2", "*float32", "*uint16", 32, 64, func() {}, func() {
		for i := range 2 {
			f.line("VCVTPH2PS %d(SI), Y%d", 16*i, i)
		}
		f.storeFloats()
	})
	f.each("decodeBF16AVX2", "*float32", "*uint16", 32, 64, func() {}, func() {
		for i := range 2 {
			f.line("VPMOVZXWD %d(SI), Y%d", 16*i, i)
			f.line("VPSLLD $16, Y%d, Y%d", i, i)
		}
		f.storeFloats()
	})
	f.each("encodeF16AVX2", "*uint16", "*float32", 64, 32, func() {}, func() {
		for i := range 2 {
			f.line("VMOVUPS %d(SI), Y%d", 32*i, i)
			f.line("VCVTPS2PH $0, Y%d, %d(DI)", i, 16*i)
		}
	})
	// Y8 holds ones, Y9 what is added to round half down, Y10 the quiet bit of a
	// NaN, which is not rounded.
	f.each("encodeBF16AVX2", "*uint16", "*float32", 64, 32, func() {
		f.line("VPCMPEQD Y9, Y9, Y9")
		f.line("VPSRLD $31, Y9, Y8")
		f.line("VPSRLD $17, Y9, Y9")
		f.line("VPSLLD $22, Y8, Y10")
	}, func() {
		for i := range 2 {
			x, y, nan := i, 2+i, 4+i
			f.line("VMOVUPS %d(SI), Y%d", 32*i, x)
			f.line("VCMPPS $3, Y%d, Y%d, Y%d", x, x, nan)
			f.line("VPSRLD $16, Y%d, Y%d", x, y)
			f.line("VPAND Y8, Y%d, Y%d", y, y)
			f.line("VPADDD Y9, Y%d, Y%d", y, y)
			f.line("VPADDD Y%d, Y%d, Y%d", x, y, y)
			f.line("VPOR Y10, Y%d, Y%d", x, x)
			f.line("VBLENDVPS Y%d, Y%d, Y%d, Y%d", nan, x, y, y)
			f.line("VPSRLD $16, Y%d, Y%d", y, y)
		}
		f.line("VPACKUSDW Y3, Y2, Y2")
		f.line("VPERMQ $0xD8, Y2, Y2")
		f.line("VMOVDQU Y2, (DI)")
	})
	return f.String()
}

// each begins a function of steps, runs start once and body for each.
func (f *file) each(name, dst, src string, read, written int, start, body func()) {
	fmt.Fprintf(f, "\n// func %s(dst %s, src %s, steps int)\n", name, dst, src)
	fmt.Fprintf(f, "TEXT ·%s(SB), NOSPLIT, $0-24\n", name)
	f.line("MOVQ dst+0(FP), DI")
	f.line("MOVQ src+8(FP), SI")
	f.line("MOVQ steps+16(FP), CX")
	start()
	f.WriteString("\nnext:\n")
	body()
	f.line("ADDQ $%d, SI", read)
	f.line("ADDQ $%d, DI", written)
	f.line("DECQ CX")
	f.line("JNZ  next")
	f.line("VZEROUPPER")
	f.line("RET")
}

func (f *file) storeFloats() {
	for i := range 2 {
		f.line("VMOVUPS Y%d, %d(DI)", i, 32*i)
	}
}
