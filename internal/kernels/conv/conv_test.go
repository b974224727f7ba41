package conv_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/cpu"
	"github.com/octavo-ml/octavo/internal/exact"
	"github.com/octavo-ml/octavo/internal/kernels/conv"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

var variants = []kerneltest.Variant{{Name: "vnni", Level: cpu.VNNI}, {Name: "avx2", Level: cpu.AVX2}, {Name: "dotprod", Level: cpu.DotProd}, {Name: "neon", Level: cpu.NEON}, {Name: "generic", Level: cpu.Generic}}

// geometry makes a consistent geometry of one to three dimensions; transposed
// ones are sized as the convolution that they undo.
func geometry(r *rand.Rand, transposed bool) conv.Geometry {
	g := conv.Geometry{Batch: 1 + r.IntN(2), Group: 1 + r.IntN(3), Transposed: transposed, Last: r.IntN(3) == 0}
	g.In, g.Out = g.Group*(1+r.IntN(5)), g.Group*(1+r.IntN(6))
	switch r.IntN(6) {
	case 0: // depthwise
		g.In = g.Group
	case 1: // more filters than a tile has rows or columns
		g.Out = g.Group * (1 + r.IntN(35))
	}
	rank := 1 + r.IntN(3)
	pointwise := r.IntN(5) == 0
	for range rank {
		var in, k, s, d, begin, out int
		for out < 1 {
			in, k, s, d, begin = 1+r.IntN(9), 1+r.IntN(3), 1+r.IntN(3), 1+r.IntN(2), r.IntN(4)
			if rank == 1 {
				in = 1 + r.IntN(90)
			}
			if pointwise {
				k, s, begin = 1, 1, 0
			}
			end := r.IntN(begin + 1)
			if transposed {
				out = (in-1)*s + (k-1)*d + 1 - begin - end
			} else if span := in + begin + end - (k-1)*d - 1; span >= 0 {
				out = span/s + 1
			}
		}
		g.Size, g.Kernel, g.Stride = append(g.Size, in), append(g.Kernel, k), append(g.Stride, s)
		g.Dilate, g.Pad, g.Result = append(g.Dilate, d), append(g.Pad, begin), append(g.Result, out)
	}
	return g
}

func product(s []int) int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// unravel returns the coordinates of element i of a row-major shape.
func unravel(i int, shape []int) []int {
	c := make([]int, len(shape))
	for d := len(shape) - 1; d >= 0; d-- {
		c[d], i = i%shape[d], i/shape[d]
	}
	return c
}

// activation returns the index of an element of an activation.
func activation(g conv.Geometry, channels, pixels, n, ch, pixel int) int {
	if g.Last {
		return (n*pixels+pixel)*channels + ch
	}
	return (n*channels+ch)*pixels + pixel
}

// naive is the definition: taps outermost, channels inside, padding as zeros.
func naive[S float32 | int32](g conv.Geometry, x, w []S, fma func(a, b, c S) S) []S {
	ic, oc, taps := g.In/g.Group, g.Out/g.Group, product(g.Kernel)
	inPix, outPix := product(g.Size), product(g.Result)
	y := make([]S, g.Batch*g.Out*outPix)
	for n := range g.Batch {
		for m := range g.Out {
			for o := range outPix {
				var acc S
				for t := range taps {
					in, ok := source(g, unravel(o, g.Result), unravel(t, g.Kernel))
					for c := range ic {
						ch, v := m/oc*ic+c, S(0)
						if ok {
							v = x[activation(g, g.In, inPix, n, ch, in)]
						}
						at := (m*ic+c)*taps + t
						if g.Transposed {
							at = (ch*oc+m%oc)*taps + t
						}
						acc = fma(w[at], v, acc)
					}
				}
				y[activation(g, g.Out, outPix, n, m, o)] = acc
			}
		}
	}
	return y
}

// source returns the input element under an output and a tap, if there is one.
func source(g conv.Geometry, out, tap []int) (at int, ok bool) {
	for d, o := range out {
		i := o*g.Stride[d] - g.Pad[d] + tap[d]*g.Dilate[d]
		if g.Transposed {
			i = o + g.Pad[d] - tap[d]*g.Dilate[d]
			if i < 0 || i%g.Stride[d] != 0 {
				return 0, false
			}
			i /= g.Stride[d]
		}
		if i < 0 || i >= g.Size[d] {
			return 0, false
		}
		at = at*g.Size[d] + i
	}
	return at, true
}

