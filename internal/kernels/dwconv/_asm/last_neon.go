package main

// Instructions that Go's assembler lacks; operands are d, n and m.
const (
	uxtl    = 0x2f08a400 // 8 bytes to words, lower half
	uxtl2   = 0x6f08a400
	sxtl    = 0x0f08a400
	sxtl2   = 0x4f08a400
	mulH8   = 0x4e609c00
	saddlp  = 0x4e602800 // pairs of words to integers
	addpS4  = 0x4ea0bc00
	scvtf   = 0x4e21d800
	fmulS4  = 0x6e20dc00
	fmaxnm  = 0x4e20c400
	fminnm  = 0x4ea0c400
	fcvtns  = 0x4e21a800
	xtnH    = 0x0e612800 // integers to words, to the lower half
	xtnH2   = 0x4e612800
	xtnB    = 0x0e212800 // words to bytes
	xtnB2   = 0x4e212800
	faddNEO = 0x4e20d400
	fmaxNEO = 0x4e20f400
	fminNEO = 0x4ea0f400
)

func lastNEON() string {
	f := &file{}
	f.WriteString(header)
	lastFloatsNEON(f)
	lastBytesNEON(f, "lastBytesNEON", false)
	lastBytesNEON(f, "lastSumsNEON", true)
	return f.String()
}

// two and three write an instruction on vectors by its code.
func (f *file) two(name string, code, d, n int) {
	f.line("WORD $0x%08x // %s v%d, v%d", code|n<<5|d, name, d, n)
}

func (f *file) three(name string, code, d, n, m int) {
	f.line("WORD $0x%08x // %s v%d, v%d, v%d", code|m<<16|n<<5|d, name, d, n, m)
}

// dup fills a register with the 4 bytes of an argument.
func (f *file) dup(arg, v int) {
	f.line("ADD $%d, R0, R7", arg)
	f.line("VLD1R (R7), [V%d.S4]", v)
}

// absoluteNEON is absolute: R0 holds the arguments, R9 the results, R10 the
// outputs to do.
func (f *file) absoluteNEON(shift int) {
	f.line("MOVD %d(R0), R1", argAt)
	f.line("MOVD %d(R0), R2", argStep)
	f.line("MOVD %d(R0), R3", argLive)
	f.line("MOVD %d(R0), R4", argTable)
	f.line("MOVD %d(R0), R5", argX)
	f.line("MOVD %d(R0), R6", argBase)
	f.line("ADD R6<<%d, R5, R5", shift)
	f.line("MOVD %d(R0), R6", argPad)
	f.label("absolute")
	f.line("MOVD.P 8(R1), R7")
	f.line("MOVD.P 8(R2), R8")
	f.line("ADD R7<<%d, R5, R7", shift)
	f.line("CMP $0, R8")
	f.line("CSEL EQ, R6, R7, R7")
	f.line("MOVD.P R7, 8(R3)")
	f.line("SUBS $1, R4, R4")
	f.line("BNE  absolute")
	f.line("MOVD %d(R0), R9", argDst)
	f.line("MOVD %d(R0), R10", argCount)
}

// advanceNEON is advance by one output; R9 takes DI's place, R14 counts in
// AX's.
func (f *file) advanceNEON(shift int) {
	f.line("MOVD %d(R0), R7", argMove)
	f.line("MOVD %d(R0), R8", argNext)
	f.line("CBNZ R7, together")
	f.line("MOVD %d(R0), R3", argLive)
	f.line("MOVD %d(R0), R2", argStep)
	f.line("MOVD %d(R0), R4", argTable)
	f.label("advance")
	f.line("MOVD.P 8(R2), R5")
	f.line("MOVD (R3), R6")
	f.line("ADD R5<<%d, R6, R6", shift)
	f.line("MOVD.P R6, 8(R3)")
	f.line("SUBS $1, R4, R4")
	f.line("BNE  advance")
	f.label("together")
	f.line("MOVD %d(R0), R5", argOff)
	f.line("ADD R7, R5, R5")
	f.line("MOVD R5, %d(R0)", argOff)
	f.line("SUB R7, R8, R8")
	f.line("ADD R8, R9, R9")
	f.line("SUBS $1, R10, R10")
	f.line("BNE  output")
	f.line("RET")
}

// lastFloatsNEON: 16 channels of one output at a time, in V0..V3. FMAX and FMIN
// treat zeros and NaN as Go does.
func lastFloatsNEON(f *file) {
	f.begin("lastF32NEON", "MOVD", "R0")
	f.absoluteNEON(2)
	f.dup(argLo, 26)
	f.dup(argHi, 27)
	f.label("output")
	f.line("MOVD %d(R0), R11", argW)
	f.line("MOVD %d(R0), R12", argParams)
	f.line("MOVD %d(R0), R13", argChannels)
	f.line("MOVD %d(R0), R14", argOff)
	f.label("channels")
	for i := range 4 {
		f.line("VEOR V%d.B16, V%d.B16, V%d.B16", i, i, i)
	}
	f.line("MOVD %d(R0), R3", argLive)
	f.line("MOVD %d(R0), R4", argTaps)
	f.label("tap")
	f.line("MOVD.P 8(R3), R7")
	f.line("ADD R14, R7, R7")
	f.line("VLD1.P 64(R11), [V16.S4, V17.S4, V18.S4, V19.S4]")
	f.line("VLD1 (R7), [V20.S4, V21.S4, V22.S4, V23.S4]")
	for i := range 4 {
		f.line("VFMLA V%d.S4, V%d.S4, V%d.S4", 16+i, 20+i, i)
	}
	f.line("SUBS $1, R4, R4")
	f.line("BNE  tap")
	f.line("VLD1.P 64(R12), [V16.S4, V17.S4, V18.S4, V19.S4]")
	for i := range 4 {
		f.three("fadd", faddNEO, i, i, 16+i)
		f.three("fmax", fmaxNEO, i, i, 26)
		f.three("fmin", fminNEO, i, i, 27)
	}
	f.line("ADD R14, R9, R7")
	f.line("VST1 [V0.S4, V1.S4, V2.S4, V3.S4], (R7)")
	f.line("ADD $64, R14, R14")
	f.line("SUBS $16, R13, R13")
	f.line("BNE  channels")
	f.advanceNEON(2)
}

