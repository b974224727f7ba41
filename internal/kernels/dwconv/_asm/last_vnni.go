package main

import (
	"fmt"
	"strings"
)

// lastBytes is the run of bytes on VNNI, or that of several rows in turn, two
// outputs at a time where all taps move together: blocks of 64 channels, whose sums are Z0..Z3 and Z12..Z15. The
// bytes of four taps are interleaved to dwords and multiplied. Constants: Z27
// the flip, Z28 and Z30 the greatest and the least result, Z29 the zero point in
// words; for a last lane Z21 and Z26 the bounds less the zero point, Z25, or of
// fixed-point results the bounds themselves, and K2 the even lanes.
func lastBytes(f *file, name string, flip bool, to string) {
	f.begin(name, "MOVQ", "SI")
	f.absolute("Z", 0)
	f.line("MOVQ CX, %d(SI)", argLeft)
	f.line("VPBROADCASTD %d(SI), Z27", argFlip)
	f.line("VPBROADCASTB %d(SI), Z28", argMost)
	f.line("VPBROADCASTW %d(SI), Z29", argZero)
	f.line("VPBROADCASTB %d(SI), Z30", argLeast)
	f.line("VPBROADCASTD %d(SI), Z25", argZero)
	least, most := argLo, argHi
	if to == "fixed" {
		least, most = argLeast, argMost
		f.evenLanes()
	}
	f.line("VBROADCASTSS %d(SI), Z26", least)
	f.line("VBROADCASTSS %d(SI), Z21", most)
	f.line("VMOVDQU32 transposeDwords<>(SB), Z23")
	f.line("VBROADCASTI32X4 transposeBytes<>(SB), Z24")
	f.label("output")
	f.line("CMPQ %d(SI), $0", argMove)
	f.line("JEQ  one")
	f.line("CMPQ %d(SI), $2", argLeft)
	f.line("JLT  one")
	outputs(f, "two", 2, flip, to)
	f.label("one")
	f.line("CMPQ %d(SI), $1", argLeft)
	f.line("JLT  row")
	outputs(f, "one", 1, flip, to)
	f.label("row")
	f.line("DECQ %d(SI)", argRows)
	f.line("JZ   done")
	f.line("MOVQ %d(SI), R8", argRowIn)
	f.line("ADDQ R8, %d(SI)", argOff)
	f.line("SUBQ R8, DI")
	f.line("ADDQ %d(SI), DI", argRowOut)
	f.line("MOVQ %d(SI), R8", argCount)
	f.line("MOVQ R8, %d(SI)", argLeft)
	f.line("JMP  output")
	f.label("done")
	f.line("VZEROUPPER")
	f.line("RET")
}

