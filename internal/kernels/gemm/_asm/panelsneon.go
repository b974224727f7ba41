package main

import "fmt"

// The NEON kernels compute 16 columns of a panel of any width: R0 holds the
// call, R1 the next rows' offsets, R2 and R3 where C is and how far its rows
// lie apart, R4 the blocks left; R8… the rows, R19… where they are read; R12
// the panel, R13 how far apart its steps of k are, R14 the taps, R15 and R23
// how many taps and steps are left, R17 where the other addend is.
// Accumulators are V0… (row r from V4r on), B in V16…V19, A in V20….
type neonKernel struct {
	*file
	name     string
	row      string // an operand: what a row's or tap's offset R7 counts
	begin    func()
	multiply func(m int)
	steps    func(m int, at func(string) string) // nil: multiply, step by step
	end      func(m int, at func(string) string)
}

// Instructions that Go's assembler lacks; operands are d, n, m.
const (
	faddS4   = 0x4e20d400
	fmaxS4   = 0x4e20f400
	fminS4   = 0x4ea0f400
	sdot     = 0x4e809400
	scvtfS4  = 0x4e21d800
	fmulS4   = 0x6e20dc00
	fmaxnmS4 = 0x4e20c400
	fminnmS4 = 0x4ea0c400
	fcvtnsS4 = 0x4e21a800
	xtn      = 0x0e612800 // 32 to 16 bits, lower half
	xtn2     = 0x4e612800
	xtnB     = 0x0e212800 // 16 to 8 bits
	xtnB2    = 0x4e212800
)

func floatsNEON() string {
	f := newFile()
	k := &neonKernel{file: f, name: "floatsNEON", row: "R7<<2", begin: func() {}}
	k.multiply = func(m int) {
		for r := range m {
			for c := range 4 {
				f.line("VFMLA V%d.S4, V%d.S4, V%d.S4", 16+c, 20+r, 4*r+c)
			}
		}
	}
	k.end = func(m int, at func(string) string) {
		f.load("call_bias", 16)
		for i := range 4 * m {
			f.word("fadd", faddS4, i, i, 16+i%4)
		}
		f.line("CBZ R17, %s", at("alone"))
		for r := range m {
			f.line("VLD1 (R17), [V16.S4, V17.S4, V18.S4, V19.S4]")
			f.line("ADD R3, R17, R17")
			for c := range 4 {
				f.word("fadd", faddS4, 4*r+c, 4*r+c, 16+c)
			}
		}
		f.label(at("alone"))
		f.duplicate("call_least", 20)
		f.duplicate("call_most", 21)
		for r := range m {
			for c := range 4 {
				f.word("fmax", fmaxS4, 4*r+c, 4*r+c, 20)
				f.word("fmin", fminS4, 4*r+c, 4*r+c, 21)
			}
			f.four(4 * r)
		}
	}
	k.write()
	return f.String()
}

// bytesDotProd: both operands of the instruction are int8, so that the sign
// bit of A is turned, by V24, and the bias is that for A less 128.
func bytesDotProd() string {
	f := newFile()
	k := &neonKernel{file: f, name: "bytesDotProd", row: "R7", begin: func() { f.line("VMOVI $128, V24.B16") }}
	k.multiply = func(m int) {
		for r := range m {
			f.line("VEOR V24.B16, V%d.B16, V%d.B16", 20+r, 20+r)
		}
		for r := range m {
			for c := range 4 {
				x := 4*r + c
				f.line("WORD $0x%08x // sdot v%d.4s, v%d.16b, v%d.16b", sdot|(16+c)<<16|(20+r)<<5|x, x, 20+r, 16+c)
			}
		}
	}
	k.end = func(m int, at func(string) string) { endBytesNEON(f, m, at) }
	k.write()
	return f.String()
}

// endBytesNEON: V25 and V26 the least and the greatest value as floats, which
// FMAXNM gives for a NaN, V27 the zero point, V28 what turns the sign bit.
func endBytesNEON(f *file, m int, at func(string) string) {
	f.load("call_bias", 16)
	f.load("call_multiplier", 20)
	for i := range 4 * m {
		f.line("VADD V%d.S4, V%d.S4, V%d.S4", 16+i%4, i, i)
	}
	f.line("MOVD call_float(R0), R6")
	f.line("CMP  $1, R6")
	f.line("BGT  %s", at("floats")) // whole sums are stored as floats are
	for i := range 4 * m {
		f.two("scvtf", scvtfS4, i, i)
		f.word("fmul", fmulS4, i, i, 20+i%4)
	}
	f.line("CBNZ R6, %s", at("floats"))
	f.duplicate("call_least", 25)
	f.duplicate("call_most", 26)
	f.duplicate("call_wide", 27)
	f.duplicate("call_flip", 28)
	for r := range m {
		for c := range 4 {
			x := 4*r + c
			f.word("fmaxnm", fmaxnmS4, x, x, 25)
			f.word("fminnm", fminnmS4, x, x, 26)
			f.two("fcvtns", fcvtnsS4, x, x)
			f.line("VADD V27.S4, V%d.S4, V%d.S4", x, x)
		}
		x := 4 * r
		f.two("xtn", xtn, x, x)
		f.two("xtn2", xtn2, x, x+1)
		f.two("xtn", xtn, x+2, x+2)
		f.two("xtn2", xtn2, x+2, x+3)
		f.two("xtn", xtnB, x, x)
		f.two("xtn2", xtnB2, x, x+2)
		f.line("VEOR V28.B16, V%d.B16, V%d.B16", x, x)
		f.line("VST1 [V%d.B16], (R2)", x)
		f.line("ADD R3, R2, R2")
	}
	f.line("B %s", at("next"))
	f.label(at("floats"))
	for r := range m {
		f.four(4 * r)
	}
	f.label(at("next"))
}

