package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/cpu"
	"github.com/octavo-ml/octavo/internal/exact"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

// bf16Variants has a row for the instructions, which belong to no level.
var bf16Variants = []variant{{"amx bf16", cpu.AMX}, {"avx512 bf16", cpu.AVX512}, {"generic", cpu.Generic}}

// runBF16 runs f for each variant that the processor has.
func runBF16(t *testing.T, f func(t *testing.T)) {
	var list []kerneltest.Variant
	for _, v := range bf16Variants {
		list = append(list, kerneltest.Variant{Name: v.name, Level: v.level})
	}
	kerneltest.Run(t, list, func(t *testing.T) {
		if cpu.Current() != cpu.Generic && !HasBF16() {
			t.Skip("this machine has no kernels for bfloat16")
		}
		if cpu.Current() == cpu.AMX && !hasTiles() {
			t.Skip("this machine has no tiles of bfloat16")
		}
		f(t)
	})
}

// halves returns n bfloat16 of a kind: normal ones, also special ones, tiny
// ones.
func halves(r *rand.Rand, n, kind int) []uint16 {
	x := kerneltest.Floats(r, n, kind == 1)
	if kind == 2 {
		x = kerneltest.Tiny(r, n)
	}
	out := make([]uint16, n)
	convert.EncodeBF16(out, x) // subnormal numbers stay
	return out
}

func decoded(x []uint16) []float32 {
	out := make([]float32, len(x))
	convert.DecodeBF16(out, x)
	return out
}

// flushed is what instructions for bfloat16 make of a subnormal number.
func flushed(v float32) float32 {
	if math.Abs(float64(v)) < 0x1p-126 {
		return float32(math.Copysign(0, float64(v)))
	}
	return v
}

// bf16Sum is the definition of a sum that begins with acc: pairs in order of k,
// in each the second first; or, of tiles, steps in order of k, in each the sum of
// the first of all pairs and the sum of the second.
func bf16Sum(acc float32, a, b []uint16, depth int) float32 {
	acc = flushed(acc)
	steps := 0
	if hasTiles() {
		for steps = (depth + 31) / 32; depth/2%steps > 0; steps++ {
		}
	}
	for ; len(a) > 0; a, b = a[depth:], b[depth:] {
		x, y := decoded(a[:depth]), decoded(b[:depth])
		var sums [2]float32
		for k := range x {
			if steps == 0 {
				k ^= 1
				acc = flushed(exact.FMA32(flushed(x[k]), flushed(y[k]), acc))
				continue
			}
			if k%(depth/steps) == 0 {
				sums = [2]float32{}
			}
			sums[k%2] = flushed(exact.FMA32(flushed(x[k]), flushed(y[k]), sums[k%2]))
			if (k+1)%(depth/steps) == 0 {
				acc = flushed(acc + flushed(sums[0]+sums[1]))
			}
		}
	}
	return acc
}

// pairedScenes are scenes whose depth products of bfloat16 take.
func pairedScenes(r *rand.Rand) (out []scene) {
	for _, s := range scenes(r) {
		out = append(out, newScene(r, s.m, s.n, s.taps, Paired(1, s.depth)))
	}
	return append(out, newScene(r, 13, 64, 7, 22), newScene(r, 40, 40, 3, 2), newScene(r, 70, 64, 1, Paired(1, 67)))
}

func TestBF16EqualsItsDefinition(t *testing.T) {
	inf := float32(math.Inf(1))
	limits := [][2]float32{{-inf, inf}, {0, inf}, {-0.5, 0.5}, {-inf, float32(math.Copysign(0, -1))}, {float32(math.NaN()), 1}, {2, 1}}
	runBF16(t, func(t *testing.T) {
		r := kerneltest.Rand(32)
		for i, s := range pairedScenes(r) {
			if cpu.Current() == cpu.Generic && i%4 > 0 {
				continue // the twin takes its time
			}
			kind, k := i%3, s.taps*s.depth
			var bias []float32
			if i%2 == 0 {
				bias = kerneltest.Floats(r, s.n, kind == 1)
			}
			lim := limits[i%len(limits)]
			p := bf16Product{s: s, a: kerneltest.Fence(t, halves(r, s.reach, kind)), b: halves(r, k*s.n, kind), bias: bias, end: NewFloatEnd(s.n, bias, i%5 > 0, lim[0], lim[1])}
			if p.clamp = i%5 > 0; p.clamp {
				p.lo, p.hi = lim[0], lim[1]
			}
			ldc := s.n + i%3
			var other []float32
			var short []uint16
			if i%4 == 1 {
				other = kerneltest.Fence(t, kerneltest.Floats(r, (s.m-1)*ldc+s.n, kind == 1))
				short = kerneltest.Fence(t, halves(r, (s.m-1)*ldc+s.n, kind))
			}
			checkBF16(t, p, ldc, i, other)
			checkBF16(t, p, ldc, i, short)
		}
	})
}

// bf16Product is a product and its epilogue.
type bf16Product struct {
	s      scene
	a, b   []uint16
	bias   []float32
	end    *FloatEnd
	clamp  bool
	lo, hi float32
}

// packed returns the packed matrix.
func (p bf16Product) packed(t *testing.T) []uint16 {
	m := p.s.matrix()
	out, check := kerneltest.Guard[uint16](t, m.BF16Len(), 2)
	scratch := make([]float32, m.FloatPanel())
	for i := range m.Panels() {
		m.PackBF16Panel(out, decoded(p.b), scratch, i)
	}
	check()
	return kerneltest.Fence(t, out)
}

