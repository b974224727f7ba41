package op

import (
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
)

// matrix is a view of a matrix: element (i, j) is data[i*rs+j*cs].
type matrix[T eltwise.Number] struct {
	data   []T
	rs, cs int
}

func (m matrix[T]) transposed() matrix[T] { return matrix[T]{m.data, m.cs, m.rs} }

// rowsAtOnce and columnsAtOnce are how much of A and B is laid out at once.
const (
	rowsAtOnce    = 256
	columnsAtOnce = 8 * gemm.Width
)

// multiply stores the m×n product of a (m×k) and b (k×n) in c, whose row i
// begins at c[i*ldc]. float32 is accumulated by fused multiply-adds in ascending
// k from +0 (package gemm), float64 by rounded products; integers wrap.
func multiply[T eltwise.Number](c []T, ldc, m, n, k int, a, b matrix[T]) {
	if m == 0 || n == 0 {
		return
	}
	if f, ok := any(c).([]float32); ok {
		multiplyFloats(f, ldc, m, n, k, any(a).(matrix[float32]), any(b).(matrix[float32]))
		return
	}
	for i := range m {
		row := c[i*ldc : i*ldc+n]
		clear(row)
		for p := range k {
			s := a.data[i*a.rs+p*a.cs]
			at := p * b.rs
			for j := range row {
				row[j] += T(s * b.data[at])
				at += b.cs
			}
		}
	}
}

func multiplyFloats(c []float32, ldc, m, n, k int, a, b matrix[float32]) {
	end := gemm.NewFloatEnd(min(n, columnsAtOnce), nil, false, 0, 0)
	byPanel(m, n, k, a, b, func(i, j, cols int, x []float32, r *gemm.Rows, panel []float32) {
		gemm.Floats(c[i*ldc+j:], nil, ldc, x, r, len(r.Row), panel, 0, cols, end)
	})
}

// multiplyExact stores the m×n product of matrices of integers of magnitude 255
// or less in c, whose row i begins at c[i*ldc], modulo 2³².
func multiplyExact(c []int32, ldc, m, n, k int, a, b matrix[float32]) {
	byPanel(m, n, k, a, b, func(i, j, cols int, x []float32, r *gemm.Rows, panel []float32) {
		gemm.Ints(c[i*ldc+j:], ldc, x, r, len(r.Row), panel, cols)
	})
}

// byPanel calls product for blocks of rows of A from row i on, which lie in x as
// r says, and of the cols columns of B from column j on, which are a packed
// panel.
func byPanel(m, n, k int, a, b matrix[float32], product func(i, j, cols int, x []float32, r *gemm.Rows, panel []float32)) {
	var x, packed []float32
	if a.cs != 1 {
		x = make([]float32, min(m, rowsAtOnce)*k)
	}
	packed = make([]float32, gemm.Plain(k, min(n, columnsAtOnce), 0, 0).Floats())
	for from := 0; from < n; from += columnsAtOnce {
		part := gemm.Plain(k, min(columnsAtOnce, n-from), b.rs, b.cs)
		gemm.PackFloats(packed, b.data[min(from*b.cs, len(b.data)):], part)
		for i := 0; i < m; i += rowsAtOnce {
			count := min(rowsAtOnce, m-i)
			r := gemm.RowsOf(count, k)
			if a.cs == 1 {
				x = a.data[min(i*a.rs, len(a.data)):]
				for q := range r.Row {
					r.Row[q] = int32(q * a.rs)
				}
			} else {
				for q := range count {
					row, at := x[q*k:(q+1)*k], (i+q)*a.rs
					for p := range row {
						row[p] = a.data[at]
						at += a.cs
					}
				}
			}
			for j := 0; j < part.Columns; j += gemm.Width {
				product(i, from+j, min(gemm.Width, part.Columns-j), x, r, packed[j*k:])
			}
		}
	}
}
