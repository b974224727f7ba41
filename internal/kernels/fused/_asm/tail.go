package main

import "fmt"

// gelu holds, for each of 16 pieces of [0, reach), the coefficients of the
// quartic in the place inside the piece, 0 to 1, that interpolates a·Φ(−a)
// at Chebyshev's nodes, negated; lowest power first. It is at most 3e-7 off.
const reach = 5.75

var gelu = [5][16]float32{
	{1.01439916e-07, -0.12925157, -0.169730768, -0.151464611, -0.108226538, -0.0650069714, -0.0334911123, -0.0149455499, -0.00580789428, -0.00197149161, -0.000585688162, -0.000152462206, -3.48043213e-05, -6.97138421e-06, -1.22570952e-06, -1.89216436e-07},
	{-0.179692537, -0.0809634104, -0.00528760254, 0.0359496586, 0.0462880284, 0.03827345, 0.0246597603, 0.0131039592, 0.00588452071, 0.00226147962, 0.000749273633, 0.000215017397, 5.36102598e-05, 1.16390356e-05, 2.20382367e-06, 3.64376973e-07},
	{0.0515621565, 0.045286905, 0.0296114124, 0.0121026691, -0.000631104514, -0.00634192582, -0.00670706807, -0.0047229426, -0.0025884388, -0.00116232364, -0.000437893555, -0.000140222895, -3.84726409e-05, -9.09223218e-06, -1.85775684e-06, -3.29069991e-07},
	{-9.77768068e-05, -0.00431305356, -0.00623962143, -0.00538443867, -0.00299472339, -0.000733483408, 0.000511575316, 0.000799034489, 0.000607090828, 0.000334178068, 0.00014596383, 5.24913958e-05, 1.58416569e-05, 4.05803439e-06, 8.88887598e-07, 1.67349938e-07},
	{-0.00102392433, -0.000490147213, 0.000181672483, 0.000570182106, 0.000557547959, 0.000317997939, 8.13933948e-05, -4.23742022e-05, -6.67838322e-05, -4.75484048e-05, -2.41293765e-05, -9.63322418e-06, -3.14821432e-06, -8.59715442e-07, -1.98597192e-07, -3.91206925e-08},
}

// tails: a block of up to 64 columns, whose vectors have the masks K1 to K4 and
// the biases Z8 to Z11. Z26 to Z31 are what quantization needs.
func tails() string {
	f := newFile()
	for _, k := range []struct {
		name         string
		other, bytes bool
	}{
		{name: "floatsAVX512"},
		{name: "floatsOtherAVX512", other: true},
		{name: "bytesAVX512", bytes: true},
		{name: "bytesOtherAVX512", bytes: true, other: true},
	} {
		f.function(k.name)
		f.line("MOVQ call_x(DI), SI")
		f.line("MOVQ call_y(DI), DX")
		f.line("MOVQ call_rows(DI), CX")
		f.line("MOVQ call_bias(DI), AX")
		f.masks()
		for v := range 4 {
			f.line("VMOVUPS.Z %d(AX), K%d, Z%d", 64*v, v+1, 8+v)
		}
		if k.other {
			f.line("MOVQ call_other(DI), BX")
		}
		if k.bytes {
			f.quantizer(true)
		}
		f.label("row")
		for v := range 4 {
			f.line("VMOVUPS.Z %d(SI), K%d, Z0", 64*v, v+1)
			f.line("VADDPS Z%d, Z0, Z0", 8+v)
			if k.other {
				f.line("VADDPS.Z %d(BX), Z0, K%d, Z0", 64*v, v+1)
			}
			if !k.bytes {
				f.line("VMOVUPS Z0, K%d, %d(DX)", v+1, 64*v)
				continue
			}
			f.line("VDIVPS Z30, Z0, Z0")
			f.limit()
			f.line("VCVTPS2DQ Z0, Z%d", 12+v)
		}
		if k.bytes {
			f.pack("Z26", "Z17", "Z16")
		}
		f.line("ADDQ call_xStep(DI), SI")
		f.line("ADDQ call_yStep(DI), DX")
		if k.other {
			f.line("ADDQ call_otherStep(DI), BX")
		}
		f.line("DECQ CX")
		f.line("JNZ  row")
		f.line("VZEROUPPER")
		f.line("RET")
	}
	f.gelu()
	f.levels()
	f.table()
	f.WriteString("\n")
	for d, row := range gelu {
		for i, v := range row {
			fmt.Fprintf(f, "DATA gelu<>+%d(SB)/4, $(%v)\n", 64*d+4*i, v)
		}
	}
	for i := range 16 {
		fmt.Fprintf(f, "DATA order<>+%d(SB)/4, $%d\n", 4*i, i%4*4+i/4)
	}
	f.WriteString("GLOBL order<>(SB), RODATA|NOPTR, $64\n")
	fmt.Fprintf(f, "GLOBL gelu<>(SB), RODATA|NOPTR, $%d\n", 64*len(gelu))
	return f.String()
}

