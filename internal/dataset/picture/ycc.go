package picture

// ycc converts JFIF's YCbCr to RGB as libjpeg does: products of 16 fractional
// bits, rounded where one of them decides, green's two summed first. Source of
// the factors: JFIF 1.02, "Conversion to and from RGB".
var ycc = func() (t struct{ crR, cbB, crG, cbG [256]int32 }) {
	const (
		half    = 1 << 15
		fix1402 = 91881 // 1.40200 · 2^16
		fix1772 = 116130
		fix0714 = 46802 // 0.71414 · 2^16
		fix0344 = 22554 // 0.34414 · 2^16
	)
	for i := range int32(256) {
		x := i - 128
		t.crR[i] = (fix1402*x + half) >> 16
		t.cbB[i] = (fix1772*x + half) >> 16
		t.crG[i] = -fix0714 * x
		t.cbG[i] = -fix0344*x + half
	}
	return t
}()

// yccRow writes a row of red, green, blue.
func yccRow(out, y, cb, cr []uint8) {
	cb, cr = cb[:len(y)], cr[:len(y)]
	for x, l := range y {
		l, b, r := int32(l), cb[x], cr[x]
		o := out[3*x : 3*x+3 : 3*x+3]
		o[0] = clamp(l + ycc.crR[r])
		o[1] = clamp(l + (ycc.cbG[b]+ycc.crG[r])>>16)
		o[2] = clamp(l + ycc.cbB[b])
	}
}

func clamp(v int32) uint8 { return uint8(max(0, min(v, 255))) }
