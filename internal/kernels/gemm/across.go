package gemm

// FewColumns is the number of columns below which FloatsAcross may be faster
// than Floats.
const FewColumns = lanes

// Across is the rows of a matrix A that lie side by side: element k of row i at
// At[k] + i.
type Across struct {
	At []int32
}

// Span returns how many elements FloatsAcross reads from an element of At on, and
// writes of each column, for n rows.
func Span(n int) int { return (n + lanes - 1) / lanes * lanes }

// FloatsAcross is Floats for rows that lie side by side and a panel of fewer than
// FewColumns columns, which are the first of the matrix: vectors run over rows.
// Column j of the product is at c[j*ldc], which is Span(n) elements long. Nothing
// is added but the bias.
func FloatsAcross(c []float32, ldc int, a []float32, r *Across, n int, panel []float32, cols int, e *FloatEnd) {
	if n == 0 || cols == 0 {
		return
	}
	last := int32(0)
	for _, at := range r.At {
		last = max(last, at)
	}
	_, _, _ = a[:int(last)+Span(n)], panel[:len(r.At)*lanes], c[:(cols-1)*ldc+Span(n)]
	across(c, ldc, a, r, n, panel, cols, e)
	if e.late {
		clamp(c, ldc, cols, n, e.lo, e.hi)
	}
}

// acrossGeneric is the twin of across.
func acrossGeneric(c []float32, ldc int, a []float32, r *Across, n int, panel []float32, cols int, e *FloatEnd) {
	row, tap := [1]int32{}, [1]int32{}
	one := Rows{Row: row[:], Tap: tap[:], Depth: len(r.At)}
	x := make([]float32, len(r.At))
	var out [lanes]float32
	for i := range n {
		for k, at := range r.At {
			x[k] = a[int(at)+i]
		}
		floatsGeneric(out[:cols], nil, cols, x, &one, 1, panel, lanes, cols, e.bias, e)
		for j, v := range out[:cols] {
			c[j*ldc+i] = v
		}
	}
}
