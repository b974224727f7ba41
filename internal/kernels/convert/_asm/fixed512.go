package main

import (
	"fmt"
	"strings"
)

// fixed512 writes sums and products in TensorFlow Lite's arithmetic, 16 at a time,
// the last ones masked by K1; K2 has the even lanes. Tables hold numbers that are
// broadcast to registers from Z10 on.
func fixed512() string {
	f := &file{}
	f.WriteString(header)
	for _, typ := range []string{"Uint8", "Int8"} {
		f.fixedPair512("sumFixed", typ, 6+3*5, func() {
			f.times512(0, 2, 16)
			f.times512(1, 4, 21)
			f.line("VPXORD Z12, Z1, Z1")
			f.line("VPSUBD Z12, Z1, Z1")
			f.line("VPADDD Z1, Z0, Z0")
			f.times512(0, 2, 26)
		})
		f.fixedPair512("productFixed", typ, 6+5, func() {
			f.line("VPMULLD Z1, Z0, Z0")
			f.times512(0, 2, 16)
		})
	}
	return f.String()
}

// times512 multiplies the integers of Z<x> with the factor whose shift to the
// left and one more, M, 2³¹ and half, shift to the sign, and shift to the right
// begin at a register, as convert.Rescaling.Vector has them; two registers from
// spare on are overwritten.
func (f *file) times512(x, spare, factor int) {
	odd, sign := spare, spare+1
	f.line("VPSRLVD Z%d, Z%d, Z%d", factor+3, x, sign)
	f.line("VPSLLVD Z%d, Z%d, Z%d", factor, x, x)
	f.line("VPSRLQ $32, Z%d, Z%d", x, odd)
	f.line("VPMULDQ Z%d, Z%d, Z%d", factor+1, x, x)
	f.line("VPMULDQ Z%d, Z%d, Z%d", factor+1, odd, odd)
	f.line("VPADDQ Z%d, Z%d, Z%d", factor+2, x, x)
	f.line("VPADDQ Z%d, Z%d, Z%d", factor+2, odd, odd)
	f.line("VMOVSHDUP Z%d, K2, Z%d", x, odd)
	f.line("VPSUBD Z%d, Z%d, Z%d", sign, odd, odd)
	f.line("VPSRAVD Z%d, Z%d, Z%d", factor+4, odd, x)
}

// fixedPair512 writes a function of two operands: compute takes them, less their
// zero points, from Z0 and Z1 to the result less its own in Z0.
func (f *file) fixedPair512(name, typ string, numbers int, compute func()) {
	name += typ + "AVX512"
	fmt.Fprintf(f, "\n// func %s(dst, a, b *%s, numbers *int64, n int)\n", name, strings.ToLower(typ))
	fmt.Fprintf(f, "TEXT ·%s(SB), NOSPLIT, $0-40\n", name)
	f.line("MOVQ dst+0(FP), DI")
	f.line("MOVQ a+8(FP), SI")
	f.line("MOVQ b+16(FP), DX")
	f.line("MOVQ numbers+24(FP), R8")
	f.line("MOVQ n+32(FP), CX")
	for i := range numbers {
		f.line("VPBROADCASTQ %d(R8), Z%d", 8*i, 10+i)
	}
	f.line("MOVL $0x5555, AX")
	f.line("KMOVW AX, K2")
	f.line("MOVL $-1, BX")
	f.line("KMOVW BX, K1")
	f.line("SUBQ $16, CX")
	f.line("JGE  next")
	f.WriteString("\nrest:\n")
	f.line("ADDQ $16, CX")
	f.line("JLE  done")
	f.line("BZHIL CX, BX, BX")
	f.line("KMOVW BX, K1")
	f.line("XORL CX, CX")
	f.WriteString("\nnext:\n")
	f.line("%s.Z (SI), K1, Z0", extend[typ])
	f.line("%s.Z (DX), K1, Z1", extend[typ])
	f.line("VPSUBD Z10, Z0, Z0")
	f.line("VPSUBD Z11, Z1, Z1")
	compute()
	f.line("VPMAXSD Z14, Z0, Z0")
	f.line("VPMINSD Z15, Z0, Z0")
	f.line("VPADDD Z13, Z0, Z0")
	f.line("VPMOVDB Z0, X0")
	f.line("VMOVDQU8 X0, K1, (DI)")
	f.line("ADDQ $16, SI")
	f.line("ADDQ $16, DX")
	f.line("ADDQ $16, DI")
	f.line("SUBQ $16, CX")
	f.line("JGE  next")
	f.line("CMPL BX, $-1")
	f.line("JEQ  rest")
	f.WriteString("\ndone:\n")
	f.line("VZEROUPPER")
	f.line("RET")
}
