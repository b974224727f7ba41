package dwconv

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/exact"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

func rows() (out []kerneltest.Variant) {
	for _, v := range variants {
		out = append(out, kerneltest.Variant{Name: v.name, Level: v.level})
	}
	return out
}

// geometry makes a consistent geometry of one to three dimensions.
func geometry(r *rand.Rand) Geometry {
	g := Geometry{Batch: 1 + r.IntN(2), Channels: 1 + r.IntN(3), Filters: 1 + r.IntN(2), Last: r.IntN(3) == 0}
	if g.Last {
		g.Channels = 1 + r.IntN(20)
	}
	from := r.IntN(3)
	for i := range 3 {
		if i < from {
			g.Size[i], g.Kernel[i], g.Stride[i], g.Dilate[i], g.Result[i] = 1, 1, 1, 1, 1
			continue
		}
		for g.Result[i] < 1 {
			g.Size[i], g.Kernel[i] = 1+r.IntN(9), 1+r.IntN(5)
			if from == 2 {
				g.Size[i] = 1 + r.IntN(200)
			}
			g.Stride[i], g.Dilate[i], g.Pad[i] = 1+r.IntN(3), 1+r.IntN(3), r.IntN(4)
			if span := g.Size[i] + g.Pad[i] + r.IntN(4) - (g.Kernel[i]-1)*g.Dilate[i] - 1; span >= 0 {
				g.Result[i] = span/g.Stride[i] + 1
			}
		}
	}
	return g
}

// activation returns the index of an element of an activation.
func activation(g Geometry, channels, pixels, n, c, pixel int) int {
	if g.Last {
		return (n*pixels+pixel)*channels + c
	}
	return (n*channels+c)*pixels + pixel
}

// naive is the definition: ascending taps, padding as zeros.
func naive[S float32 | int32](g Geometry, x, w []S, fma func(a, b, c S) S) []S {
	all, outPix := g.Channels*g.Filters, product(g.Result)
	y := make([]S, g.Batch*all*outPix)
	for i := range y {
		n, m, o := i/(all*outPix), i/outPix%all, i%outPix
		out := [3]int{o / (g.Result[1] * g.Result[2]), o / g.Result[2] % g.Result[1], o % g.Result[2]}
		var acc S
		t := m * product(g.Kernel)
		for kz := range g.Kernel[0] {
			for ky := range g.Kernel[1] {
				for kx := range g.Kernel[2] {
					at, ok := 0, true
					for d, k := range [3]int{kz, ky, kx} {
						in := out[d]*g.Stride[d] - g.Pad[d] + k*g.Dilate[d]
						ok = ok && in >= 0 && in < g.Size[d]
						at = at*g.Size[d] + in
					}
					var v S
					if ok {
						v = x[activation(g, g.Channels, product(g.Size), n, m/g.Filters, at)]
					}
					acc = fma(w[t], v, acc)
					t++
				}
			}
		}
		y[activation(g, all, outPix, n, m, o)] = acc
	}
	return y
}

// filter returns which filter made element i of a result.
func filter(g Geometry, i int) int {
	if g.Last {
		return i % (g.Channels * g.Filters)
	}
	return i / product(g.Result) % (g.Channels * g.Filters)
}

func TestRunEqualsItsDefinition(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(1)
		for i := range 250 {
			g := geometry(r)
			p := NewPlan(g)
			x := kerneltest.Floats(r, g.Batch*g.Channels*product(g.Size), i%3 == 1)
			w := kerneltest.Floats(r, p.WeightLen(), i%3 == 1)
			var bias []float32
			if i%2 == 1 {
				bias = kerneltest.Floats(r, g.Channels*g.Filters, i%3 == 1)
			}
			want := naive(g, x, w, exact.FMA32)
			for j, v := range want {
				if bias != nil {
					v += bias[filter(g, j)]
				}
				if i%4 == 3 {
					v = min(max(v, 0), 1.5)
				}
				want[j] = v
			}
			y, check := kerneltest.Guard[float32](t, len(want), i%4)
			mid := r.IntN(p.Blocks() + 1)
			for _, part := range [][2]int{{mid, p.Blocks()}, {0, mid}} {
				scratch, checkScratch := kerneltest.Guard[float32](t, p.ScratchLen(), i%5)
				copy(scratch, kerneltest.Floats(r, len(scratch), true))
				p.Run(y, x, w, bias, i%4 == 3, 0, 1.5, part[0], part[1], scratch)
				checkScratch()
			}
			check()
			kerneltest.Equal(t, y, want, "%+v", g)
		}
	})
}

