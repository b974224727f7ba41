package fused

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
)

// Block is rows×cols sums, one row after the other, and what is added to them:
// Bias to each row, Other, whose rows lie Step apart; nil adds nothing.
type Block struct {
	X          []float32
	Rows, Cols int
	Bias       []float32
	Other      []float32
	Step       int
}

// row returns row r with what is added to it in t.
func (b *Block) row(t *[Width]float32, r int) []float32 {
	line := t[:b.Cols]
	copy(line, b.X[r*b.Cols:])
	if b.Bias != nil {
		eltwise.Add(line, line, b.Bias[:b.Cols])
	}
	if b.Other != nil {
		eltwise.Add(line, line, b.Other[r*b.Step:][:b.Cols])
	}
	return line
}

// Floats stores (x + bias) + other in y, whose rows lie ldy apart.
func Floats(y []float32, ldy int, b *Block) {
	if b.Rows == 0 || b.Cols == 0 || floats(y, ldy, b) {
		return
	}
	var t [Width]float32
	for r := range b.Rows {
		copy(y[r*ldy:][:b.Cols], b.row(&t, r))
	}
}

// Bytes stores (x + bias) + other rounded to a grid.
func Bytes(y []byte, ldy int, b *Block, q *Grid) {
	if b.Rows == 0 || b.Cols == 0 || bytes(y, ldy, b, q) {
		return
	}
	var t [Width]float32
	for r := range b.Rows {
		q.store(y[r*ldy:][:b.Cols], b.row(&t, r))
	}
}

// GeluFloats stores eltwise.Gelu(x + bias); b has no Other, and y is not its X.
func GeluFloats(y []float32, ldy int, b *Block) {
	if b.Cols == 0 {
		return
	}
	Floats(y, ldy, b)
	for r := range b.Rows {
		line := y[r*ldy:][:b.Cols]
		eltwise.GeluAll(line, line)
	}
}

// GeluBytes stores eltwise.Gelu(x + bias) rounded to a grid; b has no Other.
func GeluBytes(y []byte, ldy int, b *Block, q *Grid) {
	if b.Rows == 0 || b.Cols == 0 || geluBytes(y, ldy, b, q) {
		return
	}
	var t [Width]float32
	for r := range b.Rows {
		line := b.row(&t, r)
		eltwise.GeluAll(line, line)
		q.store(y[r*ldy:][:b.Cols], line)
	}
}

// Levels stores round((x − off)·factor) + zero point, clamped to q, whose scale
// is not used; off has one element for each of m rows, cols is at most Width.
func Levels(y []byte, ldy int, x []float32, ldx, m, cols int, off []float32, factor float32, q *Grid) {
	if m == 0 || cols == 0 || levels(y, ldy, x, ldx, m, cols, off, factor, q) {
		return
	}
	var t [Width]float32
	one := Grid{scale: 1, grid: q.grid, signed: q.signed}
	for r := range m {
		line := t[:cols]
		for i, v := range x[r*ldx:][:cols] {
			line[i] = float32((v - off[r]) * factor)
		}
		one.store(y[r*ldy:][:cols], line)
	}
}

func int8s(b []byte) []int8 {
	return unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(b))), len(b))
}
