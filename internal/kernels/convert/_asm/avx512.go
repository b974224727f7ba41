package main

import "fmt"

// avx512: sums and products of any number of elements, 64 at a time, then 16,
// the last ones masked by K1.
func avx512() string {
	f := &file{}
	f.WriteString(header)
	for _, typ := range []string{"uint8", "int8"} {
		f.binary("sum", typ, "fa, fb, c, hi float32, lo int32", []string{"fa", "fb", "c", "hi"}, nil, func(a, b int) {
			f.line("VFMADD213PS Z20, Z19, Z%d", b)
			f.line("VFMADD231PS Z18, Z%d, Z%d", a, b)
			f.line("VMINPS Z%d, Z21, Z%d", b, a)
		})
		f.binary("product", typ, "m, c, hi float32, za, zb, lo int32", []string{"m", "c", "hi"}, []string{"za", "zb"}, func(a, b int) {
			f.line("VMULPS Z%d, Z%d, Z%d", b, a, a)
			f.line("VMULPS Z18, Z%d, Z%d", a, a)
			f.line("VADDPS Z19, Z%d, Z%d", a, a)
			f.line("VMINPS Z%d, Z20, Z%d", a, a)
		})
	}
	f.WriteString("\n")
	for i, v := range []int{0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15} {
		fmt.Fprintf(f, "DATA order<>+%d(SB)/4, $%d\n", 4*i, v)
	}
	f.WriteString("GLOBL order<>(SB), RODATA|NOPTR, $64\n")
	return f.String()
}

// binary writes a function of two operands: compute takes elements, as floats
// in registers a and b, to the result in a. The named floats are in Z18 and on,
// the zero points in Z24 and on, the least result in Z30. Minima keep a NaN,
// which becomes the least integer, and so does what no integer holds.
func (f *file) binary(name, typ, parameters string, floats, zeros []string, compute func(a, b int)) {
	name += map[string]string{"uint8": "Uint8", "int8": "Int8"}[typ] + "AVX512"
	fmt.Fprintf(f, "\n// func %s(dst, a, b *%s, n int, %s)\n", name, typ, parameters)
	fmt.Fprintf(f, "TEXT ·%s(SB), NOSPLIT, $0-%d\n", name, 32+4*(len(floats)+len(zeros)+1))
	f.line("MOVQ dst+0(FP), DI")
	f.line("MOVQ a+8(FP), SI")
	f.line("MOVQ b+16(FP), DX")
	f.line("MOVQ n+24(FP), CX")
	at := 32
	for i, p := range floats {
		f.line("VBROADCASTSS %s+%d(FP), Z%d", p, at, 18+i)
		at += 4
	}
	for i, p := range zeros {
		f.line("MOVL %s+%d(FP), AX", p, at)
		f.line("VPBROADCASTD AX, Z%d", 24+i)
		at += 4
	}
	f.line("MOVL lo+%d(FP), AX", at)
	f.line("VPBROADCASTB AX, Z30")
	f.line("VMOVDQU32 order<>(SB), Z31")
	extend := map[string]string{"uint8": "VPMOVZXBD", "int8": "VPMOVSXBD"}[typ]
	load := func(at, a, b int, mask string) {
		for i, from := range []string{"SI", "DX"} {
			r := []int{a, b}[i]
			if mask != "" {
				f.line("%s.Z %d(%s), %s, Z%d", extend, at, from, mask, r)
			} else {
				f.line("%s %d(%s), Z%d", extend, at, from, r)
			}
			if zeros != nil {
				f.line("VPSUBD Z%d, Z%d, Z%d", 24+i, r, r)
			}
			f.line("VCVTDQ2PS Z%d, Z%d", r, r)
		}
		compute(a, b)
		f.line("VCVTPS2DQ Z%d, Z%d", a, a)
	}
	pack, bound := "VPACKUSWB", "VPMAXUB"
	if typ == "int8" {
		pack, bound = "VPACKSSWB", "VPMAXSB"
	}
	f.line("SUBQ $64, CX")
	f.line("JLT  rest")
	f.WriteString("\nwhole:\n")
	for i := range 4 {
		load(16*i, i, 4+i, "")
	}
	f.line("VPACKSSDW Z1, Z0, Z0")
	f.line("VPACKSSDW Z3, Z2, Z2")
	f.line("%s Z2, Z0, Z0", pack)
	f.line("VPERMD Z0, Z31, Z0")
	f.line("%s Z30, Z0, Z0", bound)
	f.line("VMOVDQU64 Z0, (DI)")
	for _, r := range []string{"SI", "DX", "DI"} {
		f.line("ADDQ $64, %s", r)
	}
	f.line("SUBQ $64, CX")
	f.line("JGE  whole")
	f.WriteString("\nrest:\n")
	f.line("ADDQ $64, CX")
	f.line("JZ   done")
	f.WriteString("\npart:\n")
	f.line("MOVL $16, AX")
	f.line("CMPQ CX, AX")
	f.line("CMOVQLT CX, AX")
	f.line("MOVL $-1, BX")
	f.line("BZHIL AX, BX, BX")
	f.line("KMOVW BX, K1")
	load(0, 0, 4, "K1")
	f.line("VEXTRACTI64X4 $1, Z0, Y1")
	f.line("VPACKSSDW Y1, Y0, Y0")
	f.line("VPERMQ $0xd8, Y0, Y0")
	f.line("VEXTRACTI128 $1, Y0, X1")
	f.line("%s X1, X0, X0", pack)
	f.line("%s X30, X0, X0", bound)
	f.line("VMOVDQU8 X0, K1, (DI)")
	for _, r := range []string{"SI", "DX", "DI"} {
		f.line("ADDQ $16, %s", r)
	}
	f.line("SUBQ $16, CX")
	f.line("JG   part")
	f.WriteString("\ndone:\n")
	f.line("VZEROUPPER")
	f.line("RET")
}
