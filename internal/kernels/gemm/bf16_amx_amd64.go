//go:build !noasm

package gemm

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/cpu"
)

// hasTiles reports whether products of bfloat16 run with tiles, all of them:
// their sums are other ones than those of vectors.
func hasTiles() bool { return hasBF16() && cpu.AMXBF16() }

// halves computes m rows of a product of bfloat16 with tiles.
func (c *call) halves(r *Rows, m, width, cols int) {
	x := tileCall{call: *c, steps: tileSteps(c.depth), short: true}
	x.columns = 1<<cols - 1
	if c.float != 0 {
		x.end |= endFloats
	}
	if c.limits != 0 {
		x.end |= endLimits
	}
	if t := r.tilings[m]; t != nil {
		x.run(t, width)
		return
	}
	// Where nobody has prepared the rows they are taken in parts, of which those
	// at uneven places have a tile for each row.
	const some, few = 1024, 64
	var blocks [some / (2 * maxHeight)]tileBlock
	for from := 0; from < m; {
		row, y := r.Row[from:min(m, from+some)], x
		y.c = unsafe.Add(x.c, from*c.ldc)
		if c.other != nil {
			y.call.other = unsafe.Add(c.other, from*c.ldc)
		}
		t, ok := even(row, blocks[:0])
		if !ok {
			row = row[:min(few, len(row))]
			t = tiling{height: 1, stride: 1}
			t.blocks = t.cover(blocks[:0], row)
		}
		y.run(&t, width)
		from += len(row)
	}
}

// launchHalves is launchTiles for bfloat16.
func launchHalves(width int, c *tileCall) {
	switch width {
	case 16:
		dot16AMX(c)
	case 32:
		dot32AMX(c)
	case 48:
		dot48AMX(c)
	default:
		dot64AMX(c)
	}
}

//go:noescape
func dot16AMX(c *tileCall)

//go:noescape
func dot32AMX(c *tileCall)

//go:noescape
func dot48AMX(c *tileCall)

//go:noescape
func dot64AMX(c *tileCall)
