//go:build !noasm

package gemm

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/cpu"
)

// numbers is numbersGeneric.
func (b *Blocks) numbers(dst []float32, p int) {
	if !cpu.Has(cpu.AVX2) {
		b.numbersGeneric(dst, p)
		return
	}
	c := b.call(p)
	c.c = unsafe.Pointer(&dst[:b.k*Width][0])
	b.launch(&c, Width)
}

// inRegisters reports whether there are kernels for direct.
func inRegisters() bool { return cpu.Has(cpu.AVX2) }

// direct writes the sums of up to directly rows.
func (b *Blocks) direct(dst []float32, ldc int, a []float32, row []int32, p, cols int) {
	c := b.call(p)
	c.c, c.ldc, c.m, c.columns = unsafe.Pointer(&dst[0]), 4*ldc, len(row), 1<<cols-1
	for i, r := range row {
		c.row[i] = unsafe.Pointer(&a[r])
	}
	if len(row) == 1 && cols == Width && b.bits == 4 && b.plain && !cpu.Has(cpu.AVX512) {
		c.table = unsafe.Pointer(&b.powers)
		if b.zero == nil {
			nibblesRowAVX2(&c)
		} else {
			nibblesZeroRowAVX2(&c)
		}
		return
	}
	whole := cols / lanes * lanes
	if whole == cols || cpu.Has(cpu.AVX512) {
		b.launch(&c, cols)
		return
	}
	b.launch(&c, whole)
	// The last columns are computed beside their place.
	var t [directly * lanes]float32
	c = c.from(b, whole)
	c.c, c.ldc = unsafe.Pointer(&t), 4*lanes
	b.launch(&c, lanes)
	for i := range row {
		copy(dst[i*ldc+whole:i*ldc+cols], t[i*lanes:])
	}
}

// launch computes the leading columns of a panel, which AVX2 takes in sixteens.
func (b *Blocks) launch(c *blockCall, cols int) {
	switch {
	case cpu.Has(cpu.AVX512) && b.bits == 8:
		octetsAVX512(c)
	case cpu.Has(cpu.AVX512) && b.zero == nil:
		nibblesAVX512(c)
	case cpu.Has(cpu.AVX512):
		nibblesZeroAVX512(c)
	default:
		for at := 0; at < cols; at += lanes {
			x := c.from(b, at)
			x.c = unsafe.Add(c.c, 4*at)
			if b.bits == 8 {
				octetsAVX2(&x)
			} else {
				nibblesAVX2(&x)
			}
		}
	}
}

//go:noescape
func nibblesAVX512(c *blockCall)

//go:noescape
func nibblesZeroAVX512(c *blockCall)

//go:noescape
func octetsAVX512(c *blockCall)

//go:noescape
func nibblesAVX2(c *blockCall)

//go:noescape
func nibblesRowAVX2(c *blockCall)

//go:noescape
func nibblesZeroRowAVX2(c *blockCall)

//go:noescape
func octetsAVX2(c *blockCall)
