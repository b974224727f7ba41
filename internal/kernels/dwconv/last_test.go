package dwconv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/cpu"
	"github.com/octavo-ml/octavo/internal/exact"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

// variants are the levels at which there is code of its own.
var variants = []kerneltest.Variant{{Name: "vnni", Level: cpu.VNNI}, {Name: "avx512", Level: cpu.AVX512}, {Name: "avx2", Level: cpu.AVX2}, {Name: "neon", Level: cpu.NEON}, {Name: "generic", Level: cpu.Generic}}

// lastGeometry is a geometry with channels last, their number around the edges
// of blocks.
func lastGeometry(r *rand.Rand) Geometry {
	g := geometry(r)
	g.Channels = []int{1, 3, 8, 12, 15, 16, 17, 24, 32, 33, 48, 63, 64, 65, 80, 81, 96, 144, 150}[r.IntN(19)]
	if r.IntN(4) == 0 { // what most networks have
		k := 3 + 2*r.IntN(2)
		g = square(g.Channels, 1+r.IntN(9), k, 1+r.IntN(2))
		if g.Channels < lane {
			g = square(g.Channels, 1+r.IntN(side/g.Channels+9), k, 1) // several outputs at once
			if r.IntN(3) == 0 {                                       // long rows
				g.Size[1], g.Result[1] = 2, 2
				g.Size[2], g.Result[2] = g.Size[2]+128, g.Result[2]+128
			}
		}
	}
	return g
}

func TestLastEqualsItsDefinition(t *testing.T) {
	inf, zero := float32(math.Inf(1)), float32(0)
	clamps := [][2]float32{{0, 1.5}, {-0.5, inf}, {-inf, -zero}, {-1, float32(math.Copysign(0, -1))}, {float32(math.Copysign(0, -1)), 1}, {float32(math.NaN()), 1}}
	kerneltest.Run(t, variants, func(t *testing.T) {
		r := kerneltest.Rand(11)
		for i := range 250 {
			g := lastGeometry(r)
			p := NewLast(g)
			x := kerneltest.Floats(r, g.Batch*g.Channels*product(g.Size), i%3 == 1)
			natural := kerneltest.Floats(r, g.Channels*product(g.Kernel), i%3 == 1)
			if i%6 == 0 {
				x, natural = kerneltest.Tiny(r, len(x)), kerneltest.Tiny(r, len(natural))
			}
			w := make([]float32, p.WeightLen())
			p.Pack(w, func(i int) float32 { return natural[i] })
			var bias []float32
			if i%2 == 1 {
				bias = kerneltest.Floats(r, g.Channels, i%3 == 1)
			}
			clamp := clamps[i%len(clamps)]
			want := naive(g, x, natural, exact.FMA32)
			for j, v := range want {
				if bias != nil {
					v += bias[j%g.Channels]
				}
				if i%4 == 3 {
					v = min(max(v, clamp[0]), clamp[1])
				}
				want[j] = v
			}
			f := p.Finish(bias, i%4 == 3, clamp[0], clamp[1])
			y, check := kerneltest.Guard[float32](t, len(want), i%4)
			mid := r.IntN(p.Blocks() + 1)
			for _, part := range [][2]int{{mid, p.Blocks()}, {0, mid}} {
				scratch, checkScratch := kerneltest.Guard[uint8](t, p.ScratchLen(), 0)
				p.Run(y, kerneltest.Fence(t, x), kerneltest.Fence(t, w), f, part[0], part[1], scratch)
				checkScratch()
			}
			check()
			kerneltest.Equal(t, y, want, "%+v", g)
		}
	})
}

// lastBytesCase is a convolution of bytes with its sums.
type lastBytesCase[T uint8 | int8] struct {
	g    Geometry
	x    []T
	zero T
	w    []int8
	bias []int32
	sums []int32
}

