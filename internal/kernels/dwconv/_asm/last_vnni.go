package main

import (
	"fmt"
	"strings"
)

// lastBytes is the run of bytes on VNNI: blocks of 64 channels, whose sums are
// Z0..Z3; the bytes of four taps, Z4..Z7, are interleaved to dwords and
// multiplied. Constants: Z27 the flip, Z28 the upper bound, Z29 the zero point
// in words, Z30 the least result.
func lastBytes(f *file, name string, flip bool, to string) {
	f.begin(name)
	f.absolute("Z", 0)
	f.line("VPBROADCASTD %d(SI), Z27", argFlip)
	f.line("VBROADCASTSS %d(SI), Z28", argHi)
	f.line("VPBROADCASTW %d(SI), Z29", argZero)
	f.line("VPBROADCASTB %d(SI), Z30", argLeast)
	f.line("VPBROADCASTD %d(SI), Z25", argZero)
	f.line("VBROADCASTSS %d(SI), Z26", argLo)
	f.line("VMOVDQU32 transposeDwords<>(SB), Z23")
	f.line("VBROADCASTI32X4 transposeBytes<>(SB), Z24")
	f.label("output")
	f.line("MOVQ %d(SI), R13", argW)
	f.line("MOVQ %d(SI), R14", argParams)
	f.line("MOVQ %d(SI), BX", argChannels)
	f.line("MOVQ %d(SI), AX", argOff)
	f.line("SUBQ $64, BX")
	f.line("JLT  rest")
	f.label("whole")
	block(f, "whole", "Z", "", flip, to)
	f.line("ADDQ $512, R14")
	f.line("ADDQ $64, AX")
	f.line("SUBQ $64, BX")
	f.line("JGE  whole")
	f.label("rest")
	f.line("ADDQ $64, BX")
	f.line("JZ   next")
	f.line("CMPQ BX, $16")
	f.line("JEQ  lane")
	f.line("MOVQ $-1, R12")
	f.line("BZHIQ BX, R12, R12")
	f.line("KMOVQ R12, K1")
	f.line("CMPQ BX, $32")
	f.line("JEQ  half")
	f.line("JLT  less")
	block(f, "part", "Z", "K1", flip, to)
	f.line("JMP  next")
	f.label("less")
	block(f, "less", "Y", "K1", flip, to)
	f.line("JMP  next")
	f.label("half")
	block(f, "half", "Y", "", flip, to)
	f.line("JMP  next")
	f.label("lane")
	lane(f, flip, to)
	f.label("next")
	f.advance("advance", "Z", 0, 1)
	f.line("DECQ CX")
	f.line("JNZ  output")
	f.line("VZEROUPPER")
	f.line("RET")
}

// vector is line with all registers Z replaced by reg.
func (f *file) vector(reg, format string, args ...any) {
	f.WriteString(strings.ReplaceAll(fmt.Sprintf("\t"+format+"\n", args...), " Z", " "+reg))
}

// taps loads the addresses of the next group of taps.
func (f *file) taps() {
	for i, r := range []string{"R8", "R9", "R10", "R11"} {
		f.line("MOVQ %d(DX), %s", 8*i, r)
	}
}

