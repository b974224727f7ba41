package main

import "fmt"

// windows2 is windows without masks: at least as many channels as a step has,
// of which the last step does some a second time.
func windows2(f *file) string {
	f.WriteString(header)
	for _, typ := range []string{"float32", "uint8", "int8"} {
		maxPlaces2(f, typ)
	}
	for _, typ := range []string{"uint8", "int8"} {
		sumPlaces2(f, typ)
	}
	sumFloats2(f)
	return f.String()
}

// open2 begins a function over n channels: AX counts them, BX is where the last
// step begins. R11 and CX are the offsets of a window and their number.
func open2(f *file, name, dst, typ string, step int) {
	f.begin(name+title[typ], fmt.Sprintf("dst *%s, x *%s, offsets *int, count, n int", dst, typ), 0, "dst", "DI", "x", "SI", "offsets", "R8", "count", "DX", "n", "BX")
	f.line("XORQ AX, AX")
	f.line("SUBQ $%d, BX", step)
	f.label("channels")
	f.line("MOVQ R8, R11")
	f.line("MOVQ DX, CX")
}

func shut2(f *file, step int) {
	f.line("CMPQ AX, BX")
	f.line("JEQ  done")
	f.line("ADDQ $%d, AX", step)
	f.line("CMPQ AX, BX")
	f.line("CMOVQGT BX, AX")
	f.line("JMP  channels")
	f.label("done")
	f.line("VZEROUPPER")
	f.line("RET")
}

// place loads the address of the next place's first channel into R9.
func place(f *file) {
	f.line("MOVQ (R11), R9")
	f.line("ADDQ SI, R9")
}

func again2(f *file) {
	f.line("ADDQ $8, R11")
	f.line("DECQ CX")
	f.line("JNZ  place")
}

func maxPlaces2(f *file, typ string) {
	step, at, reg, load := 16, "(AX*1)", "X", "VMOVDQU"
	if typ == "float32" {
		step, at, reg, load = 8, "(AX*4)", "Y", "VMOVUPS"
	}
	open2(f, "maxPlaces", typ, typ, step)
	place(f)
	f.line("%s (R9)%s, %s0", load, at, reg)
	f.line("JMP  after")
	f.label("place")
	place(f)
	f.line("%s (R9)%s, %s1", load, at, reg)
	switch typ {
	case "float32":
		f.maximum()
	case "uint8":
		f.line("VPMAXUB X1, X0, X0")
	case "int8":
		f.line("VPMAXSB X1, X0, X0")
	}
	f.label("after")
	again2(f)
	f.line("%s %s0, (DI)%s", load, reg, at)
	shut2(f, step)
}

// sumPlaces2 adds bytes as integers, 16 channels at a time.
func sumPlaces2(f *file, typ string) {
	extend := map[string]string{"uint8": "VPMOVZXBD", "int8": "VPMOVSXBD"}[typ]
	open2(f, "sumPlaces", "int32", typ, 16)
	for i := range 2 {
		f.line("VPXOR Y%d, Y%d, Y%d", i, i, i)
	}
	f.label("place")
	place(f)
	for i := range 2 {
		f.line("%s %d(R9)(AX*1), Y%d", extend, 8*i, 2+i)
		f.line("VPADDD Y%d, Y%d, Y%d", 2+i, i, i)
	}
	again2(f)
	for i := range 2 {
		f.line("VMOVDQU Y%d, %d(DI)(AX*4)", i, 32*i)
	}
	shut2(f, 16)
}

// sumFloats2 is sumFloats for 8 channels.
func sumFloats2(f *file) {
	open2(f, "sumPlaces", "float32", "float32", 8)
	for i := range 16 {
		f.line("VXORPS Y%d, Y%d, Y%d", i, i, i)
	}
	f.label("place")
	for i := range 16 {
		place(f)
		f.line("VADDPS (R9)(AX*4), Y%d, Y%d", i, i)
		f.line("ADDQ $8, R11")
		f.line("DECQ CX")
		f.line("JZ   total")
	}
	f.line("JMP  place")
	f.label("total")
	for width := 8; width > 0; width /= 2 {
		for i := range width {
			f.line("VADDPS Y%d, Y%d, Y%d", i+width, i, i)
		}
	}
	f.line("VMOVUPS Y0, (DI)(AX*4)")
	shut2(f, 8)
}