func newLastBytesCase[T uint8 | int8](r *rand.Rand, i int) (c lastBytesCase[T]) {
	c.g = lastGeometry(r)
	c.x, c.zero = kerneltest.Ints[T](r, c.g.Batch*c.g.Channels*product(c.g.Size)), kerneltest.Ints[T](r, 1)[0]
	c.w = kerneltest.Ints[int8](r, c.g.Channels*product(c.g.Kernel))
	if i%3 == 0 { // the greatest sums
		for j := range c.w {
			c.w[j] = -128
		}
	}
	if i%2 == 0 {
		c.bias = kerneltest.Ints[int32](r, c.g.Channels)
		for j := range c.bias {
			c.bias[j] >>= 8
		}
	}
	wide, wi := make([]int32, len(c.x)), make([]int32, len(c.w))
	for j, v := range c.x {
		wide[j] = int32(v) - int32(c.zero)
	}
	for j, v := range c.w {
		wi[j] = int32(v)
	}
	c.sums = naive(c.g, wide, wi, func(a, b, c int32) int32 { return a*b + c })
	for j := range c.sums {
		if c.bias != nil {
			c.sums[j] += c.bias[j%c.g.Channels]
		}
	}
	return c
}

// testLastBytes compares results of type U, of which element gives the one that
// belongs to a sum and multiplier.
func testLastBytes[T uint8 | int8, U uint8 | int8 | float32 | int32](t *testing.T, grid convert.Grid, lo, hi float32, element func(sum int32, m float32) U) {
	kerneltest.Run(t, variants, func(t *testing.T) {
		r := kerneltest.Rand(12)
		for i := range 120 {
			c := newLastBytesCase[T](r, i)
			p := NewLast(c.g)
			multipliers := []float32{0.0007}
			if i%5 != 0 {
				multipliers = kerneltest.Floats(r, c.g.Channels, i%7 == 1)
				for j, m := range multipliers {
					multipliers[j] = m * 0x1p-10
				}
			}
			want := make([]U, len(c.sums))
			for j, s := range c.sums {
				want[j] = element(s, multipliers[min(j%c.g.Channels, len(multipliers)-1)])
			}
			w, checkW := kerneltest.Guard[int8](t, p.WeightBytes(), i%4)
			p.PackBytes(w, c.w)
			checkW()
			f := FinishBytes(p, c.zero, c.w, c.bias, multipliers, grid, lo, hi)
			y, check := kerneltest.Guard[U](t, len(want), i%4)
			mid := r.IntN(p.ByteBlocks() + 1)
			for _, part := range [][2]int{{mid, p.ByteBlocks()}, {0, mid}} {
				scratch, checkScratch := kerneltest.Guard[uint8](t, p.ScratchLen(), 0)
				RunBytes(p, y, kerneltest.Fence(t, c.x), kerneltest.Fence(t, w), f, part[0], part[1], scratch)
				checkScratch()
			}
			check()
			kerneltest.Equal(t, y, want, "%+v zero %d", c.g, c.zero)
		}
	})
}

func toGrid[U uint8 | int8](grid convert.Grid) func(sum int32, m float32) U {
	return func(sum int32, m float32) U { return requantize[U](sum, m, grid) }
}

func TestLastBytesAreRequantizedSums(t *testing.T) {
	u, s := convert.Grid{ZeroPoint: 131, QMin: 0, QMax: 255}, convert.Grid{ZeroPoint: -128, QMin: -128, QMax: 90}
	t.Run("uint8 to uint8", func(t *testing.T) { testLastBytes[uint8](t, u, 0, 0, toGrid[uint8](u)) })
	t.Run("int8 to int8", func(t *testing.T) { testLastBytes[int8](t, s, 0, 0, toGrid[int8](s)) })
	u, s = convert.Grid{ZeroPoint: 20, QMin: 20, QMax: 180}, convert.Grid{ZeroPoint: 5, QMin: -100, QMax: 127}
	t.Run("int8 to uint8", func(t *testing.T) { testLastBytes[int8](t, u, 0, 0, toGrid[uint8](u)) })
	t.Run("uint8 to int8", func(t *testing.T) { testLastBytes[uint8](t, s, 0, 0, toGrid[int8](s)) })
	clamped := func(sum int32, m float32) float32 { return min(max(float32(sum)*m, -3), 4) }
	t.Run("uint8 to float32", func(t *testing.T) { testLastBytes[uint8](t, convert.Grid{}, -3, 4, clamped) })
	t.Run("int8 to float32", func(t *testing.T) { testLastBytes[int8](t, convert.Grid{}, -3, 4, clamped) })
	whole := func(sum int32, _ float32) int32 { return sum }
	t.Run("uint8 to sums", func(t *testing.T) { testLastBytes[uint8](t, convert.Grid{}, 0, 0, whole) })
	t.Run("int8 to sums", func(t *testing.T) { testLastBytes[int8](t, convert.Grid{}, 0, 0, whole) })
}

