// Package gemm multiplies float32 matrices.
//
// Every result is acc = +0; acc = fma(a[k], b[k], acc) for ascending k, then
// bias and clamp, each rounded: the same bits from the Go twin and from each
// assembly variant. Operands are packed: A in panels of MR rows, B in panels
// of NR columns, so that a tile reads both in order. The package sees slices,
// no tensor and no operator. Start at [F32], [PackA] and [PackB]; variants are
// rows of the table in variants.go.
package gemm

// MR and NR are the rows and columns of a tile.
const (
	MR = 4
	NR = 16
)

// Tile holds the accumulators of one tile, row by row.
type Tile [MR * NR]float32

// PackedA returns the length of a packed m×k matrix A.
func PackedA(m, k int) int { return (m + MR - 1) / MR * MR * k }

// PackedB returns the length of a packed k×n matrix B.
func PackedB(k, n int) int { return (n + NR - 1) / NR * NR * k }

// PackA packs the m×k matrix whose element (i, j) is a[i*rs+j*cs]: panels of
// MR rows, in each k groups of MR elements; missing rows are zero.
func PackA(dst, a []float32, m, k, rs, cs int) {
	for i := 0; i < m; i += MR {
		panel := dst[i*k : i*k+MR*k]
		rows := min(MR, m-i)
		for j := range k {
			g := panel[j*MR : j*MR+MR]
			for r := range rows {
				g[r] = a[(i+r)*rs+j*cs]
			}
			clear(g[rows:])
		}
	}
}

// PackB packs the k×n matrix whose element (i, j) is b[i*rs+j*cs]: panels of
// NR columns, in each k groups of NR elements; missing columns are zero.
func PackB(dst, b []float32, k, n, rs, cs int) {
	for j := 0; j < n; j += NR {
		panel := dst[j*k : j*k+NR*k]
		cols := min(NR, n-j)
		for i := range k {
			g := panel[i*NR : i*NR+NR]
			if cs == 1 {
				copy(g, b[i*rs+j:i*rs+j+cols])
			} else {
				for c := range cols {
					g[c] = b[i*rs+(j+c)*cs]
				}
			}
			clear(g[cols:])
		}
	}
}

// Epilogue is applied to every result: first a bias per row or column, then
// the clamp min(max(x, Lo), Hi) with Go's min and max.
type Epilogue struct {
	Row, Col []float32
	Clamp    bool
	Lo, Hi   float32
}

// F32 writes the m×n product of packed A and B to c, whose row i begins at
// c[i*ldc].
func F32(c []float32, ldc, m, n, k int, a, b []float32, ep Epilogue) {
	var t Tile
	for j := 0; j < n; j += NR {
		bp := b[j*k : j*k+NR*k]
		for i := 0; i < m; i += MR {
			Multiply(&t, k, a[i*k:i*k+MR*k], bp)
			Store(c[i*ldc+j:], ldc, &t, i, j, min(MR, m-i), min(NR, n-j), ep)
		}
	}
}

// Multiply computes one tile from a panel of A and one of B, of k groups each.
func Multiply(t *Tile, k int, a, b []float32) {
	if k == 0 {
		clear(t[:])
		return
	}
	_, _ = a[MR*k-1], b[NR*k-1] // variants read exactly this far
	active().tile(t, k, a, b)
}

// Store applies the epilogue to the first rows×cols results of a tile and
// writes them to c. The tile begins at row i and column j of the product.
func Store(c []float32, ldc int, t *Tile, i, j, rows, cols int, ep Epilogue) {
	for r := range rows {
		src := t[r*NR : r*NR+cols]
		dst := c[r*ldc : r*ldc+cols]
		copy(dst, src)
		if ep.Row != nil {
			bias := ep.Row[i+r]
			for x := range dst {
				dst[x] += bias
			}
		}
		if ep.Col != nil {
			bias := ep.Col[j : j+cols]
			for x := range dst {
				dst[x] += bias[x]
			}
		}
		if ep.Clamp {
			for x, v := range dst {
				dst[x] = min(max(v, ep.Lo), ep.Hi)
			}
		}
	}
}

// MultiplyInt computes one tile of integer sums from panels that hold integers:
// k is cut into stretches of at most step, whose sums must stay below 2²⁴ in
// magnitude, so that float32 holds them exactly.
func MultiplyInt(sums *[MR * NR]int32, t *Tile, k, step int, a, b []float32) {
	clear(sums[:])
	for p := 0; p < k; p += step {
		n := min(step, k-p)
		Multiply(t, n, a[p*MR:(p+n)*MR], b[p*NR:(p+n)*NR])
		for i, v := range t {
			sums[i] += int32(v)
		}
	}
}

// I8 writes the m×n product of packed A and B, which hold integers, to c, with
// bias col added: products of magnitudes up to 255·128.
func I8(c []int32, ldc, m, n, k int, a, b []float32, col []int32) {
	const step = 512
	var t Tile
	var sums [MR * NR]int32
	for j := 0; j < n; j += NR {
		bp := b[j*k : j*k+NR*k]
		cols := min(NR, n-j)
		for i := 0; i < m; i += MR {
			MultiplyInt(&sums, &t, k, step, a[i*k:i*k+MR*k], bp)
			for r := range min(MR, m-i) {
				dst := c[(i+r)*ldc+j:][:cols]
				copy(dst, sums[r*NR:])
				if col != nil {
					for x := range dst {
						dst[x] += col[j+x]
					}
				}
			}
		}
	}
}
