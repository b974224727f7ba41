// Package fused holds kernels that do the work of several operators on a block
// that lies in the nearest cache: what follows a matrix product, and attention's
// softmax with its quantization.
//
// They compute what the operators of packages eltwise, reduce and convert
// compute in turn, to the bit, and those are their portable twins. Where a
// result is rounded to 8 bits, vectors compute it from approximations in
// float32: only where these are so near the middle between two integers that
// they do not tell which one it is, the operators themselves decide. The package
// sees slices and must not know tensors or operators. Start at [Bytes].
package fused

import (
	"math"

	"github.com/octavo-ml/octavo/internal/cpu"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
)

//go:generate go -C _asm run . ..

// variant is one implementation. Tests run every row of the table.
type variant struct {
	name  string
	level cpu.Level
}

// Width is the greatest number of columns of a block.
const Width = 64

// Rows is the greatest number of rows of a block.
const Rows = 48

// lanes is how many elements a vector has, and a sum's lanes in any variant.
const lanes = 16

// Grid is what results are rounded to, round(x/scale) + zero point, with what
// follows from it.
type Grid struct {
	scale  float32
	grid   convert.Grid
	signed bool
	factor float32 // 1/scale, rounded
	lo, hi float32
	plain  bool // approximate quotients say something
	// How far from a whole number Gelu's quotients may be for their integer to be
	// sure, below 0 where they never are.
	geluSlack float32
}

// NewGrid returns the grid of uint8, or int8 where signed.
func NewGrid(scale float32, g convert.Grid, signed bool) *Grid {
	q := &Grid{scale: scale, grid: g, signed: signed, factor: 1 / scale, lo: float32(g.QMin - g.ZeroPoint), hi: float32(g.QMax - g.ZeroPoint), geluSlack: -1}
	q.plain = scale > 1e-6 && scale < 1e30
	// Quotients of at most 255 have six roundings, and Gelu's 1.8 units; beside
	// them its approximation is at most 4e-7 off, and Gelu 6e-9.
	// Kernels leave the least integer to packing.
	whole := g.QMin == 0 && !signed || g.QMin == math.MinInt8 && signed
	if off := 2e-4 + float32(1e-6*q.factor); q.plain && off < 0.25 && whole {
		q.geluSlack = 0.5 - off
	}
	return q
}

// store quantizes.
func (q *Grid) store(dst []byte, x []float32) {
	if q.signed {
		convert.Quantize(int8s(dst), x, q.scale, q.grid)
	} else {
		convert.Quantize(dst, x, q.scale, q.grid)
	}
}
