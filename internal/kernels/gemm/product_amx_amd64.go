//go:build !noasm

package gemm

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/cpu"
)

// tileCall is a call of a kernel with tiles, whose m it ignores: blocks are
// those of the list.
type tileCall struct {
	call
	list         *tileBlock
	row          int    // between the rows of a tile of A, in bytes
	second       int    // where the sums of a block's second tiles begin, in bytes
	steps        int    // of k, of each tap
	stepA, stepB int    // what they take of a row and of the panel, in bytes
	lines        int    // of what follows the panel that are fetched with each step
	tile         uint32 // the bits of a block's first tile
	end          uint32 // a bit for each step of the epilogue that something needs
	short        bool   // A holds bfloat16, else bytes
	config       [64]byte

	// The kernel's own, which assembly alone names.
	//lint:ignore U1000 assembly uses them
	sums, otherSums uintptr
	//lint:ignore U1000 assembly uses it
	pending uint32
}

// The bits of tileCall.end.
const (
	endFloats = 1 << iota
	endOver   // products that may be no int32 are limited
	endLimits // results are, or their sign bits flipped
)

// tileWork is how many multiply-adds one call may do; see work.
const tileWork = 1 << 24

// tiles computes the product with tiles, or reports that it does not pay. They
// have no end for sums that stay whole, nor for fixed-point results.
func (c *call) tiles(r *Rows, m, width, cols int) bool {
	const someRows = 1024
	if !cpu.Has(cpu.AMX) || c.float > 1 || m < 8 || c.depth*c.taps < 12 {
		return false
	}
	steps := stepsOf(c.depth)
	if steps == 0 {
		return false
	}
	x := tileCall{call: *c, steps: steps}
	x.columns = 1<<cols - 1
	if c.float != 0 {
		x.end |= endFloats
	}
	if c.over != 0 {
		x.end |= endOver
	}
	if c.low != 0 || c.high != 0xffffffff || c.flip != 0 {
		x.end |= endLimits
	}
	if t := r.tilings[m]; t != nil {
		if !t.pays(m, steps, c.depth) {
			return false
		}
		x.run(t, width)
		return true
	}
	if m > someRows {
		return false
	}
	var blocks [someRows / (2 * maxHeight)]tileBlock
	t, ok := even(r.Row[:m], blocks[:0])
	if !ok || !t.pays(m, steps, c.depth) {
		return false
	}
	x.run(&t, width)
	return true
}

// pays reports whether products of m rows of A are faster with tiles. Without,
// each group of k takes half a cycle for a row and a vector of columns.
func (t *tiling) pays(m, steps, depth int) bool {
	return len(t.blocks)*steps*blockCost(t.height) < m*depth
}

// run computes the columns of a panel of the given width. c is a copy, so that
// what it points to stays on the stack.
func (c tileCall) run(t *tiling, width int) {
	c.shape(t, width)
	most := max(1, tileWork/(2*t.height*width*c.taps*c.depth*Group))
	for blocks := t.blocks; len(blocks) > 0; {
		n := min(len(blocks), most)
		c.list, c.blocks, c.pending = &blocks[0], n, 0
		if c.short {
			launchHalves(width, &c)
		} else {
			launchTiles(width, &c)
		}
		if blocks = blocks[n:]; len(blocks) > 0 {
			by := count(t.blocks[len(t.blocks)-len(blocks)-n:][:n]) * c.ldc
			if c.c = unsafe.Add(c.c, by); c.call.other != nil {
				c.call.other = unsafe.Add(c.call.other, by)
			}
		}
	}
}

// size is that of an element of A in bytes.
func (c *tileCall) size() int {
	if c.short {
		return 2
	}
	return 1
}

// shape says how large the tiles are. A group, or a pair of bfloat16, has four
// bytes.
func (c *tileCall) shape(t *tiling, width int) {
	group := c.depth / c.steps
	c.stepA, c.stepB = group*Group, group*c.stride
	c.row, c.second = int(t.stride)*c.size(), t.height*4*width
	c.tile = 1<<t.height - 1
	const line, halves, most = 64, 2, 8 // a block looks at each half of the panel; more would hold up its loads
	fetches := halves * len(t.blocks) * c.taps * c.steps
	c.lines = 1
	if c.ahead != uintptr(c.b) {
		c.lines = min(most, max(1, (int(c.aheadEnd-c.ahead)/line+fetches-1)/fetches))
	}
	c.config[0] = 1 // the palette
	for i := range 8 {
		rows, bytes := t.height, 64
		switch {
		case i >= 6: // B
			rows = group
		case i >= 4: // A
			bytes = c.stepA
		}
		c.config[16+2*i], c.config[48+i] = byte(bytes), byte(rows)
	}
}

// launchTiles runs a kernel, by name so that the call stays on the stack.
func launchTiles(width int, c *tileCall) {
	switch width {
	case 16:
		bytes16AMX(c)
	case 32:
		bytes32AMX(c)
	case 48:
		bytes48AMX(c)
	default:
		bytes64AMX(c)
	}
}

//go:noescape
func bytes16AMX(c *tileCall)

//go:noescape
func bytes32AMX(c *tileCall)

//go:noescape
func bytes48AMX(c *tileCall)

//go:noescape
func bytes64AMX(c *tileCall)
