package picture

import (
	"encoding/binary"
	"fmt"

	"github.com/octavo-ml/octavo/internal/diag"
)

// jpegBlocks is how many blocks a byte can hold: each takes a bit at least in
// the scan of its DC value.
const jpegBlocks = 8

// jpegFrame is the picture that the scans fill, T.81 B.2.2.
type jpegFrame struct {
	width, height int
	progressive   bool
	hMax, vMax    int // sampling factors
	mcusX, mcusY  int // units of interleaved scans
	comps         []*jpegComponent
}

// jpegComponent is one component's samples, in whole units.
type jpegComponent struct {
	id    uint8
	h, v  int // sampling factors
	table uint8
	quant *[64]int32 // as it stood before the component's first scan
	// Samples without padding, and the blocks that hold them.
	width, height    int
	blocksX, blocksY int
	stride           int // of pix, in samples; a row of blocks has stride / 8
	pix              []uint8
	coefs            []block // progressive: one for each block, in zigzag order
	hasDC            bool
	missing          [64]uint8 // low bits of each coefficient that are still to come
	pred             int32     // DC of the block before
}

// block is 64 coefficients in zigzag order. What a broken file makes larger
// than 16 bits wraps around.
type block [64]int16

// newFrame reads a frame's header, left being how many bytes follow it. It
// allocates nothing for the samples yet.
func newFrame(b []byte, progressive bool, left int) (*jpegFrame, error) {
	if len(b) < 6 || len(b) != 6+3*int(b[5]) {
		return nil, broken("frame header of %d bytes", len(b))
	}
	if b[0] != 8 {
		return nil, &diag.UnsupportedError{What: fmt.Sprintf("%d bits a sample", b[0]), Hint: "8 are"}
	}
	n := int(b[5])
	if n != 1 && n != 3 && n != 4 {
		return nil, &diag.UnsupportedError{What: fmt.Sprintf("%d components", n), Hint: "1, 3 and 4 are"}
	}
	f := &jpegFrame{
		height:      int(binary.BigEndian.Uint16(b[1:])),
		width:       int(binary.BigEndian.Uint16(b[3:])),
		progressive: progressive,
	}
	for i := range n {
		at := b[6+3*i:]
		c := &jpegComponent{id: at[0], h: int(at[1] >> 4), v: int(at[1] & 15), table: at[2]}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.table > 3 {
			return nil, broken("component %d: sampling %d x %d, quantization table %d", c.id, c.h, c.v, c.table)
		}
		for _, o := range f.comps {
			if o.id == c.id {
				return nil, broken("two components of id %d", c.id)
			}
		}
		f.hMax, f.vMax = max(f.hMax, c.h), max(f.vMax, c.v)
		f.comps = append(f.comps, c)
	}
	if err := checkSize(f.width, f.height, int64(left)*jpegBlocks*64); err != nil {
		return nil, err
	}
	if n == 1 { // a unit is one block, whatever the factors, T.81 A.2.2
		f.hMax, f.vMax, f.comps[0].h, f.comps[0].v = 1, 1, 1, 1
	}
	f.mcusX, f.mcusY = ceilDiv(f.width, 8*f.hMax), ceilDiv(f.height, 8*f.vMax)
	blocks := 0
	for _, c := range f.comps {
		blocks += f.mcusX * f.mcusY * c.h * c.v
		if f.hMax%c.h != 0 || f.vMax%c.v != 0 {
			return nil, &diag.UnsupportedError{What: fmt.Sprintf("sampling of %d x %d in %d x %d", c.h, c.v, f.hMax, f.vMax), Hint: "whole ratios are"}
		}
		c.width, c.height = ceilDiv(f.width*c.h, f.hMax), ceilDiv(f.height*c.v, f.vMax)
		c.blocksX, c.blocksY = ceilDiv(c.width, 8), ceilDiv(c.height, 8)
		c.stride = 8 * f.mcusX * c.h
	}
	if blocks > left*jpegBlocks { // narrow pictures are mostly padding
		return nil, broken("truncated: the header says %d blocks, the bytes hold %d at most", blocks, left*jpegBlocks)
	}
	return f, nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// allocate makes room for c's samples when its first scan comes.
func (f *jpegFrame) allocate(c *jpegComponent) {
	if c.pix != nil {
		return
	}
	c.pix = make([]uint8, c.stride*8*f.mcusY*c.v)
	if f.progressive {
		c.coefs = make([]block, len(c.pix)/64)
	}
}

// finish makes samples of coefficients that came in several scans.
func (f *jpegFrame) finish() error {
	for i, c := range f.comps {
		if !c.hasDC {
			return broken("truncated: component %d of %d is missing", i+1, len(f.comps))
		}
		if !f.progressive {
			continue
		}
		if c.missing != [64]uint8{} {
			return broken("truncated: component %d of %d lacks its last scans", i+1, len(f.comps))
		}
		for y := range c.blocksY {
			for x := range c.blocksX {
				c.store(x, y, &c.coefs[y*(c.stride/8)+x])
			}
		}
		c.coefs = nil
	}
	return nil
}

// store makes samples of the block at column x and row y.
func (c *jpegComponent) store(x, y int, b *block) {
	inverseDCT(c.pix[8*(y*c.stride+x):], c.stride, b, c.quant)
}

// plane returns c's samples without padding.
func (c *jpegComponent) plane() plane {
	return plane{pix: c.pix, stride: c.stride, width: c.width, height: c.height}
}
