// Package neon writes the vector instructions of arm64 that Go's assembler does
// not know, as words. Generators of kernels use it. Encodings: Arm Architecture
// Reference Manual for A-profile, C7.2.
package neon

import "fmt"

// three operands d, n, m; of 4 lanes of 32 bits unless the name says another.
var three = map[string]uint32{
	"add": 0x4ea08400, "sub": 0x6ea08400, "and": 0x4e201c00, "orr": 0x4ea01c00, "eor": 0x6e201c00, "bsl": 0x6e601c00,
	"fadd": 0x4e20d400, "fsub": 0x4ea0d400, "fmul": 0x6e20dc00, "fdiv": 0x6e20fc00, "fmla": 0x4e20cc00, "fmls": 0x4ea0cc00,
	"fmax": 0x4e20f400, "fmin": 0x4ea0f400, "fmaxnm": 0x4e20c400, "fminnm": 0x4ea0c400,
	"fcmeq": 0x4e20e400, "fcmgt": 0x6ea0e400, "fmaxp": 0x6e20f400, "mul": 0x4ea09c00,
	"tbl4.16b": 0x4e006000, "tbx4.16b": 0x4e007000, "sub.16b": 0x6e208400,
	"umin": 0x6ea06c00, "umax": 0x6ea06400, "smax": 0x4ea06400, "cmeq": 0x6ea08c00,
	"umax.16b": 0x6e206400, "smax.16b": 0x4e206400,
	// The third is as wide as half of the others.
	"uaddw": 0x2e601000, "uaddw2": 0x6e601000, "saddw": 0x0e601000, "saddw2": 0x4e601000,
}

// two operands d, n. Those that narrow or widen take the lower half of the
// wider register, and those with a 2 the upper half.
var two = map[string]uint32{
	"scvtf": 0x4e21d800, "fcvtns": 0x4e21a800,
	"fcvtl": 0x0e217800, "fcvtl2": 0x4e217800, "fcvtn": 0x0e216800, "fcvtn2": 0x4e216800,
	"xtn.4h": 0x0e612800, "xtn2.8h": 0x4e612800, "xtn.8b": 0x0e212800, "xtn2.16b": 0x4e212800,
	"uxtl.8h": 0x2f08a400, "uxtl2.8h": 0x6f08a400, "uxtl.4s": 0x2f10a400, "uxtl2.4s": 0x6f10a400,
	"sxtl.8h": 0x0f08a400, "sxtl2.8h": 0x4f08a400, "sxtl.4s": 0x0f10a400, "sxtl2.4s": 0x4f10a400,
	"shll16.4s": 0x2e613800, "shll16_2.4s": 0x6e613800,
}

// Three returns an instruction of three registers.
func Three(name string, d, n, m int) string {
	return fmt.Sprintf("WORD $0x%08x // %s v%d, v%d, v%d", known(three, name)|uint32(m<<16|n<<5|d), name, d, n, m)
}

// Two returns an instruction of two registers.
func Two(name string, d, n int) string {
	return fmt.Sprintf("WORD $0x%08x // %s v%d, v%d", known(two, name)|uint32(n<<5|d), name, d, n)
}

// Shift returns a shift, shl, ushr or sshr, of 4 lanes of 32 bits by 1 to 31.
func Shift(name string, d, n, by int) string {
	code, field := uint32(0x4f005400), 32+by
	switch name {
	case "ushr":
		code, field = 0x6f000400, 64-by
	case "sshr":
		code, field = 0x4f000400, 64-by
	}
	return fmt.Sprintf("WORD $0x%08x // %s v%d.4s, v%d.4s, #%d", code|uint32(field<<16|n<<5|d), name, d, n, by)
}

func known(table map[string]uint32, name string) uint32 {
	code, ok := table[name]
	if !ok {
		panic("no instruction " + name)
	}
	return code
}
