//go:build !noasm && (amd64 || arm64)

package fused

import (
	"math"
	"unsafe"
)

// call is what a kernel gets; assembly knows its fields by name. Steps are in
// bytes.
type call struct {
	x, e, y, bias, other, off, doubt unsafe.Pointer
	rows                             int
	vectors                          int // of a row: whole ones of 16 columns; of scores all, of the kernel's width
	xStep, yStep, otherStep, addStep int
	columns                          uint64 // a bit for each; softmaxAVX2 has how many are in the last vector
	factor, lo, hi, slack            float32
	zero                             int32
	level, flip                      uint32 // the zero point of uint8, and what makes others of them
	by, times, error                 float32
}

// nothing is what changes nothing when it is added, not even the sign of a
// zero.
var nothing = func() (t [Width]float32) {
	for i := range t {
		t[i] = float32(math.Copysign(0, -1))
	}
	return t
}()

// callOf returns the call for a block, whose results have the given size.
func callOf(b *Block, y unsafe.Pointer, ldy, size int) call {
	c := call{
		x: unsafe.Pointer(&b.X[:b.Rows*b.Cols][0]), y: y, bias: unsafe.Pointer(&nothing), rows: b.Rows,
		xStep: 4 * b.Cols, yStep: size * ldy, otherStep: 4 * b.Step, columns: 1<<b.Cols - 1,
		vectors: b.Cols / lanes,
	}
	if b.Bias != nil {
		c.bias = unsafe.Pointer(&b.Bias[:b.Cols][0])
	}
	if b.Other != nil {
		c.other = unsafe.Pointer(&b.Other[:(b.Rows-1)*b.Step+b.Cols][0])
	}
	return c
}

// quantize adds what the grid says.
func (c *call) quantize(q *Grid, factor, slack float32) {
	c.factor, c.lo, c.hi, c.slack, c.zero = factor, q.lo, q.hi, slack, q.grid.ZeroPoint
	c.level = uint32(q.grid.ZeroPoint)
	if q.signed {
		c.level, c.flip = uint32(q.grid.ZeroPoint+128), 0x80808080
	}
}

// levelsCall returns the call for Levels.
func levelsCall(y []byte, ldy int, x []float32, ldx, m, cols int, off []float32, factor float32, q *Grid) call {
	c := call{
		x: unsafe.Pointer(&x[:(m-1)*ldx+cols][0]), y: unsafe.Pointer(&y[:(m-1)*ldy+cols][0]), off: unsafe.Pointer(&off[:m][0]),
		rows: m, xStep: 4 * ldx, yStep: ldy, columns: 1<<cols - 1, vectors: cols / lanes,
	}
	c.quantize(q, factor, 0)
	return c
}

// rest stores the columns of Bytes that fill no vector.
func (b *Block) rest(y []byte, ldy int, q *Grid) {
	if from := b.Cols / lanes * lanes; from < b.Cols {
		var t [Width]float32
		for r := range b.Rows {
			q.store(y[r*ldy+from:], b.row(&t, r)[from:])
		}
	}
}
