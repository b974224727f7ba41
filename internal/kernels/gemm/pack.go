package gemm

// PackedA returns the length of a packed m×k matrix A.
func PackedA(m, k int) int { return (m + MR - 1) / MR * MR * k }

// PackedB returns the length of a packed k×n matrix B.
func PackedB(k, n int) int { return (n + NR - 1) / NR * NR * k }

// PackA packs the m×k matrix whose element (i, j) is a[i*rs+j*cs]: panels of
// MR rows, in each k groups of MR elements; missing rows are zero.
func PackA(dst, a []float32, m, k, rs, cs int) { pack(dst, a, MR, m, k, rs, cs, nil) }

// PackB packs the k×n matrix whose element (i, j) is b[i*rs+j*cs]: panels of
// NR columns, in each k groups of NR elements; missing columns are zero.
func PackB(dst, b []float32, k, n, rs, cs int) { pack(dst, b, NR, n, k, cs, rs, nil) }

// PackAInts is PackA for integers less their zero points: none, one, or one a
// row.
func PackAInts[T int8 | uint8](dst []float32, a []T, m, k, rs, cs int, zero []int32) {
	pack(dst, a, MR, m, k, rs, cs, zero)
}

// PackBInts is PackB for integers less their zero points: none, one, or one a
// column.
func PackBInts[T int8 | uint8](dst []float32, b []T, k, n, rs, cs int, zero []int32) {
	pack(dst, b, NR, n, k, cs, rs, zero)
}

// pack packs n lines of k elements in panels of width lines. Element p of line
// i is src[i*line+p*step].
func pack[T float32 | int8 | uint8](dst []float32, src []T, width, n, k, line, step int, zero []int32) {
	for i := 0; i < n && k > 0; i += width {
		panel := dst[i*k : i*k+width*k]
		lanes := min(width, n-i)
		if lanes < width {
			clear(panel)
		}
		if line == 1 && len(zero) == 0 {
			for p := range k {
				group := panel[p*width : p*width+lanes]
				for r, v := range src[i+p*step : i+p*step+lanes] {
					group[r] = float32(v)
				}
			}
			continue
		}
		for r := range lanes {
			at, z := (i+r)*line, float32(0)
			switch len(zero) {
			case 0:
			case 1:
				z = float32(zero[0])
			default:
				z = float32(zero[i+r])
			}
			if len(zero) == 0 {
				for d := r; d < len(panel); d += width {
					panel[d] = float32(src[at])
					at += step
				}
				continue
			}
			for d := r; d < len(panel); d += width {
				panel[d] = float32(src[at]) - z
				at += step
			}
		}
	}
}
