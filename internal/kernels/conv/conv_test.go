package conv_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/exact"
	"github.com/octavo-ml/octavo/internal/kernels/conv"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
)

// geometry makes a consistent 2-D geometry; transposed ones are sized as the
// convolution they undo.
func geometry(r *rand.Rand, transposed bool) conv.Geometry {
	g := conv.Geometry{Batch: 1 + r.IntN(2), Group: 1 + r.IntN(3), Transposed: transposed}
	g.In, g.Out = g.Group*(1+r.IntN(5)), g.Group*(1+r.IntN(6))
	for range 2 {
		in, k, s, d, pad := 1+r.IntN(9), 1+r.IntN(3), 1+r.IntN(2), 1+r.IntN(2), r.IntN(3)
		var out int
		if transposed {
			out = (in-1)*s + (k-1)*d + 1 - pad
		} else {
			out = (in+2*pad-(k-1)*d-1)/s + 1
		}
		if out < 1 || in+2*pad < (k-1)*d+1 {
			return geometry(r, transposed)
		}
		g.Size, g.Kernel, g.Stride = append(g.Size, in), append(g.Kernel, k), append(g.Stride, s)
		g.Dilate, g.Pad, g.Result = append(g.Dilate, d), append(g.Pad, pad), append(g.Result, out)
	}
	return g
}

// naive is the definition: taps outermost, channels inside, padding as zeros.
func naive(g conv.Geometry, x, w []float32, add func(acc, a, b float32) float32) []float32 {
	ic, oc := g.In/g.Group, g.Out/g.Group
	y := make([]float32, g.Batch*g.Out*g.Result[0]*g.Result[1])
	for n := range g.Batch {
		for m := range g.Out {
			for oy := range g.Result[0] {
				for ox := range g.Result[1] {
					var acc float32
					for ky := range g.Kernel[0] {
						for kx := range g.Kernel[1] {
							iy, okY := coordinate(g, 0, oy, ky)
							ix, okX := coordinate(g, 1, ox, kx)
							for c := range ic {
								ch := m/oc*ic + c
								var v float32
								if okY && okX {
									v = x[((n*g.In+ch)*g.Size[0]+iy)*g.Size[1]+ix]
								}
								at := ((m*ic+c)*g.Kernel[0]+ky)*g.Kernel[1] + kx
								if g.Transposed {
									at = ((ch*oc+m%oc)*g.Kernel[0]+ky)*g.Kernel[1] + kx
								}
								acc = add(acc, w[at], v)
							}
						}
					}
					y[((n*g.Out+m)*g.Result[0]+oy)*g.Result[1]+ox] = acc
				}
			}
		}
	}
	return y
}

func coordinate(g conv.Geometry, axis, o, k int) (int, bool) {
	i := o*g.Stride[axis] - g.Pad[axis] + k*g.Dilate[axis]
	if g.Transposed {
		i = o + g.Pad[axis] - k*g.Dilate[axis]
		if i < 0 || i%g.Stride[axis] != 0 {
			return 0, false
		}
		i /= g.Stride[axis]
	}
	return i, i >= 0 && i < g.Size[axis]
}

func weightLen(g conv.Geometry) int {
	n := g.Out * g.In / g.Group
	for _, k := range g.Kernel {
		n *= k
	}
	return n
}

func TestRunEqualsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 300 {
		g := geometry(r, i%4 == 3)
		x, w := make([]float32, g.Batch*g.In*g.Size[0]*g.Size[1]), make([]float32, weightLen(g))
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		for i := range w {
			w[i] = float32(r.NormFloat64())
		}
		want := naive(g, x, w, func(acc, a, b float32) float32 { return exact.FMA32(a, b, acc) })
		p := conv.NewPlan(g)
		packed := make([]float32, p.WeightLen())
		p.Pack(packed, func(i int) float32 { return w[i] })
		y := make([]float32, len(want))
		mid := p.Blocks() / 2
		scratch := make([]float32, p.ScratchLen())
		p.Run(y, x, packed, gemm.Epilogue{}, mid, p.Blocks(), scratch)
		p.Run(y, x, packed, gemm.Epilogue{}, 0, mid, scratch)
		for i := range want {
			if math.Float32bits(y[i]) != math.Float32bits(want[i]) {
				t.Fatalf("%+v: element %d = %v, want %v", g, i, y[i], want[i])
			}
		}
	}
}

func TestRunIntIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for i := range 100 {
		g := geometry(r, false)
		if i == 0 { // a sum longer than float32 holds exactly
			g = conv.Geometry{Batch: 1, In: 300, Out: 2, Group: 1, Size: []int{3, 3}, Kernel: []int{3, 3}, Stride: []int{1, 1}, Dilate: []int{1, 1}, Pad: []int{1, 1}, Result: []int{3, 3}}
		}
		zero := r.IntN(256)
		x, xf := make([]uint8, g.Batch*g.In*g.Size[0]*g.Size[1]), []float32(nil)
		for i := range x {
			x[i] = uint8(r.UintN(256))
			if r.IntN(2) == 0 {
				x[i] = 255 * uint8(r.UintN(2))
			}
			xf = append(xf, float32(int(x[i])-zero))
		}
		w := make([]float32, weightLen(g))
		for i := range w {
			w[i] = float32(r.IntN(256) - 128)
		}
		wide := naiveInt(g, xf, w)
		p := conv.NewPlan(g)
		packed := make([]float32, p.WeightLen())
		p.Pack(packed, func(i int) float32 { return w[i] })
		got := make([]int32, len(wide))
		conv.RunInt(p, x, zero, packed, 0, p.Blocks(), make([]float32, p.ScratchLen()), func(_, at int, sums []int32) { copy(got[at:], sums) })
		for i := range wide {
			if int64(got[i]) != wide[i] {
				t.Fatalf("%+v: element %d = %d, want %d", g, i, got[i], wide[i])
			}
		}
	}
}

// naiveInt sums the products in int64.
func naiveInt(g conv.Geometry, x, w []float32) []int64 {
	var out []int64
	perOutput := len(w) / g.Out
	var acc int64
	n := 0
	naive(g, x, w, func(_, a, b float32) float32 {
		acc += int64(a) * int64(b)
		if n++; n == perOutput {
			out = append(out, acc)
			acc, n = 0, 0
		}
		return 0
	})
	return out
}

func BenchmarkRun(b *testing.B) {
	for _, c := range []struct{ in, out, size, k int }{{64, 64, 56, 3}, {256, 64, 56, 1}, {512, 512, 7, 3}} {
		b.Run(fmt.Sprintf("%dx%d@%d/%d", c.in, c.out, c.size, c.k), func(b *testing.B) {
			g := conv.Geometry{Batch: 1, In: c.in, Out: c.out, Group: 1, Size: []int{c.size, c.size}, Kernel: []int{c.k, c.k}, Stride: []int{1, 1}, Dilate: []int{1, 1}, Pad: []int{c.k / 2, c.k / 2}, Result: []int{c.size, c.size}}
			p := conv.NewPlan(g)
			x, w, y := make([]float32, c.in*c.size*c.size), make([]float32, p.WeightLen()), make([]float32, c.out*c.size*c.size)
			s := make([]float32, p.ScratchLen())
			for b.Loop() {
				p.Run(y, x, w, gemm.Epilogue{}, 0, p.Blocks(), s)
			}
			b.ReportMetric(float64(c.in*c.out*c.size*c.size*c.k*c.k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
		})
	}
}
