package main

import "fmt"

// arith writes the four operations of AVX2 on steps of 32 floats: of two
// vectors, of a vector and one float, and the other way round.
func arith() string {
	f := &file{}
	f.WriteString(header)
	for _, op := range []string{"add", "sub", "mul", "div"} {
		instruction := map[string]string{"add": "VADDPS", "sub": "VSUBPS", "mul": "VMULPS", "div": "VDIVPS"}[op]
		for _, form := range []string{"", "Right", "Left"} {
			if form == "Left" && (op == "add" || op == "mul") {
				continue // it does not matter which one is first
			}
			name := op + form + "AVX2"
			fmt.Fprintf(f, "\n// func %s(dst, a, b *float32, steps int)\nTEXT ·%s(SB), NOSPLIT, $0-32\n", name, name)
			f.line("MOVQ dst+0(FP), DI")
			f.line("MOVQ a+8(FP), SI")
			f.line("MOVQ b+16(FP), DX")
			f.line("MOVQ steps+24(FP), CX")
			switch form {
			case "Right":
				f.line("VBROADCASTSS (DX), Y8")
			case "Left":
				f.line("VBROADCASTSS (SI), Y8")
			}
			f.WriteString("\nnext:\n")
			for i := range 4 {
				switch form {
				case "":
					f.line("VMOVUPS %d(SI), Y%d", 32*i, i)
					f.line("%s %d(DX), Y%d, Y%d", instruction, 32*i, i, i)
				case "Right":
					f.line("VMOVUPS %d(SI), Y%d", 32*i, i)
					f.line("%s Y8, Y%d, Y%d", instruction, i, i)
				case "Left":
					f.line("%s %d(DX), Y8, Y%d", instruction, 32*i, i)
				}
			}
			for i := range 4 {
				f.line("VMOVUPS Y%d, %d(DI)", i, 32*i)
			}
			if form != "Left" {
				f.line("ADDQ $128, SI")
			}
			if form != "Right" {
				f.line("ADDQ $128, DX")
			}
			f.line("ADDQ $128, DI")
			f.line("DECQ CX")
			f.line("JNZ  next")
			f.line("VZEROUPPER")
			f.line("RET")
		}
	}
	return f.String()
}