func TestPlansOfOneFormShareWeights(t *testing.T) {
	type form struct {
		name string
		n    int
	}
	for channels := 1; channels <= 17; channels++ {
		w := kerneltest.Ints[int8](kerneltest.Rand(14), channels*9)
		first := map[form][]int8{}
		for size := 1; size <= 70; size++ {
			g := square(channels, size, 3, 1)
			p := NewLast(g)
			packed := make([]int8, p.WeightBytes())
			p.PackBytes(packed, w)
			f := form{p.Form(), len(packed)}
			if first[f] == nil {
				first[f] = packed
			}
			kerneltest.Equal(t, packed, first[f], "%d channels, size %d, %v", channels, size, f)
		}
	}
}

func TestLastAllocatesNothing(t *testing.T) {
	for _, c := range []int{8, 80} {
		g := square(c, 11, 3, 1)
		p := NewLast(g)
		x, w, y, s := make([]float32, c*121), make([]float32, p.WeightLen()), make([]float32, c*121), make([]byte, p.ScratchLen())
		q, z, wq := make([]uint8, len(x)), make([]uint8, len(x)), make([]int8, p.WeightBytes())
		f, fq := p.Finish(nil, true, 0, 6), FinishBytes(p, uint8(3), make([]int8, c*9), nil, []float32{1}, convert.GridOf[uint8](4), 0, 0)
		kerneltest.Run(t, variants, func(t *testing.T) {
			if got := testing.AllocsPerRun(10, func() {
				p.Run(y, x, w, f, 0, p.Blocks(), s)
				RunBytes(p, z, q, wq, fq, 0, p.ByteBlocks(), s)
				RunBytes(p, y, q, wq, fq, 0, p.ByteBlocks(), s)
			}); got != 0 {
				t.Errorf("%d channels: %v allocations", c, got)
			}
		})
	}
}

func BenchmarkLast(b *testing.B) {
	for _, v := range variants[:3] {
		for _, c := range [][4]int{{32, 112, 3, 1}, {144, 56, 3, 1}, {96, 112, 3, 2}, {576, 14, 3, 1}, {960, 7, 3, 1}, {240, 28, 5, 1}, {672, 14, 5, 2}} {
			g := square(c[0], c[1], c[2], c[3])
			p := NewLast(g)
			n, m := c[0]*product(g.Size), c[0]*product(g.Result)
			x, w, y, s := make([]float32, n), make([]float32, p.WeightLen()), make([]float32, m), make([]byte, p.ScratchLen())
			f := p.Finish(nil, true, 0, 6)
			name := fmt.Sprintf("%s/C%d@%d/k%ds%d", v.Name, c[0], c[1], c[2], c[3])
			b.Run(name, func(b *testing.B) {
				kerneltest.Limit(b, v.Level)
				for b.Loop() {
					p.Run(y, x, w, f, 0, p.Blocks(), s)
				}
				kerneltest.Throughput(b, p.MACs())
			})
			q, z, wq := make([]uint8, n), make([]uint8, m), make([]int8, p.WeightBytes())
			fq := FinishBytes(p, uint8(3), make([]int8, c[0]*len(p.taps)), nil, []float32{1}, convert.GridOf[uint8](4), 0, 0)
			b.Run(name+"/int8", func(b *testing.B) {
				kerneltest.Limit(b, v.Level)
				for b.Loop() {
					RunBytes(p, z, q, wq, fq, 0, p.ByteBlocks(), s)
				}
				kerneltest.Throughput(b, p.MACs())
			})
		}
	}
}
