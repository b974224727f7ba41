//go:build !noasm && (amd64 || arm64)

package gemm

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/kernels/convert"
)

// call is what a kernel gets; assembly knows its fields by name. A kernel
// computes blocks of m rows each, and 16, 32, 48 or 64 columns.
type call struct {
	a           unsafe.Pointer
	row, tap    *int32
	taps, depth int // depth of bytes in groups, of bfloat16 in pairs
	b           unsafe.Pointer
	stride      int // between the steps of k in B, in bytes
	c           unsafe.Pointer
	ldc         int // in bytes
	m, blocks   int
	other       unsafe.Pointer // what is added to C, or nil
	// What follows the panel, of which some is fetched with each step, and its
	// end: the weights of a network do not fit in caches.
	ahead, aheadEnd uintptr
	bias            unsafe.Pointer
	multiplier      unsafe.Pointer
	fixed           unsafe.Pointer // what rescales sums, one block of convert's a vector of columns
	// Of a call for some of the steps of k: where the sums of its rows lie, row by
	// row, and what it does with them: goesOn, leaves or both.
	sums    unsafe.Pointer
	partial uint32

	least, most, tie float32
	zero, flip       uint32
	low, high        uint32
	over             int    // whether a product with a multiplier may be no int32
	wide             int32  // the zero point, which zero holds twice as a word
	float            int    // 1 where C holds floats, 2 where it holds the sums, 3 where fixed makes bytes of them
	limits           int    // of bfloat16: 0 for none, 1 for least alone, 2 for both
	columns          uint64 // a bit for each that belongs to C, for kernels that ask

	// The kernel's own, which assembly alone names.
	//lint:ignore U1000 assembly uses them
	rowNow, cNow, otherNow, sumsNow uintptr
}

// work is how many multiply-adds one call of a kernel may do, and blockWork one
// block, which reads B once: assembly cannot be interrupted, so that a long
// call would hold up the collector.
const (
	work      = 1 << 21
	blockWork = 1 << 23
)

// each computes m rows with blocks of at most most rows, all of nearly one
// size.
func (c call) each(k kernel, m, most int) {
	if k.cuts() {
		c.cut(k, m)
		return
	}
	perRow := max(1, k.width()*c.taps*c.depth)
	most = max(1, min(most, blockWork/perRow))
	count := (m + most - 1) / most
	least, more := m/count, m%count
	row, out, other, sums := c.row, c.c, c.other, c.sums
	for done := 0; done < m; {
		// Never behind the last row: the collector reads these pointers too.
		c.row, c.c = (*int32)(unsafe.Add(unsafe.Pointer(row), 4*done)), unsafe.Add(out, done*c.ldc)
		if other != nil {
			c.other = unsafe.Add(other, done*c.ldc)
		}
		if sums != nil {
			c.sums = unsafe.Add(sums, 4*done*k.width())
		}
		c.m, c.blocks = least, count
		if more > 0 {
			c.m, c.blocks = least+1, more
		}
		c.blocks = min(c.blocks, max(1, work/(c.m*perRow)))
		done += c.m * c.blocks
		count -= c.blocks
		if more > 0 {
			more -= c.blocks
		}
		k.launch(&c)
	}
}

// cut computes m rows with a kernel that takes so many as it keeps sums of, and
// makes blocks of them.
func (c call) cut(k kernel, m int) {
	const block, kept = 5, 240
	most := min(max(block, work/(k.width()*c.taps*c.depth)/block*block), kept)
	x := c
	for done := 0; done < m; done += most {
		x.row, x.c = (*int32)(unsafe.Add(unsafe.Pointer(c.row), 4*done)), unsafe.Add(c.c, done*c.ldc)
		x.m = min(most, m-done)
		k.launch(&x)
	}
}

