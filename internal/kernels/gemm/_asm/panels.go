package main

import "fmt"

// The panel kernels take one argument, the call, whose fields go_asm.h names.
// All have the same frame:
//
//	for each block of m rows:
//		point a register at each row, fill the accumulators
//		for each tap, for each step of k: multiply
//		end: epilogue and stores
//
// DI holds the call, R8… the rows, SI the panel, DX the taps, BX how many of
// them are left, AX the offset from a row's beginning, CX how many steps of k
// are left.
type kernel struct {
	*file
	name   string
	most   int               // rows of a block
	step   int               // bytes of a row that one step of k takes
	scale  int               // bytes of an element of A
	unroll int               // steps of k that the inner loop takes at once
	begin  func(m int)       // fills the accumulators
	one    func(m, step int) // a step of k; the step-th since SI and AX moved
	all    func(m int)       // or all steps of a tap
	frame  int               // bytes of memory of its own
	stride int               // what SI moves by after a step, 0 where one does that itself
	end    func(m int, label string)
	ahead  bool // fetches the panel after this one into the second cache, R14 being where it is
	own    int  // rows up to which its own panel is fetched instead, which nobody reads again
	sums   int  // vectors of a row whose sums a call may go on with and leave, 0 where it may not
}

const firstRow = 8 // R8

// ownAhead is how far before its use a panel that is read once is fetched, in
// bytes.
const ownAhead = 16 << 10

func (p *kernel) write() {
	fmt.Fprintf(p, "\n// func %s(c *call)\nTEXT ·%s(SB), NOSPLIT, $%d-8\n", p.name, p.name, p.frame)
	p.line("MOVQ c+0(FP), DI")
	p.line("MOVQ call_row(DI), AX")
	p.line("MOVQ AX, call_rowNow(DI)")
	p.line("MOVQ call_c(DI), AX")
	p.line("MOVQ AX, call_cNow(DI)")
	p.line("MOVQ call_other(DI), AX")
	p.line("MOVQ AX, call_otherNow(DI)")
	if p.sums > 0 {
		p.line("MOVQ call_sums(DI), AX")
		p.line("MOVQ AX, call_sumsNow(DI)")
	}
	p.line("MOVQ call_m(DI), AX")
	for m := p.most; m > 1; m-- {
		p.line("CMPQ AX, $%d", m)
		p.line("JEQ  rows%d", m)
	}
	for m := 1; m <= p.most; m++ {
		p.block(m)
	}
}

// block writes the kernel of m rows.
func (p *kernel) block(m int) {
	at := func(name string) string { return fmt.Sprintf("%s%d", name, m) }
	p.label(at("rows"))
	p.line("MOVQ call_a(DI), CX")
	p.line("MOVQ call_rowNow(DI), AX")
	for r := range m {
		p.line("MOVLQSX %d(AX), R%d", 4*r, firstRow+r)
	}
	for r := range m {
		p.line("LEAQ (CX)(R%d*%d), R%d", firstRow+r, p.scale, firstRow+r)
	}
	p.line("ADDQ $%d, AX", 4*m)
	p.line("MOVQ AX, call_rowNow(DI)")
	if p.sums > 0 {
		p.line("TESTL $1, call_partial(DI)")
		p.line("JNZ  %s", at("more"))
	}
	p.begin(m)
	if p.sums > 0 {
		p.label(at("begun"))
	}
	ahead := p.ahead && m > p.own
	if ahead {
		p.line("MOVQ call_ahead(DI), R14")
	}
	p.line("MOVQ call_b(DI), SI")
	p.line("MOVQ call_tap(DI), DX")
	p.line("MOVQ call_taps(DI), BX")
	p.label(at("tap"))
	p.line("MOVLQSX (DX), AX")
	if p.scale > 1 {
		p.line("LEAQ (AX*%d), AX", p.scale)
	}
	p.line("ADDQ $4, DX")
	if p.all != nil {
		p.all(m)
	} else {
		p.steps(m)
	}
	p.line("DECQ BX")
	p.line("JNZ  %s", at("tap"))
	if ahead {
		p.line("CMPQ R14, call_aheadEnd(DI)")
		p.line("CMOVQHI call_aheadEnd(DI), R14")
		p.line("MOVQ R14, call_ahead(DI)")
	}
	if p.sums > 0 {
		p.line("TESTL $2, call_partial(DI)")
		p.line("JNZ  %s", at("leave"))
	}
	p.line("MOVQ call_cNow(DI), DX")
	p.line("MOVQ call_ldc(DI), CX")
	p.end(m, at("floats"))
	p.line("MOVQ DX, call_cNow(DI)")
	if p.sums > 0 {
		p.label(at("next"))
	}
	p.line("DECQ call_blocks(DI)")
	p.line("JNZ  %s", at("rows"))
	p.line("VZEROUPPER")
	p.line("RET")
	if p.sums > 0 {
		p.partial(m, at)
	}
}

