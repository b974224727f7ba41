package main

// Offsets of the fields of finish.
const (
	offRow = 0
	offCol = 4 * rows
	offLo  = offCol + 4*cols
	offHi  = offLo + 4
)

func avx2() string {
	f := newFile()
	avx2Tile(f)
	avx2Finish(f)
	avx2AddInts(f)
	avx2Interleave(f)
	return f.String()
}

// avx2Tile: accumulators Y0..Y7 (row r in Y2r, Y2r+1), b in Y8, Y9, a in
// Y10..Y13.
func avx2Tile(f *file) {
	f.function("tileAVX2(t *Tile, a, b *float32, k int)", 32)
	f.line("MOVQ t+0(FP), DI")
	f.line("MOVQ a+8(FP), SI")
	f.line("MOVQ b+16(FP), DX")
	f.line("MOVQ k+24(FP), CX")
	for i := range 2 * rows {
		f.line("VMOVUPS %d(DI), Y%d", 32*i, i)
	}
	f.label("loop")
	f.line("VMOVUPS (DX), Y8")
	f.line("VMOVUPS 32(DX), Y9")
	for r := range rows {
		f.line("VBROADCASTSS %d(SI), Y%d", 4*r, 10+r)
	}
	for r := range rows {
		f.line("VFMADD231PS Y8, Y%d, Y%d", 10+r, 2*r)
		f.line("VFMADD231PS Y9, Y%d, Y%d", 10+r, 2*r+1)
	}
	f.line("ADDQ $%d, SI", 4*rows)
	f.line("ADDQ $%d, DX", 4*cols)
	f.line("DECQ CX")
	f.line("JNZ  loop")
	for i := range 2 * rows {
		f.line("VMOVUPS Y%d, %d(DI)", i, 32*i)
	}
	f.line("VZEROUPPER")
	f.line("RET")
}

// avx2Finish: the column bias in Y8, Y9, bounds in Y10, Y11. VMAXPS and VMINPS
// return their second source for zeros and NaN; taken in both orders and
// joined, they treat zeros as Go does. Comparison $3, "unordered", is all ones
// where an operand is NaN, which joined to anything is a NaN.
func avx2Finish(f *file) {
	f.function("finishAVX2(t *Tile, f *finish)", 16)
	f.line("MOVQ t+0(FP), DI")
	f.line("MOVQ f+8(FP), SI")
	f.line("VMOVUPS %d(SI), Y8", offCol)
	f.line("VMOVUPS %d(SI), Y9", offCol+32)
	f.line("VBROADCASTSS %d(SI), Y10", offLo)
	f.line("VBROADCASTSS %d(SI), Y11", offHi)
	f.line("VCMPPS $3, Y10, Y11, Y12")
	for r := range rows {
		f.line("VBROADCASTSS %d(SI), Y7", offRow+4*r)
		for h := range 2 {
			f.line("VADDPS %d(DI), Y7, Y0", 32*(2*r+h))
			f.line("VADDPS Y%d, Y0, Y0", 8+h)
			f.line("VMAXPS Y0, Y10, Y1")
			f.line("VMAXPS Y10, Y0, Y2")
			f.line("VANDPS Y1, Y2, Y1")
			f.line("VMINPS Y1, Y11, Y2")
			f.line("VMINPS Y11, Y1, Y3")
			f.line("VORPS Y2, Y3, Y1")
			f.line("VCMPPS $3, Y0, Y0, Y2")
			f.line("VORPS Y2, Y12, Y2")
			f.line("VORPS Y2, Y1, Y1")
			f.line("VMOVUPS Y1, %d(DI)", 32*(2*r+h))
		}
	}
	f.line("VZEROUPPER")
	f.line("RET")
}

func avx2AddInts(f *file) {
	f.function("addIntsAVX2(sums *[MR * NR]int32, t *Tile)", 16)
	f.line("MOVQ sums+0(FP), DI")
	f.line("MOVQ t+8(FP), SI")
	for i := range 2 * rows {
		f.line("VCVTTPS2DQ %d(SI), Y%d", 32*i, i)
		f.line("VPADDD %d(DI), Y%d, Y%d", 32*i, i, i)
		f.line("VMOVDQU Y%d, %d(DI)", i, 32*i)
	}
	f.line("VZEROUPPER")
	f.line("RET")
}