// gelu: the four vectors of a row go through each step together, and their ends
// beside the beginnings of the next row, as one by itself would wait for its own
// results. Of vector v Z0+v is the place in its piece, Z4+v the piece, Z8+v what
// the polynomial comes to, and Z12+v the result; Z16 to Z19 are biases, Z20 to
// Z24 the coefficients times the factor. SI is the row, BX the one that is begun:
// behind the last row that row again.
func (f *file) gelu() {
	f.function("geluBytesAVX512")
	f.line("MOVQ call_x(DI), SI")
	f.line("MOVQ call_y(DI), DX")
	f.line("MOVQ call_rows(DI), CX")
	f.line("MOVQ call_bias(DI), AX")
	f.line("MOVQ call_doubt(DI), R8")
	f.masks()
	f.line("VPBROADCASTD call_hi(DI), Z28")
	f.line("VPBROADCASTD call_factor(DI), Z30")
	f.line("VPBROADCASTD call_slack(DI), Z31")
	for v := range 4 {
		f.line("VMOVUPS.Z %d(AX), K%d, Z%d", 64*v, v+1, 16+v)
	}
	for d := range gelu {
		f.line("VMULPS gelu<>+%d(SB), Z30, Z%d", 64*d, 20+d)
	}
	f.number(0.5, "Z29")
	f.line("VMULPS Z29, Z30, Z30")
	f.bits(1<<31-1, "Z25")
	f.number(16/reach, "Z26")
	f.number(15.999, "Z27")
	sum := func(row string, v, to int) {
		f.line("VADDPS.Z %d(%s), Z%d, K%d, Z%d", 64*v, row, 16+v, v+1, to)
	}
	begin := []func(v int){
		func(v int) { sum("BX", v, v) },
		func(v int) { f.line("VMULPS Z26, Z%d, Z%d", v, v) },
		// The one of less magnitude, without its sign.
		func(v int) { f.line("VRANGEPS $10, Z27, Z%d, Z%d", v, v) },
		func(v int) { f.line("VCVTTPS2DQ Z%d, Z%d", v, 4+v) },
		func(v int) { f.line("VREDUCEPS $1, Z%d, Z%d", v, v) },
	}
	end := []func(v int){
		func(v int) { sum("SI", v, 12+v) },
		// x + |x| is no number for an infinity below zero either; such are left to
		// Go.
		func(v int) {
			f.line("VPANDD Z25, Z%d, Z29", 12+v)
			f.line("VADDPS Z29, Z%d, Z%d", 12+v, 12+v)
		},
		func(v int) { f.line("VFMADD213PS Z%d, Z30, Z%d", 8+v, 12+v) },
		// What is less than the least integer packing limits.
		func(v int) { f.line("VMINPS Z%d, Z28, Z%d", 12+v, 12+v) },
		func(v int) {
			f.line("VREDUCEPS $0, Z%d, Z29", 12+v)
			f.line("VCVTPS2DQ Z%d, Z%d", 12+v, 12+v)
			f.line("VPANDD Z25, Z29, Z29")
			f.line("VCMPPS $6, Z31, Z29, K%d, K5", v+1)
			f.line("KMOVW K5, %d(R8)", 2*v)
		},
	}
	each := func(step func(v int)) {
		for v := range 4 {
			step(v)
		}
	}
	f.line("MOVQ SI, BX")
	for _, step := range begin {
		each(step)
	}
	f.label("row")
	each(func(v int) { f.line("VPERMPS Z24, Z%d, Z%d", 4+v, 8+v) })
	for d := 3; d >= 0; d-- {
		each(func(v int) { f.line("VPERMPS Z%d, Z%d, Z%d", 20+d, 4+v, 12+v) })
		each(func(v int) { f.line("VFMADD213PS Z%d, Z%d, Z%d", 12+v, v, 8+v) })
	}
	f.line("ADDQ call_xStep(DI), BX")
	f.line("CMPQ CX, $1")
	f.line("CMOVQEQ SI, BX")
	for i := range begin {
		each(func(v int) { end[i](v); begin[i](v) })
	}
	f.line("VPBROADCASTW call_level(DI), Z8")
	f.line("VPBROADCASTD call_flip(DI), Z9")
	f.line("VMOVDQU32 order<>(SB), Z10")
	f.pack("Z8", "Z9", "Z10")
	f.line("MOVQ BX, SI")
	f.line("ADDQ call_yStep(DI), DX")
	f.line("ADDQ $8, R8")
	f.line("DECQ CX")
	f.line("JNZ  row")
	f.line("VZEROUPPER")
	f.line("RET")
}

