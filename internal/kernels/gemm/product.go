package gemm

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/exact"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
)

// Rows says where the rows of A lie: element k = t·Depth + d of row i at
// Row[i] + Tap[t] + d. Neither list descends, and there is at least one tap. Of
// bytes, up to three behind the last d are read.
type Rows struct {
	Row, Tap []int32
	Depth    int
	tilings  map[int]*tiling // by the number of rows
}

// RowsOf returns the m rows of a matrix of k columns.
func RowsOf(m, k int) *Rows { return Strided(m, k, k) }

// Strided returns m rows that lie stride apart, of which the first depth elements
// are multiplied.
func Strided(m, stride, depth int) *Rows {
	r := &Rows{Row: make([]int32, m), Tap: []int32{0}, Depth: depth}
	for i := range r.Row {
		r.Row[i] = int32(i * stride)
	}
	r.Prepare(m)
	return r
}

// reach returns the length of A that a product of m rows needs.
func (r *Rows) reach(m, depth int) int { return int(r.Row[m-1]+r.Tap[len(r.Tap)-1]) + depth }

// Floats writes the product of m rows of A and one panel of B, whose cols
// columns begin at column j of the matrix, to c: row i at c[i*ldc].
//
//	acc := float32(0)
//	for k := range len(r.Tap) * r.Depth {
//		acc = fma(A[i,k], B[k,j], acc)
//	}
//	c[i*ldc+j] = min(max(acc+bias[j]+other[i*ldc+j], lo), hi)
//
// A nil other adds nothing; it may be c.
func Floats(c, other []float32, ldc int, a []float32, r *Rows, m int, panel []float32, j, cols int, e *FloatEnd) {
	if m == 0 || cols == 0 {
		return
	}
	width := padded(cols)
	k := len(r.Tap) * r.Depth
	_, _, _ = a[:r.reach(m, r.Depth)], panel[:k*width], c[:(m-1)*ldc+cols]
	if other != nil {
		_ = other[:(m-1)*ldc+cols]
	}
	bias := e.bias[j : j+width]
	if floats(c, other, ldc, a, r, m, panel, width, cols, bias, e); e.late {
		clamp(c, ldc, m, cols, e.lo, e.hi)
	}
}

// Bytes is Floats for bytes: A holds uint8, B int8, and the sums are exact
// modulo 2³². c holds uint8 or int8 in one way, float32 or int32 in the other.
func Bytes(c []byte, ldc int, a []uint8, r *Rows, m int, panel []int8, j, cols int, e *ByteEnd) {
	if m == 0 || cols == 0 {
		return
	}
	width, groups := padded(cols), Groups(r.Depth)
	size := e.Size()
	_, _, _ = a[:r.reach(m, Group*groups)], panel[:len(r.Tap)*Group*groups*width], c[:size*((m-1)*ldc+cols)]
	if e.apart() {
		rescaled(c, ldc, a, r, m, panel, width, cols, e, j)
		return
	}
	products(c, ldc*size, a, r, m, panel, width, cols, e, j)
	if e.float && e.clamp {
		f := unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(c))), (m-1)*ldc+cols)
		clamp(f, ldc, m, cols, e.lo, e.hi)
	}
}

func clamp(c []float32, ldc, m, cols int, lo, hi float32) {
	for i := range m {
		row := c[i*ldc:][:cols]
		for j, v := range row {
			row[j] = min(max(v, lo), hi)
		}
	}
}

// Size is that of an element of C in bytes.
func (e *ByteEnd) Size() int {
	if e.float || e.whole {
		return 4
	}
	return 1
}

// floatsGeneric is the twin that defines the bits of Floats.
func floatsGeneric(c, other []float32, ldc int, a []float32, r *Rows, m int, panel []float32, width, cols int, bias []float32, e *FloatEnd) {
	var sums [Width]float32
	for i := range m {
		row := sums[:cols]
		clear(row)
		b := panel
		for _, tap := range r.Tap {
			for _, x := range a[r.Row[i]+tap:][:r.Depth] {
				for j, y := range b[:cols] {
					if w := exact.Wide(x, y, row[j]); exact.Hard(w) {
						row[j] = exact.FMA32(x, y, row[j])
					} else {
						row[j] = float32(w)
					}
				}
				b = b[width:]
			}
		}
		out := c[i*ldc:][:cols]
		for j, v := range row {
			v += bias[j]
			if other != nil {
				v += other[i*ldc+j]
			}
			if !e.late {
				v = min(max(v, e.least), e.most)
			}
			out[j] = v
		}
	}
}

// bytesGeneric is the twin that defines the results of Bytes. ldc is in bytes.
func bytesGeneric(c []byte, ldc int, a []uint8, r *Rows, m int, panel []int8, width, cols int, e *ByteEnd, j int) {
	var sums [Width]int32
	for i := range m {
		row, b := sums[:cols], panel
		copy(row, e.bias[j:])
		for _, tap := range r.Tap {
			x := a[int(r.Row[i]+tap):]
			for range Groups(r.Depth) {
				x0, x1, x2, x3 := int32(x[0]), int32(x[1]), int32(x[2]), int32(x[3])
				for j := range row {
					w := (*[Group]int8)(b[j*Group:])
					row[j] += x0*int32(w[0]) + x1*int32(w[1]) + x2*int32(w[2]) + x3*int32(w[3])
				}
				x, b = x[Group:], b[width*Group:]
			}
		}
		multipliers, out := e.multiplier[j:j+cols], c[i*ldc:]
		switch {
		case e.fixed != nil:
			e.rescaleRows(out[:cols], cols, row, j)
		case e.whole:
			copy(unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(out))), cols), row)
		case e.float:
			f := unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(out))), cols)
			for j, v := range row {
				f[j] = float32(float32(v) * multipliers[j])
			}
		case e.grid.QMin < 0:
			convert.RequantizeColumns(unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(out))), cols), row, multipliers, e.grid)
		default:
			convert.RequantizeColumns(out[:cols], row, multipliers, e.grid)
		}
	}
}
