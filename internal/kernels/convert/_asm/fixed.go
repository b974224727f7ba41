package main

import (
	"fmt"
	"math"
	"strings"
)

// fixed writes TensorFlow Lite's arithmetic on eight integers a step. A block of
// a table is M, the shift to the left, that to the right, what that drops, and
// half of it, eight numbers each.
func fixed() string {
	f := &file{}
	f.WriteString(header)
	for _, typ := range []string{"Uint8", "Int8"} {
		f.rescale(typ)
		f.rescaleReal(typ)
		f.sumFixed(typ)
		f.productFixed(typ)
	}
	return f.String()
}

// times multiplies the integers of Y<x> with the factors at offset at of R8; two
// registers from spare on are overwritten. Y15 holds halves. The upper half of a
// product needs no sign: what is kept of it are 32 bits.
func (f *file) times(x, spare, at int) {
	a, b := spare, spare+1
	f.line("VPSLLVD %d(R8), Y%d, Y%d", at+32, x, x)
	f.line("VMOVDQU %d(R8), Y%d", at, a)
	f.line("VPSRLQ $32, Y%d, Y%d", x, b)
	f.line("VPMULDQ Y%d, Y%d, Y%d", a, x, x)
	f.line("VPSRLQ $32, Y%d, Y%d", a, a)
	f.line("VPMULDQ Y%d, Y%d, Y%d", a, b, b)
	f.line("VPADDQ Y15, Y%d, Y%d", x, x)
	f.line("VPADDQ Y15, Y%d, Y%d", b, b)
	f.line("VPSRLQ $31, Y%d, Y%d", x, x)
	f.line("VPSLLQ $1, Y%d, Y%d", b, b)
	f.line("VPBLENDD $0xAA, Y%d, Y%d, Y%d", b, x, x)
	f.line("VPAND %d(R8), Y%d, Y%d", at+96, x, a)
	f.line("VPSRLD $31, Y%d, Y%d", x, b)
	f.line("VPADDD %d(R8), Y%d, Y%d", at+128, b, b)
	f.line("VPSRAVD %d(R8), Y%d, Y%d", at+64, x, x)
	f.line("VPCMPGTD Y%d, Y%d, Y%d", b, a, a)
	f.line("VPSUBD Y%d, Y%d, Y%d", a, x, x)
}

// ends loads the zero point and the limits less it, the arguments from at on, and
// the halves of products.
func (f *file) ends(at int) {
	for i, arg := range []string{"zero", "lo", "hi"} {
		f.line("MOVL %s+%d(FP), AX", arg, at+4*i)
		f.line("VMOVD AX, X%d", 12+i)
		f.line("VPBROADCASTD X%d, Y%d", 12+i, 12+i)
	}
	f.line("VPCMPEQD Y15, Y15, Y15")
	f.line("VPSRLQ $63, Y15, Y15")
	f.line("VPSLLQ $30, Y15, Y15")
}

// bytes limits the integers of Y0 and stores them.
func (f *file) bytes(typ string) {
	f.line("VPMAXSD Y13, Y0, Y0")
	f.line("VPMINSD Y14, Y0, Y0")
	f.store(typ)
}

// store adds the zero point to the integers of Y0 and stores them.
func (f *file) store(typ string) {
	f.line("VPADDD Y12, Y0, Y0")
	f.line("VEXTRACTI128 $1, Y0, X1")
	f.line("VPACKSSDW X1, X0, X0")
	if typ == "Uint8" {
		f.line("VPACKUSWB X0, X0, X0")
	} else {
		f.line("VPACKSSWB X0, X0, X0")
	}
	f.line("VMOVQ X0, (DI)")
}

func (f *file) rescale(typ string) {
	fmt.Fprintf(f, "\n// func rescale%sAVX2(dst *%s, sums *int32, table *int32, rows, steps, tail, skip int, zero, lo, hi int32)\n", typ, strings.ToLower(typ))
	fmt.Fprintf(f, "TEXT ·rescale%sAVX2(SB), NOSPLIT, $0-68\n", typ)
	f.line("MOVQ dst+0(FP), DI")
	f.line("MOVQ sums+8(FP), SI")
	f.line("MOVQ table+16(FP), DX")
	f.line("MOVQ rows+24(FP), CX")
	f.line("MOVQ steps+32(FP), BX")
	f.line("MOVQ tail+40(FP), R10")
	f.line("MOVQ skip+48(FP), R11")
	f.ends(56)
	f.WriteString("\nrow:\n")
	f.line("MOVQ DX, R8")
	f.line("MOVQ BX, R9")
	f.WriteString("\nnext:\n")
	f.line("VMOVDQU (SI), Y0")
	f.line("VPADDD (R8), Y0, Y0")
	f.times(0, 1, 32)
	f.bytes(typ)
	f.line("ADDQ $192, R8")
	f.line("ADDQ $32, SI")
	f.line("ADDQ $8, DI")
	f.line("DECQ R9")
	f.line("JNZ  next")
	f.line("ADDQ R11, DI")
	f.line("LEAQ (SI)(R10*4), SI")
	f.line("DECQ CX")
	f.line("JNZ  row")
	f.line("VZEROUPPER")
	f.line("RET")
}

