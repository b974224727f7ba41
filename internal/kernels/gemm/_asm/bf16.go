package main

import "fmt"

// evex returns the bytes of an instruction of the map 0F38 on whole registers
// of AVX-512, which the assembler does not know: pp is 2 for the prefix F3, 3
// for F2.
func evex(name string, pp, opcode, rm, v, reg int) string {
	not := func(x, bit int) int { return ^x >> bit & 1 }
	p0 := not(reg, 3)<<7 | not(rm, 4)<<6 | not(rm, 3)<<5 | not(reg, 4)<<4 | 2
	p1 := (^v&15)<<3 | 4 | pp
	p2 := 2<<5 | not(v, 4)<<3
	modrm := 3<<6 | reg&7<<3 | rm&7
	return fmt.Sprintf("BYTE $0x62; BYTE $%#02x; BYTE $%#02x; BYTE $%#02x; BYTE $%#02x; BYTE $%#02x // %s", p0, p1, p2, opcode, modrm, name)
}

// dpbf16 adds to each element of acc the products of the pairs of b and a.
func dpbf16(b, a, acc int) string {
	return evex(fmt.Sprintf("VDPBF16PS Z%d, Z%d, Z%d", b, a, acc), 2, 0x52, b, a, acc)
}

// toBF16 rounds the floats of low and then those of high to one register.
func toBF16(low, high, to int) string {
	return evex(fmt.Sprintf("VCVTNE2PS2BF16 Z%d, Z%d, Z%d", low, high, to), 3, 0x72, low, high, to)
}

// halfBF16 rounds the floats of one register to half a register.
func halfBF16(from, to int) string {
	return evex(fmt.Sprintf("VCVTNEPS2BF16 Z%d, Y%d", from, to), 2, 0x72, from, 0, to)
}

// bf16 writes the kernels of products of bfloat16, of v vectors of columns,
// and the rounding to it.
func bf16() string {
	f := newFile()
	for v := 4; v > 0; v-- {
		p := &kernel{file: f, name: fmt.Sprintf("dot%dBF16", 16*v), most: most512[v], step: 4, scale: 2, unroll: 4, stride: 64 * v, ahead: v == 4}
		p.begin = func(m int) {
			f.line("MOVQ call_bias(DI), AX")
			for j := range v {
				f.line("VMOVUPS %d(AX), Z%d", 64*j, j)
			}
			for i := v; i < m*v; i++ {
				f.line("VMOVAPS Z%d, Z%d", i%v, i)
			}
		}
		p.one = func(m, s int) {
			for j := range v {
				f.line("VMOVDQU32 %d(SI), Z%d", 64*(s*v+j), firstB+j)
			}
			for r := range m {
				a := broadcast512(v, r)
				f.line("VPBROADCASTD %d(R%d)(AX*1), Z%d", 4*s, firstRow+r, a)
				for j := range v {
					f.line("%s", dpbf16(firstB+j, a, acc(v, r, j)))
				}
			}
		}
		p.end = func(m int, floats string) { endBF16(p, v, m, floats) }
		p.write()
	}
	f.round()
	f.interleave()
	f.spread()
	return f.String()
}

// endBF16 ends a block, whose sums began with the bias: what is added, then
// limits where there are some. C and what is added are both of floats or both of
// bfloat16.
func endBF16(p *kernel, v, m int, floats string) {
	f := p.file
	f.masks(v)
	f.line("CMPQ call_float(DI), $0")
	f.line("JNE  %s", floats)
	p.addend(fmt.Sprintf("pairless%d", m), m, "CX", func(r int) {
		for j := range v {
			x := acc(v, r, j)
			f.line("VPMOVZXWD.Z %d(AX), K%d, Z%d", 32*j, 1+j, firstB+j)
			f.line("VPSLLD $16, Z%d, Z%d", firstB+j, firstB+j)
			f.line("VADDPS Z%d, Z%d, Z%d", firstB+j, x, x)
		}
	})
	f.limit(v*m, fmt.Sprintf("short%d", m))
	f.line("KMOVQ call_columns(DI), K5")
	f.line("KSHIFTRQ $32, K5, K6")
	for r := range m {
		for j := 0; j < v; j += 2 {
			x := acc(v, r, j)
			if j+1 < v {
				f.line("%s", toBF16(x, x+1, x))
				f.line("VMOVDQU16 Z%d, K%d, %d(DX)", x, 5+j/2, 32*j)
				continue
			}
			f.line("%s", halfBF16(x, x))
			f.line("VMOVDQU16 Y%d, K%d, %d(DX)", x, 1+j, 32*j)
		}
		f.line("ADDQ CX, DX")
	}
	f.line("JMP  %sdone", floats)
	f.label(floats)
	p.addend(fmt.Sprintf("alone%d", m), m, "CX", func(r int) {
		for j := range v {
			x := acc(v, r, j)
			f.line("VADDPS %d(AX), Z%d, K%d, Z%d", 64*j, x, 1+j, x)
		}
	})
	f.limit(v*m, fmt.Sprintf("long%d", m))
	for r := range m {
		f.store(v, func(j int) int { return acc(v, r, j) })
	}
	f.label(floats + "done")
}

// limit limits n sums: from below where there is a limit, and from above where
// there is one, too. It goes on at the label.
func (f *file) limit(n int, label string) {
	f.line("CMPQ call_limits(DI), $1")
	f.line("JLT  %s", label)
	f.line("VBROADCASTSS call_least(DI), Z%d", firstB)
	for i := range n {
		f.line("VMAXPS Z%d, Z%d, Z%d", i, firstB, i)
	}
	f.line("JEQ  %s", label)
	f.line("VBROADCASTSS call_most(DI), Z%d", firstB)
	for i := range n {
		f.line("VMINPS Z%d, Z%d, Z%d", i, firstB, i)
	}
	f.label(label)
}

