package main

import "fmt"

// columns is rows of 3×3 filters of bytes on VNNI, 64 channels at a time. The
// bytes of a column of inputs are interleaved to dwords once, and multiplied for
// all outputs that see it: their sums are Z0 to Z11, the next one's first. Z12 to
// Z15 are the column, Z20 to Z31 the weights.
//
// SI holds the arguments, R8 the block's inputs, R9 those of a row of outputs, of
// which R11, R12 and CX are the lines and AX the place in them, DX what it moves
// by, DI where results go, R13 the weights, R14 the parameters, BX the blocks
// left, R10 the rows, R15 the outputs.
func columns(f *file, stride int, flip bool, in, to string) {
	name := fmt.Sprintf("columns%d%s%sVNNI", stride, title(in), title(to))
	fmt.Fprintf(f, "\n// func %s(a *columnsArgs)\nTEXT ·%s(SB), NOSPLIT, $0-8\n", name, name)
	f.line("MOVQ a+0(FP), SI")
	if to == "fixed" {
		f.evenLanes()
	}
	f.line("MOVQ columnsArgs_x(SI), R8")
	f.line("MOVQ columnsArgs_w(SI), R13")
	f.line("MOVQ columnsArgs_params(SI), R14")
	f.line("MOVQ columnsArgs_blocks(SI), BX")
	f.line("MOVQ columnsArgs_pixel(SI), DX")
	f.label("block")
	for i := range 12 {
		f.line("VMOVDQU32 %d(R13), Z%d", 64*i, 20+i)
	}
	f.line("MOVQ R8, R9")
	f.line("MOVQ columnsArgs_dst(SI), DI")
	f.line("MOVQ columnsArgs_rows(SI), R10")
	f.label("row")
	f.line("MOVQ DI, columnsArgs_now(SI)")
	f.line("MOVQ R9, R11")
	f.line("MOVQ columnsArgs_line(SI), CX")
	f.line("LEAQ (R9)(CX*1), R12")
	f.line("LEAQ (R12)(CX*1), CX")
	f.line("MOVQ columnsArgs_count(SI), R15")
	f.line("XORL AX, AX")
	column(f, flip)
	begin(f, 0)
	if stride == 1 {
		column(f, flip)
		add(f, 0, 1)
		begin(f, 4)
	}
	f.line("PCALIGN $32")
	f.label("output")
	column(f, flip)
	last := 4
	if stride == 1 {
		add(f, 0, 2)
		add(f, 4, 1)
		last = 8
	} else {
		add(f, 0, 1)
		column(f, flip)
		add(f, 0, 2)
	}
	begin(f, last)
	store(f, flip, to)
	for i := range last {
		f.line("VMOVDQA64 Z%d, Z%d", i+4, i)
	}
	f.line("ADDQ DX, DI")
	f.line("DECQ R15")
	f.line("JNZ  output")
	f.line("ADDQ columnsArgs_rowIn(SI), R9")
	f.line("MOVQ columnsArgs_now(SI), DI")
	f.line("ADDQ columnsArgs_rowOut(SI), DI")
	f.line("DECQ R10")
	f.line("JNZ  row")
	f.line("ADDQ $64, R8")
	f.line("ADDQ $64, columnsArgs_dst(SI)")
	f.line("ADDQ $768, R13")
	f.line("ADDQ $%d, R14", 256+4*paramLen(to))
	f.line("DECQ BX")
	f.line("JNZ  block")
	f.line("VZEROUPPER")
	f.line("RET")
}

// column interleaves a column, and goes on to the next one. A fourth byte is the
// third once more: its weight is zero.
func column(f *file, flip bool) {
	if flip {
		f.line("VPBROADCASTD columnsArgs_flip(SI), Z15")
	}
	for i, r := range []string{"R11", "R12", "CX"} {
		if flip {
			f.line("VPXORD (%s)(AX*1), Z15, Z%d", r, 12+i)
		} else {
			f.line("VMOVDQU64 (%s)(AX*1), Z%d", r, 12+i)
		}
	}
	for _, line := range []string{
		"VPUNPCKLBW Z13, Z12, Z16", "VPUNPCKHBW Z13, Z12, Z17", "VPUNPCKLBW Z14, Z14, Z18", "VPUNPCKHBW Z14, Z14, Z19",
		"VPUNPCKLWD Z18, Z16, Z12", "VPUNPCKHWD Z18, Z16, Z13", "VPUNPCKLWD Z19, Z17, Z14", "VPUNPCKHWD Z19, Z17, Z15",
	} {
		f.line("%s", line)
	}
	f.line("ADDQ DX, AX")
}

// begin begins the sums of an output, from a register on.
func begin(f *file, sum int) {
	for i := range 4 {
		f.line("VMOVDQU32 %d(R14), Z%d", 64*i, sum+i)
	}
	add(f, sum, 0)
}

// add adds the column as the given one of an output.
func add(f *file, sum, column int) {
	for i := range 4 {
		f.line("VPDPBUSD Z%d, Z%d, Z%d", 20+4*column+i, 12+i, sum+i)
	}
}

// store finishes the first sums. Z12 to Z19 are free.
func store(f *file, flip bool, to string) {
	f.line("VPBROADCASTD columnsArgs_zero(SI), Z12")
	f.line("VPBROADCASTD columnsArgs_most(SI), Z13")
	f.line("VPBROADCASTD columnsArgs_least(SI), Z14")
	for i := range 4 {
		if to == "fixed" {
			f.fixed("Z", 256+paramLen(to)*i, i, 16+2*(i&1), 17+2*(i&1))
			continue
		}
		f.line("VCVTDQ2PS Z%d, Z%d", i, i)
		f.line("VMULPS %d(R14), Z%d, Z%d", 256+64*i, i, i)
		f.line("VCVTPS2DQ Z%d, Z%d", i, i)
	}
	f.line("VPACKSSDW Z1, Z0, Z0")
	f.line("VPACKSSDW Z3, Z2, Z2")
	f.line("VPADDSW Z12, Z0, Z0")
	f.line("VPADDSW Z12, Z2, Z2")
	pack, most, least := "VPACKUSWB", "VPMINUB", "VPMAXUB"
	if to == "int8" || to == "fixed" && flip {
		pack, most, least = "VPACKSSWB", "VPMINSB", "VPMAXSB"
	}
	f.line("%s Z2, Z0, Z0", pack)
	f.line("%s Z13, Z0, Z0", most)
	f.line("%s Z14, Z0, Z0", least)
	f.line("VMOVDQU64 Z0, (DI)")
}

func columnsVNNI() string {
	f := &file{}
	f.WriteString(header + "#include \"go_asm.h\"\n")
	for _, stride := range []int{1, 2} {
		for _, in := range []string{"uint8", "int8"} {
			for _, to := range []string{"uint8", "int8", "fixed"} {
				columns(f, stride, in == "int8", in, to)
			}
		}
	}
	return f.String()
}