// rescaleReal multiplies sums with float64 factors: halves are rounded away from
// zero as those of floats are.
func (f *file) rescaleReal(typ string) {
	fmt.Fprintf(f, "\n// func rescaleReal%sAVX2(dst *%s, sums, bias *int32, factors *float64, rows, steps, tail, skip int, zero, lo, hi int32)\n", typ, strings.ToLower(typ))
	fmt.Fprintf(f, "TEXT ·rescaleReal%sAVX2(SB), NOSPLIT, $0-76\n", typ)
	f.line("MOVQ dst+0(FP), DI")
	f.line("MOVQ sums+8(FP), SI")
	f.line("MOVQ rows+32(FP), CX")
	f.line("MOVQ steps+40(FP), BX")
	f.line("MOVQ tail+48(FP), R10")
	f.line("MOVQ skip+56(FP), R11")
	f.ends(64)
	f.line("VCVTDQ2PD X13, Y13")
	f.line("VCVTDQ2PD X14, Y14")
	f.line("VPCMPEQD Y10, Y10, Y10")
	f.line("VPSLLQ $63, Y10, Y10")
	f.line("MOVQ $0x%x, AX", math.Float64bits(math.Nextafter(0.5, 0)))
	f.line("VMOVQ AX, X11")
	f.line("VPBROADCASTQ X11, Y11")
	f.WriteString("\nrow:\n")
	f.line("MOVQ bias+16(FP), DX")
	f.line("MOVQ factors+24(FP), R8")
	f.line("MOVQ BX, R9")
	f.WriteString("\nnext:\n")
	f.line("VMOVDQU (SI), Y0")
	f.line("VPADDD (DX), Y0, Y0")
	f.line("VCVTDQ2PD X0, Y1")
	f.line("VEXTRACTI128 $1, Y0, X0")
	f.line("VCVTDQ2PD X0, Y2")
	for i := 1; i <= 2; i++ {
		f.line("VMULPD %d(R8), Y%d, Y%d", 32*(i-1), i, i)
		f.line("VMAXPD Y13, Y%d, Y%d", i, i)
		f.line("VMINPD Y14, Y%d, Y%d", i, i)
		f.line("VANDPD Y10, Y%d, Y3", i)
		f.line("VORPD Y11, Y3, Y3")
		f.line("VADDPD Y3, Y%d, Y%d", i, i)
		f.line("VCVTTPD2DQY Y%d, X%d", i, i)
	}
	f.line("VINSERTI128 $1, X2, Y1, Y0")
	f.store(typ)
	f.line("ADDQ $32, DX")
	f.line("ADDQ $64, R8")
	f.line("ADDQ $32, SI")
	f.line("ADDQ $8, DI")
	f.line("DECQ R9")
	f.line("JNZ  next")
	f.line("ADDQ R11, DI")
	f.line("LEAQ (SI)(R10*4), SI")
	f.line("DECQ CX")
	f.line("JNZ  row")
	f.line("VZEROUPPER")
	f.line("RET")
}

func (f *file) sumFixed(typ string) {
	fmt.Fprintf(f, "\n// func sumFixed%sAVX2(dst, a, b *%s, table *int32, steps int, zero, lo, hi int32)\n", typ, strings.ToLower(typ))
	fmt.Fprintf(f, "TEXT ·sumFixed%sAVX2(SB), NOSPLIT, $0-52\n", typ)
	f.line("MOVQ dst+0(FP), DI")
	f.line("MOVQ a+8(FP), SI")
	f.line("MOVQ b+16(FP), DX")
	f.line("MOVQ table+24(FP), R8")
	f.line("MOVQ steps+32(FP), CX")
	f.ends(40)
	f.WriteString("\nnext:\n")
	f.line("%s (SI), Y0", extend[typ])
	f.line("%s (DX), Y1", extend[typ])
	f.line("VPSUBD (R8), Y0, Y0")
	f.line("VPSUBD 192(R8), Y1, Y1")
	f.times(0, 2, 32)
	f.times(1, 4, 224)
	f.line("VPSIGND 384(R8), Y1, Y1")
	f.line("VPADDD Y1, Y0, Y0")
	f.times(0, 2, 416)
	f.bytes(typ)
	f.line("ADDQ $8, SI")
	f.line("ADDQ $8, DX")
	f.line("ADDQ $8, DI")
	f.line("DECQ CX")
	f.line("JNZ  next")
	f.line("VZEROUPPER")
	f.line("RET")
}

func (f *file) productFixed(typ string) {
	fmt.Fprintf(f, "\n// func productFixed%sAVX2(dst, a, b *%s, table *int32, steps int, zero, lo, hi int32)\n", typ, strings.ToLower(typ))
	fmt.Fprintf(f, "TEXT ·productFixed%sAVX2(SB), NOSPLIT, $0-52\n", typ)
	f.line("MOVQ dst+0(FP), DI")
	f.line("MOVQ a+8(FP), SI")
	f.line("MOVQ b+16(FP), DX")
	f.line("MOVQ table+24(FP), R8")
	f.line("MOVQ steps+32(FP), CX")
	f.ends(40)
	f.WriteString("\nnext:\n")
	f.line("%s (SI), Y0", extend[typ])
	f.line("%s (DX), Y1", extend[typ])
	f.line("VPSUBD (R8), Y0, Y0")
	f.line("VPSUBD 32(R8), Y1, Y1")
	f.line("VPMULLD Y1, Y0, Y0")
	f.times(0, 1, 64)
	f.bytes(typ)
	f.line("ADDQ $8, SI")
	f.line("ADDQ $8, DX")
	f.line("ADDQ $8, DI")
	f.line("DECQ CX")
	f.line("JNZ  next")
	f.line("VZEROUPPER")
	f.line("RET")
}