// panel computes m rows and the first cols columns of a panel, elements of C
// having the given size.
func (c call) panel(k kernel, m, most, cols, size int) {
	for at := 0; at < cols; at += k.width() {
		k, x := k.narrow(cols-at), c
		x.b, x.c = unsafe.Add(x.b, 4*at), unsafe.Add(x.c, size*at)
		if x.other != nil {
			x.other = unsafe.Add(x.other, size*at)
		}
		if k.cuts() && at+k.width() < cols {
			x.ahead = uintptr(x.b) + 4*uintptr(k.width()) // its next columns lie beside these
		}
		x.bias, x.multiplier = unsafe.Add(x.bias, 4*at), unsafe.Add(x.multiplier, 4*at)
		if x.fixed != nil {
			x.fixed = unsafe.Add(x.fixed, 4*convert.VectorLen/lanes*at)
		}
		n := min(cols-at, k.width())
		x.columns = 1<<n - 1
		if n < k.width() && !k.masks() {
			x.beside(k, m, most, n, size)
		} else {
			x.each(k, m, most)
		}
	}
}

// beside computes m rows of which not all columns belong to C: some at once
// beside their place.
func (c call) beside(k kernel, m, most, cols, size int) {
	var t, u [24 * lanes * 4]byte
	x := c
	x.ldc = k.width() * size
	some := len(t) / x.ldc
	for i := 0; i < m; i += some {
		n := min(some, m-i)
		x.row, x.c = (*int32)(unsafe.Add(unsafe.Pointer(c.row), 4*i)), unsafe.Pointer(&t)
		if c.other != nil {
			x.other = unsafe.Pointer(&u)
			for r := range n {
				copy(u[r*x.ldc:], unsafe.Slice((*byte)(unsafe.Add(c.other, (i+r)*c.ldc)), cols*size))
			}
		}
		x.each(k, n, most)
		for r := range n {
			copy(unsafe.Slice((*byte)(unsafe.Add(c.c, (i+r)*c.ldc)), cols*size), t[r*x.ldc:])
		}
	}
}

// fetch makes a call fetch what lies behind the panel of the given length in a
// slice from there on; where that is all, the panel itself.
func fetch[T float32 | int8 | uint16](c *call, s []T, panel int) {
	if rest := s[panel:]; len(rest) > 0 {
		s = rest
	}
	c.ahead = uintptr(unsafe.Pointer(unsafe.SliceData(s)))
	c.aheadEnd = c.ahead + uintptr(min(len(s), panel))*unsafe.Sizeof(*new(T))
}

// floatCall and byteCall are the calls for whole panels.
func floatCall(c, other []float32, ldc int, a []float32, r *Rows, panel []float32, width int, bias []float32, e *FloatEnd) call {
	x := call{
		other: unsafe.Pointer(unsafe.SliceData(other)),
		a:     unsafe.Pointer(unsafe.SliceData(a)), row: &r.Row[0], tap: &r.Tap[0], taps: len(r.Tap), depth: r.Depth,
		b: unsafe.Pointer(unsafe.SliceData(panel)), stride: 4 * width, c: unsafe.Pointer(&c[0]), ldc: 4 * ldc,
		bias: unsafe.Pointer(&bias[0]), multiplier: unsafe.Pointer(&bias[0]), least: e.least, most: e.most, tie: e.tie,
	}
	fetch(&x, panel, x.taps*x.depth*width)
	return x
}

func byteCall(c []byte, ldc int, a []uint8, r *Rows, panel []int8, width int, e *ByteEnd, j int) call {
	x := call{
		a: unsafe.Pointer(unsafe.SliceData(a)), row: &r.Row[0], tap: &r.Tap[0], taps: len(r.Tap), depth: Groups(r.Depth),
		b: unsafe.Pointer(unsafe.SliceData(panel)), stride: Group * width, c: unsafe.Pointer(&c[0]), ldc: ldc,
		bias: unsafe.Pointer(&e.bias[j]), multiplier: unsafe.Pointer(&e.multiplier[j]), least: e.least, most: e.most,
		zero: e.zero, wide: e.wide, low: e.low, high: e.high, flip: e.flip,
	}
	fetch(&x, panel, x.taps*x.depth*Group*width)
	switch {
	case e.whole || e.apart():
		x.float = 2
	case e.fixed != nil:
		x.float, x.fixed = 3, unsafe.Pointer(&e.vectors[j/lanes*convert.VectorLen])
	case e.float:
		x.float = 1
	}
	if e.over {
		x.over = 1
	}
	return x
}