// two writes an instruction of two operands, d and n.
func (f *file) two(name string, opcode, d, n int) {
	f.line("WORD $0x%08x // %s v%d, v%d", opcode|n<<5|d, name, d, n)
}

// load fills four registers from where a field of the call points.
func (f *file) load(field string, first int) {
	f.line("MOVD %s(R0), R6", field)
	f.line("VLD1 (R6), [V%d.S4, V%d.S4, V%d.S4, V%d.S4]", first, first+1, first+2, first+3)
}

// duplicate fills a register with a field of the call.
func (f *file) duplicate(field string, reg int) {
	f.line("ADD $%s, R0, R6", field)
	f.line("VLD1R (R6), [V%d.S4]", reg)
}

// four stores a row of four registers.
func (f *file) four(first int) {
	f.line("VST1 [V%d.S4, V%d.S4, V%d.S4, V%d.S4], (R2)", first, first+1, first+2, first+3)
	f.line("ADD R3, R2, R2")
}

func (k *neonKernel) write() {
	const most = 4
	k.function(k.name+"(c *call)", 8)
	k.line("MOVD c+0(FP), R0")
	k.line("MOVD call_row(R0), R1")
	k.line("MOVD call_c(R0), R2")
	k.line("MOVD call_ldc(R0), R3")
	k.line("MOVD call_blocks(R0), R4")
	k.line("MOVD call_m(R0), R5")
	k.line("MOVD call_stride(R0), R13")
	k.line("MOVD call_other(R0), R17")
	k.begin()
	for m := most; m > 1; m-- {
		k.line("CMP $%d, R5", m)
		k.line("BEQ rows%d", m)
	}
	for m := 1; m <= most; m++ {
		k.rows(m)
	}
}

func (k *neonKernel) rows(m int) {
	at := func(name string) string { return fmt.Sprint(name, m) }
	k.label(at("rows"))
	k.line("MOVD call_a(R0), R6")
	for r := range m {
		k.line("MOVW.P 4(R1), R7")
		k.line("ADD %s, R6, R%d", k.row, 8+r)
	}
	for i := range 4 * (m + m%2) { // kernels of two rows have sums for the row that is not there
		k.line("VEOR V%d.B16, V%d.B16, V%d.B16", i, i, i)
	}
	k.line("MOVD call_b(R0), R12")
	k.line("MOVD call_tap(R0), R14")
	k.line("MOVD call_taps(R0), R15")
	k.label(at("tap"))
	k.line("MOVW.P 4(R14), R7")
	for r := range m {
		k.line("ADD %s, R%d, R%d", k.row, 8+r, 19+r)
	}
	k.line("MOVD call_depth(R0), R23")
	k.line("CBZ R23, %s", at("end"))
	if k.steps != nil {
		k.steps(m, at)
	} else {
		k.step(m, at)
	}
	k.label(at("end"))
	k.line("SUBS $1, R15, R15")
	k.line("BNE %s", at("tap"))
	k.end(m, at)
	k.line("SUBS $1, R4, R4")
	k.line("BNE %s", at("rows"))
	k.line("RET")
}

// step multiplies one step of k after the other.
func (k *neonKernel) step(m int, at func(string) string) {
	k.label(at("step"))
	k.line("VLD1 (R12), [V16.S4, V17.S4, V18.S4, V19.S4]")
	k.line("ADD R13, R12, R12")
	for r := range m {
		k.line("VLD1R.P 4(R%d), [V%d.S4]", 19+r, 20+r)
	}
	k.multiply(m)
	k.line("SUBS $1, R23, R23")
	k.line("BNE %s", at("step"))
}

// word writes an instruction of three operands, d, n and m, on 4 floats.
func (f *file) word(name string, opcode, d, n, m int) {
	f.line("WORD $0x%08x // %s v%d.4s, v%d.4s, v%d.4s", opcode|m<<16|n<<5|d, name, d, n, m)
}