func testInts[T int8 | uint8](t *testing.T) {
	r := kerneltest.Rand(2)
	for i := range 120 {
		g := geometry(r)
		if i < 2 { // more taps than float32 sums exactly
			g = Geometry{Batch: 1, Channels: 1, Filters: 2, Size: [3]int{1, 20, 20}, Kernel: [3]int{1, 19, 18}, Stride: [3]int{1, 1, 1}, Dilate: [3]int{1, 1, 1}, Pad: [3]int{0, 3, 2}, Result: [3]int{1, 8, 7}, Last: i == 1}
		}
		p := NewPlan(g)
		x, wide := kerneltest.Ints[T](r, g.Batch*g.Channels*product(g.Size)), []int32(nil)
		zero := int(kerneltest.Ints[T](r, 1)[0])
		for _, v := range x {
			wide = append(wide, int32(v)-int32(zero))
		}
		w, wi := make([]float32, p.WeightLen()), make([]int32, p.WeightLen())
		for i := range w {
			wi[i] = int32(r.IntN(511) - 255)
			if i%2 == 0 {
				wi[i] = -255
			}
			w[i] = float32(wi[i])
		}
		want := naive(g, wide, wi, func(a, b, c int32) int32 { return a*b + c })
		y, check := kerneltest.Guard[int32](t, len(want), i%4)
		mid := r.IntN(p.Blocks() + 1)
		for _, part := range [][2]int{{mid, p.Blocks()}, {0, mid}} {
			RunInt(p, x, zero, w, part[0], part[1], make([]float32, p.ScratchLen()), func(m, at int, sums []int32) {
				if m != filter(g, at) {
					t.Fatalf("element %d belongs to filter %d, not %d", at, filter(g, at), m)
				}
				copy(y[at:at+len(sums)], sums)
				clear(sums)
			})
		}
		check()
		kerneltest.Equal(t, y, want, "%+v zero %d", g, zero)
	}
}

func TestRunIntIsExact(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		t.Run("uint8", testInts[uint8])
		t.Run("int8", testInts[int8])
	})
}

func TestRunAllocatesNothing(t *testing.T) {
	g := square(4, 9, 3, 1)
	p := NewPlan(g)
	x, w, y, s := make([]float32, 4*81), make([]float32, p.WeightLen()), make([]float32, 4*81), make([]float32, p.ScratchLen())
	kerneltest.Run(t, rows(), func(t *testing.T) {
		if got := testing.AllocsPerRun(10, func() { p.Run(y, x, w, nil, true, 0, 6, 0, p.Blocks(), s) }); got != 0 {
			t.Errorf("%v allocations", got)
		}
	})
}

func TestNothingIsReadBehindTheGrid(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		r := kerneltest.Rand(3)
		for range 30 {
			g := geometry(r)
			p := NewPlan(g)
			x := kerneltest.Fence(t, kerneltest.Floats(r, g.Batch*g.Channels*product(g.Size), false))
			w := kerneltest.Fence(t, kerneltest.Floats(r, p.WeightLen(), false))
			y := kerneltest.Fence(t, make([]float32, g.Batch*g.Channels*g.Filters*product(g.Result)))
			p.Run(y, x, w, nil, false, 0, 0, 0, p.Blocks(), kerneltest.Fence(t, make([]float32, p.ScratchLen())))
			// The kernel's own input and output, each at the end of memory.
			padded, off := kerneltest.Fence(t, make([]float32, p.padded)), p.off[:min(3, p.taps)]
			f := identity
			chain(kerneltest.Fence(t, make([]float32, p.cells)), padded, off, w[:len(off)], &f)
		}
	})
}

func TestGeneratedAssemblyIsFresh(t *testing.T) {
	kerneltest.Fresh(t, "zf32_avx2_amd64.s", "zf32_neon_arm64.s", "zlast_avx2_amd64.s", "zlast_avx512_amd64.s", "zlast_neon_arm64.s", "zlast_vnni_amd64.s")
}

// square is a 2-D geometry with padding that keeps the size at stride 1.
func square(channels, size, kernel, stride int) Geometry {
	out := (size + stride - 1) / stride
	return Geometry{
		Batch: 1, Channels: channels, Filters: 1,
		Size: [3]int{1, size, size}, Kernel: [3]int{1, kernel, kernel}, Stride: [3]int{1, stride, stride},
		Dilate: [3]int{1, 1, 1}, Pad: [3]int{0, kernel / 2, kernel / 2}, Result: [3]int{1, out, out},
	}
}

func BenchmarkRun(b *testing.B) {
	for _, v := range rows() {
		for _, c := range [][4]int{{144, 56, 3, 1}, {96, 112, 3, 2}, {576, 14, 3, 1}, {960, 7, 3, 1}, {240, 28, 5, 1}} {
			g := square(c[0], c[1], c[2], c[3])
			p := NewPlan(g)
			macs := c[0] * product(g.Result) * p.taps
			x, w, y, s := make([]float32, c[0]*p.inPix), make([]float32, p.WeightLen()), make([]float32, c[0]*p.outPix), make([]float32, p.ScratchLen())
			name := fmt.Sprintf("%s/C%d@%d/k%ds%d", v.Name, c[0], c[1], c[2], c[3])
			b.Run(name, func(b *testing.B) {
				kerneltest.Limit(b, v.Level)
				for b.Loop() {
					p.Run(y, x, w, nil, true, 0, 6, 0, p.Blocks(), s)
				}
				kerneltest.Throughput(b, macs)
			})
			q := make([]uint8, len(x))
			b.Run(name+"/int8", func(b *testing.B) {
				kerneltest.Limit(b, v.Level)
				for b.Loop() {
					RunInt(p, q, 128, w, 0, p.Blocks(), s, func(_, _ int, _ []int32) {})
				}
				kerneltest.Throughput(b, macs)
			})
		}
	}
}
