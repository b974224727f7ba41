package main

import "fmt"

// windows are the loops over places that lie channels last: elements beside
// each other belong to different channels, and those of a window lie at offsets
// from the first, in bytes.
func windows(f *file) string {
	f.WriteString(header)
	for _, typ := range []string{"float32", "uint8", "int8"} {
		maxPlaces(f, typ)
	}
	for _, typ := range []string{"uint8", "int8"} {
		sumPlaces(f, typ)
	}
	sumFloats(f)
	return f.String()
}

var title = map[string]string{"float32": "Float32", "uint8": "Uint8", "int8": "Int8"}

// open begins a function over n bytes of channels, so many at a time, the last
// ones masked by K2: AX counts them, BX is what is left. R11 and CX are the
// offsets of a window and their number.
func open(f *file, name, dst, typ string, step int) {
	f.begin(name+title[typ], fmt.Sprintf("dst *%s, x *%s, offsets *int, count, n int", dst, typ), 0, "dst", "DI", "x", "SI", "offsets", "R8", "count", "DX", "n", "BX")
	f.line("XORQ AX, AX")
	f.label("channels")
	f.line("MOVL $%d, R9", step)
	f.line("CMPQ BX, R9")
	f.line("CMOVQLT BX, R9")
	f.line("MOVQ $-1, R10")
	f.line("BZHIQ R9, R10, R10")
	f.line("KMOVQ R10, K2")
	f.line("MOVQ R8, R11")
	f.line("MOVQ DX, CX")
}

// shut closes the loop over channels and the function.
func shut(f *file, step int) {
	f.line("ADDQ $%d, AX", step)
	f.line("SUBQ $%d, BX", step)
	f.line("JG   channels")
	f.line("VZEROUPPER")
	f.line("RET")
}

func maxPlaces(f *file, typ string) {
	open(f, "maxPlaces", typ, typ, 64)
	f.line("MOVQ (R11), R9")
	f.line("ADDQ SI, R9")
	f.line("VMOVDQU8.Z (R9)(AX*1), K2, Z0")
	if typ == "float32" {
		f.line("VPTERNLOGD $0xff, Z4, Z4, Z4")
	}
	f.line("JMP  after")
	f.label("place")
	f.line("MOVQ (R11), R9")
	f.line("ADDQ SI, R9")
	f.line("VMOVDQU8.Z (R9)(AX*1), K2, Z1")
	switch typ {
	case "float32":
		f.maximum()
	case "uint8":
		f.line("VPMAXUB Z1, Z0, Z0")
	case "int8":
		f.line("VPMAXSB Z1, Z0, Z0")
	}
	f.label("after")
	f.line("ADDQ $8, R11")
	f.line("DECQ CX")
	f.line("JNZ  place")
	f.line("VMOVDQU8 Z0, K2, (DI)(AX*1)")
	shut(f, 64)
}

// sumPlaces adds bytes as integers, 64 channels at a time: Z0..Z3, whose masks
// are K2..K5.
func sumPlaces(f *file, typ string) {
	extend := map[string]string{"uint8": "VPMOVZXBD", "int8": "VPMOVSXBD"}[typ]
	open(f, "sumPlaces", "int32", typ, 64)
	for i := range 4 {
		if i > 0 {
			f.line("KSHIFTRQ $%d, K2, K%d", 16*i, 2+i)
		}
		f.line("VPXORD Z%d, Z%d, Z%d", i, i, i)
	}
	f.label("place")
	f.line("MOVQ (R11), R9")
	f.line("ADDQ SI, R9")
	for i := range 4 {
		f.line("%s.Z %d(R9)(AX*1), K%d, Z%d", extend, 16*i, 2+i, 4+i)
	}
	for i := range 4 {
		f.line("VPADDD Z%d, Z%d, Z%d", 4+i, i, i)
	}
	f.line("ADDQ $8, R11")
	f.line("DECQ CX")
	f.line("JNZ  place")
	for i := range 4 {
		f.line("VMOVDQU32 Z%d, K%d, %d(DI)(AX*4)", i, 2+i, 64*i)
	}
	shut(f, 64)
}

// sumFloats adds floats in 16 lanes, place p to lane p mod 16, and then the
// lanes as a tree: a lane is a register of 16 channels. Lanes without a place are
// +0, which changes no sum that began with +0: of few places they are left out.
func sumFloats(f *file) {
	open(f, "sumPlaces", "float32", "float32", 16)
	for i := range 16 {
		f.line("VPXORD Z%d, Z%d, Z%d", i, i, i)
	}
	f.label("place")
	for i := range 16 {
		f.line("MOVQ (R11), R9")
		f.line("ADDQ SI, R9")
		f.line("VADDPS (R9)(AX*4), Z%d, K2, Z%d", i, i)
		f.line("ADDQ $8, R11")
		f.line("DECQ CX")
		f.line("JZ   total")
	}
	f.line("JMP  place")
	f.label("total")
	const few = 4
	f.line("CMPQ DX, $%d", few)
	f.line("JLE  few")
	for width := 8; width > 0; width /= 2 {
		if width == few/2 {
			f.label("few")
		}
		for i := range width {
			f.line("VADDPS Z%d, Z%d, Z%d", i+width, i, i)
		}
	}
	f.line("VMOVUPS Z0, K2, (DI)(AX*4)")
	shut(f, 16)
}
