//go:build !noasm

package gemm

import "unsafe"

// What call.partial says.
const (
	goesOn = 1 << iota // the sums begin with those of the steps before
	leaves             // they are left for the steps that follow
)

// Each block of rows reads a panel of B anew. One so large that the second cache
// does not hold it beside the next one comes from behind that cache each time,
// faster than which multiply-adds are. Its blocks of rows take one chunk of it
// after the other instead, which the first cache keeps for all of them while
// they fetch the next: what they have summed up so far lies in memory meanwhile.
// Each sum is still one chain over ascending k.
const (
	leastChunked = 384 << 10 // bytes of a panel
	chunkBytes   = 24 << 10  // of B
	sumBytes     = 32 << 10  // of the sums of rows
	leastBlocks  = 3         // of rows, which make up for the memory of the sums
)

// chunked computes m rows and the first cols columns of a panel of floats with
// chunks of B, and reports whether it does.
func (c call) chunked(k kernel, m, cols int) bool {
	most := most512[k.width()/lanes]
	blocks := (m + most - 1) / most
	if c.taps*c.depth*c.stride < leastChunked || blocks < leastBlocks {
		return false
	}
	var room [sumBytes + 63]byte
	c.sums = unsafe.Add(unsafe.Pointer(&room), -uintptr(unsafe.Pointer(&room))&63)
	c.columns = 1<<cols - 1
	some := sumBytes / (most * c.stride)
	for parts, i := (blocks+some-1)/some, 0; i < parts; i++ {
		lo, hi, x := i*m/parts, (i+1)*m/parts, c
		x.row, x.c = (*int32)(unsafe.Add(unsafe.Pointer(c.row), 4*lo)), unsafe.Add(c.c, lo*c.ldc)
		if c.other != nil {
			x.other = unsafe.Add(c.other, lo*c.ldc)
		}
		x.chunks(k, hi-lo, most)
	}
	return true
}

// chunks computes m rows for whose sums there is room.
func (c call) chunks(k kernel, m, most int) {
	taps, depth, steps := 1, c.depth, chunkBytes/c.stride
	if depth <= steps {
		taps = evenly(c.taps, steps/depth)
	} else {
		depth = (evenly(depth, steps) + 3) &^ 3
	}
	end := max(uintptr(c.b)+uintptr(c.taps*c.depth*c.stride), c.aheadEnd)
	x := c
	x.partial = leaves
	for t := 0; t < c.taps; t += taps {
		x.tap, x.taps = (*int32)(unsafe.Add(unsafe.Pointer(c.tap), 4*t)), min(taps, c.taps-t)
		for d := 0; d < c.depth; d += depth {
			x.a, x.depth = unsafe.Add(c.a, 4*d), min(depth, c.depth-d)
			size := x.taps * x.depth * c.stride
			x.ahead = min(uintptr(x.b)+uintptr(size), end)
			x.aheadEnd = min(x.ahead+uintptr(size), end)
			if t+x.taps == c.taps && d+x.depth == c.depth {
				x.partial &^= leaves
			}
			x.each(k, m, most)
			x.partial |= goesOn
			x.b = unsafe.Add(x.b, size)
		}
	}
}

// evenly returns the length of the parts of n that are at most most long and of
// nearly one length.
func evenly(n, most int) int {
	parts := (n + most - 1) / most
	return (n + parts - 1) / parts
}
