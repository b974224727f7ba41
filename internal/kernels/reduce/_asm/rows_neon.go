package main

import (
	"fmt"
	"strings"

	neon "github.com/octavo-ml/octavo/internal/kernels/_neon"
)

// neonRows writes what rows does with four registers for 16 floats: R0… are the
// pointers in the order of the parameters, the last of them the steps left.
// FMAX keeps a NaN and orders zeros by sign, as Go's max does.
type neonRows struct{ strings.Builder }

func rowsNEON() string {
	f := &neonRows{}
	f.WriteString(header)

	f.begin("addLanes", "lane *[lanes]float32, x *float32, steps int", "")
	f.all("VLD1 (R0), %s", 0)
	f.label("next")
	f.all("VLD1.P 64(R1), %s", 4)
	f.each("fadd", 0, 0, 4)
	f.next("R2", "VST1 %s, (R0)", 0)

	f.begin("addSquares", "lane *[lanes]float32, x *float32, steps int", "")
	f.all("VLD1 (R0), %s", 0)
	f.label("next")
	f.all("VLD1.P 64(R1), %s", 4)
	f.each("fmul", 4, 4, 4)
	f.each("fadd", 0, 0, 4)
	f.next("R2", "VST1 %s, (R0)", 0)

	f.begin("center", "lane *[lanes]float32, dst, x *float32, steps int", "mean")
	f.all("VLD1 (R0), %s", 0)
	f.label("next")
	f.all("VLD1.P 64(R2), %s", 4)
	f.each("fsub", 4, 4, -16)
	f.all("VST1.P %s, 64(R1)", 4)
	f.each("fmul", 4, 4, 4)
	f.each("fadd", 0, 0, 4)
	f.next("R3", "VST1 %s, (R0)", 0)

	f.begin("maxLanes", "lane *[lanes]float32, x *float32, steps int", "")
	f.all("VLD1 (R0), %s", 0)
	f.label("next")
	f.all("VLD1.P 64(R1), %s", 4)
	f.each("fmax", 0, 0, 4)
	f.line("SUBS $1, R2, R2")
	f.line("BNE next")
	for _, p := range [][2]int{{0, 1}, {2, 3}, {0, 2}} {
		f.line("%s", neon.Three("fmax", p[0], p[0], p[1]))
	}
	for range 2 { // pairs of lanes, and of pairs
		f.line("%s", neon.Three("fmaxp", 0, 0, 0))
	}
	f.line("FMOVS F0, (R0)")
	f.line("RET")

	f.begin("scaleShift", "dst, x, scale, shift *float32, steps int", "factor")
	f.label("next")
	f.all("VLD1.P 64(R1), %s", 0)
	f.all("VLD1.P 64(R2), %s", 4)
	f.all("VLD1.P 64(R3), %s", 20)
	f.each("fmul", 0, 0, -16)
	f.each("fmul", 0, 0, 4)
	f.each("fadd", 0, 0, 20)
	f.all("VST1.P %s, 64(R0)", 0)
	f.next("R4", "", 0)

	f.begin("scale", "dst, x, scale *float32, steps int", "factor")
	f.label("next")
	f.all("VLD1.P 64(R1), %s", 0)
	f.all("VLD1.P 64(R2), %s", 4)
	f.each("fmul", 0, 0, -16)
	f.each("fmul", 0, 0, 4)
	f.all("VST1.P %s, 64(R0)", 0)
	f.next("R3", "", 0)

	f.begin("divide", "dst *float32, steps int", "by")
	f.label("next")
	f.all("VLD1 (R0), %s", 0)
	f.each("fdiv", 0, 0, -16)
	f.all("VST1.P %s, 64(R0)", 0)
	f.next("R1", "", 0)
	return f.String()
}

func (f *neonRows) line(format string, args ...any) { fmt.Fprintf(f, "\t"+format+"\n", args...) }

func (f *neonRows) label(name string) { fmt.Fprintf(f, "\n%s:\n", name) }

// begin opens a function; a float after the words fills V16.
func (f *neonRows) begin(name, words, float string) {
	var names []string
	for _, p := range strings.Split(words, ", ") {
		names = append(names, strings.Fields(p)[0])
	}
	signature, size := words, 8*len(names)
	if float != "" {
		signature, size = words+", "+float+" float32", size+4
	}
	fmt.Fprintf(f, "\n// func %sNEON(%s)\nTEXT ·%sNEON(SB), NOSPLIT, $0-%d\n", name, signature, name, size)
	for i, p := range names {
		f.line("MOVD %s+%d(FP), R%d", p, 8*i, i)
	}
	if float != "" {
		f.line("MOVWU %s+%d(FP), R6", float, 8*len(names))
		f.line("VDUP R6, V16.S4")
	}
}

// all writes an instruction that takes four registers.
func (f *neonRows) all(format string, first int) {
	f.line(format, fmt.Sprintf("[V%d.S4, V%d.S4, V%d.S4, V%d.S4]", first, first+1, first+2, first+3))
}

// each writes an instruction on four registers each; less than 0, an operand is
// one register for all.
func (f *neonRows) each(name string, d, n, m int) {
	for i := range 4 {
		other := m + i
		if m < 0 {
			other = -m
		}
		f.line("%s", neon.Three(name, d+i, n+i, other))
	}
}

// next closes the loop and the function, storing four registers if told how.
func (f *neonRows) next(steps, store string, first int) {
	f.line("SUBS $1, %s, %s", steps, steps)
	f.line("BNE next")
	if store != "" {
		f.all(store, first)
	}
	f.line("RET")
}
