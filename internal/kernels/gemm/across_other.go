//go:build noasm || !amd64

package gemm

// HasAcross reports whether there is code for FloatsAcross.
func HasAcross() bool { return false }

func across(c []float32, ldc int, a []float32, r *Across, n int, panel []float32, cols int, e *FloatEnd) {
	acrossGeneric(c, ldc, a, r, n, panel, cols, e)
}
