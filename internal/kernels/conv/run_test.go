package conv_test

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/exact"
	"github.com/octavo-ml/octavo/internal/kernels/conv"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

// anyGeometry is geometry, at times with
// more channels, lines that do not fit a band, or no results.
func anyGeometry(r *rand.Rand, i int) conv.Geometry {
	g := geometry(r, i%5 == 4)
	switch i % 16 {
	case 0:
		g = square(3, 20, 1, 24, 7, 2)
	case 1:
		g = square(32, 70, 1, 9, 3, 1)
	case 2:
		g = square(40, 24, 1, 20, 1, 1)
	case 3: // one line, longer than a band
		g = conv.Geometry{Batch: 2, In: 160, Out: 5, Group: 1, Size: []int{900}, Kernel: []int{1}, Stride: []int{2}, Dilate: []int{1}, Pad: []int{0}, Result: []int{450}}
	case 5:
		g = square(32, 24, 4, 7, 3, 1)
	case 6: // a product with a matrix given row by row
		g = conv.Geometry{Batch: 1, In: 70, Out: 90, Group: 1, Size: []int{19}, Kernel: []int{1}, Stride: []int{1}, Dilate: []int{1}, Pad: []int{0}, Result: []int{19}, Transposed: true}
	case 7:
		g.Result[0] = 0
	case 9: // few filters, along lines
		n := 16 + r.IntN(60)
		g = conv.Geometry{Batch: 1 + r.IntN(2), In: 1 + r.IntN(9), Out: 1 + r.IntN(12), Group: 1, Size: []int{3, n}, Kernel: []int{3, 1 + r.IntN(20)}, Stride: []int{1 + r.IntN(2), 1 + r.IntN(3)}, Dilate: []int{1, 1 + r.IntN(2)}, Pad: []int{1, r.IntN(5)}, Result: []int{1 + r.IntN(2), n / 3}}
	case 10: // likewise, of one line in bands
		g = conv.Geometry{Batch: 1, In: 1, Out: 1, Group: 1, Size: []int{40000}, Kernel: []int{8}, Stride: []int{1}, Dilate: []int{1}, Pad: []int{0}, Result: []int{39000}}
	case 11: // likewise, of lines of one channel
		n := 16 + r.IntN(60)
		g = conv.Geometry{Batch: 1 + r.IntN(2), In: 1, Out: 1 + r.IntN(12), Group: 1, Size: []int{2, 30, n}, Kernel: []int{2, 3, 1 + r.IntN(9)}, Stride: []int{1, 1, 1}, Dilate: []int{1, 1 + r.IntN(2), 1 + r.IntN(2)}, Pad: []int{1, 1, r.IntN(5)}, Result: []int{1 + r.IntN(3), 20 + r.IntN(11), n - 2}}
	case 8: // a gap after the last window
		g = conv.Geometry{Batch: 1, In: 8, Out: 5, Group: 1, Size: []int{9, 12}, Kernel: []int{2, 2}, Stride: []int{3, 4}, Dilate: []int{1, 2}, Pad: []int{0, 0}, Result: []int{3, 3}}
	}
	return g
}

func TestRunEqualsItsDefinition(t *testing.T) {
	kerneltest.Run(t, variants, func(t *testing.T) {
		r := kerneltest.Rand(11)
		for i := range 240 {
			g := anyGeometry(r, i)
			special := i%3 == 1
			x, w := kerneltest.Floats(r, g.Batch*g.In*product(g.Size), special), kerneltest.Floats(r, weightLen(g), special)
			var bias []float32
			if i%2 == 1 {
				bias = kerneltest.Floats(r, g.Out, special)
			}
			want := naive(g, x, w, exact.FMA32)
			var other []float32
			if i%7 == 2 {
				other = kerneltest.Floats(r, len(want), special)
			}
			for j, v := range want {
				if bias != nil {
					v += bias[j%g.Out]
				}
				if other != nil {
					v += other[j]
				}
				if i%5 == 1 {
					v = min(max(v, -0.25), 1)
				}
				want[j] = v
			}
			p := conv.NewPlan(g, conv.Float32)
			packed, checkPacked := kerneltest.Guard[float32](t, p.WeightLen(), 3)
			p.Pack(packed, w)
			checkPacked()
			ends := p.FloatEnds(bias, i%5 == 1, -0.25, 1)
			y, check := kerneltest.Guard[float32](t, len(want), i%4)
			mid := r.IntN(p.Blocks() + 1)
			for _, part := range [][2]int{{mid, p.Blocks()}, {0, mid}} {
				scratch, checkScratch := kerneltest.Guard[float32](t, p.ScratchLen(), i%5)
				copy(scratch, kerneltest.Floats(r, len(scratch), true))
				p.Run(y, other, kerneltest.Fence(t, x), packed, ends, part[0], part[1], scratch)
				checkScratch()
			}
			check()
			kerneltest.Equal(t, y, want, "%+v", g)
		}
	})
}

