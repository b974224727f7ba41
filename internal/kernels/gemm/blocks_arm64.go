//go:build !noasm

package gemm

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/cpu"
)

// numbers is numbersGeneric.
func (b *Blocks) numbers(dst []float32, p int) {
	if !cpu.Has(cpu.NEON) {
		b.numbersGeneric(dst, p)
		return
	}
	c := b.call(p)
	c.c = unsafe.Pointer(&dst[:b.k*Width][0])
	for at := 0; at < Width; at += lanes {
		x := c.from(b, at)
		x.c = unsafe.Add(c.c, 4*at)
		if b.bits == 8 {
			octetsNEON(&x)
		} else {
			nibblesNEON(&x)
		}
	}
}

// inRegisters reports whether there are kernels for direct.
func inRegisters() bool { return false }

// direct is asked for nothing: ScratchLen is never 0.
func (b *Blocks) direct([]float32, int, []float32, []int32, int, int) {}

// nibblesNEON writes the numbers of 16 columns.
//
//go:noescape
func nibblesNEON(c *blockCall)

//go:noescape
func octetsNEON(c *blockCall)
