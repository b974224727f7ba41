package reduce

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

func levels() (out []kerneltest.Variant) {
	for _, v := range variants {
		out = append(out, kerneltest.Variant{Name: v.name, Level: v.level})
	}
	return out
}

// TestRowsEqualTheirTwins compares every row operator of each variant with what
// the Go code alone gives.
func TestRowsEqualTheirTwins(t *testing.T) {
	rowsOf := map[string]func(x, scale, shift []float32) []float32{
		"SumF32": func(x, _, _ []float32) []float32 { return []float32{SumF32(x)} },
		"Max": func(x, _, _ []float32) []float32 {
			return []float32{Max(append([]float32{float32(math.Inf(-1))}, x...))}
		},
		"Softmax":    func(x, _, _ []float32) []float32 { y := make([]float32, len(x)); Softmax(y, x); return y },
		"LogSoftmax": func(x, _, _ []float32) []float32 { y := make([]float32, len(x)); LogSoftmax(y, x); return y },
		"LayerNorm": func(x, scale, shift []float32) []float32 {
			y := make([]float32, len(x))
			m, r := LayerNorm(y, x, scale, shift, 1e-5)
			return append(y, m, r)
		},
		"LayerNorm unscaled": func(x, _, _ []float32) []float32 {
			y := append([]float32(nil), x...)
			m, r := LayerNorm(y, y, nil, nil, 1e-5)
			return append(y, m, r)
		},
		"RMSNorm": func(x, scale, _ []float32) []float32 {
			y := make([]float32, len(x))
			return append(y, RMSNorm(y, x, scale, 1e-6))
		},
	}
	for name, f := range rowsOf {
		t.Run(name, func(t *testing.T) {
			kerneltest.Run(t, levels(), func(t *testing.T) {
				r := kerneltest.Rand(31)
				for _, n := range append(kerneltest.Lengths(lanes), 128, 197, 768) {
					for kind := range 4 {
						x := kerneltest.Floats(r, n, kind == 1)
						if kind == 2 {
							for i := range x { // both zeros
								x[i] = float32(math.Copysign(0, float64(x[i])))
							}
						}
						scale, shift := kerneltest.Floats(r, n, false), kerneltest.Floats(r, n, false)
						var want []float32
						kerneltest.OnGo(t, func() { want = f(x, scale, shift) })
						got := f(kerneltest.Fence(t, x), kerneltest.Fence(t, scale), kerneltest.Fence(t, shift))
						kerneltest.Equal(t, got, want, "n=%d kind %d", n, kind)
					}
				}
			})
		})
	}
}

func windowsOf(r *rand.Rand) Windows {
	var w Windows
	for i := range w.In {
		for w.Out[i] < 1 {
			w.In[i], w.Kernel[i], w.Stride[i], w.Dilate[i] = 1+r.IntN(9), 1+r.IntN(4), 1+r.IntN(3), 1+r.IntN(2)
			reach := (w.Kernel[i]-1)*w.Dilate[i] + 1
			w.Pad[i] = max(0, r.IntN(2*reach)-reach)
			if free := w.In[i] + w.Pad[i] + r.IntN(reach) - reach; free >= 0 {
				w.Out[i] = free/w.Stride[i] + 1
			}
		}
	}
	return w
}

// gather returns the elements of each window of one channel, in order.
func gather[T any](w Windows, src []T, channels, image, c int) (out [][]T) {
	for r := range w.Out[0] {
		for q := range w.Out[1] {
			var vals []T
			for ky := range w.Kernel[0] {
				for kx := range w.Kernel[1] {
					y, x := r*w.Stride[0]-w.Pad[0]+ky*w.Dilate[0], q*w.Stride[1]-w.Pad[1]+kx*w.Dilate[1]
					if y >= 0 && y < w.In[0] && x >= 0 && x < w.In[1] {
						vals = append(vals, src[((image*w.In[0]+y)*w.In[1]+x)*channels+c])
					}
				}
			}
			out = append(out, vals)
		}
	}
	return out
}

// lastCase is data for windows over places channels last.
type lastCase[T any] struct {
	w                Windows
	images, channels int
	src              []T
}

func eachLast[T any](t *testing.T, seed uint64, data func(r *rand.Rand, n, i int) []T, check func(t *testing.T, c lastCase[T], r *rand.Rand)) {
	kerneltest.Run(t, levels(), func(t *testing.T) {
		r := kerneltest.Rand(seed)
		for i := range 60 {
			c := lastCase[T]{w: windowsOf(r), images: 1 + r.IntN(2), channels: []int{1, 3, 4, 8, 15, 16, 17, 32, 33, 64, 65, 130}[r.IntN(12)]}
			c.src = data(r, c.images*c.w.In[0]*c.w.In[1]*c.channels, i)
			check(t, c, r)
		}
	})
}

// want applies f to every window.
func want[T, U any](c lastCase[T], f func(vals []T, place int) U) []U {
	places := c.w.Out[0] * c.w.Out[1]
	out := make([]U, c.images*places*c.channels)
	for n := range c.images {
		for ch := range c.channels {
			for p, vals := range gather(c.w, c.src, c.channels, n, ch) {
				out[(n*places+p)*c.channels+ch] = f(vals, p)
			}
		}
	}
	return out
}