func testBytes[T int8 | uint8](t *testing.T, e conv.Element) {
	r := kerneltest.Rand(12)
	for i := range 160 {
		g := anyGeometry(r, i)
		x, wide := kerneltest.Ints[T](r, g.Batch*g.In*product(g.Size)), []int32(nil)
		zero := kerneltest.Ints[T](r, 1)[0]
		for _, v := range x {
			wide = append(wide, int32(v)-int32(zero))
		}
		w, weights := kerneltest.Ints[int8](r, weightLen(g)), []int32(nil)
		for _, v := range w {
			weights = append(weights, int32(v))
		}
		f := gemm.Finish{Multiplier: []float32{1e-4}, Grid: convert.GridOf[T](7)}
		if i%2 == 0 {
			f.Multiplier, f.Bias = kerneltest.Floats(r, g.Out, false), kerneltest.Ints[int32](r, g.Out)
		}
		f.Float = i%3 == 0
		sums := naive(g, wide, weights, func(a, b, c int32) int32 { return a*b + c })
		want, floats := make([]T, len(sums)), make([]float32, len(sums))
		for j, v := range sums {
			m := f.Multiplier[j%g.Out%len(f.Multiplier)]
			if f.Bias != nil {
				v += f.Bias[j%g.Out]
			}
			floats[j] = float32(v) * m
			kerneltest.OnGo(t, func() { convert.Requantize(want[j:j+1], []int32{v}, m, f.Grid) })
		}
		p := conv.NewPlan(g, e)
		packed, checkPacked := kerneltest.Guard[int8](t, p.WeightBytes(), 3)
		p.PackBytes(packed, w)
		checkPacked()
		ends := p.ByteEnds(f, sumsOf(p, g, packed), uint8(zero))
		y, check := kerneltest.Guard[T](t, len(want), i%4)
		yf, checkFloats := kerneltest.Guard[float32](t, len(want), i%4)
		out := bytesOf(y)
		if f.Float {
			out = unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(yf))), 4*len(yf))
		}
		mid := r.IntN(p.Blocks() + 1)
		for _, part := range [][2]int{{mid, p.Blocks()}, {0, mid}} {
			scratch, checkScratch := kerneltest.Guard[uint8](t, p.ScratchLen(), i%5)
			p.RunBytes(out, bytesOf(kerneltest.Fence(t, x)), uint8(zero), packed, ends, part[0], part[1], scratch)
			checkScratch()
		}
		check()
		checkFloats()
		if f.Float {
			kerneltest.Equal(t, yf, floats, "%+v zero %d", g, zero)
		} else {
			kerneltest.Equal(t, y, want, "%+v zero %d", g, zero)
		}
	}
}

func bytesOf[T int8 | uint8](s []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s))
}

func TestRunBytesEqualsItsDefinition(t *testing.T) {
	kerneltest.Run(t, variants, func(t *testing.T) {
		t.Run("uint8", func(t *testing.T) { testBytes[uint8](t, conv.Uint8) })
		t.Run("int8", func(t *testing.T) { testBytes[int8](t, conv.Int8) })
	})
}

func TestRunAllocatesNothing(t *testing.T) {
	g := square(16, 20, 1, 6, 3, 1)
	p, q := conv.NewPlan(g, conv.Float32), conv.NewPlan(g, conv.Int8)
	x, w, y, s := make([]float32, 16*36), make([]float32, p.WeightLen()), make([]float32, 20*36), make([]float32, p.ScratchLen())
	bx, bw, by, bs := make([]byte, 16*36), make([]int8, q.WeightBytes()), make([]byte, 20*36), make([]byte, q.ScratchLen())
	ends := p.FloatEnds(nil, true, 0, 6)
	byteEnds := q.ByteEnds(gemm.Finish{Multiplier: []float32{1}, Grid: convert.GridOf[int8](0)}, sumsOf(q, g, bw), 3)
	kerneltest.Run(t, variants, func(t *testing.T) {
		if got := testing.AllocsPerRun(10, func() {
			p.Run(y, y, x, w, ends, 0, p.Blocks(), s)
			q.RunBytes(by, bx, 3, bw, byteEnds, 0, q.Blocks(), bs)
		}); got != 0 {
			t.Errorf("%v allocations", got)
		}
	})
}

