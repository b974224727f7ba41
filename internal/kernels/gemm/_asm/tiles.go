package main

import "fmt"

// Tiles: T0 to T3 sum up, T4 and T5 are rows of A, T6 and T7 columns of B.
const (
	tileA = 4
	tileB = 6
)

// bytesAMX writes the kernels of products of bytes that use tiles, of v vectors
// of columns. They take one argument, the tileCall:
//
//	for each block of two tiles of rows:
//		for each two vectors of columns:
//			fill the sums with the bias
//			for each tap, for each step of k: multiply
//			epilogue of rows of the block before
//			store the sums
//	epilogue of the last block
//
// The epilogue of one block runs while the products of the next are waiting for
// their turn.
//
// DI holds the call, R8 and R9 the rows, R10 and R11 the distances of rows of A
// and of groups of B, SI the panel, DX the taps, BX how many of them are left,
// CX how many steps of k, R12 where the sums go.
func bytesAMX() string {
	f := newFile()
	f.WriteString("#include \"funcdata.h\"\n")
	f.order()
	for v := 4; v > 0; v-- {
		t := &tileKernel{file: f, name: fmt.Sprintf("bytes%dAMX", 16*v), v: v, scale: 1, dot: f.tileDot}
		t.constants, t.endRows = func() { f.constants512(v) }, func(label string) { f.endRows512(v, label) }
		t.write()
	}
	return f.String()
}

// tileKernel is a kernel with tiles.
type tileKernel struct {
	*file
	name      string
	v         int // vectors of columns
	scale     int // bytes of an element of A
	dot       func(b, a, to int)
	constants func()
	endRows   func(label string) // takes the rows whose bits BX has to C
}

func (f *tileKernel) write() {
	const rows = 32
	name, v, size := f.name, f.v, rows*64*f.v
	fmt.Fprintf(f, "\n// func %s(c *tileCall)\nTEXT ·%s(SB), 0, $%d-8\n\tNO_LOCAL_POINTERS\n", name, name, 2*size+64)
	f.line("MOVQ c+0(FP), DI")
	f.line("LEAQ tileCall_config(DI), AX")
	f.tileConfigure("AX")
	f.line("LEAQ sums-%d(SP), R12", 2*size+64)
	f.line("ADDQ $63, R12")
	f.line("ANDQ $-64, R12")
	f.line("MOVQ $%d, tileCall_otherSums(DI)", size)
	f.line("MOVQ tileCall_row(DI), R10")
	f.line("MOVQ call_stride(DI), R11")
	f.line("MOVQ call_ahead(DI), R14")
	f.line("MOVQ call_c(DI), AX")
	f.line("MOVQ AX, call_cNow(DI)")
	f.constants()
	f.label("block")
	f.line("MOVQ tileCall_list(DI), AX")
	f.line("MOVLQSX tileBlock_first(AX), R8")
	f.line("MOVLQSX tileBlock_second(AX), R9")
	if f.scale > 1 {
		f.line("IMULQ $%d, R8", f.scale)
		f.line("IMULQ $%d, R9", f.scale)
	}
	f.line("ADDQ call_a(DI), R8")
	f.line("ADDQ call_a(DI), R9")
	for j := 0; j < v; j += 2 {
		n := min(2, v-j)
		f.sums(j, n)
		f.line("MOVL tileCall_pending(DI), BX")
		if v > 2 {
			f.line("MOVL tileCall_tile(DI), AX")
			if j == 0 {
				f.line("ANDL AX, BX")
			} else {
				f.line("ANDNL BX, AX, BX")
			}
		}
		f.endRows(fmt.Sprint(j))
		f.stores(j, n)
	}
	f.line("MOVQ tileCall_list(DI), AX")
	f.line("MOVL tileBlock_rows(AX), BX")
	f.line("MOVL BX, tileCall_pending(DI)")
	f.line("ADDQ $tileBlock__size, AX")
	f.line("MOVQ AX, tileCall_list(DI)")
	f.line("MOVQ R12, tileCall_sums(DI)")
	f.line("ADDQ tileCall_otherSums(DI), R12")
	f.line("NEGQ tileCall_otherSums(DI)")
	f.line("DECQ call_blocks(DI)")
	f.line("JNZ  block")
	f.line("MOVQ R14, call_ahead(DI)")
	f.endRows("")
	f.tileRelease()
	f.line("VZEROUPPER")
	f.line("RET")
}

