//go:build !noasm

package fused

import (
	"math/bits"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/cpu"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
)

var variants = []variant{{"avx512", cpu.AVX512}, {"avx2", cpu.AVX2}, {"generic", cpu.Generic}}

func floats(y []float32, ldy int, b *Block) bool {
	if !cpu.Has(cpu.AVX512) {
		return false
	}
	c := callOf(b, unsafe.Pointer(&y[:(b.Rows-1)*ldy+b.Cols][0]), ldy, 4)
	if b.Other != nil {
		floatsOtherAVX512(&c)
	} else {
		floatsAVX512(&c)
	}
	return true
}

func bytes(y []byte, ldy int, b *Block, q *Grid) bool {
	if !cpu.Has(cpu.AVX2) {
		return false
	}
	c := callOf(b, unsafe.Pointer(&y[:(b.Rows-1)*ldy+b.Cols][0]), ldy, 1)
	c.quantize(q, q.scale, 0)
	switch {
	case cpu.Has(cpu.AVX512) && b.Other != nil:
		bytesOtherAVX512(&c)
	case cpu.Has(cpu.AVX512):
		bytesAVX512(&c)
	case c.vectors == 0:
		return false
	case b.Other != nil:
		bytesOtherAVX2(&c)
	default:
		bytesAVX2(&c)
	}
	if !cpu.Has(cpu.AVX512) {
		b.rest(y, ldy, q)
	}
	return true
}

func geluBytes(y []byte, ldy int, b *Block, q *Grid) bool {
	if !cpu.Has(cpu.AVX2) || q.geluSlack < 0 {
		return false
	}
	var doubt [Rows]uint64
	c := callOf(b, unsafe.Pointer(&y[:(b.Rows-1)*ldy+b.Cols][0]), ldy, 1)
	c.quantize(q, q.factor, q.geluSlack)
	c.doubt = unsafe.Pointer(&doubt)
	switch {
	case cpu.Has(cpu.AVX512):
		geluBytesAVX512(&c)
	case c.vectors == 0:
		return false
	default:
		geluBytesAVX2(&c)
		// The other columns are computed as if in doubt.
		rest := uint64(1)<<b.Cols - 1<<(b.Cols/lanes*lanes)
		for r := range b.Rows {
			doubt[r] |= rest
		}
	}
	b.decide(y, ldy, q, &doubt)
	return true
}

// decide computes the elements that are in doubt.
func (b *Block) decide(y []byte, ldy int, q *Grid, doubt *[Rows]uint64) {
	for r, set := range doubt[:b.Rows] {
		for ; set != 0; set &= set - 1 {
			i := bits.TrailingZeros64(set)
			v := b.X[r*b.Cols+i]
			if b.Bias != nil {
				v += b.Bias[i]
			}
			one := [1]float32{eltwise.Gelu(v)}
			q.store(y[r*ldy+i:][:1], one[:])
		}
	}
}

func levels(y []byte, ldy int, x []float32, ldx, m, cols int, off []float32, factor float32, q *Grid) bool {
	if !cpu.Has(cpu.AVX2) || !cpu.Has(cpu.AVX512) && cols%lanes > 0 {
		return false
	}
	c := levelsCall(y, ldy, x, ldx, m, cols, off, factor, q)
	if cpu.Has(cpu.AVX512) {
		levelsAVX512(&c)
	} else {
		levelsAVX2(&c)
	}
	return true
}

func (p *Softmax) rows(t *Scores) bool {
	if !cpu.Has(cpu.AVX2) || !p.Grid.plain {
		return false
	}
	wide, lanes := cpu.Has(cpu.AVX512), lanes
	if !wide {
		lanes = 8
	}
	n, doubt := t.Cols, uint64(0)
	c := call{
		x: unsafe.Pointer(&t.X[:t.Rows*n][0]), e: unsafe.Pointer(&t.Scratch[:2*n][0]), y: unsafe.Pointer(&t.Y[:(t.Rows-1)*t.Step+n][0]),
		off: unsafe.Pointer(&t.Off[:t.Rows][0]), other: unsafe.Pointer(&nothing), doubt: unsafe.Pointer(&doubt),
		rows: t.Rows, vectors: (n + lanes - 1) / lanes, columns: uint64((n-1)%lanes + 1),
		xStep: 4 * n, yStep: t.Step, by: p.By, times: p.Times,
	}
	if t.Add != nil {
		c.other, c.otherStep, c.addStep = unsafe.Pointer(&t.Add[:(t.Rows-1)*t.AddStep+n][0]), 4*t.AddStep, 4*lanes
	}
	c.quantize(p.Grid, p.Grid.factor, 0.5-1e-6)
	// Both sums have a rounding for each addition of a lane; the exponentials
	// here are at most 5e-7 off, eltwise's 1.2e-7, in an element and in the sum.
	c.error = float32(float32(n/lanes+5)*(2*6e-8)) + 2e-6
	if wide {
		c.columns = 1<<c.columns - 1
		softmaxAVX512(&c)
	} else {
		softmaxAVX2(&c)
	}
	for doubt &= 1<<t.Rows - 1; doubt != 0; doubt &= doubt - 1 {
		r := bits.TrailingZeros64(doubt)
		p.exact(t.Y[r*t.Step:][:n], t.X[r*n:(r+1)*n], t.Scratch)
	}
	return true
}

func (p *Probabilities) rows() bool {
	if !cpu.BF16() {
		return false
	}
	n := p.Cols
	c := call{
		x: unsafe.Pointer(&p.X[:p.Rows*n][0]), y: unsafe.Pointer(&p.Y[:(p.Rows-1)*p.Step+n][0]), other: unsafe.Pointer(&nothing),
		rows: p.Rows, vectors: (n + lanes - 1) / lanes, columns: 1<<((n-1)%lanes+1) - 1, xStep: 4 * n, yStep: 2 * p.Step, times: p.Times,
	}
	if p.Add != nil {
		c.other, c.otherStep, c.addStep = unsafe.Pointer(&p.Add[:(p.Rows-1)*p.AddStep+n][0]), 4*p.AddStep, 4*lanes
	}
	softmaxBF16(&c)
	return true
}

//go:noescape
func softmaxBF16(c *call)

//go:noescape
func floatsAVX512(c *call)

//go:noescape
func floatsOtherAVX512(c *call)

//go:noescape
func bytesAVX512(c *call)

//go:noescape
func bytesOtherAVX512(c *call)

//go:noescape
func geluBytesAVX512(c *call)

//go:noescape
func levelsAVX512(c *call)

//go:noescape
func softmaxAVX512(c *call)

//go:noescape
func bytesAVX2(c *call)

//go:noescape
func bytesOtherAVX2(c *call)

//go:noescape
func geluBytesAVX2(c *call)

//go:noescape
func levelsAVX2(c *call)

//go:noescape
func softmaxAVX2(c *call)
