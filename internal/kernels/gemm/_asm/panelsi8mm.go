package main

const usmmla = 0x4e80ac00 // d: 2 by 2 sums of int32; n: 2 rows of 8 uint8; m: 2 columns of 8 int8

// bytesI8MM multiplies two rows by two columns over two steps of k at once.
// The rows 2p and 2p+1 are V20+p, and their sums V8p… : columns 4c and 4c+1 in
// V8p+c, 4c+2 and 4c+3 in V8p+4+c, the first row's in the lower half. A step's
// columns lie 4 a register; two steps, zipped, give 2 columns a register. An
// odd last step is zipped with 0.
func bytesI8MM() string {
	f := newFile()
	k := &neonKernel{file: f, name: "bytesI8MM", row: "R7", begin: func() {}}
	pair := func(m int) {
		for c := range 4 {
			for p := range (m + 1) / 2 {
				f.usmmla(8*p+c, 20+p, 16+c)
				f.usmmla(8*p+4+c, 20+p, 24+c)
			}
		}
	}
	zip := func(other func(c int) int) {
		for c := range 4 {
			f.line("VZIP2 V%d.S4, V%d.S4, V%d.S4", other(c), 16+c, 24+c)
			f.line("VZIP1 V%d.S4, V%d.S4, V%d.S4", other(c), 16+c, 16+c)
		}
	}
	k.steps = func(m int, at func(string) string) {
		f.line("SUBS $2, R23, R23")
		f.line("BLT %s", at("last"))
		f.label(at("step"))
		f.line("VLD1 (R12), [V16.S4, V17.S4, V18.S4, V19.S4]")
		f.line("ADD R13, R12, R12")
		f.line("VLD1 (R12), [V28.S4, V29.S4, V30.S4, V31.S4]")
		f.line("ADD R13, R12, R12")
		for r := range m {
			if r%2 == 0 {
				f.line("FMOVD.P 8(R%d), F%d", 19+r, 20+r/2) // the upper half becomes 0
			} else {
				f.line("VLD1.P 8(R%d), V%d.D[1]", 19+r, 20+r/2)
			}
		}
		zip(func(c int) int { return 28 + c })
		pair(m)
		f.line("SUBS $2, R23, R23")
		f.line("BGE %s", at("step"))
		f.label(at("last"))
		f.line("ADDS $2, R23, R23")
		f.line("BEQ %s", at("end"))
		f.line("VLD1 (R12), [V16.S4, V17.S4, V18.S4, V19.S4]")
		f.line("ADD R13, R12, R12")
		for r := range m {
			if r%2 == 0 {
				f.line("FMOVS (R%d), F%d", 19+r, 20+r/2)
			} else {
				f.line("VLD1 (R%d), V%d.S[2]", 19+r, 20+r/2)
			}
		}
		f.line("VEOR V23.B16, V23.B16, V23.B16")
		zip(func(int) int { return 23 })
		pair(m)
	}
	k.end = func(m int, at func(string) string) {
		for p := range (m + 1) / 2 {
			for c := range 4 {
				x, y := 8*p+c, 8*p+4+c
				f.line("VZIP1 V%d.D2, V%d.D2, V16.D2", y, x)
				f.line("VZIP2 V%d.D2, V%d.D2, V%d.D2", y, x, y)
				f.line("VORR V16.B16, V16.B16, V%d.B16", x)
			}
		}
		endBytesNEON(f, m, at)
	}
	k.write()
	return f.String()
}

func (f *file) usmmla(d, n, m int) {
	f.line("WORD $0x%08x // usmmla v%d.4s, v%d.16b, v%d.16b", usmmla|m<<16|n<<5|d, d, n, m)
}
