package main

import (
	"fmt"
	"strings"
)

// The assembler does not know AMX: its instructions are bytes here, as Intel's
// manual, volume 2, encodes them. All have a VEX prefix of three bytes, map
// 0F38, W and L 0.

// numbers are those of the general registers in an encoding.
var numbers = map[string]int{"AX": 0, "CX": 1, "DX": 2, "BX": 3, "SI": 6, "DI": 7, "R8": 8, "R9": 9, "R10": 10, "R11": 11, "R12": 12, "R13": 13, "R14": 14, "R15": 15}

// The prefixes that vex takes.
const (
	noPrefix = iota
	prefix66
	prefixF3
	prefixF2
)

// vex writes an instruction; reg, index and base are register numbers, of which
// the bits beyond three go into the prefix, and v is the one more operand.
func (f *file) vex(comment string, prefix, opcode, reg, index, base, v int, rest ...int) {
	first := (^reg>>3&1)<<7 | (^index>>3&1)<<6 | (^base>>3&1)<<5 | 2
	bytes := append([]int{0xc4, first, (^v&15)<<3 | prefix, opcode}, rest...)
	var words []string
	for _, b := range bytes {
		words = append(words, fmt.Sprintf("BYTE $%#02x", b&255))
	}
	f.line("%s // %s", strings.Join(words, "; "), comment)
}

// memory returns what an encoding says of a tile register and of base +
// index + displacement.
func memory(tile, index, base, displacement int) []int {
	modrm, sib := tile<<3|4, index&7<<3|base&7
	if displacement == 0 && base&7 != 5 {
		return []int{modrm, sib}
	}
	d := []int{displacement, displacement >> 8, displacement >> 16, displacement >> 24}
	if -128 <= displacement && displacement < 128 {
		return append([]int{modrm | 1<<6, sib}, d[:1]...)
	}
	return append([]int{modrm | 2<<6, sib}, d...)
}

// tileLoad loads a tile whose rows lie as far apart as the register stride says.
func (f *file) tileLoad(tile, displacement int, base, stride string) {
	i, b := numbers[stride], numbers[base]
	f.vex(fmt.Sprintf("TILELOADD %d(%s)(%s*1), T%d", displacement, base, stride, tile), prefixF2, 0x4b, tile, i, b, 0, memory(tile, i, b, displacement)...)
}

func (f *file) tileStore(tile, displacement int, base, stride string) {
	i, b := numbers[stride], numbers[base]
	f.vex(fmt.Sprintf("TILESTORED T%d, %d(%s)(%s*1)", tile, displacement, base, stride), prefixF3, 0x4b, tile, i, b, 0, memory(tile, i, b, displacement)...)
}

// tileConfigure takes the shapes of the tiles from where a register points.
func (f *file) tileConfigure(base string) {
	b := numbers[base]
	f.vex(fmt.Sprintf("LDTILECFG (%s)", base), noPrefix, 0x49, 0, 0, b, 0, b&7)
}

func (f *file) tileRelease() { f.vex("TILERELEASE", noPrefix, 0x49, 0, 0, 0, 0, 0xc0) }

// tileDotBF16 adds products of the bfloat16 of tiles a and b, in pairs.
func (f *file) tileDotBF16(b, a, to int) {
	f.vex(fmt.Sprintf("TDPBF16PS T%d, T%d, T%d", b, a, to), prefixF3, 0x5c, to, 0, a, b, 0xc0|to<<3|a)
}

// tileDot adds products of the uint8 of tile a and the int8 of tile b.
func (f *file) tileDot(b, a, to int) {
	f.vex(fmt.Sprintf("TDPBUSD T%d, T%d, T%d", b, a, to), prefix66, 0x5e, to, 0, a, b, 0xc0|to<<3|a)
}
