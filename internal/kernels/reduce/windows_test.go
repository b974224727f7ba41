package reduce_test

import (
	"math"
	"testing"

	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
)

func testWindows[T int8 | uint8 | float32](t *testing.T, least T, data func(n int) []T) {
	r := kerneltest.Rand(41)
	for range 400 {
		w := reduce.Windows{}
		for d := range 2 {
			w.In[d], w.Kernel[d], w.Stride[d], w.Dilate[d], w.Pad[d] = 1+r.IntN(12), 1+r.IntN(4), 1+r.IntN(3), 1+r.IntN(2), r.IntN(4)
			w.Out[d] = r.IntN((w.In[d]+2*w.Pad[d])/w.Stride[d] + 2)
		}
		const planes = 3
		x := data(planes * w.In[0] * w.In[1])
		y, check := kerneltest.Guard[T](t, planes*w.Out[0]*w.Out[1], 1)
		reduce.MaxWindows(y, x, planes, w, least)
		check()
		want := make([]T, len(y))
		for i := range want {
			p, row, col := i/(w.Out[0]*w.Out[1]), i/w.Out[1]%w.Out[0], i%w.Out[1]
			want[i] = least
			for a := range w.Kernel[0] {
				for b := range w.Kernel[1] {
					u, v := row*w.Stride[0]-w.Pad[0]+a*w.Dilate[0], col*w.Stride[1]-w.Pad[1]+b*w.Dilate[1]
					if u >= 0 && u < w.In[0] && v >= 0 && v < w.In[1] {
						want[i] = max(want[i], x[(p*w.In[0]+u)*w.In[1]+v])
					}
				}
			}
		}
		kerneltest.Equal(t, y, want, "%+v", w)
	}
}

func TestMaxWindows(t *testing.T) {
	r := kerneltest.Rand(42)
	t.Run("uint8", func(t *testing.T) {
		testWindows(t, 0, func(n int) []uint8 { return kerneltest.Ints[uint8](r, n) })
	})
	t.Run("int8", func(t *testing.T) {
		testWindows(t, math.MinInt8, func(n int) []int8 { return kerneltest.Ints[int8](r, n) })
	})
	t.Run("float32", func(t *testing.T) {
		testWindows(t, float32(math.Inf(-1)), func(n int) []float32 { return kerneltest.Floats(r, n, true) })
	})
}
