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

// rescaleRow rescales the sums of one row, with their bias, of the panel that
// begins at column j.
func (e *ByteEnd) rescaleRow(dst []byte, sums []int32, j int) {
	if e.grid.QMin < 0 {
		convert.Rescale(e.fixed[j/Width], unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(dst))), len(dst)), sums)
	} else {
		convert.Rescale(e.fixed[j/Width], dst, sums)
	}
}

// rescaled is products by kernels that do not rescale: the sums of some rows lie
// beside their place until they are.
func rescaled(c []byte, ldc int, a []uint8, r *Rows, m int, panel []int8, width, cols int, e *ByteEnd, j int) {
	const rows = 48
	var t [rows * Width]int32
	whole := *e
	whole.fixed, whole.whole = nil, true
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(&t)), unsafe.Sizeof(t))
	for i := 0; i < m; i += rows {
		n := min(rows, m-i)
		part := Rows{Row: r.Row[i : i+n], Tap: r.Tap, Depth: r.Depth}
		products(bytes, 4*cols, a, &part, n, panel, width, cols, &whole, j)
		for q := range n {
			e.rescaleRow(c[(i+q)*ldc:][:cols], t[q*cols:][:cols], j)
		}
	}
}
