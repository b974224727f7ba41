// Command _asm writes the assembly of package dwconv for AVX2 and NEON into the
// folder given as its argument.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// width is the number of results of a tile.
const width = 64

const signature = "(dst, x *float32, off *int, w *float32, taps, tiles int, f *finish)"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run . FOLDER")
		os.Exit(2)
	}
	for name, text := range map[string]string{
		"zf32_avx2_amd64.s": avx2(), "zf32_neon_arm64.s": neon(),
		"zlast_avx2_amd64.s": lastAVX2(), "zlast_avx512_amd64.s": lastAVX512(), "zlast_vnni_amd64.s": lastVNNI(),
		"zlast_neon_arm64.s": lastNEON(),
	} {
		if err := os.WriteFile(filepath.Join(os.Args[1], name), []byte(text), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// file is an assembly file that grows line by line.
type file struct{ strings.Builder }

func newFile(name string) *file {
	f := &file{}
	f.WriteString(header)
	fmt.Fprintf(f, "\n// func %s%s\nTEXT ·%s(SB), NOSPLIT, $0-56\n", name, signature, name)
	return f
}

func (f *file) line(format string, args ...any) { fmt.Fprintf(f, "\t"+format+"\n", args...) }

func (f *file) label(name string) { fmt.Fprintf(f, "\n%s:\n", name) }

// avx2: accumulators Y0..Y7, the weight in Y8; bias, bounds and the mark of a
// NaN bound in Y9..Y12. Maxima and minima are taken in both orders and joined,
// which treats zeros as Go does; comparison $3, "unordered", is all ones where
// an operand is NaN, which joined to anything is a NaN.
func avx2() string {
	f := newFile("chainAVX2")
	f.line("MOVQ dst+0(FP), DI")
	f.line("MOVQ x+8(FP), SI")
	f.line("MOVQ off+16(FP), R8")
	f.line("MOVQ w+24(FP), R9")
	f.line("MOVQ taps+32(FP), R10")
	f.line("MOVQ tiles+40(FP), R11")
	f.line("MOVQ f+48(FP), DX")
	f.line("VBROADCASTSS (DX), Y9")
	f.line("VBROADCASTSS 4(DX), Y10")
	f.line("VBROADCASTSS 8(DX), Y11")
	f.line("VCMPPS $3, Y10, Y11, Y12")
	f.label("tile")
	for i := range 8 {
		f.line("VXORPS Y%d, Y%d, Y%d", i, i, i)
	}
	f.line("XORQ CX, CX")
	f.label("tap")
	f.line("MOVQ (R8)(CX*8), AX")
	f.line("LEAQ (SI)(AX*4), AX")
	f.line("VBROADCASTSS (R9)(CX*4), Y8")
	for i := range 8 {
		f.line("VFMADD231PS %d(AX), Y8, Y%d", 32*i, i)
	}
	f.line("INCQ CX")
	f.line("CMPQ CX, R10")
	f.line("JNE  tap")
	for i := range 8 {
		f.line("VADDPS Y9, Y%d, Y%d", i, i)
		f.line("VMAXPS Y%d, Y10, Y13", i)
		f.line("VMAXPS Y10, Y%d, Y14", i)
		f.line("VANDPS Y13, Y14, Y13")
		f.line("VMINPS Y13, Y11, Y14")
		f.line("VMINPS Y11, Y13, Y15")
		f.line("VORPS Y14, Y15, Y13")
		f.line("VCMPPS $3, Y%d, Y%d, Y14", i, i)
		f.line("VORPS Y14, Y12, Y14")
		f.line("VORPS Y14, Y13, Y13")
		f.line("VMOVUPS Y13, %d(DI)", 32*i)
	}
	f.line("ADDQ $%d, DI", 4*width)
	f.line("ADDQ $%d, SI", 4*width)
	f.line("DECQ R11")
	f.line("JNZ  tile")
	f.line("VZEROUPPER")
	f.line("RET")
	return f.String()
}

// neon: accumulators V0..V15, inputs in V16..V23, the weight in V24; bias and
// bounds in V25..V27. FMAX and FMIN treat zeros and NaN as Go does.
func neon() string {
	f := newFile("chainNEON")
	f.line("MOVD dst+0(FP), R0")
	f.line("MOVD x+8(FP), R1")
	f.line("MOVD off+16(FP), R2")
	f.line("MOVD w+24(FP), R3")
	f.line("MOVD taps+32(FP), R4")
	f.line("MOVD tiles+40(FP), R5")
	f.line("MOVD f+48(FP), R6")
	f.line("VLD1R.P 4(R6), [V25.S4]")
	f.line("VLD1R.P 4(R6), [V26.S4]")
	f.line("VLD1R (R6), [V27.S4]")
	f.label("tile")
	for i := range 16 {
		f.line("VEOR V%d.B16, V%d.B16, V%d.B16", i, i, i)
	}
	f.line("MOVD R2, R7")
	f.line("MOVD R3, R8")
	f.line("MOVD R4, R9")
	f.label("tap")
	f.line("MOVD.P 8(R7), R10")
	f.line("ADD R10<<2, R1, R10")
	f.line("VLD1R.P 4(R8), [V24.S4]")
	for i := range 4 {
		v := 16 + i%2*4
		f.line("VLD1.P 64(R10), [V%d.S4, V%d.S4, V%d.S4, V%d.S4]", v, v+1, v+2, v+3)
		for j := range 4 {
			f.line("VFMLA V%d.S4, V24.S4, V%d.S4", v+j, 4*i+j)
		}
	}
	f.line("SUBS $1, R9, R9")
	f.line("BNE  tap")
	for i := range 16 {
		f.word("fadd", 0x4e20d400, i, 25)
		f.word("fmax", 0x4e20f400, i, 26)
		f.word("fmin", 0x4ea0f400, i, 27)
	}
	for i := range 4 {
		f.line("VST1.P [V%d.S4, V%d.S4, V%d.S4, V%d.S4], 64(R0)", 4*i, 4*i+1, 4*i+2, 4*i+3)
	}
	f.line("ADD $%d, R1, R1", 4*width)
	f.line("SUBS $1, R5, R5")
	f.line("BNE  tile")
	f.line("RET")
	return f.String()
}

// word writes an instruction on 4 floats that Go's assembler lacks: d = d op m.
func (f *file) word(name string, opcode, d, m int) {
	f.line("WORD $0x%08x // %s v%d.4s, v%d.4s, v%d.4s", opcode|m<<16|d<<5|d, name, d, d, m)
}