func testMaxLast[T kerneltest.Integer | float32](t *testing.T, least T, data func(r *rand.Rand, n, i int) []T) {
	eachLast(t, 32, data, func(t *testing.T, c lastCase[T], r *rand.Rand) {
		expect := want(c, func(vals []T, _ int) T {
			m := least
			if len(vals) > 0 {
				m = vals[0]
			}
			for _, v := range vals {
				m = max(m, v)
			}
			return m
		})
		got, check := kerneltest.Guard[T](t, len(expect), r.IntN(5))
		offsets := make([]int, c.w.Kernel[0]*c.w.Kernel[1])
		mid := r.IntN(c.images*c.w.Out[0] + 1)
		src := kerneltest.Fence(t, c.src)
		mem, checkMem := kerneltest.Guard[T](t, c.w.Room(c.channels, int(unsafe.Sizeof(least))), 0)
		maxLast(got, src, c, least, mid, c.images*c.w.Out[0], offsets, mem)
		maxLast(got, src, c, least, 0, mid, offsets, mem)
		checkMem()
		check()
		kerneltest.Equal(t, got, expect, "%+v", c.w)
	})
}

func maxLast[T kerneltest.Integer | float32](dst, src []T, c lastCase[T], least T, lo, hi int, offsets []int, mem []T) {
	switch d := any(dst).(type) {
	case []float32:
		MaxLast(d, any(src).([]float32), c.channels, c.w, any(least).(float32), lo, hi, offsets, any(mem).([]float32))
	case []uint8:
		MaxLast(d, any(src).([]uint8), c.channels, c.w, any(least).(uint8), lo, hi, offsets, any(mem).([]uint8))
	case []int8:
		MaxLast(d, any(src).([]int8), c.channels, c.w, any(least).(int8), lo, hi, offsets, any(mem).([]int8))
	}
}

func floatsOf(r *rand.Rand, n, i int) []float32 { return kerneltest.Floats(r, n, i%3 == 1) }

func TestMaxLast(t *testing.T) {
	t.Run("float32", func(t *testing.T) { testMaxLast(t, float32(math.Inf(-1)), floatsOf) })
	t.Run("uint8", func(t *testing.T) {
		testMaxLast(t, 0, func(r *rand.Rand, n, _ int) []uint8 { return kerneltest.Ints[uint8](r, n) })
	})
	t.Run("int8", func(t *testing.T) {
		testMaxLast(t, math.MinInt8, func(r *rand.Rand, n, _ int) []int8 { return kerneltest.Ints[int8](r, n) })
	})
}

func testSumLast[T uint8 | int8](t *testing.T) {
	eachLast(t, 33, func(r *rand.Rand, n, _ int) []T { return kerneltest.Ints[T](r, n) }, func(t *testing.T, c lastCase[T], r *rand.Rand) {
		expect := want(c, func(vals []T, place int) int32 {
			s := int32(1000*place + 7*len(vals))
			for _, v := range vals {
				s += int32(v)
			}
			return s
		})
		got := make([]int32, len(expect))
		rows := c.images * c.w.Out[0]
		mid := r.IntN(c.channels + 1)
		parts := [][3]int{{0, mid, 1}, {mid, c.channels, 1}}
		if c.w.Together(c.channels, 1) && r.IntN(2) == 0 {
			parts = [][3]int{{0, c.channels, c.w.Out[1]}} // the windows of a row
		}
		for _, part := range parts {
			width := part[1] - part[0]
			sums := kerneltest.Fence(t, make([]int32, width*part[2]))
			mem, checkMem := kerneltest.Guard[T](t, c.w.Room(c.channels, 1), 0)
			SumLast(kerneltest.Fence(t, c.src), c.channels, part[0], c.w, 0, rows, make([]int, c.w.Kernel[0]*c.w.Kernel[1]), mem, sums, func(at, place, count int, sums []int32) {
				for i, s := range sums {
					got[at+i] = s + int32(1000*(place+i/width)+7*count)
				}
			})
			checkMem()
		}
		kerneltest.Equal(t, got, expect, "%+v", c.w)
	})
}

func TestSumLastIsExact(t *testing.T) {
	t.Run("uint8", testSumLast[uint8])
	t.Run("int8", testSumLast[int8])
}

func TestMeanLast(t *testing.T) {
	eachLast(t, 34, floatsOf, func(t *testing.T, c lastCase[float32], r *rand.Rand) {
		padded := r.IntN(2) == 0
		size := func(place, count int) int {
			if padded {
				return place%3 + 2
			}
			return count
		}
		expect := want(c, func(vals []float32, place int) float32 {
			if len(vals) == 0 {
				return 0
			}
			var s float32
			kerneltest.OnGo(t, func() { s = SumF32(vals) })
			return s / float32(size(place, len(vals)))
		})
		got, check := kerneltest.Guard[float32](t, len(expect), r.IntN(5))
		mid := r.IntN(c.channels + 1)
		parts := [][2]int{{mid, c.channels}, {0, mid}}
		if r.IntN(2) == 0 {
			parts = [][2]int{{0, c.channels}}
		}
		mem, checkMem := kerneltest.Guard[float32](t, c.w.Room(c.channels, 4), 0)
		for _, part := range parts {
			MeanLast(got, kerneltest.Fence(t, c.src), c.channels, part[0], part[1], c.w, size, 0, c.images*c.w.Out[0], make([]int, c.w.Kernel[0]*c.w.Kernel[1]), mem)
		}
		checkMem()
		check()
		kerneltest.Equal(t, got, expect, "%+v", c.w)
	})
}

func TestGeneratedAssemblyIsFresh(t *testing.T) {
	kerneltest.Fresh(t, "zrows_neon_arm64.s", "zwindows_neon_arm64.s", "zwindows_avx2_amd64.s", "zrows_avx2_amd64.s", "zrows_avx512_amd64.s", "zwindows_avx512_amd64.s")
}
