package main

// row2 writes the float32 kernel of one row and a whole panel: accumulators
// Y0…Y7, A in Y8…Y11. B is read once, from the front to the back, which is what
// such a product takes its time for.
func row2(f *file) {
	const vectors = 8
	p := &kernel{file: f, name: "rowAVX2", most: 1, step: 4, scale: 4, unroll: 4, stride: 32 * vectors}
	p.begin = func(int) {
		for i := range vectors {
			f.line("VXORPS Y%d, Y%d, Y%d", i, i, i)
		}
	}
	p.one = func(_, s int) {
		f.line("VBROADCASTSS %d(R%d)(AX*1), Y%d", 4*s, firstRow, vectors+s)
		for i := range vectors {
			f.line("VFMADD231PS %d(SI), Y%d, Y%d", 32*(vectors*s+i), vectors+s, i)
		}
	}
	p.end = func(int, string) {
		f.line("MOVQ call_bias(DI), AX")
		for i := range vectors {
			f.line("VADDPS %d(AX), Y%d, Y%d", 32*i, i, i)
		}
		p.other(1, "CX", func(int) {
			for i := range vectors {
				f.line("VADDPS %d(AX), Y%d, Y%d", 32*i, i, i)
			}
		})
		f.line("VBROADCASTSS call_least(DI), Y12")
		f.line("VBROADCASTSS call_most(DI), Y13")
		f.line("VBROADCASTSS call_tie(DI), Y14")
		for i := range vectors {
			f.line("VMAXPS Y%d, Y12, Y%d", i, i)
			f.line("VADDPS Y14, Y%d, Y%d", i, i)
			f.line("VMINPS Y%d, Y13, Y%d", i, i)
			f.line("VMOVUPS Y%d, %d(DX)", i, 32*i)
		}
		f.line("ADDQ CX, DX")
	}
	p.write()
}
