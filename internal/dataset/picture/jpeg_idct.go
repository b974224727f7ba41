package picture

// zigzag says where in the block's rows the coefficients of the file's order
// stand, T.81 figure A.6.
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10,
	17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34,
	27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36,
	29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46,
	53, 60, 61, 54, 47, 55, 62, 63,
}

// Factors of the transform below with 13 fractional bits: c[k] = √2·cos(kπ/16).
const (
	dctBits = 13

	c6        = 4433  // 0.541196100
	c2plusC6  = 15137 // 1.847759065
	c2minusC6 = 6270  // 0.765366865
	c3        = 9633  // 1.175875602
	c3minusC5 = 3196  // 0.390180644
	c3plusC5  = 16069 // 1.961570560
	c3minusC7 = 7373  // 0.899976223
	c1plusC3  = 20995 // 2.562915447
	odd7      = 2446  // 0.298631336 = -c1 + c3 + c5 - c7
	odd5      = 16819 // 2.053119869 = c1 + c3 - c5 + c7
	odd3      = 25172 // 3.072711026 = c1 + c3 + c5 - c7
	odd1      = 12299 // 1.501321110 = c1 + c3 - c5 - c7
)

// columnBits is how many fractional bits stay between the two passes.
const columnBits = 2

// inverseDCT writes the samples of a block. Bits are those of libjpeg's
// accurate integer transform ("islow"): columns are rounded to columnBits
// fractional bits, then rows to integers. Source of the flow: Loeffler,
// Ligtenberg and Moschytz, "Practical fast 1-D DCT algorithms with 11
// multiplications", ICASSP 1989.
func inverseDCT(out []uint8, stride int, b *block, quant *[64]int32) {
	var m [64]int32
	for k, v := range b {
		if v != 0 {
			m[zigzag[k]] = int32(v) * quant[k]
		}
	}
	for x := range 8 {
		m := m[x:]
		if m[8]|m[16]|m[24]|m[32]|m[40]|m[48]|m[56] == 0 {
			v := m[0] << columnBits
			m[0], m[8], m[16], m[24], m[32], m[40], m[48], m[56] = v, v, v, v, v, v, v, v
			continue
		}
		m[0], m[8], m[16], m[24], m[32], m[40], m[48], m[56] = inverse8(
			m[0], m[8], m[16], m[24], m[32], m[40], m[48], m[56], dctBits-columnBits)
	}
	for y := range 8 {
		m := (*[8]int32)(m[8*y:])
		o := (*[8]uint8)(out[y*stride:])
		// The 8 of an 8 by 8 transform, which its factors leave out, is 3 bits.
		v0, v1, v2, v3, v4, v5, v6, v7 := inverse8(
			m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7], dctBits+columnBits+3)
		o[0], o[1], o[2], o[3] = clamp(v0+128), clamp(v1+128), clamp(v2+128), clamp(v3+128)
		o[4], o[5], o[6], o[7] = clamp(v4+128), clamp(v5+128), clamp(v6+128), clamp(v7+128)
	}
}

// inverse8 transforms eight coefficients, and rounds shift bits away.
func inverse8(x0, x1, x2, x3, x4, x5, x6, x7 int32, shift uint) (_, _, _, _, _, _, _, _ int32) {
	// Even coefficients.
	z := (x2 + x6) * c6
	e2, e3 := z-x6*c2plusC6, z+x2*c2minusC6
	half := int32(1) << (shift - 1)
	e0, e1 := (x0+x4)<<dctBits+half, (x0-x4)<<dctBits+half
	a0, a3, a1, a2 := e0+e3, e0-e3, e1+e2, e1-e2

	// Odd coefficients.
	z5 := (x7 + x3 + x5 + x1) * c3
	z1, z2 := (x7+x1)*-c3minusC7, (x5+x3)*-c1plusC3
	z3, z4 := z5-(x7+x3)*c3plusC5, z5-(x5+x1)*c3minusC5
	b0 := x1*odd1 + z1 + z4
	b1 := x3*odd3 + z2 + z3
	b2 := x5*odd5 + z2 + z4
	b3 := x7*odd7 + z1 + z3

	return (a0 + b0) >> shift, (a1 + b1) >> shift, (a2 + b2) >> shift, (a3 + b3) >> shift,
		(a3 - b3) >> shift, (a2 - b2) >> shift, (a1 - b1) >> shift, (a0 - b0) >> shift
}
