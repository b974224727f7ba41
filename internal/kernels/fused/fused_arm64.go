//go:build !noasm

package fused

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/cpu"
)

var variants = []variant{{"neon", cpu.NEON}, {"generic", cpu.Generic}}

func bytes(y []byte, ldy int, b *Block, q *Grid) bool {
	if !cpu.Has(cpu.NEON) || b.Cols < lanes {
		return false
	}
	c := callOf(b, unsafe.Pointer(&y[:(b.Rows-1)*ldy+b.Cols][0]), ldy, 1)
	c.quantize(q, q.scale, 0)
	if b.Other != nil {
		bytesOtherNEON(&c)
	} else {
		bytesNEON(&c)
	}
	b.rest(y, ldy, q)
	return true
}

func levels(y []byte, ldy int, x []float32, ldx, m, cols int, off []float32, factor float32, q *Grid) bool {
	if !cpu.Has(cpu.NEON) || cols%lanes > 0 {
		return false
	}
	c := levelsCall(y, ldy, x, ldx, m, cols, off, factor, q)
	levelsNEON(&c)
	return true
}

// The other functions' loops are those of their operators, which have kernels.

func floats([]float32, int, *Block) bool { return false }

func geluBytes([]byte, int, *Block, *Grid) bool { return false }

func (p *Softmax) rows(*Scores) bool { return false }

//go:noescape
func bytesNEON(c *call)

//go:noescape
func bytesOtherNEON(c *call)

//go:noescape
func levelsNEON(c *call)

func (p *Probabilities) rows() bool { return false }