// outputs computes so many outputs, of all channels, and goes on.
func outputs(f *file, label string, count int, flip bool, to string) {
	f.line("MOVQ %d(SI), R13", argW)
	f.line("MOVQ %d(SI), R14", argParams)
	f.line("MOVQ %d(SI), BX", argChannels)
	f.line("MOVQ %d(SI), AX", argOff)
	f.line("SUBQ $64, BX")
	f.line("JLT  %sRest", label)
	f.label(label + "Whole")
	block(f, label+"Whole", "Z", "", count, flip, to)
	f.line("ADDQ $%d, R14", 256+4*paramLen(to))
	f.line("ADDQ $64, AX")
	f.line("SUBQ $64, BX")
	f.line("JGE  %sWhole", label)
	f.label(label + "Rest")
	f.line("ADDQ $64, BX")
	f.line("JZ   %sNext", label)
	f.line("CMPQ BX, $16")
	f.line("JEQ  %sLane", label)
	f.line("MOVQ $-1, R12")
	f.line("BZHIQ BX, R12, R12")
	f.line("KMOVQ R12, K1")
	f.line("CMPQ BX, $32")
	f.line("JEQ  %sHalf", label)
	f.line("JLT  %sLess", label)
	for _, c := range [][3]string{{"Part", "Z", "K1"}, {"Less", "Y", "K1"}, {"Half", "Y", ""}} {
		if c[0] != "Part" {
			f.label(label + c[0])
		}
		block(f, label+c[0], c[1], c[2], count, flip, to)
		f.line("JMP  %sNext", label)
	}
	f.label(label + "Lane")
	lane(f, label+"Lane", count, flip, to)
	f.label(label + "Next")
	f.advance(label+"Advance", "Z", 0, count)
	f.line("SUBQ $%d, %d(SI)", count, argLeft)
	f.line("JMP  output")
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

// second sets CX to where the second output's channels lie.
func (f *file) second(count int) {
	if count == 2 {
		f.line("MOVQ %d(SI), CX", argMove)
		f.line("ADDQ AX, CX")
	}
}

// place returns the operand at which output o is stored, for the second one
// after setting R8: DI has lost what CX has gained.
func (f *file) place(o int) string {
	if o == 0 {
		return "(DI)(AX*1)"
	}
	f.line("MOVQ %d(SI), R8", argNext)
	f.line("SUBQ %d(SI), R8", argMove)
	f.line("ADDQ DI, R8")
	return "(R8)(CX*1)"
}

// block computes one or two outputs of up to 64 channels, or 32 of reg Y.
func block(f *file, label, reg, mask string, count int, flip bool, to string) {
	f.second(count)
	for o := range count {
		for i := range 4 {
			f.vector(reg, "VMOVDQU32 %d(R14), Z%d", 64*i, 12*o+i)
		}
	}
	f.line("MOVQ %d(SI), DX", argLive)
	f.line("MOVQ %d(SI), R12", argGroups)
	f.label(label + "Group")
	f.taps()
	if count == 2 {
		for i := range 4 {
			f.vector(reg, "VMOVDQU32 %d(R13), Z%d", 64*i, 16+i)
		}
	}
	for o, index := range []string{"AX", "CX"}[:count] {
		for i, r := range []string{"R8", "R9", "R10", "R11"} {
			switch {
			case mask != "":
				f.vector(reg, "VMOVDQU8.Z (%s)(%s*1), %s, Z%d", r, index, mask, 4+i)
				if flip {
					f.vector(reg, "VPXORD Z27, Z%d, Z%d", 4+i, 4+i)
				}
			case flip:
				f.vector(reg, "VPXORD (%s)(%s*1), Z27, Z%d", r, index, 4+i)
			default:
				f.vector(reg, "VMOVDQU64 (%s)(%s*1), Z%d", r, index, 4+i)
			}
		}
		for _, line := range []string{
			"VPUNPCKLBW Z5, Z4, Z8", "VPUNPCKHBW Z5, Z4, Z9", "VPUNPCKLBW Z7, Z6, Z10", "VPUNPCKHBW Z7, Z6, Z11",
			"VPUNPCKLWD Z10, Z8, Z4", "VPUNPCKHWD Z10, Z8, Z5", "VPUNPCKLWD Z11, Z9, Z6", "VPUNPCKHWD Z11, Z9, Z7",
		} {
			f.vector(reg, "%s", line)
		}
		for i := range 4 {
			if count == 2 {
				f.vector(reg, "VPDPBUSD Z%d, Z%d, Z%d", 16+i, 4+i, 12*o+i)
			} else {
				f.vector(reg, "VPDPBUSD %d(R13), Z%d, Z%d", 64*i, 4+i, i)
			}
		}
	}
	f.line("ADDQ $32, DX")
	f.line("ADDQ $256, R13")
	f.line("DECQ R12")
	f.line("JNZ  %sGroup", label)
	if to == "sums" {
		// Never two outputs: they come one by one.
		for i := range 4 {
			f.vector(reg, "VMOVDQU32 Z%d, %d(DI)(AX*4)", i, 64*i)
		}
		return
	}
	for i := range 4 {
		if to == "fixed" {
			for o := range count {
				f.fixed(reg, 256+paramLen(to)*i, 12*o+i, 4, 5)
			}
			continue
		}
		if count == 2 {
			f.vector(reg, "VMOVUPS %d(R14), Z4", 256+64*i)
		}
		for o := range count {
			acc := 12*o + i
			f.vector(reg, "VCVTDQ2PS Z%d, Z%d", acc, acc)
			if count == 2 {
				f.vector(reg, "VMULPS Z4, Z%d, Z%d", acc, acc)
			} else {
				f.vector(reg, "VMULPS %d(R14), Z%d, Z%d", 256+64*i, acc, acc)
			}
			f.vector(reg, "VCVTPS2DQ Z%d, Z%d", acc, acc)
		}
	}
	for o := range count {
		a := 12 * o
		f.vector(reg, "VPACKSSDW Z%d, Z%d, Z%d", a+1, a, a)
		f.vector(reg, "VPACKSSDW Z%d, Z%d, Z%d", a+3, a+2, a+2)
		f.vector(reg, "VPADDSW Z29, Z%d, Z%d", a, a)
		f.vector(reg, "VPADDSW Z29, Z%d, Z%d", a+2, a+2)
		pack, most, least := "VPACKUSWB", "VPMINUB", "VPMAXUB"
		if to == "int8" || to == "fixed" && flip {
			pack, most, least = "VPACKSSWB", "VPMINSB", "VPMAXSB"
		}
		f.vector(reg, "%s Z%d, Z%d, Z%d", pack, a+2, a, a)
		f.vector(reg, "%s Z28, Z%d, Z%d", most, a, a)
		f.vector(reg, "%s Z30, Z%d, Z%d", least, a, a)
		at := f.place(o)
		if mask == "" {
			f.vector(reg, "VMOVDQU64 Z%d, %s", a, at)
		} else {
			f.vector(reg, "VMOVDQU8 Z%d, %s, %s", a, mask, at)
		}
	}
}

// lane computes one or two outputs of a last block of 16 channels, in their
// order: the bytes of four taps, one a lane, are transposed.
func lane(f *file, label string, count int, flip bool, to string) {
	f.second(count)
	for o := range count {
		f.line("VMOVDQU32 (R14), Z%d", o)
	}
	f.line("MOVQ %d(SI), DX", argLive)
	f.line("MOVQ %d(SI), R12", argGroups)
	f.label(label + "Group")
	f.taps()
	for o, index := range []string{"AX", "CX"}[:count] {
		f.line("VMOVDQU (R8)(%s*1), X4", index)
		for i, r := range []string{"R9", "R10", "R11"} {
			f.line("VINSERTI32X4 $%d, (%s)(%s*1), Z4, Z4", 1+i, r, index)
		}
		if flip {
			f.line("VPXORD Z27, Z4, Z4")
		}
		f.line("VPERMD Z4, Z23, Z4")
		f.line("VPSHUFB Z24, Z4, Z4")
		f.line("VPDPBUSD (R13), Z4, Z%d", o)
	}
	f.line("ADDQ $32, DX")
	f.line("ADDQ $64, R13")
	f.line("DECQ R12")
	f.line("JNZ  %sGroup", label)
	if to == "sums" {
		f.line("VMOVDQU32 Z0, (DI)(AX*4)")
		return
	}
	if to == "fixed" {
		for o := range count {
			f.fixed("Z", 64, o, 4, 5)
			f.line("VPADDD Z25, Z%d, Z%d", o, o)
			f.line("VPMAXSD Z26, Z%d, Z%d", o, o)
			f.line("VPMINSD Z21, Z%d, Z%d", o, o)
			f.line("VPMOVDB Z%d, X%d", o, o)
			f.line("VMOVDQU X%d, %s", o, f.place(o))
		}
		return
	}
	for o := range count {
		f.line("VCVTDQ2PS Z%d, Z%d", o, o)
		f.line("VMULPS 64(R14), Z%d, Z%d", o, o)
		f.line("VMAXPS Z26, Z%d, Z%d", o, o)
		f.line("VMINPS Z21, Z%d, Z%d", o, o)
		f.line("VCVTPS2DQ Z%d, Z%d", o, o)
		f.line("VPADDD Z25, Z%d, Z%d", o, o)
		f.line("VPMOVDB Z%d, X%d", o, o)
		f.line("VMOVDQU X%d, %s", o, f.place(o))
	}
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
