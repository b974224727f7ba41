package main

// The AVX2 kernels compute 16 columns of a panel of any width: R14 holds how
// far apart the steps of k lie there.

// floats2 writes the float32 kernel: accumulators Y0… (row r in Y2r, Y2r+1), B
// in Y12, Y13, A in Y14, Y15.
func floats2(f *file) {
	p := &kernel{file: f, name: "floatsAVX2", most: 6, step: 4, scale: 4, unroll: 4}
	p.begin = func(m int) {
		f.line("MOVQ call_stride(DI), R14")
		for i := range 2 * m {
			f.line("VXORPS Y%d, Y%d, Y%d", i, i, i)
		}
	}
	p.one = func(m, s int) {
		f.line("VMOVUPS (SI), Y12")
		f.line("VMOVUPS 32(SI), Y13")
		f.line("ADDQ R14, SI")
		for r := range m {
			a := 14 + r%2
			f.line("VBROADCASTSS %d(R%d)(AX*1), Y%d", 4*s, firstRow+r, a)
			f.line("VFMADD231PS Y12, Y%d, Y%d", a, 2*r)
			f.line("VFMADD231PS Y13, Y%d, Y%d", a, 2*r+1)
		}
	}
	p.end = func(m int, _ string) {
		f.line("MOVQ call_bias(DI), AX")
		for i := range 2 * m {
			f.line("VADDPS %d(AX), Y%d, Y%d", 32*(i%2), i, i)
		}
		p.other(m, "CX", func(r int) {
			f.line("VADDPS (AX), Y%d, Y%d", 2*r, 2*r)
			f.line("VADDPS 32(AX), Y%d, Y%d", 2*r+1, 2*r+1)
		})
		f.line("VBROADCASTSS call_least(DI), Y12")
		f.line("VBROADCASTSS call_most(DI), Y13")
		f.line("VBROADCASTSS call_tie(DI), Y14")
		for r := range m {
			for h := range 2 {
				x := 2*r + h
				f.line("VMAXPS Y%d, Y12, Y%d", x, x)
				f.line("VADDPS Y14, Y%d, Y%d", x, x)
				f.line("VMINPS Y%d, Y13, Y%d", x, x)
				f.line("VMOVUPS Y%d, %d(DX)", x, 32*h)
			}
			f.line("ADDQ CX, DX")
		}
	}
	p.write()
}

// bytes2 writes the kernel of products of bytes, widened to words so that
// nothing saturates: accumulators Y0… (row r from Y4r on), each with two sums
// for each of four columns, A in Y8, Y9, B in Y10, products in Y11, Y12.
func bytes2(f *file) {
	p := &kernel{file: f, name: "bytesAVX2", most: 2, step: 4, scale: 1, unroll: 2}
	p.begin = func(m int) {
		f.line("MOVQ call_stride(DI), R14")
		for i := range 4 * m {
			f.line("VPXOR Y%d, Y%d, Y%d", i, i, i)
		}
	}
	p.one = func(m, s int) {
		for r := range m {
			f.line("VPBROADCASTD %d(R%d)(AX*1), X%d", 4*s, firstRow+r, 8+r)
			f.line("VPMOVZXBW X%d, Y%d", 8+r, 8+r)
		}
		for j := range 4 {
			f.line("VPMOVSXBW %d(SI), Y10", 16*j)
			for r := range m {
				f.line("VPMADDWD Y10, Y%d, Y%d", 8+r, 11+r)
				f.line("VPADDD Y%d, Y%d, Y%d", 11+r, 4*r+j, 4*r+j)
			}
		}
		f.line("ADDQ R14, SI")
	}
	p.end = func(m int, floats string) { endBytes2(f, m, floats) }
	p.write()
}

// endBytes2: multipliers in Y8, Y9; Y10 the greatest value as a float, Y11 the
// zero point as words, Y12 the least value, Y13 what turns the sign bit.
func endBytes2(f *file, m int, floats string) {
	f.line("MOVQ call_multiplier(DI), AX")
	f.line("VMOVUPS (AX), Y8")
	f.line("VMOVUPS 32(AX), Y9")
	f.line("MOVQ call_bias(DI), AX")
	for r := range m {
		for h := range 2 {
			x, y := 4*r+2*h, 4*r+h
			f.line("VPHADDD Y%d, Y%d, Y%d", x+1, x, y)
			f.line("VPERMQ $0xd8, Y%d, Y%d", y, y)
			f.line("VPADDD %d(AX), Y%d, Y%d", 32*h, y, y)
			f.line("VCVTDQ2PS Y%d, Y%d", y, y)
			f.line("VMULPS Y%d, Y%d, Y%d", 8+h, y, y)
		}
	}
	f.line("CMPQ call_float(DI), $0")
	f.line("JNE  %s", floats)
	f.line("VBROADCASTSS call_most(DI), Y10")
	f.line("VPBROADCASTD call_zero(DI), Y11")
	f.line("VPBROADCASTD call_low(DI), Y12")
	f.line("VPBROADCASTD call_flip(DI), Y13")
	for r := range m {
		x, y := 4*r, 4*r+1
		for _, v := range []int{x, y} {
			f.line("VMINPS Y%d, Y10, Y%d", v, v)
			f.line("VCVTPS2DQ Y%d, Y%d", v, v)
		}
		f.line("VPACKSSDW Y%d, Y%d, Y%d", y, x, x)
		f.line("VPERMQ $0xd8, Y%d, Y%d", x, x)
		f.line("VPADDSW Y11, Y%d, Y%d", x, x)
		f.line("VEXTRACTI128 $1, Y%d, X%d", x, y)
		f.line("VPACKUSWB X%d, X%d, X%d", y, x, x)
		f.line("VPMAXUB X12, X%d, X%d", x, x)
		f.line("VPXOR X13, X%d, X%d", x, x)
		f.line("VMOVDQU X%d, (DX)", x)
		f.line("ADDQ CX, DX")
	}
	f.line("JMP  %sdone", floats)
	f.label(floats)
	for r := range m {
		f.line("VMOVUPS Y%d, (DX)", 4*r)
		f.line("VMOVUPS Y%d, 32(DX)", 4*r+1)
		f.line("ADDQ CX, DX")
	}
	f.label(floats + "done")
}

func panels2() string {
	f := newFile()
	f.include()
	floats2(f)
	bytes2(f)
	return f.String()
}
