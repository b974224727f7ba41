package convert

import "math"

// Format is a binary float of 8 or 4 bits: sign, exponent, mantissa.
type Format struct {
	man, bias uint
	// max is the code of the greatest finite value.
	max uint8
	// inf and nan are the codes of the positive infinity and NaN; the same
	// code where there is no infinity.
	inf, nan uint8
	sign     uint8
	// unsignedZero: the code of -0 is the NaN, and the only one.
	unsignedZero bool
}

// The formats by their names in ONNX: FN has no infinities, UZ no
// negative zero.
var (
	E4M3FN   = &Format{man: 3, bias: 7, max: 0x7e, inf: 0x7f, nan: 0x7f, sign: 0x80}
	E4M3FNUZ = &Format{man: 3, bias: 8, max: 0x7f, inf: 0x80, nan: 0x80, sign: 0x80, unsignedZero: true}
	E5M2     = &Format{man: 2, bias: 15, max: 0x7b, inf: 0x7c, nan: 0x7e, sign: 0x80}
	E5M2FNUZ = &Format{man: 2, bias: 16, max: 0x7f, inf: 0x80, nan: 0x80, sign: 0x80, unsignedZero: true}
	// E2M1 has neither infinity nor NaN: overflow always saturates, and a NaN
	// becomes -0, as in ONNX's conformance suite.
	E2M1 = &Format{man: 1, bias: 1, max: 0x07, inf: 0x07, nan: 0x08, sign: 0x08}
)

// Max returns the greatest finite value.
func (f *Format) Max() float32 { return f.Decode(f.max) }

// Decode returns the value of a code; bits above the format's are ignored.
func (f *Format) Decode(code uint8) float32 {
	a, negative := code&(f.sign-1), code&f.sign != 0
	if f.unsignedZero && code == f.nan {
		return float32(math.NaN())
	}
	var v float64
	switch exp := uint(a) >> f.man; {
	case a > f.max && a == f.inf && f.inf != f.nan:
		v = math.Inf(1)
	case a > f.max:
		v = math.NaN()
	case exp == 0:
		v = math.Ldexp(float64(a), 1-int(f.bias+f.man))
	default:
		v = math.Ldexp(float64(uint(a)&(1<<f.man-1)|1<<f.man), int(exp)-int(f.bias+f.man))
	}
	if negative {
		v = -v
	}
	return float32(v)
}

// Encode returns the nearest code. Where the rounded x lies beyond the finite
// values, infinities included, it is the greatest finite one if saturate is
// set, and the infinity or, in formats without one, NaN otherwise (the table
// of ONNX's Cast).
func (f *Format) Encode(x float32, saturate bool) uint8 {
	var sign uint8
	if math.Signbit(float64(x)) {
		sign = f.sign
	}
	if x != x {
		if f.sign != 0x80 {
			return f.nan
		}
		return f.nan | sign
	}
	a := math.Abs(float64(x))
	least := 1 - int(f.bias)
	exp := least
	if a >= math.Ldexp(1, least) {
		exp = min(math.Ilogb(a), 64)
	}
	// In units of the last place; a carry runs into the exponent by itself.
	units := math.RoundToEven(min(math.Ldexp(a, int(f.man)-exp), 1<<8))
	code := (exp-least)<<f.man + int(units)
	switch {
	case code <= int(f.max):
		if code == 0 && f.unsignedZero {
			return 0
		}
		return uint8(code) | sign
	case saturate:
		return f.max | sign
	}
	return f.inf | sign
}

// DecodeTo stores the values of src.
func (f *Format) DecodeTo(dst []float32, src []uint8) {
	var table [256]float32
	for c := range table {
		table[c] = f.Decode(uint8(c))
	}
	dst = dst[:len(src)]
	for i, c := range src {
		dst[i] = table[c]
	}
}

// EncodeTo stores src rounded as by Encode.
func (f *Format) EncodeTo(dst []uint8, src []float32, saturate bool) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = f.Encode(v, saturate)
	}
}

// Rounding says which power of two E8M0 takes.
type Rounding uint8

// The roundings of ONNX's Cast to E8M0. Nearest takes the upper of two equally
// near powers.
const (
	RoundUp Rounding = iota
	RoundDown
	RoundNearest
)

const (
	e8m0Max = 0xfe
	e8m0NaN = 0xff
)

// E8M0ToF32 returns 2^(code-127), or NaN for 255.
func E8M0ToF32(code uint8) float32 {
	switch code {
	case e8m0NaN:
		return float32(math.NaN())
	case 0:
		return 0x1p-127
	}
	return math.Float32frombits(uint32(code) << 23)
}

// F32ToE8M0 returns the code of the power of two that round chooses for x.
// Beyond the powers (zero and infinities too) it is the nearest one if
// saturate is set and NaN otherwise; negative numbers give NaN.
func F32ToE8M0(x float32, round Rounding, saturate bool) uint8 {
	if !(x >= 0) {
		return e8m0NaN
	}
	if x < 0x1p-127 {
		if saturate || round != RoundDown && x > 0 && (round == RoundUp || x >= 0.75*0x1p-127) {
			return 0
		}
		return e8m0NaN
	}
	frac, exp := math.Frexp(float64(x))
	if math.IsInf(frac, 0) {
		exp = 1000
	}
	code := exp - 1 + 127
	switch {
	case round == RoundUp && frac > 0.5, round == RoundNearest && frac >= 0.75:
		code++
	}
	if code <= e8m0Max {
		return uint8(code)
	}
	if saturate {
		return e8m0Max
	}
	return e8m0NaN
}
