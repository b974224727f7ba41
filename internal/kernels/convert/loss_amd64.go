//go:build !noasm

package convert

import "github.com/octavo-ml/octavo/internal/cpu"

// losses adds the errors of the leading elements and returns their number.
func losses(sums *[2]float64, x []float32, scales *[2]float64, lo, hi float64) int {
	n := len(x) / 4
	if n == 0 || !cpu.Has(cpu.AVX2) {
		return 0
	}
	lossesAVX2(sums, &x[0], n, scales, lo, hi)
	return 4 * n
}

// ends takes the leading elements into the least, the greatest, and what is not 0
// if one of them is not finite, and returns their number.
func ends(r *[3]float32, x []float32) int {
	n := len(x) / 16
	if n == 0 || !cpu.Has(cpu.AVX2) {
		return 0
	}
	endsAVX2(r, &x[0], n)
	return 16 * n
}

//go:noescape
func lossesAVX2(sums *[2]float64, x *float32, steps int, scales *[2]float64, lo, hi float64)

//go:noescape
func endsAVX2(r *[3]float32, x *float32, steps int)
