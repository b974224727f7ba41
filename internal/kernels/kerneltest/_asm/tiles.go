package main

import (
	"fmt"
	"strings"
)

// tiles writes a loop that multiplies two tiles with two into four, n times.
// The assembler does not know AMX: package gemm's _asm says how its
// instructions are encoded.
func tiles(b *strings.Builder) {
	b.WriteString("\n// func peakAMX(n int, config *[64]byte)\nTEXT ·peakAMX(SB), NOSPLIT, $0-16\n\tMOVQ n+0(FP), CX\n\tMOVQ config+8(FP), AX\n")
	b.WriteString("\tBYTE $0xc4; BYTE $0xe2; BYTE $0x78; BYTE $0x49; BYTE $0x00 // LDTILECFG (AX)\n\nloop:\n")
	for i := range 4 {
		a, c := 4+i/2, 6+i%2
		fmt.Fprintf(b, "\tBYTE $0xc4; BYTE $0xe2; BYTE $%#x; BYTE $0x5e; BYTE $%#x // TDPBUSD T%d, T%d, T%d\n", ^c&15<<3|1, 0xc0|i<<3|a, c, a, i)
	}
	b.WriteString("\tDECQ CX\n\tJNZ  loop\n\tBYTE $0xc4; BYTE $0xe2; BYTE $0x78; BYTE $0x49; BYTE $0xc0 // TILERELEASE\n\tRET\n")
}
