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

// columns is how many columns of B are packed at once.
const columns = 32 * gemm.NR

// multiply stores the m×n product of a (m×k) and b (k×n) in c, whose row i
// begins at c[i*ldc]. float32 is accumulated by fused multiply-adds in ascending
// k from +0 (package gemm), float64 by rounded products; integers wrap.
func multiply[T eltwise.Number](c []T, ldc, m, n, k int, a, b matrix[T]) {
	if m == 0 || n == 0 {
		return
	}
	if f, ok := any(c).([]float32); ok {
		multiplyPacked(f, ldc, m, n, k, any(a).(matrix[float32]), any(b).(matrix[float32]))
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

func multiplyPacked(c []float32, ldc, m, n, k int, a, b matrix[float32]) {
	packed(m, n, k, a, b, func(j, w int, pa, pb []float32) {
		gemm.F32(c[j:], ldc, m, w, k, pa, pb, gemm.Epilogue{})
	})
}

// packed calls product for stretches of w columns from column j on, with A and
// those columns of B as the tiles of package gemm take them.
func packed(m, n, k int, a, b matrix[float32], product func(j, w int, pa, pb []float32)) {
	pa := make([]float32, gemm.PackedA(m, k))
	gemm.PackA(pa, a.data, m, k, a.rs, a.cs)
	pb := make([]float32, gemm.PackedB(k, min(n, columns)))
	for j := 0; j < n; j += columns {
		w := min(columns, n-j)
		gemm.PackB(pb, b.data[min(j*b.cs, len(b.data)):], k, w, b.rs, b.cs)
		product(j, w, pa, pb)
	}
}
