package main

import "fmt"

// most512 is the number of rows of a block for panels of 16, 32, 48 and 64
// columns: as many as registers hold accumulators and A for.
var most512 = [5]int{0, 8, 8, 8, 6}

// ownRows is the number of rows, likewise, up to which a product takes as long as
// to read B.
var ownRows = [5]int{4: 4}

// Registers of AVX-512: accumulators from Z0 on, row by row; B in the v
// registers from firstB on; A in turn in those behind.
const firstB = 24

func acc(v, r, j int) int { return r*v + j }

// broadcast512 returns the register for A of row r.
func broadcast512(v, r int) int { return firstB + v + r%(8-v) }

// floats512 writes the float32 kernels, of v vectors of columns.
func floats512() string {
	f := newFile()
	for v := 4; v > 0; v-- {
		p := &kernel{file: f, name: fmt.Sprintf("floats%dAVX512", 16*v), most: most512[v], step: 4, scale: 4, unroll: 4, stride: 64 * v, ahead: v == 4, own: ownRows[v], sums: v}
		p.begin = func(m int) {
			for i := range m * v {
				f.line("VPXORD Z%d, Z%d, Z%d", i, i, i)
			}
		}
		p.one = func(m, s int) {
			for j := range v {
				f.line("VMOVUPS %d(SI), Z%d", 64*(s*v+j), firstB+j)
			}
			for r := range m {
				a := broadcast512(v, r)
				// Not VBROADCASTSS, which takes a slot of the multiply-adds on Zen 4.
				f.line("VPBROADCASTD %d(R%d)(AX*1), Z%d", 4*s, firstRow+r, a)
				for j := range v {
					f.line("VFMADD231PS Z%d, Z%d, Z%d", firstB+j, a, acc(v, r, j))
				}
			}
		}
		p.end = func(m int, _ string) {
			f.masks(v)
			f.line("MOVQ call_bias(DI), AX")
			for j := range v {
				f.line("VMOVUPS %d(AX), Z%d", 64*j, firstB+j)
			}
			for i := range m * v {
				f.line("VADDPS Z%d, Z%d, Z%d", firstB+i%v, i, i)
			}
			p.other(m, "CX", func(r int) {
				for j := range v {
					x := acc(v, r, j)
					f.line("VADDPS %d(AX), Z%d, K%d, Z%d", 64*j, x, 1+j, x)
				}
			})
			f.line("VBROADCASTSS call_least(DI), Z%d", firstB+v)
			f.line("VBROADCASTSS call_most(DI), Z%d", firstB+v+1)
			f.line("VBROADCASTSS call_tie(DI), Z%d", firstB+v+2)
			for r := range m {
				for j := range v {
					x := acc(v, r, j)
					f.line("VMAXPS Z%d, Z%d, Z%d", x, firstB+v, x)
					f.line("VADDPS Z%d, Z%d, Z%d", firstB+v+2, x, x)
					f.line("VMINPS Z%d, Z%d, Z%d", x, firstB+v+1, x)
				}
				f.store(v, func(j int) int { return acc(v, r, j) })
			}
		}
		p.write()
	}
	return f.String()
}

// masks fills K1… with the columns of C in each of v vectors.
func (f *file) masks(v int) {
	f.line("KMOVQ call_columns(DI), K1")
	for j := 1; j < v; j++ {
		f.line("KSHIFTRQ $%d, K1, K%d", 16*j, 1+j)
	}
}

// store writes one row of v vectors of 4-byte elements to DX, which then moves
// to the next row.
func (f *file) store(v int, reg func(j int) int) {
	for j := range v {
		f.line("VMOVUPS Z%d, K%d, %d(DX)", reg(j), 1+j, 64*j)
	}
	f.line("ADDQ CX, DX")
}

// order writes where each four bytes lie after packing, in order of columns.
func (f *file) order() {
	f.WriteString("\n// Where each four bytes lie after packing, in order of columns.\n")
	for i := range 16 {
		fmt.Fprintf(f, "DATA ·order<>+%d(SB)/4, $%d\n", 4*i, i%4*4+i/4)
	}
	f.WriteString("GLOBL ·order<>(SB), RODATA|NOPTR, $64\n")
}

