package gemm

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/kernels/convert"
)

// rescale takes over f.Fixed, and returns the grid of its results.
func (e *ByteEnd) rescale(f Finish) convert.Grid {
	n := len(f.Fixed.Bias())
	free := f.Fixed.Unbiased()
	for j := 0; j < n; j += Width {
		e.fixed = append(e.fixed, free.Part(j, min(n, j+Width)))
	}
	if f.Fixed.Narrow(f.Most) {
		for j := 0; j < padded(n); j += lanes {
			e.vectors = f.Fixed.Vector(e.vectors, func(i int) int { return min(n-1, j+i) })
		}
	}
	return f.Fixed.Grid()
}

// rescaleRows rescales the sums of rows, with their bias, of the panel that begins
// at column j.
func (e *ByteEnd) rescaleRows(dst []byte, ldc int, sums []int32, j int) {
	if e.grid.QMin < 0 {
		convert.RescaleRows(e.fixed[j/Width], unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(dst))), len(dst)), ldc, sums)
	} else {
		convert.RescaleRows(e.fixed[j/Width], dst, ldc, sums)
	}
}

// rescaled is products by kernels that do not rescale: the sums of some rows lie
// beside their place until they are.
func rescaled(c []byte, ldc int, a []uint8, r *Rows, m int, panel []int8, width, cols int, e *ByteEnd, j int) {
	const few, rows = 2, 48
	if m <= few {
		var t [few * Width]int32 // clearing more would take longer than the product
		rescaledIn(t[:], few, c, ldc, a, r, m, panel, width, cols, e, j)
		return
	}
	var t [rows * Width]int32
	rescaledIn(t[:], rows, c, ldc, a, r, m, panel, width, cols, e, j)
}

func rescaledIn(t []int32, rows int, c []byte, ldc int, a []uint8, r *Rows, m int, panel []int8, width, cols int, e *ByteEnd, j int) {
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(t))), 4*len(t))
	for i := 0; i < m; i += rows {
		n := min(rows, m-i)
		part := Rows{Row: r.Row[i : i+n], Tap: r.Tap, Depth: r.Depth}
		products(bytes, 4*cols, a, &part, n, panel, width, cols, e, j)
		e.rescaleRows(c[i*ldc:], ldc, t[:n*cols], j)
	}
}

// written is the size in bytes of what products writes.
func (e *ByteEnd) written() int {
	if e.apart() {
		return 4
	}
	return e.Size()
}
