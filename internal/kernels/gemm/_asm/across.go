package main

import "fmt"

// across writes the kernels of float32 products of few columns whose vectors run
// over rows: of m columns and up to most[m] vectors of reg. The element of B is
// broadcast to each vector of A.
//
//	for each block of vectors:
//		for each step of k: multiply
//		end: epilogue and stores
//
// DI holds the call, R8 the block's rows, R9 where in them the steps of k lie, SI
// the panel, CX how many steps are left, DX where results go, BX what they lie
// apart, R11 how many blocks are left. Accumulators are registers from 0 on,
// column by column, then come A and what is broadcast.
func across(reg, isa string, most map[int]int) string {
	f := newFile()
	for _, m := range []int{1, 2, 4, 8} {
		if most[m] == 0 {
			continue
		}
		name := fmt.Sprintf("across%d%s", m, isa)
		fmt.Fprintf(f, "\n// func %s(x *acrossCall)\nTEXT ·%s(SB), NOSPLIT, $0-8\n", name, name)
		f.line("MOVQ x+0(FP), DI")
		f.line("MOVQ acrossCall_a(DI), R8")
		f.line("MOVQ acrossCall_c(DI), R10")
		f.line("MOVQ acrossCall_ldc(DI), BX")
		f.line("MOVQ acrossCall_blocks(DI), R11")
		f.line("MOVQ acrossCall_vectors(DI), AX")
		for v := most[m]; v > 1; v-- {
			f.line("CMPQ AX, $%d", v)
			f.line("JEQ  by%d", v)
		}
		for v := 1; v <= most[m]; v++ {
			f.acrossBlock(reg, m, v)
		}
	}
	return f.String()
}

func (f *file) acrossBlock(reg string, m, v int) {
	size, x := map[string]int{"Y": 32, "Z": 64}[reg], m*v
	b := x + v
	if m == 1 { // A is not needed twice
		b = x
	}
	f.label(fmt.Sprintf("by%d", v))
	for i := range m * v {
		f.line("VXORPS X%d, X%d, X%d", i%16, i%16, i%16)
		if i >= 16 {
			f.line("VMOVAPS Z%d, Z%d", i%16, i)
		}
	}
	f.line("MOVQ acrossCall_at(DI), R9")
	f.line("MOVQ acrossCall_b(DI), SI")
	f.line("MOVQ acrossCall_k(DI), CX")
	f.line("PCALIGN $32")
	f.label(fmt.Sprintf("step%d", v))
	f.line("MOVLQSX (R9), AX")
	f.line("LEAQ (R8)(AX*4), AX")
	if m > 1 {
		for j := range v {
			f.line("VMOVUPS %d(AX), %s%d", size*j, reg, x+j)
		}
	}
	free := map[string]int{"Y": 16, "Z": 32}[reg] - b
	for i := range m {
		w := b + i%free
		f.line("VPBROADCASTD %d(SI), %s%d", 4*i, reg, w)
		for j := range v {
			if m == 1 {
				f.line("VFMADD231PS %d(AX), %s%d, %s%d", size*j, reg, w, reg, j)
			} else {
				f.line("VFMADD231PS %s%d, %s%d, %s%d", reg, x+j, reg, w, reg, i*v+j)
			}
		}
	}
	f.line("ADDQ $4, R9")
	f.line("ADDQ $64, SI")
	f.line("DECQ CX")
	f.line("JNZ  step%d", v)
	// A's registers are free: bias and bounds.
	bias, bound := x, b
	if m == 1 {
		bias, bound = b, b+1
	}
	f.line("MOVQ acrossCall_bias(DI), AX")
	for i := range m {
		f.line("VBROADCASTSS %d(AX), %s%d", 4*i, reg, bias)
		for j := range v {
			f.line("VADDPS %s%d, %s%d, %s%d", reg, bias, reg, i*v+j, reg, i*v+j)
		}
	}
	for _, step := range []string{"least", "tie", "most"} {
		f.line("VBROADCASTSS acrossCall_%s(DI), %s%d", step, reg, bound)
		for i := range m * v {
			switch step {
			case "least":
				f.line("VMAXPS %s%d, %s%d, %s%d", reg, i, reg, bound, reg, i)
			case "tie":
				f.line("VADDPS %s%d, %s%d, %s%d", reg, bound, reg, i, reg, i)
			default:
				f.line("VMINPS %s%d, %s%d, %s%d", reg, i, reg, bound, reg, i)
			}
		}
	}
	f.line("MOVQ R10, DX")
	for i := range m {
		for j := range v {
			f.line("VMOVUPS %s%d, %d(DX)", reg, i*v+j, size*j)
		}
		f.line("ADDQ BX, DX")
	}
	f.line("ADDQ $%d, R8", size*v)
	f.line("ADDQ $%d, R10", size*v)
	f.line("DECQ R11")
	f.line("JNZ  by%d", v)
	f.line("VZEROUPPER")
	f.line("RET")
}
