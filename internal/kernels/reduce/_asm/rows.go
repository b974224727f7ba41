package main

func rows(f *file) string {
	f.WriteString(header)
	store := func() { f.each("VMOVUPS {0}, {@}(DI)") }

	f.begin("addLanes", "lane *[lanes]float32, x *float32, steps int", 0, "lane", "DI", "x", "SI", "steps", "CX")
	f.each("VMOVUPS {@}(DI), {0}")
	f.label("next")
	f.each("VADDPS {@}(SI), {0}, {0}")
	f.next(store, "SI")

	f.begin("addSquares", "lane *[lanes]float32, x *float32, steps int", 0, "lane", "DI", "x", "SI", "steps", "CX")
	f.each("VMOVUPS {@}(DI), {0}")
	f.label("next")
	f.each("VMOVUPS {@}(SI), {1}")
	f.each("VMULPS {1}, {1}, {1}")
	f.each("VADDPS {1}, {0}, {0}")
	f.next(store, "SI")

	f.begin("center", "lane *[lanes]float32, dst, x *float32, steps int, mean float32", 1, "lane", "DI", "dst", "DX", "x", "SI", "steps", "CX")
	f.scalar("VBROADCASTSS mean+32(FP), {S}")
	f.each("VMOVUPS {@}(DI), {0}")
	f.label("next")
	f.each("VMOVUPS {@}(SI), {1}")
	f.each("VSUBPS {S}, {1}, {1}")
	f.each("VMOVUPS {1}, {@}(DX)")
	f.each("VMULPS {1}, {1}, {1}")
	f.each("VADDPS {1}, {0}, {0}")
	f.next(store, "SI", "DX")

	// Either of two zeros is the greater: taken in both orders and joined, the
	// maximum treats them as Go does. Comparison $3, "unordered", is all ones
	// where an operand is NaN, which joined to anything is a NaN.
	f.begin("maxLanes", "lane *[lanes]float32, x *float32, steps int", 0, "lane", "DI", "x", "SI", "steps", "CX")
	f.each("VMOVUPS {@}(DI), {0}")
	if f.reg == "Z" {
		f.line("VPTERNLOGD $0xff, Z4, Z4, Z4")
	}
	f.label("next")
	f.each("VMOVUPS {@}(SI), {1}")
	f.maximum()
	f.next(func() {
		// Halves of what is left, down to one lane.
		if f.reg == "Z" {
			f.line("VEXTRACTF64X4 $1, Z0, Y1")
		} else {
			f.line("VMOVAPS Y1, Y2")
		}
		f.maximum()
		f.scalar(map[string]string{"Z": "VEXTRACTF128 $1, Y0, X1", "Y": "VEXTRACTF128 $1, Y0, X2"}[f.reg])
		f.maximum()
		for _, swap := range []string{"$0x4e", "$0xb1"} {
			f.scalar(map[string]string{"Z": "VPERMILPS " + swap + ", X0, X1", "Y": "VPERMILPS " + swap + ", X0, X2"}[f.reg])
			f.maximum()
		}
		f.line("VMOVSS X0, (DI)")
	}, "SI")

	f.begin("scaleShift", "dst, x, scale, shift *float32, steps int, factor float32", 1, "dst", "DI", "x", "SI", "scale", "DX", "shift", "R8", "steps", "CX")
	f.scalar("VBROADCASTSS factor+40(FP), {S}")
	f.label("next")
	f.each("VMULPS {@}(SI), {S}, {0}")
	f.each("VMULPS {@}(DX), {0}, {0}")
	f.each("VADDPS {@}(R8), {0}, {0}")
	store()
	f.next(nil, "SI", "DI", "DX", "R8")

	f.begin("scale", "dst, x, scale *float32, steps int, factor float32", 1, "dst", "DI", "x", "SI", "scale", "DX", "steps", "CX")
	f.scalar("VBROADCASTSS factor+32(FP), {S}")
	f.label("next")
	f.each("VMULPS {@}(SI), {S}, {0}")
	f.each("VMULPS {@}(DX), {0}, {0}")
	store()
	f.next(nil, "SI", "DI", "DX")

	f.begin("divide", "dst *float32, steps int, by float32", 1, "dst", "DI", "steps", "CX")
	f.scalar("VBROADCASTSS by+16(FP), {S}")
	f.label("next")
	f.each("VMOVUPS {@}(DI), {0}")
	f.each("VDIVPS {S}, {0}, {0}")
	store()
	f.next(nil, "DI")

	return f.String()
}

// maximum takes {1} into {0}; {4} is all ones where NaN are marked by a mask.
func (f *file) maximum() {
	f.each("VMAXPS {0}, {1}, {2}")
	f.each("VMAXPS {1}, {0}, {3}")
	if f.reg == "Z" {
		f.each("VCMPPS $3, {0}, {1}, K1")
		f.each("VPANDD {2}, {3}, {0}")
		f.each("VMOVDQA32 {4}, K1, {0}")
		return
	}
	f.each("VCMPPS $3, {0}, {1}, {4}")
	f.each("VANDPS {2}, {3}, {0}")
	f.each("VORPS {4}, {0}, {0}")
}