// block computes one output of up to 64 channels, or 32 of reg Y.
func block(f *file, label, reg, mask string, flip bool, to string) {
	for i := range 4 {
		f.vector(reg, "VMOVDQU32 %d(R14), Z%d", 64*i, i)
	}
	f.line("MOVQ %d(SI), DX", argLive)
	f.line("MOVQ %d(SI), R12", argGroups)
	f.label(label + "Group")
	f.taps()
	for i, r := range []string{"R8", "R9", "R10", "R11"} {
		switch {
		case mask != "":
			f.vector(reg, "VMOVDQU8.Z (%s)(AX*1), %s, Z%d", r, mask, 4+i)
			if flip {
				f.vector(reg, "VPXORD Z27, Z%d, Z%d", 4+i, 4+i)
			}
		case flip:
			f.vector(reg, "VPXORD (%s)(AX*1), Z27, Z%d", r, 4+i)
		default:
			f.vector(reg, "VMOVDQU64 (%s)(AX*1), Z%d", r, 4+i)
		}
	}
	f.vector(reg, "VPUNPCKLBW Z5, Z4, Z8")
	f.vector(reg, "VPUNPCKHBW Z5, Z4, Z9")
	f.vector(reg, "VPUNPCKLBW Z7, Z6, Z10")
	f.vector(reg, "VPUNPCKHBW Z7, Z6, Z11")
	f.vector(reg, "VPUNPCKLWD Z10, Z8, Z4")
	f.vector(reg, "VPUNPCKHWD Z10, Z8, Z5")
	f.vector(reg, "VPUNPCKLWD Z11, Z9, Z6")
	f.vector(reg, "VPUNPCKHWD Z11, Z9, Z7")
	for i := range 4 {
		f.vector(reg, "VPDPBUSD %d(R13), Z%d, Z%d", 64*i, 4+i, i)
	}
	f.line("ADDQ $32, DX")
	f.line("ADDQ $256, R13")
	f.line("DECQ R12")
	f.line("JNZ  %sGroup", label)
	if to == "sums" {
		for i := range 4 {
			f.vector(reg, "VMOVDQU32 Z%d, %d(DI)(AX*4)", i, 64*i)
		}
		return
	}
	for i := range 4 {
		f.vector(reg, "VCVTDQ2PS Z%d, Z%d", i, i)
		f.vector(reg, "VMULPS %d(R14), Z%d, Z%d", 256+64*i, i, i)
		f.vector(reg, "VMINPS Z%d, Z28, Z%d", i, i)
		f.vector(reg, "VCVTPS2DQ Z%d, Z%d", i, i)
	}
	f.vector(reg, "VPACKSSDW Z1, Z0, Z0")
	f.vector(reg, "VPACKSSDW Z3, Z2, Z2")
	f.vector(reg, "VPADDSW Z29, Z0, Z0")
	f.vector(reg, "VPADDSW Z29, Z2, Z2")
	if to == "uint8" {
		f.vector(reg, "VPACKUSWB Z2, Z0, Z0")
		f.vector(reg, "VPMAXUB Z30, Z0, Z0")
	} else {
		f.vector(reg, "VPACKSSWB Z2, Z0, Z0")
		f.vector(reg, "VPMAXSB Z30, Z0, Z0")
	}
	if mask == "" {
		f.vector(reg, "VMOVDQU64 Z0, (DI)(AX*1)")
	} else {
		f.vector(reg, "VMOVDQU8 Z0, %s, (DI)(AX*1)", mask)
	}
}

// lane computes one output of a last block of 16 channels, in their order: the
// bytes of four taps, one a lane, are transposed.
func lane(f *file, flip bool, to string) {
	f.line("VMOVDQU32 (R14), Z0")
	f.line("MOVQ %d(SI), DX", argLive)
	f.line("MOVQ %d(SI), R12", argGroups)
	f.label("laneGroup")
	f.taps()
	f.line("VMOVDQU (R8)(AX*1), X4")
	f.line("VINSERTI32X4 $1, (R9)(AX*1), Z4, Z4")
	f.line("VINSERTI32X4 $2, (R10)(AX*1), Z4, Z4")
	f.line("VINSERTI32X4 $3, (R11)(AX*1), Z4, Z4")
	if flip {
		f.line("VPXORD Z27, Z4, Z4")
	}
	f.line("VPERMD Z4, Z23, Z4")
	f.line("VPSHUFB Z24, Z4, Z4")
	f.line("VPDPBUSD (R13), Z4, Z0")
	f.line("ADDQ $32, DX")
	f.line("ADDQ $64, R13")
	f.line("DECQ R12")
	f.line("JNZ  laneGroup")
	if to == "sums" {
		f.line("VMOVDQU32 Z0, (DI)(AX*4)")
		return
	}
	f.line("VCVTDQ2PS Z0, Z0")
	f.line("VMULPS 64(R14), Z0, Z0")
	f.line("VMAXPS Z26, Z0, Z0")
	f.line("VMINPS Z28, Z0, Z0")
	f.line("VCVTPS2DQ Z0, Z0")
	f.line("VPADDD Z25, Z0, Z0")
	f.line("VPMOVDB Z0, X0")
	f.line("VMOVDQU X0, (DI)(AX*1)")
}

// tables of the transposition of 4 rows of 16 bytes to 16 dwords: dwords to
// their lanes, then bytes within lanes.
func transposeTables(f *file) {
	f.WriteString("\n")
	for i := range 16 {
		f.data("transposeDwords", 4*i, 4, i/4+i%4*4)
	}
	f.WriteString("GLOBL transposeDwords<>(SB), RODATA|NOPTR, $64\n")
	for i := range 16 {
		f.data("transposeBytes", i, 1, i/4+i%4*4)
	}
	f.WriteString("GLOBL transposeBytes<>(SB), RODATA|NOPTR, $16\n")
}
