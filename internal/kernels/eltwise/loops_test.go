package eltwise

import (
	"math"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

// loops pairs each loop with its function of one element.
var loops = []struct {
	name string
	all  func(dst, x []float32)
	one  func(float32) float32
}{
	{"exp", func(dst, x []float32) { ExpAll(dst, x, 0) }, Exp},
	{"exp shifted", func(dst, x []float32) { ExpAll(dst, x, 2.3) }, func(v float32) float32 { return Exp(v - 2.3) }},
	{"swish", func(dst, x []float32) { SwishAll(dst, x, 1) }, func(v float32) float32 { return Swish(v, 1) }},
	{"swish of alpha", func(dst, x []float32) { SwishAll(dst, x, -1.7) }, func(v float32) float32 { return Swish(v, -1.7) }},
	{"sigmoid", SigmoidAll, Sigmoid},
	{"tanh", TanhAll, Tanh},
	{"erf", ErfAll, Erf},
	{"gelu", GeluAll, Gelu},
	{"gelu by tanh", GeluTanhAll, GeluTanh},
	{"hard sigmoid", func(dst, x []float32) { HardSigmoidAll(dst, x, 0.2, 0.5) }, func(v float32) float32 { return HardSigmoid(v, 0.2, 0.5) }},
	{"hard swish", HardSwishAll, HardSwish},
	{"relu", func(dst, x []float32) { ClampAll(dst, x, 0, float32(math.Inf(1))) }, func(v float32) float32 { return min(max(v, 0), float32(math.Inf(1))) }},
	{"clamp", func(dst, x []float32) { ClampAll(dst, x, -1, 6) }, func(v float32) float32 { return min(max(v, -1), 6) }},
	{"clamp between zeros", func(dst, x []float32) { ClampAll(dst, x, float32(math.Copysign(0, -1)), 0) }, func(v float32) float32 { return min(max(v, float32(math.Copysign(0, -1))), 0) }},
	{"clamp by NaN", func(dst, x []float32) { ClampAll(dst, x, float32(math.NaN()), 0) }, func(v float32) float32 { return min(max(v, float32(math.NaN())), 0) }},
}

// arguments are numbers of every exponent and sign, and the ends of ranges.
func arguments() []float32 {
	x := kerneltest.Floats(kerneltest.Rand(61), 3000, true)
	for bits := uint64(0); bits < 1<<32; bits += 65521 * 3 {
		x = append(x, math.Float32frombits(uint32(bits)))
	}
	for _, v := range []float32{0, 0.5, 1, 2, 6, 7.25, 7.5, 12, 14, 40, 60, 110, 111.2, 88.7, 87.3, 103.9, 104, 700, 709.2, 710, math.MaxFloat32, float32(math.Inf(1)), 1e-45, 1e-38} {
		next := math.Nextafter32(v, 1e30)
		x = append(x, v, -v, next, -next, v*math.Sqrt2, -v*math.Sqrt2)
	}
	for v := float32(-20); v < 20; v += 0.0037 {
		x = append(x, v)
	}
	return append(x, float32(math.NaN()), float32(math.Copysign(0, -1)))
}

func variantRows() (out []kerneltest.Variant) {
	for _, v := range variants {
		out = append(out, kerneltest.Variant{Name: v.name, Level: v.level})
	}
	return out
}

func TestLoopsEqualTheirFunctions(t *testing.T) {
	x := arguments()
	kerneltest.Run(t, variantRows(), func(t *testing.T) {
		for _, l := range loops {
			want := make([]float32, len(x))
			Map(want, x, l.one)
			got := make([]float32, len(x))
			l.all(got, x)
			kerneltest.Equal(t, got, want, "%s", l.name)
			for _, n := range kerneltest.Lengths(16) {
				dst, check := kerneltest.Guard[float32](t, n, n%4)
				l.all(dst, kerneltest.Fence(t, x[:n]))
				check()
				kerneltest.Equal(t, dst, want[:n], "%s of %d", l.name, n)
				copy(dst, x[:n])
				l.all(dst, dst)
				kerneltest.Equal(t, dst, want[:n], "%s of %d in place", l.name, n)
			}
		}
	})
}

func TestGeneratedAssemblyIsFresh(t *testing.T) {
	kerneltest.Fresh(t, "zarith_neon_arm64.s", "zfunctions_neon_arm64.s", "zarith_avx2_amd64.s", "zbounds_avx2_amd64.s", "zbounds_avx512_amd64.s", "zfunctions_avx2_amd64.s", "zfunctions_avx512_amd64.s")
}

// TestArithmeticEqualsItsElements compares the operations of float32, of which
// there is assembly, element by element.
func TestArithmeticEqualsItsElements(t *testing.T) {
	operations := []struct {
		name string
		all  func(dst, a, b []float32)
		one  func(a, b float32) float32
	}{
		{"add", Add[float32], func(a, b float32) float32 { return a + b }},
		{"sub", Sub[float32], func(a, b float32) float32 { return a - b }},
		{"mul", Mul[float32], func(a, b float32) float32 { return a * b }},
		{"div", Div[float32], func(a, b float32) float32 { return a / b }},
	}
	kerneltest.Run(t, variantRows(), func(t *testing.T) {
		r := kerneltest.Rand(63)
		for _, o := range operations {
			for _, n := range append(kerneltest.Lengths(32), 200) {
				a, b := kerneltest.Floats(r, max(n, 1), true), kerneltest.Floats(r, max(n, 1), true)
				for form, operands := range [][2][]float32{{a[:n], b[:n]}, {a[:1], b[:n]}, {a[:n], b[:1]}, {a[:1], b[:1]}} {
					x, y := operands[0], operands[1]
					want := make([]float32, n)
					if n > 0 {
						Zip(want, x, y, o.one)
					}
					dst, check := kerneltest.Guard[float32](t, n, n%4)
					o.all(dst, kerneltest.Fence(t, x), kerneltest.Fence(t, y))
					check()
					kerneltest.Equal(t, dst, want, "%s of %d, form %d", o.name, n, form)
					if len(x) == n && n > 0 {
						copy(dst, x)
						o.all(dst, dst, y)
						kerneltest.Equal(t, dst, want, "%s of %d in place, form %d", o.name, n, form)
					}
				}
			}
		}
	})
}

func BenchmarkLoops(b *testing.B) {
	x := kerneltest.Floats(kerneltest.Rand(62), 4096, false)
	dst, masked := make([]float32, len(x)), slices.Clone(x)
	for i := range masked {
		if i%2 == 0 {
			masked[i] -= 10000
		}
	}
	for _, v := range variantRows() {
		for _, l := range loops {
			b.Run(v.Name+"/"+l.name, func(b *testing.B) {
				kerneltest.Limit(b, v.Level)
				for b.Loop() {
					l.all(dst, x)
				}
				b.ReportMetric(float64(len(x))*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gelements/s")
			})
		}
		b.Run(v.Name+"/exp, half of it masked", func(b *testing.B) {
			kerneltest.Limit(b, v.Level)
			for b.Loop() {
				ExpAll(dst, masked, 0)
			}
			b.ReportMetric(float64(len(x))*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gelements/s")
		})
	}
}