func weightLen(g conv.Geometry) int { return g.Out * g.In / g.Group * product(g.Kernel) }

func TestRunEqualsItsDefinition(t *testing.T) {
	kerneltest.Run(t, variants, func(t *testing.T) {
		r := kerneltest.Rand(1)
		for i := range 300 {
			g := geometry(r, i%4 == 3)
			special := i%3 == 1
			x := kerneltest.Floats(r, g.Batch*g.In*product(g.Size), special)
			w := kerneltest.Floats(r, weightLen(g), special)
			var ep gemm.Epilogue
			if i%2 == 1 {
				ep.Row = kerneltest.Floats(r, g.Out, special)
			}
			if i%5 == 1 {
				ep.Clamp, ep.Lo, ep.Hi = true, -0.25, 1
			}
			outPix := product(g.Result)
			want := naive(g, x, w, exact.FMA32)
			for j, v := range want {
				if ep.Row != nil && g.Last {
					v += ep.Row[j%g.Out]
				} else if ep.Row != nil {
					v += ep.Row[j/outPix%g.Out]
				}
				if ep.Clamp {
					v = min(max(v, ep.Lo), ep.Hi)
				}
				want[j] = v
			}
			p := conv.NewPlan(g)
			packed := make([]float32, p.WeightLen())
			p.Pack(packed, func(i int) float32 { return w[i] })
			y, check := kerneltest.Guard[float32](t, len(want), i%4)
			mid := r.IntN(p.Blocks() + 1)
			for _, part := range [][2]int{{mid, p.Blocks()}, {0, mid}} {
				scratch, checkScratch := kerneltest.Guard[float32](t, p.ScratchLen(), i%5)
				copy(scratch, kerneltest.Floats(r, len(scratch), true))
				p.Run(y, x, packed, ep, part[0], part[1], scratch)
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
		g := geometry(r, i%8 == 7)
		if i < 2 { // sums longer than float32 holds exactly
			g = conv.Geometry{Batch: 1, In: 300, Out: 2, Group: 1, Size: []int{3, 3}, Kernel: []int{3, 3}, Stride: []int{1, 1}, Dilate: []int{1, 1}, Pad: []int{1, 1}, Result: []int{3, 3}, Last: i == 1}
		}
		x, wide := kerneltest.Ints[T](r, g.Batch*g.In*product(g.Size)), []int32(nil)
		zero := int(kerneltest.Ints[T](r, 1)[0])
		for _, v := range x {
			wide = append(wide, int32(v)-int32(zero))
		}
		// Weights with a zero point of their own.
		w, zeroW := make([]int32, weightLen(g)), int32(128)
		if i%3 == 2 {
			zeroW = int32(r.IntN(256))
		}
		for i, v := range kerneltest.Ints[uint8](r, len(w)) {
			w[i] = int32(v) - zeroW
		}
		want := naive(g, wide, w, func(a, b, c int32) int32 { return a*b + c })
		p := conv.NewPlan(g)
		packed := make([]float32, p.WeightLen())
		p.Pack(packed, func(i int) float32 { return float32(w[i]) })
		y, check := kerneltest.Guard[int32](t, len(want), i%4)
		mid := r.IntN(p.Blocks() + 1)
		for _, part := range [][2]int{{mid, p.Blocks()}, {0, mid}} {
			conv.RunInt(p, x, zero, packed, part[0], part[1], make([]float32, p.ScratchLen()), func(channel, at int, sums []int32) {
				of := at / product(g.Result) % g.Out
				if g.Last {
					of = at % g.Out
				}
				if of != channel {
					t.Fatalf("%+v: element %d belongs to channel %d, not %d", g, at, of, channel)
				}
				copy(y[at:at+len(sums)], sums)
				clear(sums)
			})
		}
		check()
		kerneltest.Equal(t, y, want, "%+v zero %d", g, zero)
		if p.Bytes() && zeroW == 128 {
			clear(y)
			runBytes(t, p, g, x, zero, w, y)
			kerneltest.Equal(t, y, want, "bytes: %+v zero %d", g, zero)
		}
	}
}

// runBytes computes y by RunBytes, in two parts.
func runBytes[T int8 | uint8](t *testing.T, p *conv.Plan, g conv.Geometry, x []T, zero int, w, y []int32) {
	t.Helper()
	weights, sums := make([]int8, len(w)), make([]int32, g.Out)
	for i, v := range w {
		weights[i] = int8(v)
		sums[i/(len(w)/g.Out)] += v
	}
	shift := int32(uint8(zero) ^ gemm.Flip[T]())
	packed, checkPacked := kerneltest.Guard[int8](t, p.WeightBytes(), 1)
	p.PackBytes(packed, weights)
	checkPacked()
	mid := p.Blocks() / 3
	for _, part := range [][2]int{{mid, p.Blocks()}, {0, mid}} {
		scratch, checkScratch := kerneltest.Guard[uint8](t, p.ScratchBytes(), 2)
		conv.RunBytes(p, x, zero, packed, part[0], part[1], scratch, func(s *[gemm.MR * gemm.NR]int32, channel, at, rows, count int) {
			for r := range rows {
				for i := range count {
					y[at+r*p.OutPixels()+i] = s[r*gemm.NR+i] - shift*sums[channel+r]
				}
			}
		})
		checkScratch()
	}
}

func TestRunIntIsExact(t *testing.T) {
	kerneltest.Run(t, variants, func(t *testing.T) {
		t.Run("uint8", testInts[uint8])
		t.Run("int8", testInts[int8])
	})
}

// square is a 2-D convolution with padding that keeps the size at stride 1.
func square(in, out, group, size, kernel, stride int) conv.Geometry {
	return conv.Geometry{
		Batch: 1, In: in, Out: out, Group: group, Size: []int{size, size}, Kernel: []int{kernel, kernel},
		Stride: []int{stride, stride}, Dilate: []int{1, 1}, Pad: []int{kernel / 2, kernel / 2},
		Result: []int{(size + stride - 1) / stride, (size + stride - 1) / stride},
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	kerneltest.Run(t, variants, func(t *testing.T) {
		for _, g := range []conv.Geometry{square(3, 5, 1, 6, 3, 1), square(4, 4, 4, 6, 3, 1)} {
			for _, g.Last = range []bool{false, true} {
				p := conv.NewPlan(g)
				x, w, y, s := make([]float32, g.In*36), make([]float32, p.WeightLen()), make([]float32, g.Out*36), make([]float32, p.ScratchLen())
				ep := gemm.Epilogue{Row: make([]float32, g.Out)}
				if got := testing.AllocsPerRun(10, func() { p.Run(y, x, w, ep, 0, p.Blocks(), s) }); got != 0 {
					t.Errorf("%+v: %v allocations", g, got)
				}
			}
		}
	})
}

func BenchmarkRun(b *testing.B) {
	for _, c := range []struct {
		name string
		g    conv.Geometry
	}{
		{"3x3/C64@56", square(64, 64, 1, 56, 3, 1)},
		{"1x1/C256-64@56", square(256, 64, 1, 56, 1, 1)},
		{"3x3/C512@7", square(512, 512, 1, 7, 3, 1)},
		{"7x7s2/C3-64@224", square(3, 64, 1, 224, 7, 2)},
		{"3x3s2/C128@56", square(128, 128, 1, 56, 3, 2)},
		{"3x3dw/C144@56", square(144, 144, 144, 56, 3, 1)},
	} {
		for _, last := range []bool{false, true} {
			c.g.Last = last
			name := c.name + map[bool]string{true: "/last"}[last]
			p := conv.NewPlan(c.g)
			r := kerneltest.Rand(3)
			n, m := c.g.In*product(c.g.Size), c.g.Out*product(c.g.Result)
			x, w, y := kerneltest.Floats(r, n, false), kerneltest.Floats(r, p.WeightLen(), false), make([]float32, m)
			s := make([]float32, p.ScratchLen())
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					p.Run(y, x, w, gemm.Epilogue{Row: make([]float32, c.g.Out), Clamp: true, Hi: 6}, 0, p.Blocks(), s)
				}
				kerneltest.Throughput(b, p.MACs())
			})
			q := kerneltest.Ints[uint8](r, n)
			b.Run(fmt.Sprintf("%s/int8", name), func(b *testing.B) {
				for b.Loop() {
					conv.RunInt(p, q, 128, w, 0, p.Blocks(), s, func(_, _ int, _ []int32) {})
				}
				kerneltest.Throughput(b, p.MACs())
			})
		}
	}
}