// partial writes what a block does whose steps of k are not all: it goes on with
// the sums of the call before, leaves its own, or both. They lie row by row.
func (p *kernel) partial(m int, at func(name string) string) {
	p.label(at("more"))
	p.line("MOVQ call_sumsNow(DI), AX")
	for i := range m * p.sums {
		p.line("VMOVUPS %d(AX), Z%d", 64*i, i)
	}
	p.line("TESTL $2, call_partial(DI)")
	p.line("JNZ  %s", at("begun"))
	p.line("ADDQ $%d, call_sumsNow(DI)", 64*m*p.sums)
	p.line("JMP  %s", at("begun"))
	p.label(at("leave"))
	p.line("MOVQ call_sumsNow(DI), AX")
	for i := range m * p.sums {
		p.line("VMOVUPS Z%d, %d(AX)", i, 64*i)
	}
	p.line("ADDQ $%d, call_sumsNow(DI)", 64*m*p.sums)
	p.line("JMP  %s", at("next"))
}

// steps writes the steps of k of one tap.
func (p *kernel) steps(m int) {
	at := func(name string) string { return fmt.Sprintf("%s%d", name, m) }
	p.line("MOVQ call_depth(DI), CX")
	p.line("SUBQ $%d, CX", p.unroll)
	p.line("JLT  %s", at("rest"))
	p.line("PCALIGN $32")
	p.label(at("many"))
	switch {
	case m <= p.own:
		for i := 0; i < p.unroll*p.stride; i += 64 {
			p.line("PREFETCHT1 %d(SI)", ownAhead+i)
		}
	case p.ahead:
		p.line("PREFETCHT1 (R14)")
		p.line("PREFETCHT1 64(R14)")
		p.line("ADDQ $128, R14")
	}
	for s := range p.unroll {
		p.one(m, s)
	}
	p.line("ADDQ $%d, AX", p.unroll*p.step)
	p.advance(p.unroll)
	p.line("SUBQ $%d, CX", p.unroll)
	p.line("JGE  %s", at("many"))
	p.label(at("rest"))
	p.line("ADDQ $%d, CX", p.unroll)
	p.line("JZ   %s", at("end"))
	p.label(at("one"))
	p.one(m, 0)
	p.line("ADDQ $%d, AX", p.step)
	p.advance(1)
	p.line("DECQ CX")
	p.line("JNZ  %s", at("one"))
	p.label(at("end"))
}

func (p *kernel) advance(steps int) {
	if p.stride > 0 {
		p.line("ADDQ $%d, SI", steps*p.stride)
	}
}

// other adds, where there is one, the other addend, whose rows lie as far apart
// as those of C: AX points at the row.
func (p *kernel) other(m int, step string, row func(r int)) {
	p.addend(fmt.Sprintf("alone%d", m), m, step, row)
}

// addend is other with a label for where there is none.
func (p *kernel) addend(none string, m int, step string, row func(r int)) {
	p.line("MOVQ call_otherNow(DI), AX")
	p.line("TESTQ AX, AX")
	p.line("JZ   %s", none)
	for r := range m {
		row(r)
		p.line("ADDQ %s, AX", step)
	}
	p.line("MOVQ AX, call_otherNow(DI)")
	p.label(none)
}
