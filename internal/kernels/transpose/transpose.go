// Package transpose transposes matrices of elements of 1 and 4 bytes: what takes
// activations from channels first to channels last and back, and turns the axes
// of attention.
//
// It sees elements as bits and must not know tensors. The Go loops are the
// portable twins; assembly takes whole blocks. Start at [Matrix].
package transpose

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/cpu"
)

//go:generate go -C _asm run . ..

// variant is one implementation of the blocks, which are those of the first
// whose level may be used. Tests run every row of the table.
type variant struct {
	name  string
	level cpu.Level
}

// tile is how many columns are taken through all rows together, so that the
// lines that they write stay in the nearest cache.
const tile = 64

// Matrix stores the transpose of a matrix of rows × cols elements, whose rows
// lie srcStep apart, in dst, whose rows lie dstStep apart.
func Matrix[T uint8 | uint32](dst, src []T, rows, cols, dstStep, srcStep int) {
	if rows == 0 || cols == 0 {
		return
	}
	dst, src = dst[:(cols-1)*dstStep+rows], src[:(rows-1)*srcStep+cols]
	if rows == 3 && dstStep == 3 {
		done := interleave(dst, src, cols, srcStep)
		copyColumns(dst, src, 0, rows, done, cols, dstStep, srcStep)
		return
	}
	for c := 0; c < cols; c += tile {
		end := min(c+tile, cols)
		r, done, high := 0, c, 0
		for {
			height, columns := blocks(dst, src, r, c, end, rows, dstStep, srcStep)
			if height == 0 {
				break
			}
			r, done, high = r+height, c+columns, height
		}
		if high == 0 {
			copyColumns(dst, src, 0, rows, c, end, dstStep, srcStep)
			continue
		}
		// What is beside the blocks, and below them: by blocks that reach back.
		beside := end - byteColumns
		if unsafe.Sizeof(dst[0]) > 1 {
			beside = end - wordColumns
		}
		if done < end {
			for q := 0; q < r; q += high {
				blocks(dst, src, q, beside, end, rows, dstStep, srcStep)
			}
		}
		if r < rows {
			blocks(dst, src, rows-high, c, end, rows, dstStep, srcStep)
			if done < end {
				blocks(dst, src, rows-high, beside, end, rows, dstStep, srcStep)
			}
		}
	}
}

// copyColumns transposes rows from r to rows, and columns from c to cols.
func copyColumns[T uint8 | uint32](dst, src []T, r, rows, c, cols, dstStep, srcStep int) {
	for j := c; j < cols; j++ {
		out := dst[j*dstStep+r:][:rows-r]
		for i := range out {
			out[i] = src[(r+i)*srcStep+j]
		}
	}
}
