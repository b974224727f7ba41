package main

// panels is how many panels of A one call of tilesAVX512 multiplies: with
// them the accumulators fill 16 registers, and the latency of a multiply-add
// is hidden.
const panels = 4

// avx512: accumulators Z0..Z15 (row r of panel p in Z4p+r), b in Z16. Panels
// of A lie stride bytes apart.
func avx512() string {
	f := newFile()
	f.function("tilesAVX512(t *[Panels]Tile, a, b *float32, k, stride int)", 40)
	f.line("MOVQ t+0(FP), DI")
	f.line("MOVQ a+8(FP), SI")
	f.line("MOVQ b+16(FP), DX")
	f.line("MOVQ k+24(FP), CX")
	f.line("MOVQ stride+32(FP), R8")
	f.line("LEAQ (SI)(R8*1), R9")
	f.line("LEAQ (SI)(R8*2), R10")
	f.line("LEAQ (R9)(R8*2), R11")
	from := []string{"SI", "R9", "R10", "R11"}
	for i := range panels * rows {
		f.line("VMOVUPS %d(DI), Z%d", 64*i, i)
	}
	f.label("loop")
	f.line("VMOVUPS (DX), Z16")
	for p, reg := range from {
		for r := range rows {
			f.line("VFMADD231PS.BCST %d(%s), Z16, Z%d", 4*r, reg, rows*p+r)
		}
	}
	for _, reg := range from {
		f.line("ADDQ $%d, %s", 4*rows, reg)
	}
	f.line("ADDQ $%d, DX", 4*cols)
	f.line("DECQ CX")
	f.line("JNZ  loop")
	for i := range panels * rows {
		f.line("VMOVUPS Z%d, %d(DI)", i, 64*i)
	}
	f.line("VZEROUPPER")
	f.line("RET")
	return f.String()
}
