package main

import "fmt"

// blockPairs computes m rows.
func (f *file) blockPairs(v, m int) {
	at := func(name string) string { return fmt.Sprintf("%s%d", name, m) }
	f.label(at("rows"))
	f.fetchPairs(at("fetched"))
	f.line("MOVQ call_a(DI), CX")
	f.line("MOVQ call_rowNow(DI), AX")
	for r := range m {
		f.line("MOVLQSX %d(AX), R%d", 4*r, firstRow+r)
	}
	for r := range m {
		f.line("ADDQ CX, R%d", firstRow+r)
	}
	f.line("ADDQ $%d, AX", 4*m)
	f.line("MOVQ AX, call_rowNow(DI)")
	for i := range v * m {
		f.line("VMOVDQU %d(R15), Y%d", pieceStart+32*(i%v), i)
	}
	f.line("CMPQ %d(R15), $0", pieceFirst)
	f.line("JNE  %s", at("begin"))
	f.line("MOVQ %d(R15), AX", pieceRowSums)
	for i := range v * m {
		f.line("VPADDD %d(AX), Y%d, Y%d", 32*i, i, i)
	}
	f.label(at("begin"))
	f.line("VMOVDQU ·ones<>(SB), Y10")
	for _, kind := range kinds(v) {
		f.each(kind, fmt.Sprintf("rows%dkind%d", m, kind), func() { f.multiplyPairs(v, m, kind) })
	}
	f.line("CMPQ %d(R15), $0", pieceTaps)
	f.line("JNE  %s", at("keep"))
	f.line("MOVQ call_cNow(DI), DX")
	f.line("MOVQ call_ldc(DI), CX")
	f.endPairs(v, m, at("floats"))
	f.line("MOVQ DX, call_cNow(DI)")
	f.line("JMP  %s", at("kept"))
	f.label(at("keep"))
	f.line("MOVQ %d(R15), AX", pieceRowSums)
	for i := range v * m {
		f.line("VMOVDQU Y%d, %d(AX)", i, 32*i)
	}
	f.label(at("kept"))
	f.line("ADDQ $%d, %d(R15)", 32*v*m, pieceRowSums)
}

// multiplyPairs multiplies m rows of a group of a kind: its vectors are in Y11,
// Y12, what is turned of A in Y13, Y14.
func (f *file) multiplyPairs(v, m, kind int) {
	signs := 0
	for j := range v {
		f.line("VMOVDQU %d(R15)(SI*1), Y%d", pieceWeights+32*j, 11+j)
		if kind>>j&1 == 0 {
			f.line("VMOVDQU %d(R15)(SI*1), Y%d", pieceSigns+32*j, 13+signs)
			signs++
		}
	}
	for r := range m {
		row := fmt.Sprintf("(R%d)(AX*1)", firstRow+r)
		if signs < 2 {
			f.line("VPBROADCASTD %s, Y14", row)
		}
		for j := range v {
			switch {
			case signs == 2: // all registers are in use
				f.line("VPBROADCASTD %s, Y15", row)
				f.line("VPXOR Y%d, Y15, Y15", 13+j)
			case kind>>j&1 == 0:
				f.line("VPXOR Y13, Y14, Y15")
			default:
				f.line("VPMADDUBSW Y%d, Y14, Y15", 11+j)
			}
			if kind>>j&1 == 0 {
				f.line("VPMADDUBSW Y15, Y%d, Y15", 11+j)
			}
			f.line("VPMADDWD Y10, Y15, Y15")
			f.line("VPADDD Y15, Y%d, Y%d", v*r+j, v*r+j)
		}
	}
}

// fetchPairs brings some of what follows in B near.
func (f *file) fetchPairs(done string) {
	f.line("MOVQ %d(R15), AX", pieceAhead)
	f.line("CMPQ AX, %d(R15)", pieceLimit)
	f.line("JGE  %s", done)
	f.line("MOVQ call_stride(DI), CX")
	for range 24 {
		f.line("PREFETCHT1 (AX)")
		f.line("ADDQ CX, AX")
	}
	f.line("MOVQ AX, %d(R15)", pieceAhead)
	f.label(done)
}

// endPairs: multipliers in Y12, Y13; then Y12 holds the greatest value, Y13 the
// zero point as words, Y14 the least value, Y15 what turns the sign bit. Two
// rows are packed together.
func (f *file) endPairs(v, m int, floats string) {
	f.line("MOVQ call_multiplier(DI), AX")
	for j := range v {
		f.line("VMOVUPS %d(AX), Y%d", 32*j, 12+j)
	}
	f.line("CMPQ call_float(DI), $1")
	f.line("JGT  %s", floats)
	for i := range v * m {
		f.line("VCVTDQ2PS Y%d, Y%d", i, i)
		f.line("VMULPS Y%d, Y%d, Y%d", 12+i%v, i, i)
	}
	f.line("CMPQ call_float(DI), $0")
	f.line("JNE  %s", floats)
	f.line("CMPQ call_over(DI), $0")
	f.line("JEQ  %swithin", floats)
	f.line("VBROADCASTSS call_most(DI), Y12")
	for i := range v * m {
		f.line("VMINPS Y%d, Y12, Y%d", i, i)
	}
	f.label(floats + "within")
	f.line("VPBROADCASTD call_high(DI), Y12")
	f.line("VPBROADCASTD call_zero(DI), Y13")
	f.line("VPBROADCASTD call_low(DI), Y14")
	f.line("VPBROADCASTD call_flip(DI), Y15")
	for i := range v * m {
		f.line("VCVTPS2DQ Y%d, Y%d", i, i)
	}
	for r := 0; r < m; r += 2 {
		n := min(2, m-r)
		x, y := v*r, v*(r+n-1) // the registers of the rows
		// Behind the first step each lane holds four columns of all the vectors.
		index := 11
		if v == 1 {
			f.line("VPACKSSDW Y%d, Y%d, Y%d", y, x, x)
			f.line("VPADDSW Y13, Y%d, Y%d", x, x)
			f.line("VPACKUSWB Y%d, Y%d, Y%d", x, x, x)
		} else {
			for _, r := range []int{x, y}[:n] {
				f.line("VPACKSSDW Y%d, Y%d, Y%d", r+1, r, r)
				f.line("VPADDSW Y13, Y%d, Y%d", r, r)
			}
			f.line("VPACKUSWB Y%d, Y%d, Y%d", y, x, x)
			index = x + 1
		}
		f.line("VMOVDQU ·apart<>(SB), Y%d", index)
		f.line("VPERMD Y%d, Y%d, Y%d", x, index, x)
		f.line("VPMINUB Y12, Y%d, Y%d", x, x)
		f.line("VPMAXUB Y14, Y%d, Y%d", x, x)
		f.line("VPXOR Y15, Y%d, Y%d", x, x)
		stores := []string{"VMOVDQU X%d, (DX)", "VEXTRACTI128 $1, Y%d, (DX)"}
		if v == 1 {
			stores = []string{"VMOVQ X%d, (DX)", "VPEXTRQ $1, X%d, (DX)"}
		}
		for _, store := range stores[:n] {
			f.line(store, x)
			f.line("ADDQ CX, DX")
		}
	}
	f.line("JMP  %sdone", floats)
	f.label(floats)
	for r := range m {
		for j := range v {
			f.line("VMOVUPS Y%d, %d(DX)", v*r+j, 32*j)
		}
		f.line("ADDQ CX, DX")
	}
	f.label(floats + "done")
}
