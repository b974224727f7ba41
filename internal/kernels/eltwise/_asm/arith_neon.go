package main

import (
	"fmt"

	neon "github.com/octavo-ml/octavo/internal/kernels/_neon"
)

// arithNEON writes what arith and bounds do. FMAX and FMIN order zeros by sign
// and keep a NaN, as Go's max and min do.
func arithNEON() string {
	f := &file{}
	f.WriteString(header)
	begin := func(signature string, pointers ...string) {
		fmt.Fprintf(f, "\n// func %s", signature)
		for i, p := range pointers {
			f.line("MOVD %s+%d(FP), R%d", p, 8*i, i)
		}
		f.line("MOVD steps+%d(FP), R3", 8*len(pointers))
	}
	end := func() {
		f.line("VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)")
		f.line("SUBS $1, R3, R3")
		f.line("BNE next")
		f.line("RET")
	}
	load := func(pointer, first int) {
		f.line("VLD1.P 64(R%d), [V%d.S4, V%d.S4, V%d.S4, V%d.S4]", pointer, first, first+1, first+2, first+3)
	}
	for _, op := range []string{"add", "sub", "mul", "div"} {
		for _, form := range []string{"", "Right", "Left"} {
			if form == "Left" && (op == "add" || op == "mul") {
				continue // it does not matter which one is first
			}
			name := op + form + "NEON"
			begin(fmt.Sprintf("%s(dst, a, b *float32, steps int)\nTEXT ·%s(SB), NOSPLIT, $0-32\n", name, name), "dst", "a", "b")
			one := map[string]int{"Right": 2, "Left": 1}[form]
			if one > 0 {
				f.line("VLD1R (R%d), [V16.S4]", one)
			}
			f.WriteString("\nnext:\n")
			if one != 1 {
				load(1, 0)
			}
			if one != 2 {
				load(2, 4)
			}
			for i := range 4 {
				a, b := i, 4+i
				switch one {
				case 1:
					a = 16
				case 2:
					b = 16
				}
				f.line("%s", neon.Three("f"+op, i, a, b))
			}
			end()
		}
	}
	begin("clampNEON(dst, x *float32, steps int, lo, hi float32)\nTEXT ·clampNEON(SB), NOSPLIT, $0-32\n", "dst", "x")
	for i, p := range []string{"lo", "hi"} {
		f.line("MOVWU %s+%d(FP), R4", p, 24+4*i)
		f.line("VDUP R4, V%d.S4", 16+i)
	}
	f.WriteString("\nnext:\n")
	load(1, 0)
	for i := range 4 {
		f.line("%s", neon.Three("fmax", i, i, 16))
		f.line("%s", neon.Three("fmin", i, i, 17))
	}
	end()
	return f.String()
}
