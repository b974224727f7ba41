//go:build !noasm && (amd64 || arm64)

package gemm

import "unsafe"

// blockCall is what the kernels of blocks get; assembly knows its fields by
// name.
type blockCall struct {
	row                [directly]unsafe.Pointer // of A
	codes, scale, zero unsafe.Pointer
	zeroStep           int // between blocks, in bytes
	table              unsafe.Pointer
	c                  unsafe.Pointer
	ldc                int // in bytes
	m                  int // 0 asks for the numbers themselves, in c
	k, block           int
	columns            uint64 // a bit for each that belongs to C
}

func (b *Blocks) call(p int) blockCall {
	at := p * b.blocks() * Width
	c := blockCall{
		codes: unsafe.Pointer(&b.codes[p*b.panelBytes()]), scale: unsafe.Pointer(&b.scale[at]), zero: unsafe.Pointer(&b.levels),
		table: unsafe.Pointer(&b.table), k: b.k, block: b.block, columns: 1<<Width - 1,
	}
	if b.zero != nil {
		c.zero, c.zeroStep = unsafe.Pointer(&b.zero[at]), 4*Width
	}
	return c
}

// from returns the call for the columns of the panel from one of them on.
func (c *blockCall) from(b *Blocks, column int) blockCall {
	x, size := *c, 4 // a word for each
	if b.bits == 8 {
		size = 1
	}
	x.codes = unsafe.Add(x.codes, size*column)
	x.scale, x.zero = unsafe.Add(x.scale, 4*column), unsafe.Add(x.zero, 4*column)
	return x
}