// sums writes the sums of a block and n vectors of columns from the j-th on.
func (f *tileKernel) sums(j, n int) {
	at := func(name string) string { return fmt.Sprintf("%s%d", name, j) }
	f.line("MOVQ call_bias(DI), AX")
	f.line("XORL CX, CX")
	for i := range 2 * n {
		f.tileLoad(i, 64*(j+i%n), "AX", "CX")
	}
	f.line("MOVQ call_b(DI), SI")
	if j > 0 {
		f.line("ADDQ $%d, SI", 64*j)
	}
	f.line("MOVQ call_tap(DI), DX")
	f.line("MOVQ call_taps(DI), BX")
	f.label(at("tap"))
	f.line("MOVLQSX (DX), AX")
	f.line("ADDQ $4, DX")
	f.line("LEAQ (R8)(AX*%d), R13", f.scale)
	f.line("LEAQ (R9)(AX*%d), R15", f.scale)
	f.line("MOVQ tileCall_steps(DI), CX")
	f.label(at("step"))
	f.tileLoad(tileB, 0, "SI", "R11")
	f.tileLoad(tileA, 0, "R13", "R10")
	f.dot(tileB, tileA, 0)
	if n > 1 {
		f.tileLoad(tileB+1, 64, "SI", "R11")
		f.dot(tileB+1, tileA, 1)
	}
	f.tileLoad(tileA+1, 0, "R15", "R10")
	f.dot(tileB, tileA+1, n)
	if n > 1 {
		f.dot(tileB+1, tileA+1, 3)
	}
	if f.v == 4 {
		f.line("MOVQ tileCall_lines(DI), AX")
		f.label(at("fetch"))
		f.line("PREFETCHT1 (R14)")
		f.line("ADDQ $64, R14")
		f.line("DECQ AX")
		f.line("JNZ  %s", at("fetch"))
	}
	f.line("ADDQ tileCall_stepB(DI), SI")
	f.line("ADDQ tileCall_stepA(DI), R13")
	f.line("ADDQ tileCall_stepA(DI), R15")
	f.line("DECQ CX")
	f.line("JNZ  %s", at("step"))
	f.line("DECQ BX")
	f.line("JNZ  %s", at("tap"))
	if f.v == 4 {
		f.line("CMPQ R14, call_aheadEnd(DI)")
		f.line("CMOVQHI call_aheadEnd(DI), R14")
	}
}

// stores stores what sums has summed up.
func (f *tileKernel) stores(j, n int) {
	f.line("MOVL $%d, CX", 64*f.v)
	f.line("MOVQ tileCall_second(DI), AX")
	f.line("ADDQ R12, AX")
	for i := range n {
		f.tileStore(i, 64*(j+i), "R12", "CX")
	}
	for i := range n {
		f.tileStore(n+i, 64*(j+i), "AX", "CX")
	}
}

// constants512 fills the registers that endRows512 reads: multipliers in Z24…,
// Z22 the flipped bits, Z23 the greatest float, and what endBytes512 has in
// the others.
func (f *file) constants512(v int) {
	f.line("MOVQ call_multiplier(DI), AX")
	for j := range v {
		f.line("VMOVUPS %d(AX), Z%d", 64*j, firstB+j)
	}
	f.line("VPBROADCASTD call_flip(DI), Z22")
	f.line("VBROADCASTSS call_most(DI), Z23")
	f.line("VPBROADCASTD call_high(DI), Z28")
	f.line("VPBROADCASTD call_zero(DI), Z29")
	f.line("VPBROADCASTD call_low(DI), Z30")
	f.line("VMOVDQU32 ·order<>(SB), Z31")
	f.masks(v)
}

// endRows512 takes the rows of sums whose bits BX has to C: what endBytes512
// does, without the steps that change nothing. Of floats all masks are used, of
// bytes one of all columns, which is the same register.
func (f *file) endRows512(v int, label string) {
	row, floats, next := "row"+label, "floats"+label, "next"+label
	skip := func(bit int, name string, lines func()) {
		f.line("TESTL $%d, SI", bit)
		f.line("JZ   %s%s", name, label)
		lines()
		f.label(name + label)
	}
	f.line("TESTL BX, BX")
	f.line("JZ   ended%s", label)
	f.line("MOVQ call_cNow(DI), DX")
	f.line("MOVQ call_ldc(DI), CX")
	f.line("MOVQ tileCall_sums(DI), R13")
	f.line("MOVL tileCall_end(DI), SI")
	f.label(row)
	f.line("TZCNTL BX, AX")
	f.line("IMULQ $%d, AX", 64*v)
	for j := range v {
		f.line("VCVTDQ2PS %d(R13)(AX*1), Z%d", 64*j, j)
	}
	for j := range v {
		f.line("VMULPS Z%d, Z%d, Z%d", firstB+j, j, j)
	}
	f.line("TESTL $1, SI")
	f.line("JNZ  %s", floats)
	skip(2, "within", func() {
		for j := range v {
			f.line("VMINPS Z%d, Z23, Z%d", j, j)
		}
	})
	for j := range v {
		f.line("VCVTPS2DQ Z%d, Z%d", j, j)
	}
	f.line("VPACKSSDW Z%d, Z0, Z0", min(1, v-1))
	f.line("VPADDSW Z29, Z0, Z0")
	high := 0
	if v > 2 {
		high = 2
		f.line("VPACKSSDW Z%d, Z2, Z2", v-1)
		f.line("VPADDSW Z29, Z2, Z2")
	}
	f.line("VPACKUSWB Z%d, Z0, Z0", high)
	f.line("VPERMD Z0, Z31, Z0")
	skip(4, "free", func() {
		f.line("VPMINUB Z28, Z0, Z0")
		f.line("VPMAXUB Z30, Z0, Z0")
		f.line("VPXORD Z22, Z0, Z0")
	})
	f.line("VMOVDQU8 Z0, K1, (DX)")
	f.label(next)
	f.line("ADDQ CX, DX")
	f.line("BLSRL BX, BX")
	f.line("JNZ  %s", row)
	f.line("MOVQ DX, call_cNow(DI)")
	f.line("JMP  ended%s", label)
	f.label(floats)
	for j := range v {
		f.line("VMOVUPS Z%d, K%d, %d(DX)", j, 1+j, 64*j)
	}
	f.line("JMP  %s", next)
	f.label("ended" + label)
}