// bytesVNNI writes the kernels of products of bytes, of v vectors of columns.
func bytesVNNI() string {
	f := newFile()
	f.order()
	for v := 4; v > 0; v-- {
		p := &kernel{file: f, name: fmt.Sprintf("bytes%dVNNI", 16*v), most: most512[v], step: 4, scale: 1, unroll: 4, stride: 64 * v, ahead: v == 4, own: ownRows[v]}
		p.begin = func(m int) {
			f.line("MOVQ call_bias(DI), AX")
			for j := range v {
				f.line("VMOVDQU32 %d(AX), Z%d", 64*j, j)
			}
			for r := 1; r < m; r++ {
				for j := range v {
					f.line("VMOVDQA32 Z%d, Z%d", j, acc(v, r, j))
				}
			}
		}
		p.one = func(m, s int) {
			for j := range v {
				f.line("VMOVDQU32 %d(SI), Z%d", 64*(s*v+j), firstB+j)
			}
			for r := range m {
				a := broadcast512(v, r)
				f.line("VPBROADCASTD %d(R%d)(AX*1), Z%d", 4*s, firstRow+r, a)
				for j := range v {
					f.line("VPDPBUSD Z%d, Z%d, Z%d", firstB+j, a, acc(v, r, j))
				}
			}
		}
		p.end = func(m int, floats string) { endBytes512(f, v, m, floats) }
		p.write()
	}
	return f.String()
}

// endBytes512: multipliers in Z24…; Z28 the greatest value, Z29 the zero point
// as words, Z30 the least value, Z31 the order of columns. The conversion takes
// what no int32 holds, and NaN, for the least one: products that may be too
// great are limited before, by VMINPS, which gives its last source for a NaN.
// Whole sums are stored as floats are.
func endBytes512(f *file, v, m int, floats string) {
	f.line("MOVQ call_multiplier(DI), AX")
	for j := range v {
		f.line("VMOVUPS %d(AX), Z%d", 64*j, firstB+j)
	}
	f.line("CMPQ call_float(DI), $2")
	f.line("JEQ  %s", floats)
	f.line("JGT  %sfixed", floats)
	for r := range m {
		for j := range v {
			x := acc(v, r, j)
			f.line("VCVTDQ2PS Z%d, Z%d", x, x)
			f.line("VMULPS Z%d, Z%d, Z%d", firstB+j, x, x)
		}
	}
	f.line("CMPQ call_float(DI), $0")
	f.line("JNE  %s", floats)
	f.line("CMPQ call_over(DI), $0")
	f.line("JEQ  %sbelow", floats)
	f.line("VBROADCASTSS call_most(DI), Z28")
	for i := range m * v {
		f.line("VMINPS Z%d, Z28, Z%d", i, i)
	}
	f.label(floats + "below")
	for i := range m * v {
		f.line("VCVTPS2DQ Z%d, Z%d", i, i)
	}
	f.label(floats + "bytes")
	f.line("VPBROADCASTD call_high(DI), Z28")
	f.line("VPBROADCASTD call_zero(DI), Z29")
	f.line("VPBROADCASTD call_low(DI), Z30")
	f.line("VMOVDQU32 ·order<>(SB), Z31")
	f.line("KMOVQ call_columns(DI), K1")
	// Packing makes a vector of four: as many rows at once as have them.
	rows := max(1, 4/v)
	for first := 0; first < m; first += rows {
		last := min(m, first+rows)*v - 1
		x := func(i int) int { return min(first*v+i, last) }
		at := x(0)
		f.line("VPACKSSDW Z%d, Z%d, Z%d", x(1), at, at)
		f.line("VPADDSW Z29, Z%d, Z%d", at, at)
		high := at
		if x(2) > x(1) {
			high = x(2)
			f.line("VPACKSSDW Z%d, Z%d, Z%d", x(3), high, high)
			f.line("VPADDSW Z29, Z%d, Z%d", high, high)
		}
		f.line("VPACKUSWB Z%d, Z%d, Z%d", high, at, at)
		f.line("VPERMD Z%d, Z31, Z%d", at, at)
		f.line("VPMINUB Z28, Z%d, Z%d", at, at)
		f.line("VPMAXUB Z30, Z%d, Z%d", at, at)
		f.line("VPXORD.BCST call_flip(DI), Z%d, Z%d", at, at)
		for r := first; r < min(m, first+rows); r++ {
			from := at
			if r > first {
				from = firstB + 3
				if v == 1 {
					f.line("VEXTRACTI32X4 $%d, Z%d, X%d", r-first, at, from)
				} else {
					f.line("VEXTRACTI64X4 $%d, Z%d, Y%d", r-first, at, from)
				}
			}
			reg := []string{"", "X", "Y", "Z", "Z"}[v]
			f.line("VMOVDQU8 %s%d, K1, (DX)", reg, from)
			f.line("ADDQ CX, DX")
		}
	}
	f.line("JMP  %sdone", floats)
	f.label(floats + "fixed")
	f.fixed(v, m)
	f.line("JMP  %sbytes", floats)
	f.label(floats)
	f.masks(v)
	for r := range m {
		f.store(v, func(j int) int { return acc(v, r, j) })
	}
	f.label(floats + "done")
}
