// Package lut applies functions of one quantized byte through a table of all
// 256 results: an activation between two grids becomes one load an element.
//
// It sees bytes and must not know scales, zero points or which function is
// tabulated. A signed element is the byte of the same bits. Apply is the
// portable twin that defines its kernel. Start at [Build].
package lut

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
	for i, b := range src {
		dst[i] = table[b]
	}
}
