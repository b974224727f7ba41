package main

import "fmt"

// bytesRow2 writes the kernel of products of one row of bytes with a whole panel of
// v vectors of 8 columns: accumulators Y0…, A's even bytes in Y8, the odd ones in
// Y9, products in Y10, Y11. One product has room in 16 bits. B is read in order,
// as it comes from far.
func bytesRow2(f *file, v int) {
	p := &kernel{file: f, name: fmt.Sprintf("bytesRow%dAVX2", 8*v), most: 1, step: 4, scale: 1, unroll: 2, stride: 32 * v}
	p.begin = func(int) {
		f.line("MOVQ call_bias(DI), AX")
		for i := range v {
			f.line("VMOVDQU %d(AX), Y%d", 32*i, i)
		}
		f.line("VMOVDQU ·ones<>(SB), Y12")
		f.line("VPCMPEQW Y13, Y13, Y13")
		f.line("VPSRLW $8, Y13, Y13")
	}
	p.one = func(_, s int) {
		f.line("VPBROADCASTD %d(R%d)(AX*1), Y9", 4*s, firstRow)
		f.line("VPAND Y13, Y9, Y8")
		f.line("VPANDN Y9, Y13, Y9")
		for i := range v {
			for _, a := range []int{8, 9} {
				f.line("VPMADDUBSW %d(SI), Y%d, Y%d", 32*(v*s+i), a, 2+a)
				f.line("VPMADDWD Y12, Y%d, Y%d", 2+a, 2+a)
				f.line("VPADDD Y%d, Y%d, Y%d", 2+a, i, i)
			}
		}
	}
	p.end = func(_ int, floats string) {
		f.line("MOVQ call_multiplier(DI), AX")
		for i := range v {
			f.line("VCVTDQ2PS Y%d, Y%d", i, i)
			f.line("VMULPS %d(AX), Y%d, Y%d", 32*i, i, i)
		}
		f.line("CMPQ call_float(DI), $0")
		f.line("JNE  %s", floats)
		f.line("VBROADCASTSS call_most(DI), Y12")
		f.line("VPBROADCASTD call_zero(DI), Y13")
		f.line("VPBROADCASTD call_low(DI), Y14")
		f.line("VPBROADCASTD call_flip(DI), Y15")
		f.line("VMOVDQU ·apart<>(SB), Y11")
		for i := range v {
			f.line("VMINPS Y%d, Y12, Y%d", i, i)
			f.line("VCVTPS2DQ Y%d, Y%d", i, i)
		}
		for i := 0; i < v; i += 2 {
			f.line("VPACKSSDW Y%d, Y%d, Y%d", i+1, i, i)
			f.line("VPADDSW Y13, Y%d, Y%d", i, i)
			f.line("VPACKUSWB Y%d, Y%d, Y%d", i, i, i)
			f.line("VPERMD Y%d, Y11, Y%d", i, i)
			f.line("VPMAXUB Y14, Y%d, Y%d", i, i)
			f.line("VPXOR Y15, Y%d, Y%d", i, i)
			f.line("VMOVDQU X%d, %d(DX)", i, 8*i)
		}
		f.line("ADDQ CX, DX")
		f.line("JMP  %sdone", floats)
		f.label(floats)
		for i := range v {
			f.line("VMOVUPS Y%d, %d(DX)", i, 32*i)
		}
		f.line("ADDQ CX, DX")
		f.label(floats + "done")
	}
	p.write()
}
