package gemm

import (
	"testing"

	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

func testStore[T uint8 | int8](t *testing.T) {
	r := kerneltest.Rand(51)
	for i := range 200 {
		var sums [MR * NR]int32
		copy(sums[:], kerneltest.Ints[int32](r, len(sums)))
		for j := range sums {
			if j%3 > 0 {
				sums[j] = int32(r.IntN(4000) - 2000)
			}
		}
		rows, cols, first := MR, NR, r.IntN(3)
		if i%4 == 0 {
			rows, cols = 1+r.IntN(MR), 1+r.IntN(NR)
		}
		q := &Requantize{Multiplier: kerneltest.Floats(r, 1, i%5 == 0), Grid: convert.GridOf[T](int32(r.IntN(100)))}
		if i%3 == 0 {
			q.Grid.QMin, q.Grid.QMax = q.Grid.ZeroPoint, q.Grid.ZeroPoint+20
		}
		if i%2 == 0 {
			q.Bias, q.Multiplier = kerneltest.Ints[int32](r, MR+first), kerneltest.Floats(r, MR+first, i%5 == 0)
		}
		ldc := NR + r.IntN(5)
		want := make([]T, (MR-1)*ldc+NR)
		for k := range rows {
			row, m := make([]int32, cols), q.Multiplier[0]
			for j := range row {
				row[j] = sums[k*NR+j]
				if q.Bias != nil {
					row[j] += q.Bias[first+k]
				}
			}
			if len(q.Multiplier) > 1 {
				m = q.Multiplier[first+k]
			}
			kerneltest.OnGo(t, func() { convert.Requantize(want[k*ldc:k*ldc+cols], row, m, q.Grid) })
		}
		got, check := kerneltest.Guard[T](t, len(want), i%4)
		clear(got)
		StoreBytes(got, ldc, &sums, first, rows, cols, q)
		check()
		kerneltest.Equal(t, got, want, "%d×%d, %+v", rows, cols, q)
	}
}

func TestStoreBytesEqualsRequantize(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		t.Run("uint8", testStore[uint8])
		t.Run("int8", testStore[int8])
	})
}