// lastBytesNEON: lanes of 16 channels of one output, whose sums are V0..V3; the
// interleaved bytes of four taps, V4..V7, and the weights, V16..V19, are widened
// and multiplied as words, which is exact. R15 is how far apart a block's dwords
// lie, R16 where those of the lane begin.
func lastBytesNEON(f *file, name string, sums bool) {
	f.begin(name, "MOVD", "R0")
	f.absoluteNEON(0)
	f.dup(argLo, 26)
	f.dup(argHi, 27)
	f.dup(argZero, 28)
	f.dup(argFlip, 30)
	f.label("output")
	f.line("MOVD %d(R0), R11", argW)
	f.line("MOVD %d(R0), R12", argParams)
	f.line("MOVD %d(R0), R13", argChannels)
	f.line("MOVD %d(R0), R14", argOff)
	f.line("MOVD R9, R20")
	f.label("block")
	f.line("CMP $16, R13")
	f.line("BLT  next")
	f.line("MOVD $64, R15")
	f.line("MOVD $16, R16")
	f.line("MOVD %d(R0), R7", argNatural)
	f.line("CMP R7, R13")
	f.line("CSEL EQ, R16, R15, R15")
	f.line("MOVD $0, R16")
	f.label("lane")
	four := func(from string, v int) {
		f.line("ADD R16, %s, R7", from)
		for i := range 4 {
			f.line("VLD1 (R7), [V%d.B16]", v+i)
			if i < 3 {
				f.line("ADD R15, R7, R7")
			}
		}
	}
	four("R12", 0)
	f.line("MOVD %d(R0), R3", argLive)
	f.line("MOVD %d(R0), R4", argGroups)
	f.line("MOVD R11, R19")
	f.label("group")
	for i := range 4 {
		f.line("MOVD.P 8(R3), R7")
		f.line("ADD R14, R7, R7")
		f.line("VLD1 (R7), [V%d.B16]", 4+i)
		f.line("VEOR V30.B16, V%d.B16, V%d.B16", 4+i, 4+i)
	}
	f.line("VZIP1 V5.B16, V4.B16, V8.B16")
	f.line("VZIP2 V5.B16, V4.B16, V9.B16")
	f.line("VZIP1 V7.B16, V6.B16, V10.B16")
	f.line("VZIP2 V7.B16, V6.B16, V11.B16")
	f.line("VZIP1 V10.H8, V8.H8, V4.H8")
	f.line("VZIP2 V10.H8, V8.H8, V5.H8")
	f.line("VZIP1 V11.H8, V9.H8, V6.H8")
	f.line("VZIP2 V11.H8, V9.H8, V7.H8")
	four("R19", 16)
	for i := range 4 {
		f.two("uxtl", uxtl, 8, 4+i)
		f.two("uxtl2", uxtl2, 9, 4+i)
		f.two("sxtl", sxtl, 10, 16+i)
		f.two("sxtl2", sxtl2, 11, 16+i)
		f.three("mul", mulH8, 8, 8, 10)
		f.three("mul", mulH8, 9, 9, 11)
		f.two("saddlp", saddlp, 8, 8)
		f.two("saddlp", saddlp, 9, 9)
		f.three("addp", addpS4, 8, 8, 9)
		f.line("VADD V8.S4, V%d.S4, V%d.S4", i, i)
	}
	f.line("ADD R15<<2, R19, R19")
	f.line("SUBS $1, R4, R4")
	f.line("BNE  group")
	if sums {
		f.line("ADD R16, R20, R7")
		for i := range 4 {
			f.line("VST1 [V%d.B16], (R7)", i)
			f.line("ADD R15, R7, R7")
		}
	} else {
		f.line("ADD R15<<2, R12, R8")
		four("R8", 16)
		for i := range 4 {
			f.two("scvtf", scvtf, i, i)
			f.three("fmul", fmulS4, i, i, 16+i)
			f.three("fmaxnm", fmaxnm, i, i, 26)
			f.three("fminnm", fminnm, i, i, 27)
			f.two("fcvtns", fcvtns, i, i)
			f.line("VADD V28.S4, V%d.S4, V%d.S4", i, i)
		}
		f.two("xtn", xtnH, 0, 0)
		f.two("xtn2", xtnH2, 0, 1)
		f.two("xtn", xtnH, 2, 2)
		f.two("xtn2", xtnH2, 2, 3)
		f.two("xtn", xtnB, 0, 0)
		f.two("xtn2", xtnB2, 0, 2)
		f.line("ADD R14, R9, R7")
		f.line("VST1 [V0.B16], (R7)")
	}
	f.line("ADD $16, R14, R14")
	f.line("SUB $16, R13, R13")
	f.line("CMP $16, R13")
	f.line("BLT  next")
	f.line("ADD $16, R16, R16")
	f.line("CMP $64, R16")
	f.line("BNE  lane")
	f.line("MOVD %d(R0), R7", argGroups)
	f.line("ADD R7<<8, R11, R11")
	f.line("ADD $512, R12, R12")
	f.line("ADD $256, R20, R20")
	f.line("B    block")
	f.label("next")
	f.advanceNEON(0)
}
