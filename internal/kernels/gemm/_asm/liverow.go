package main

// rows512 writes the kernels of one row and any number of whole panels, which
// lie one behind the other. They fetch nothing ahead: processors follow one
// stream best by themselves.
//
// DI holds the call, SI the panels, DX C, R8 and R9 what is added, R10 the sums
// of columns and R11 their units, R12 how many panels are left; AX is at A, CX
// how many steps are left.
func rows512() string {
	f := newFile()
	f.row512("floatRowAVX512", 4, func() {
		for i := range 4 {
			f.line("VPXORD Z%d, Z%d, Z%d", i, i, i)
		}
	}, func(s int) {
		f.line("VBROADCASTSS %d(AX), Z%d", 4*s, 8+s%2)
		for j := range 4 {
			f.line("VFMADD231PS %d(SI), Z%d, Z%d", 64*(4*s+j), 8+s%2, j)
		}
	}, func() {})
	f.row512("byteRowVNNI", 4, func() {
		for i := range 4 {
			f.line("VPMULLD %d(R10), Z10, Z%d", 64*i, i)
		}
	}, func(s int) {
		f.line("VPBROADCASTD %d(AX), Z%d", 4*s, 8+s%2)
		for j := range 4 {
			f.line("VPDPBUSD %d(SI), Z%d, Z%d", 64*(4*s+j), 8+s%2, j)
		}
	}, func() {
		for i := range 4 {
			f.line("VCVTDQ2PS Z%d, Z%d", i, i)
			f.line("VMULPS %d(R11), Z11, Z%d", 64*i, 4+i)
			f.line("VMULPS Z%d, Z%d, Z%d", 4+i, i, i)
		}
		f.line("ADDQ $256, R10")
		f.line("ADDQ $256, R11")
	})
	return f.String()
}

func (f *file) row512(name string, unroll int, begin func(), one func(s int), end func()) {
	f.function(name+"(c *rowCall)", 8)
	f.line("MOVQ c+0(FP), DI")
	for _, p := range [][2]string{{"b", "SI"}, {"c", "DX"}, {"before", "R8"}, {"after", "R9"}, {"sums", "R10"}, {"units", "R11"}, {"panels", "R12"}} {
		f.line("MOVQ rowCall_%s(DI), %s", p[0], p[1])
	}
	f.line("VPBROADCASTD rowCall_zero(DI), Z10")
	f.line("VBROADCASTSS rowCall_scale(DI), Z11")
	f.label("panel")
	f.line("MOVQ rowCall_a(DI), AX")
	f.line("MOVQ rowCall_steps(DI), CX")
	begin()
	f.line("SUBQ $%d, CX", unroll)
	f.line("JLT  rest")
	f.line("PCALIGN $32")
	f.label("many")
	for s := range unroll {
		one(s)
	}
	f.line("ADDQ $%d, AX", 4*unroll)
	f.line("ADDQ $%d, SI", 256*unroll)
	f.line("SUBQ $%d, CX", unroll)
	f.line("JGE  many")
	f.label("rest")
	f.line("ADDQ $%d, CX", unroll)
	f.line("JZ   end")
	f.label("one")
	one(0)
	f.line("ADDQ $4, AX")
	f.line("ADDQ $256, SI")
	f.line("DECQ CX")
	f.line("JNZ  one")
	f.label("end")
	end()
	for i := range 4 {
		f.line("VADDPS %d(R8), Z%d, Z%d", 64*i, i, i)
		f.line("VADDPS %d(R9), Z%d, Z%d", 64*i, i, i)
		f.line("VMOVUPS Z%d, %d(DX)", i, 64*i)
	}
	for _, r := range []string{"DX", "R8", "R9"} {
		f.line("ADDQ $256, %s", r)
	}
	f.line("DECQ R12")
	f.line("JNZ  panel")
	f.line("VZEROUPPER")
	f.line("RET")
}
