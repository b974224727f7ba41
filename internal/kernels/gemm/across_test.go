package gemm

import (
	"math"
	"testing"

	"github.com/octavo-ml/octavo/internal/exact"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

func TestFloatsAcrossEqualTheirDefinition(t *testing.T) {
	inf, zero := float32(math.Inf(1)), float32(0)
	limits := [][2]float32{{-inf, inf}, {0, inf}, {-zero, 6}, {-inf, float32(math.Copysign(0, -1))}, {float32(math.NaN()), 1}}
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(37)
		for i := range 150 {
			n, cols, k := 1+r.IntN(290), 1+i%(FewColumns-1), 1+r.IntN(40)
			special := i%3 == 1
			room := 2*Span(n) + 10
			a, b := kerneltest.Floats(r, room, special), kerneltest.Floats(r, k*cols, special)
			var bias []float32
			if i%2 == 0 {
				bias = kerneltest.Floats(r, cols, special)
			}
			x := Across{}
			for range k {
				x.At = append(x.At, int32(r.IntN(room-Span(n)+1)))
			}
			lim := limits[i%len(limits)]
			e := NewFloatEnd(cols, bias, i%5 > 0, lim[0], lim[1])
			m := Plain(k, cols, cols, 1)
			packed := make([]float32, m.Floats())
			PackFloats(packed, b, m)
			ldc := Span(n) + i%3
			c, check := kerneltest.Guard[float32](t, (cols-1)*ldc+Span(n), i%4)
			FloatsAcross(c, ldc, kerneltest.Fence(t, a), &x, n, kerneltest.Fence(t, packed), cols, e)
			check()
			for j := range cols {
				want := make([]float32, n)
				for p := range want {
					var sum float32
					for q, at := range x.At {
						sum = exact.FMA32(a[int(at)+p], b[q*cols+j], sum)
					}
					if bias != nil {
						sum += bias[j]
					}
					if i%5 > 0 {
						sum = min(max(sum, lim[0]), lim[1])
					}
					want[p] = sum
				}
				kerneltest.Equal(t, c[j*ldc:j*ldc+n], want, "case %d: column %d of %d, %d rows, k %d", i, j, cols, n, k)
			}
		}
	})
}