func checkBF16[T float32 | uint16](t *testing.T, p bf16Product, ldc, offset int, other []T) {
	s := p.s
	c, check := kerneltest.Guard[T](t, s.m*ldc, offset%4)
	want, packed := slices.Clone(c), p.packed(t)
	for j := 0; j < s.n; j += Width {
		var add []T
		if other != nil {
			add = other[j:]
		}
		BF16(c[j:], add, ldc, p.a, &s.rows, s.m, packed[j*s.taps*s.depth:], j, min(Width, s.n-j), p.end)
	}
	check()
	k := s.taps * s.depth
	for row := range s.m {
		var line []uint16
		for _, tap := range s.rows.Tap {
			line = append(line, p.a[s.rows.Row[row]+tap:][:s.depth]...)
		}
		for j := range s.n {
			// The matrix was packed of floats: its subnormal numbers are gone.
			bias := float32(math.Copysign(0, -1))
			if p.bias != nil {
				bias = p.bias[j]
			}
			v := bf16Sum(bias, line, p.b[j*k:(j+1)*k], s.depth)
			if other != nil {
				v += wide(other[row*ldc+j])
			}
			if limited := min(max(v, p.lo), p.hi); p.clamp && !(limited == v && limited == 0) {
				v = limited // or stays a zero of its sign
			}
			narrow(&want[row*ldc+j], v)
		}
	}
	for i := range want {
		if !kerneltest.Same(wide(c[i]), wide(want[i])) {
			t.Fatalf("%+v: element %d, %d of %T is %v, want %v", s, i/ldc, i%ldc, c, c[i], want[i])
		}
	}
}

// TestPackBF16Live compares with the packing of a matrix of weights.
func TestPackBF16Live(t *testing.T) {
	runBF16(t, func(t *testing.T) {
		r := kerneltest.Rand(4)
		for _, k := range []int{1, 2, 5, 63, 64, 65, 130} {
			for _, n := range []int{1, 16, 30, 64, 65, 128, 150} {
				for _, at := range [][2]int{{1, k + 3}, {n, 1}, {n + 5, 1}, {2 * n, 2}} {
					row, column := at[0], at[1]
					b := kerneltest.Fence(t, halves(r, (k-1)*row+(n-1)*column+1, 1))
					m := Plain(k, n, row, column)
					got, check := kerneltest.Guard[uint16](t, m.BF16Len(), 2)
					PackBF16Live(got, b, k, n, row, column)
					check()
					want := make([]uint16, len(got))
					for j := range n {
						width := padded(min(Width, n-j/Width*Width))
						for i := range k {
							want[j/Width*Width*Paired(1, k)+i/2*2*width+j%Width*2+i%2] = b[i*row+j*column]
						}
					}
					kerneltest.Equal(t, decoded(got), decoded(want), "k=%d n=%d row=%d column=%d", k, n, row, column)
				}
			}
		}
	})
}

func TestSpread(t *testing.T) {
	runBF16(t, func(t *testing.T) {
		r := kerneltest.Rand(9)
		for _, c := range [][2]int{{2, 1}, {4, 3}, {6, 5}, {32, 31}, {34, 33}, {40, 40}} {
			held, n := c[0], c[1]
			for _, runs := range []int{1, 7, 8, 9, 100} {
				src := kerneltest.Fence(t, kerneltest.Ints[uint16](r, runs*n))
				got, check := kerneltest.Guard[uint16](t, runs*held, n%4)
				Spread(got, src, held, n)
				check()
				for i, v := range got {
					want := uint16(0)
					if i%held < n {
						want = src[i/held*n+i%held]
					}
					if v != want {
						t.Fatalf("%d runs of %d in %d: element %d is %d, want %d", runs, n, held, i, v, want)
					}
				}
			}
		}
	})
}

func TestRoundBF16(t *testing.T) {
	runBF16(t, func(t *testing.T) {
		r := kerneltest.Rand(3)
		for _, n := range append(kerneltest.Lengths(32), 1000) {
			x := kerneltest.Fence(t, append(kerneltest.Floats(r, n/2, true), kerneltest.Tiny(r, n-n/2)...))
			for i := range x {
				if i%5 == 0 { // half-way between two
					x[i] = math.Float32frombits(math.Float32bits(x[i])&^0x7fff | 0x8000)
				}
			}
			got, check := kerneltest.Guard[uint16](t, n, n%3)
			RoundBF16(got, x)
			check()
			want := make([]uint16, n)
			for i, v := range x {
				want[i] = convert.F32ToBF16(flushed(v))
			}
			kerneltest.Equal(t, decoded(got), decoded(want), "n=%d", n)
		}
	})
}

func BenchmarkBF16(b *testing.B) {
	if !HasBF16() {
		b.Skip("this machine has no kernels for bfloat16")
	}
	for _, s := range [][3]int{{3136, 64, 64}, {3136, 64, 576}, {3136, 256, 64}, {3136, 64, 256}, {784, 128, 1152}, {196, 256, 2304}, {196, 1024, 256}, {49, 512, 4608}, {49, 2048, 512}, {128, 768, 768}, {128, 3072, 768}, {128, 768, 3072}, {32, 768, 768}} {
		m, n, k := s[0], s[1], s[2]
		b.Run(fmt.Sprintf("%dx%dx%d", m, n, k), func(b *testing.B) {
			r := kerneltest.Rand(1)
			a, packed, c := halves(r, m*k, 0), halves(r, Plain(k, n, n, 1).BF16Len(), 0), make([]uint16, m*n)
			rows, e := RowsOf(m, k), NewFloatEnd(n, nil, true, 0, float32(math.Inf(1)))
			for b.Loop() {
				for j := 0; j < n; j += Width {
					BF16(c[j:], nil, n, a, rows, m, packed[j*k:], j, min(Width, n-j), e)
				}
			}
			b.ReportMetric(2*float64(m*n*k)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
		})
	}
}