// round writes the rounding of floats, 32 at a time and then what is left.
func (f *file) round() {
	f.WriteString("\n// func roundFloatsBF16(dst *uint16, src *float32, n int)\nTEXT ·roundFloatsBF16(SB), NOSPLIT, $0-24\n")
	f.line("MOVQ dst+0(FP), DI")
	f.line("MOVQ src+8(FP), SI")
	f.line("MOVQ n+16(FP), CX")
	f.line("SUBQ $32, CX")
	f.line("JLT  rest")
	f.label("many")
	f.line("VMOVUPS (SI), Z0")
	f.line("VMOVUPS 64(SI), Z1")
	f.line("%s", toBF16(0, 1, 0))
	f.line("VMOVDQU16 Z0, (DI)")
	f.line("ADDQ $128, SI")
	f.line("ADDQ $64, DI")
	f.line("SUBQ $32, CX")
	f.line("JGE  many")
	f.label("rest")
	f.line("ADDQ $32, CX")
	f.line("JZ   end")
	f.line("MOVQ $1, AX")
	f.line("SHLQ CX, AX")
	f.line("DECQ AX")
	f.line("KMOVQ AX, K1")
	f.line("KSHIFTRQ $16, K1, K2")
	f.line("VMOVUPS.Z (SI), K1, Z0")
	f.line("VMOVUPS.Z 64(SI), K2, Z1")
	f.line("%s", toBF16(0, 1, 0))
	f.line("VMOVDQU16 Z0, K1, (DI)")
	f.label("end")
	f.line("VZEROUPPER")
	f.line("RET")
}

// interleave writes what makes of two rows, of floats that are rounded or of
// bfloat16, elements that follow each other in turn, 16 columns at a time.
func (f *file) interleave() {
	f.WriteString("\n// Where the words of duos come from: the first row, then the second.\n")
	for i := range 32 {
		fmt.Fprintf(f, "DATA ·duos<>+%d(SB)/2, $%d\n", 2*i, i/2+i%2*16)
	}
	f.WriteString("GLOBL ·duos<>(SB), RODATA|NOPTR, $64\n")
	f.function("duosBF16(dst *uint16, low, high *float32, n int)", 32)
	f.line("MOVQ dst+0(FP), DI")
	f.line("MOVQ low+8(FP), SI")
	f.line("MOVQ high+16(FP), DX")
	f.line("MOVQ n+24(FP), CX")
	f.line("VMOVDQU16 ·duos<>(SB), Z2")
	f.label("each")
	f.line("VMOVUPS (SI), Z0")
	f.line("VMOVUPS (DX), Z1")
	f.line("%s", toBF16(0, 1, 0))
	f.line("VPERMW Z0, Z2, Z0")
	f.line("VMOVDQU16 Z0, (DI)")
	f.line("ADDQ $64, SI")
	f.line("ADDQ $64, DX")
	f.line("ADDQ $64, DI")
	f.line("SUBQ $16, CX")
	f.line("JNZ  each")
	f.line("VZEROUPPER")
	f.line("RET")
	f.function("shortDuosBF16(dst, low, high *uint16, n int)", 32)
	f.line("MOVQ dst+0(FP), DI")
	f.line("MOVQ low+8(FP), SI")
	f.line("MOVQ high+16(FP), DX")
	f.line("MOVQ n+24(FP), CX")
	f.label("each")
	f.line("VPMOVZXWD (SI), Z0")
	f.line("VPMOVZXWD (DX), Z1")
	f.line("VPSLLD $16, Z1, Z1")
	f.line("VPORD Z0, Z1, Z0")
	f.line("VMOVDQU32 Z0, (DI)")
	f.line("ADDQ $32, SI")
	f.line("ADDQ $32, DX")
	f.line("ADDQ $64, DI")
	f.line("SUBQ $16, CX")
	f.line("JNZ  each")
	f.line("VZEROUPPER")
	f.line("RET")
}

// spread writes the moving of words to their places in vectors of their own, with
// zeros between them: of each vector load says which words there are, order where
// those of the result come from, keep which of them are no zeros, and store which
// there are.
func (f *file) spread() {
	f.function("spreadBF16(dst, src *uint16, vectors int, order *uint16, load, keep, store uint64, from, to int)", 72)
	f.line("MOVQ dst+0(FP), DI")
	f.line("MOVQ src+8(FP), SI")
	f.line("MOVQ vectors+16(FP), CX")
	f.line("MOVQ order+24(FP), AX")
	f.line("KMOVQ load+32(FP), K1")
	f.line("KMOVQ keep+40(FP), K2")
	f.line("KMOVQ store+48(FP), K3")
	f.line("MOVQ from+56(FP), BX")
	f.line("MOVQ to+64(FP), DX")
	f.line("VMOVDQU16 (AX), Z1")
	f.label("each")
	f.line("VMOVDQU16.Z (SI), K1, Z0")
	f.line("VPERMW.Z Z0, Z1, K2, Z0")
	f.line("VMOVDQU16 Z0, K3, (DI)")
	f.line("ADDQ BX, SI")
	f.line("ADDQ DX, DI")
	f.line("DECQ CX")
	f.line("JNZ  each")
	f.line("VZEROUPPER")
	f.line("RET")
}
