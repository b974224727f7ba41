package main

// paramLen is how many bytes of parameters a lane of 16 sums has behind its bias.
func paramLen(to string) int {
	if to == "fixed" {
		return 6 * 64
	}
	return 64
}

// evenLanes sets K2 to the even ones of a vector.
func (f *file) evenLanes() {
	f.line("MOVL $0x5555, AX")
	f.line("KMOVW AX, K2")
}

// fixed makes of the sums of a register integers less their zero point, by the
// block at an offset of R14 that convert.Rescaling.Vector describes: doubled
// products have their quotients in the upper halves of lanes of 64 bits. Two
// registers are overwritten.
func (f *file) fixed(reg string, at, x, odd, sign int) {
	f.vector(reg, "VPSRLVD %d(R14), Z%d, Z%d", at, x, sign)
	f.vector(reg, "VPADDD Z%d, Z%d, Z%d", x, x, x)
	f.vector(reg, "VPSRLQ $32, Z%d, Z%d", x, odd)
	f.vector(reg, "VPMULDQ %d(R14), Z%d, Z%d", at+64, x, x)
	f.vector(reg, "VPMULDQ %d(R14), Z%d, Z%d", at+128, odd, odd)
	f.vector(reg, "VPADDQ %d(R14), Z%d, Z%d", at+192, x, x)
	f.vector(reg, "VPADDQ %d(R14), Z%d, Z%d", at+256, odd, odd)
	f.vector(reg, "VMOVSHDUP Z%d, K2, Z%d", x, odd)
	f.vector(reg, "VPSUBD Z%d, Z%d, Z%d", sign, odd, odd)
	f.vector(reg, "VPSRAVD %d(R14), Z%d, Z%d", at+320, odd, x)
}
