//go:build !noasm

package gemm

import (
	"math"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/cpu"
)

func hasBF16() bool { return cpu.BF16() }

// bf16 computes a panel of C, whose elements have the given size, by kernels.
func bf16(c, other unsafe.Pointer, ldc, size int, a []uint16, r *Rows, m int, panel []uint16, width, cols int, bias []float32, e *FloatEnd) {
	x := call{
		other: other, a: unsafe.Pointer(unsafe.SliceData(a)), row: &r.Row[0], tap: &r.Tap[0], taps: len(r.Tap),
		depth: r.Depth / Duo,
		b:     unsafe.Pointer(unsafe.SliceData(panel)), stride: 2 * Duo * width, c: c, ldc: ldc * size,
		bias: unsafe.Pointer(&bias[0]), multiplier: unsafe.Pointer(&bias[0]), least: e.least, most: e.most, tie: e.tie,
	}
	if size == 4 {
		x.float = 1
	}
	switch inf := float32(math.Inf(1)); {
	case e.most != inf:
		x.limits = 2
	case e.least != -inf:
		x.limits = 1
	}
	fetch(&x, panel, x.taps*r.Depth*width)
	if hasTiles() {
		x.halves(r, m, width, cols)
		return
	}
	v := width / lanes
	x.panel(dotBF16+kernel(v-1), m, most512[v], cols, size)
}

// roundBF16 rounds as many floats as there are, at least one.
func roundBF16(dst []uint16, src []float32) { roundFloatsBF16(&dst[0], &src[0], len(src)) }

// duosOf interleaves two rows of whole vectors, at least one.
func duosOf(dst []uint16, low, high []float32) {
	_ = dst[2*len(low)-1]
	duosBF16(&dst[0], &low[0], &high[0], len(low))
}

// shortDuosOf is duosOf for bfloat16.
func shortDuosOf(dst, low, high []uint16) {
	_ = dst[2*len(low)-1]
	shortDuosBF16(&dst[0], &low[0], &high[0], len(low))
}

// spread spreads whole vectors and returns how many runs that was.
func spread(dst, src []uint16, held, n int) int {
	runs := lanes * Duo / held // of a vector
	vectors := len(dst) / held / runs
	if vectors == 0 {
		return 0
	}
	_ = src[vectors*runs*n-1]
	var order [lanes * Duo]uint16
	keep := uint64(0)
	for i := range runs * held {
		if i%held < n {
			order[i] = uint16(i/held*n + i%held)
			keep |= 1 << i
		}
	}
	spreadBF16(&dst[0], &src[0], vectors, &order[0], 1<<(runs*n)-1, keep, 1<<(runs*held)-1, 2*runs*n, 2*runs*held)
	return vectors * runs
}

// launchBF16 runs a kernel, by name so that the call stays on the stack.
func (k kernel) launchBF16(c *call) {
	switch k {
	case dotBF16:
		dot16BF16(c)
	case dotBF16 + 1:
		dot32BF16(c)
	case dotBF16 + 2:
		dot48BF16(c)
	case dotBF16 + 3:
		dot64BF16(c)
	}
}

//go:noescape
func dot16BF16(c *call)

//go:noescape
func dot32BF16(c *call)

//go:noescape
func dot48BF16(c *call)

//go:noescape
func dot64BF16(c *call)

//go:noescape
func roundFloatsBF16(dst *uint16, src *float32, n int)

//go:noescape
func duosBF16(dst *uint16, low, high *float32, n int)

//go:noescape
func shortDuosBF16(dst, low, high *uint16, n int)

//go:noescape
func spreadBF16(dst, src *uint16, vectors int, order *uint16, load, keep, store uint64, from, to int)
