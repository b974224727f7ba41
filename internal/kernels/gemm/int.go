package gemm

// Steps of k over which sums of products of 8-bit integers less their zero
// points stay below 2²⁴, so that float32 holds them exactly.
const (
	// StepSymmetric is for weights without a zero point: 255·128·512 < 2²⁴.
	StepSymmetric = 512
	// StepAny is for any zero points: 255·255·256 < 2²⁴.
	StepAny = 256
)

// MultiplyInt computes one tile of integer sums, modulo 2³², from panels that
// hold integers. Sums over step groups must stay below 2²⁴ in magnitude. t is
// scratch memory.
func MultiplyInt(sums *[MR * NR]int32, t *Tile, k, step int, a, b []float32) {
	*sums = [MR * NR]int32{}
	a, b = a[:MR*k], b[:NR*k]
	for p := 0; p < k; p += step {
		n := min(step, k-p)
		*t = Tile{}
		whole(t, n, a[p*MR:], b[p*NR:])
		addInts(sums, t)
	}
}

// I8 writes the m×n product of packed A and B, which hold integers, to c, whose
// row i begins at c[i*ldc], and adds the biases row[i] and col[j] where not
// nil, modulo 2³². Step is StepSymmetric, StepAny, or what else the caller
// knows to suffice.
//
//	acc := row[i] + col[j]
//	for p := range k {
//		acc += (A[i,p] - zeroA[i]) * (B[p,j] - zeroB[j])
//	}
//	c[i*ldc+j] = acc
func I8(c []int32, ldc, m, n, k, step int, a, b []float32, row, col []int32) {
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
				if row != nil {
					for x := range dst {
						dst[x] += row[i+r]
					}
				}
				if col != nil {
					for x, v := range col[j : j+cols] {
						dst[x] += v
					}
				}
			}
		}
	}
}
