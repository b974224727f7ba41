// Package lut applies functions of one quantized byte through a table of all
// 256 results: an activation between two grids becomes one load an element.
//
// It sees bytes and must not know scales, zero points or which function is
// tabulated. A signed element is the byte of the same bits. Apply is the
// portable twin that defines its kernel. Start at [Build].
package lut

import "github.com/octavo-ml/octavo/internal/cpu"

//go:generate go -C _asm run . ..

// variant is one implementation of Apply, which runs the first whose level may
// be used. Tests run every row of the table.
type variant struct {
	name  string
	level cpu.Level
}

// Build returns the table of fn.
func Build(fn func(byte) byte) *[256]byte {
	var table [256]byte
	for i := range table {
		table[i] = fn(byte(i))
	}
	return &table
}

// Apply stores table[src[i]] in dst[i]; dst may be src.
func Apply(dst, src []byte, table *[256]byte) {
	dst = dst[:len(src)]
	done := applySpans(dst, src, table)
	dst, src = dst[done:], src[done:]
	for i, b := range src {
		dst[i] = table[b]
	}
}