// BenchmarkRun runs the convolutions of ResNet-50 and MobileNetV2, and the
// products of BERT, on one thread.
func BenchmarkRun(b *testing.B) {
	matrix := func(m, n, k int) conv.Geometry {
		return conv.Geometry{Batch: 1, In: k, Out: n, Group: 1, Size: []int{m}, Kernel: []int{1}, Stride: []int{1}, Dilate: []int{1}, Pad: []int{0}, Result: []int{m}, Transposed: true}
	}
	for _, c := range []struct {
		name string
		g    conv.Geometry
	}{
		{"gemm1024", matrix(1024, 1024, 1024)},
		{"7x7s2/3-64@224", square(3, 64, 1, 224, 7, 2)},
		{"1x1/64-64@56", square(64, 64, 1, 56, 1, 1)},
		{"1x1/64-256@56", square(64, 256, 1, 56, 1, 1)},
		{"1x1/256-64@56", square(256, 64, 1, 56, 1, 1)},
		{"3x3/64@56", square(64, 64, 1, 56, 3, 1)},
		{"3x3s2/128@56", square(128, 128, 1, 56, 3, 2)},
		{"1x1s2/256-512@56", square(256, 512, 1, 56, 1, 2)},
		{"3x3/128@28", square(128, 128, 1, 28, 3, 1)},
		{"1x1/512-128@28", square(512, 128, 1, 28, 1, 1)},
		{"3x3/256@14", square(256, 256, 1, 14, 3, 1)},
		{"1x1/256-1024@14", square(256, 1024, 1, 14, 1, 1)},
		{"1x1/1024-256@14", square(1024, 256, 1, 14, 1, 1)},
		{"3x3/512@7", square(512, 512, 1, 7, 3, 1)},
		{"1x1/512-2048@7", square(512, 2048, 1, 7, 1, 1)},
		{"fc/2048-1000", matrix(1, 1000, 2048)},
		{"bert/128x768x768", matrix(128, 768, 768)},
		{"bert/128x3072x768", matrix(128, 3072, 768)},
		{"bert/128x768x3072", matrix(128, 768, 3072)},
		{"mbv2/16-96@112", square(16, 96, 1, 112, 1, 1)},
		{"mbv2/96-24@56", square(96, 24, 1, 56, 1, 1)},
		{"mbv2/144-24@56", square(144, 24, 1, 56, 1, 1)},
		{"mbv2/384-64@14", square(384, 64, 1, 14, 1, 1)},
		{"mbv2/160-960@7", square(160, 960, 1, 7, 1, 1)},
	} {
		r := kerneltest.Rand(13)
		x, w := kerneltest.Floats(r, c.g.In*product(c.g.Size), false), kerneltest.Floats(r, c.g.Out*c.g.In*product(c.g.Kernel), false)
		b.Run("float32/"+c.name, func(b *testing.B) {
			p := conv.NewPlan(c.g, conv.Float32)
			packed, y, s := make([]float32, p.WeightLen()), make([]float32, c.g.Out*product(c.g.Result)), make([]float32, p.ScratchLen())
			p.Pack(packed, w)
			ends := p.FloatEnds(nil, true, 0, 6)
			kerneltest.Fraction(b, false, p.MACs(), func() { p.Run(y, nil, x, packed, ends, 0, p.Blocks(), s) })
		})
		for name, e := range map[string]conv.Element{"uint8": conv.Uint8, "int8": conv.Int8} {
			b.Run(name+"/"+c.name, func(b *testing.B) {
				p := conv.NewPlan(c.g, e)
				packed, y, s := make([]int8, p.WeightBytes()), make([]byte, c.g.Out*product(c.g.Result)), make([]byte, p.ScratchLen())
				p.PackBytes(packed, kerneltest.Ints[int8](r, len(w)))
				q := kerneltest.Ints[uint8](r, len(x))
				ends := p.ByteEnds(gemm.Finish{Multiplier: []float32{1e-4}, Grid: convert.GridOf[uint8](7)}, sumsOf(p, c.g, packed), 9)
				kerneltest.Fraction(b, true, p.MACs(), func() { p.RunBytes(y, q, 9, packed, ends, 0, p.Blocks(), s) })
			})
		}
	}
}

// sumsOf returns what packed weights add up to by output channel.
func sumsOf(p *conv.Plan, g conv.Geometry, packed []int8) []int32 {
	sums := make([]int32, g.Out)
	p.Sums(sums, packed)
	return sums
}
