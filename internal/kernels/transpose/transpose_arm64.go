//go:build !noasm

package transpose

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"neon", cpu.NEON}, {"generic", cpu.Generic}}

// Columns of a block of bytes and of one of words.
const byteColumns, wordColumns = 16, 4

// blocks transposes whole blocks of the rows from r and the columns from c on,
// as many as fit before end, and returns their height and the columns done; 0
// where there is none.
func blocks[T uint8 | uint32](dst, src []T, r, c, end, rows, dstStep, srcStep int) (height, columns int) {
	if !cpu.Has(cpu.NEON) {
		return 0, 0
	}
	to, from := c*dstStep+r, r*srcStep+c
	switch d := any(dst).(type) {
	case []uint8:
		const high, wide = 8, byteColumns
		if n := (end - c) / wide; n > 0 && rows-r >= high {
			_, _ = dst[to+(n*wide-1)*dstStep+high-1], src[from+(high-1)*srcStep+n*wide-1]
			bytesNEON(&d[to], &any(src).([]uint8)[from], n, dstStep, srcStep)
			return high, n * wide
		}
	case []uint32:
		const side = wordColumns
		if n := (end - c) / side; n > 0 && rows-r >= side {
			_, _ = dst[to+(n*side-1)*dstStep+side-1], src[from+(side-1)*srcStep+n*side-1]
			wordsNEON(&d[to], &any(src).([]uint32)[from], n, 4*dstStep, 4*srcStep)
			return side, n * side
		}
	}
	return 0, 0
}

// interleave transposes the leading columns of three rows to triples that lie
// side by side, and returns their number.
func interleave[T uint8 | uint32](dst, src []T, cols, srcStep int) int {
	if !cpu.Has(cpu.NEON) {
		return 0
	}
	switch d := any(dst).(type) {
	case []uint8:
		const step = 16
		if n := cols / step; n > 0 {
			triples8NEON(&d[0], &any(src).([]uint8)[0], n, srcStep)
			return n * step
		}
	case []uint32:
		const step = 4
		if n := cols / step; n > 0 {
			triples32NEON(&d[0], &any(src).([]uint32)[0], n, 4*srcStep)
			return n * step
		}
	}
	return 0
}

// bytesNEON transposes blocks of 8 rows and 16 columns that follow each other
// along the rows.
//
//go:noescape
func bytesNEON(dst, src *uint8, blocks, dstStep, srcStep int)

// wordsNEON does so for blocks of 4 rows and columns; the steps are in bytes.
//
//go:noescape
func wordsNEON(dst, src *uint32, blocks, dstStep, srcStep int)

// triples8NEON interleaves 16 columns of three rows a step.
//
//go:noescape
func triples8NEON(dst, src *uint8, steps, srcStep int)

// triples32NEON interleaves 4 columns a step; srcStep is in bytes.
//
//go:noescape
func triples32NEON(dst, src *uint32, steps, srcStep int)