// masks spreads the bits of the columns over K1 to K4; all of them are in K7.
func (f *file) masks() {
	f.line("MOVQ call_columns(DI), R9")
	f.line("KMOVQ R9, K7")
	for v := range 4 {
		f.line("KMOVW R9, K%d", v+1)
		if v < 3 {
			f.line("SHRQ $16, R9")
		}
	}
}

// quantizer loads what quantize needs: Z31 what takes a sign off, Z30 the
// factor, Z29 and Z28 the least and the greatest value, Z27 how far from a
// whole number is beyond doubt, Z26 the zero point; of whole rows Z16 the order
// of columns, and Z17 what turns their sign bits.
func (f *file) quantizer(whole bool) {
	f.bits(1<<31-1, "Z31")
	for i, name := range []string{"zero", "slack", "hi", "lo", "factor"} {
		f.line("VPBROADCASTD call_%s(DI), Z%d", name, 26+i)
	}
	if whole {
		f.line("VPBROADCASTW call_level(DI), Z26")
		f.line("VPBROADCASTD call_flip(DI), Z17")
		f.line("VMOVDQU32 order<>(SB), Z16")
	}
}

// pack stores a row of integers, Z12 to Z15, as bytes: level has the zero point,
// flip what turns their sign bits, order that of columns.
func (f *file) pack(level, flip, order string) {
	f.line("VPACKSSDW Z13, Z12, Z12")
	f.line("VPACKSSDW Z15, Z14, Z14")
	f.line("VPADDSW %s, Z12, Z12", level)
	f.line("VPADDSW %s, Z14, Z14", level)
	f.line("VPACKUSWB Z14, Z12, Z12")
	f.line("VPERMD Z12, %s, Z12", order)
	f.line("VPXORD %s, Z12, Z12", flip)
	f.line("VMOVDQU8 Z12, K7, (DX)")
}

// limit limits Z0; a NaN becomes the least value.
func (f *file) limit() {
	f.line("VMAXPS Z29, Z0, Z0")
	f.line("VMINPS Z0, Z28, Z0")
}

// quantize takes the quotient x to integers, and sets in K5 the bits of those
// under the mask, "" or one and a comma, that might be others; a NaN is one of
// them. It overwrites t.
func (f *file) quantize(x, t, mask, slack, to string) {
	f.line("VMAXPS %s, Z29, %s", x, x)
	f.line("VMINPS %s, Z28, %s", x, x)
	f.line("VRNDSCALEPS $0, %s, %s", x, t)
	f.line("VSUBPS %s, %s, %s", t, x, x)
	f.line("VANDPS Z31, %s, %s", x, x)
	f.line("VCMPPS $6, %s, %s, %sK5", slack, x, mask)
	f.line("VCVTPS2DQ %s, %s", t, to)
}

// levels: (x − off)·factor of rows with an own off each, rounded to bytes.
func (f *file) levels() {
	f.function("levelsAVX512")
	f.line("MOVQ call_x(DI), SI")
	f.line("MOVQ call_y(DI), DX")
	f.line("MOVQ call_rows(DI), CX")
	f.line("MOVQ call_off(DI), AX")
	f.masks()
	f.quantizer(true)
	f.label("row")
	f.line("VBROADCASTSS (AX), Z2")
	for v := range 4 {
		f.line("VMOVUPS.Z %d(SI), K%d, Z0", 64*v, v+1)
		f.line("VSUBPS Z2, Z0, Z0")
		f.line("VMULPS Z30, Z0, Z0")
		f.limit()
		f.line("VCVTPS2DQ Z0, Z%d", 12+v)
	}
	f.pack("Z26", "Z17", "Z16")
	f.line("ADDQ $4, AX")
	f.line("ADDQ call_xStep(DI), SI")
	f.line("ADDQ call_yStep(DI), DX")
	f.line("DECQ CX")
	f.line("JNZ  row")
	f.line("VZEROUPPER")
	f.line("RET")
}
