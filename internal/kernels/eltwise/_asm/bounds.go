package main

import "fmt"

// bounds is min(max(x, lo), hi), 16 elements a step, for bounds that are
// numbers. Of two zeros, taken in both orders, max keeps the joined +0 and min
// the joined -0; a NaN is put back.
func bounds(level string) string {
	f := &file{}
	f.WriteString(header)
	fmt.Fprintf(f, "\n// func clamp%[1]s(dst, x *float32, steps int, lo, hi float32)\nTEXT ·clamp%[1]s(SB), NOSPLIT, $0-32\n", level)
	r, and, or, vectors := "Z", "VPANDD", "VPORD", 1
	if level == "AVX2" {
		r, and, or, vectors = "Y", "VANDPS", "VORPS", 2
	}
	f.line("MOVQ dst+0(FP), DI")
	f.line("MOVQ x+8(FP), SI")
	f.line("MOVQ steps+16(FP), CX")
	f.line("VBROADCASTSS lo+24(FP), %s8", r)
	f.line("VBROADCASTSS hi+28(FP), %s9", r)
	f.WriteString("\nnext:\n")
	for i := range vectors {
		f.line("VMOVUPS %d(SI), %s0", 32*i, r)
		f.line("VMAXPS %[1]s0, %[1]s8, %[1]s1", r)
		f.line("VMAXPS %[1]s8, %[1]s0, %[1]s2", r)
		f.line("%[2]s %[1]s1, %[1]s2, %[1]s1", r, and)
		f.line("VMINPS %[1]s1, %[1]s9, %[1]s2", r)
		f.line("VMINPS %[1]s9, %[1]s1, %[1]s3", r)
		f.line("%[2]s %[1]s2, %[1]s3, %[1]s1", r, or)
		if r == "Z" {
			f.line("VCMPPS $3, Z0, Z0, K1")
			f.line("VBLENDMPS Z0, Z1, K1, Z1")
		} else {
			f.line("VCMPPS $3, Y0, Y0, Y4")
			f.line("VBLENDVPS Y4, Y0, Y1, Y1")
		}
		f.line("VMOVUPS %s1, %d(DI)", r, 32*i)
	}
	f.line("ADDQ $64, SI")
	f.line("ADDQ $64, DI")
	f.line("DECQ CX")
	f.line("JNZ  next")
	f.line("VZEROUPPER")
	f.line("RET")
	return f.String()
}
