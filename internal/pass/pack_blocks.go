package pass

import (
	"runtime"
	"sync/atomic"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/transpose"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// packed returns the codes of MatMulNBits, [n, blocks, bytes of a block], made
// when they are written: column by column, without sign, the last block filled
// up with what stands for 0.
func (c *codes) packed(blocks int) *tensor.Tensor {
	bits := c.w.Type().Bits()
	shape := []int{c.n, blocks, c.block * bits / 8}
	flip := byte(0)
	for at := 0; at < 8; at += bits {
		flip |= c.flip() << at
	}
	switch {
	case c.transposed && c.k%c.block == 0:
		// The codes lie as they should.
		return tensor.Computed(dtype.Uint8, shape, func(off int64, dst []byte) error {
			if err := c.w.ReadAt(dst, off); err != nil {
				return err
			}
			for i := range dst {
				dst[i] ^= flip
			}
			return nil
		})
	case !c.transposed && c.k%c.block == 0 && c.n*bits%8 == 0:
		return tensor.Recomputed(dtype.Uint8, shape, func(dst []byte) error { return c.turn(dst, blocks, flip) })
	}
	return tensor.Recomputed(dtype.Uint8, shape, func(dst []byte) error { return c.pack(dst, blocks) })
}

// strip is how many blocks are turned together: their codes, of 4 bits and
// blocks of 32, fill a line of the cache.
const strip = 4

// turn fills dst with the columns of a weight [K, N] whose rows are whole
// bytes and whose columns are whole blocks, some blocks at a time, on all
// processors.
func (c *codes) turn(dst []byte, blocks int, flip byte) error {
	rows := strip * c.block
	strips := (c.k + rows - 1) / rows
	workers := max(1, min(runtime.GOMAXPROCS(0), strips))
	var next atomic.Int64
	return tensor.Together(workers, func(int) error {
		return c.turnStrips(dst, blocks, flip, func() int { return int(next.Add(1)-1) * rows })
	})
}

// turnStrips is turn for the strips that begin at the rows that next returns.
func (c *codes) turnStrips(dst []byte, blocks int, flip byte, next func() int) error {
	bits := c.w.Type().Bits()
	per, row, column := 8/bits, c.n*bits/8, blocks*c.block*bits/8
	rows := min(strip*c.block, c.k)
	read := make([]byte, rows*row)
	wide, turned := make([]byte, rows*c.n), make([]byte, rows*c.n)
	for k := next(); k < c.k; k = next() {
		n := min(rows, c.k-k)
		part := read[:n*row]
		if err := c.w.ReadAt(part, int64(k*row)); err != nil {
			return err
		}
		for i, b := range part {
			b ^= flip
			switch bits {
			case 8:
				wide[i] = b
			case 4:
				wide[2*i], wide[2*i+1] = b&15, b>>4
			default:
				wide[4*i], wide[4*i+1], wide[4*i+2], wide[4*i+3] = b&3, b>>2&3, b>>4&3, b>>6
			}
		}
		transpose.Matrix(turned[:n*c.n], wide[:n*c.n], n, c.n, n, c.n)
		for j := range c.n {
			codes := turned[j*n : (j+1)*n]
			out := dst[j*column+k*bits/8:][:n/per]
			switch bits {
			case 8:
				copy(out, codes)
			case 4:
				for i := range out {
					out[i] = codes[2*i] | codes[2*i+1]<<4
				}
			default:
				for i := range out {
					out[i] = codes[4*i] | codes[4*i+1]<<2 | codes[4*i+2]<<4 | codes[4*i+3]<<6
				}
			}
		}
	}
	return nil
}

// pack fills dst, which is zeros, one code after the other.
func (c *codes) pack(dst []byte, blocks int) error {
	bits, flip := c.w.Type().Bits(), c.flip()
	all := c.unpacked(c.w)
	zero := func(int) byte { return 0 }
	if c.zero != nil {
		t, err := c.byColumn(c.zero, blocks)
		if err != nil {
			return err
		}
		zeros := c.unpacked(t)
		zero = func(i int) byte { return zeros[i] }
	}
	width := blocks * c.block
	for j := range c.n {
		column := dst[j*width*bits/8:]
		for k := range width {
			q := zero(j*blocks + k/c.block)
			if k < c.k {
				at := k*c.n + j
				if c.transposed {
					at = j*c.k + k
				}
				q = all[at]
			}
			put(column, k, q^flip, bits)
		}
	}
	c.w.Release()
	return nil
}

// unpacked returns codes, one a byte.
func (c *codes) unpacked(t *tensor.Tensor) []byte {
	if t.Type().Bits() == 8 {
		return t.Bytes()
	}
	codes := tensor.Unpack(t)
	out := make([]byte, len(codes))
	for i, v := range codes {
		out[i] = byte(v)
	}
	return out
}
