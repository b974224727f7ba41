package eltwise_test

import (
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/octavo-ml/octavo/internal/kernels/eltwise"
)

// singles pairs the functions that are computed in float32 with the standard
// library. Each is off by at most ulp units in the last place, or left of -1.75
// by at most absolute.
var singles = []struct {
	name          string
	one           func(float32) float32
	all           func(dst, x []float32)
	want          func(float64) float64
	ulp, absolute float64
	monotone      bool
}{
	{"Exp", Exp, func(dst, x []float32) { ExpAll(dst, x, 0) }, math.Exp, 1, 0, true},
	{"Sigmoid", Sigmoid, SigmoidAll, sigmoid, 2.25, 0, true},
	{"Tanh", Tanh, TanhAll, math.Tanh, 1.1, 0, true},
	{"Erf", Erf, ErfAll, math.Erf, 1.1, 0, true},
	{"Swish", func(x float32) float32 { return Swish(x, 1) }, func(dst, x []float32) { SwishAll(dst, x, 1) }, func(x float64) float64 { return x * sigmoid(x) }, 2.25, 0, false},
	{"Gelu", Gelu, GeluAll, gelu, 1.8, 6e-9, false},
	{"GeluTanh", GeluTanh, GeluTanhAll, geluTanh, 1.8, 6e-9, false},
}

// TestErrorBoundOfSingles goes through one in step of all float32.
func TestErrorBoundOfSingles(t *testing.T) {
	const step = 1009
	for _, f := range singles {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			worst, at, far := 0.0, float32(0), 0.0
			for b := uint64(0); b < 1<<32; b += step {
				x := math.Float32frombits(uint32(b))
				got, want := f.one(x), f.want(float64(x))
				u := ulps(got, want)
				if d := math.Abs(float64(got) - want); u > f.ulp && x < -1.75 && d <= f.absolute {
					far = max(far, d)
				} else if u > worst {
					worst, at = u, x
				}
			}
			for _, x := range specials {
				if u := ulps(f.one(x), f.want(float64(x))); u > f.ulp && math.Abs(float64(f.one(x))-f.want(float64(x))) > f.absolute {
					t.Errorf("error %v ulp at %v: got %v", u, x, f.one(x))
				}
			}
			t.Logf("worst %.3f ulp at %v, where more %.3g", worst, at, far)
			if worst > f.ulp {
				t.Errorf("error %v ulp at %v (%#x): got %v, want %v", worst, at, math.Float32bits(at), f.one(at), f.want(float64(at)))
			}
		})
	}
}

// TestSinglesAreMonotone goes through runs of neighbouring float32: across every
// change of the upper bits, where pieces meet, and where exp's argument is
// reduced by one more ln2.
func TestSinglesAreMonotone(t *testing.T) {
	const half = 1 << 8
	var middles []uint32
	for m := uint32(0); m < 0x7f800000; m += 1 << 16 {
		middles = append(middles, max(m, half))
	}
	for k := 0.5; k < 151; k++ {
		middles = append(middles, math.Float32bits(float32(k*math.Ln2)))
	}
	x, y := make([]float32, 2*half), make([]float32, 2*half)
	for _, f := range singles {
		if !f.monotone {
			continue
		}
		for _, sign := range []uint32{0, 1 << 31} {
			for _, m := range middles {
				for i := range x {
					x[i] = math.Float32frombits(m - half + uint32(i) | sign)
				}
				f.all(y, x)
				for i, v := range y[1:] {
					if v < y[i] != (sign != 0) && v != y[i] {
						t.Fatalf("%s(%v) = %v, %s(%v) = %v", f.name, x[i], y[i], f.name, x[i+1], v)
					}
				}
			}
		}
	}
}

func TestSinglesOfSpecials(t *testing.T) {
	inf, nan, nought := float32(math.Inf(1)), float32(math.NaN()), float32(math.Copysign(0, -1))
	for _, f := range []struct {
		name string
		fn   func(float32) float32
		// of Inf, -Inf, 0, -0
		want [4]float32
	}{
		{"Exp", Exp, [4]float32{inf, 0, 1, 1}},
		{"Sigmoid", Sigmoid, [4]float32{1, 0, 0.5, 0.5}},
		{"Tanh", Tanh, [4]float32{1, -1, 0, nought}},
		{"Erf", Erf, [4]float32{1, -1, 0, nought}},
		{"Swish", func(x float32) float32 { return Swish(x, 1) }, [4]float32{inf, nan, 0, nought}},
		{"Gelu", Gelu, [4]float32{inf, nan, 0, nought}},
		{"GeluTanh", GeluTanh, [4]float32{inf, nan, 0, nought}},
	} {
		for i, x := range []float32{inf, -inf, 0, nought, nan} {
			want := nan
			if i < len(f.want) {
				want = f.want[i]
			}
			if got := f.fn(x); math.Float32bits(got) != math.Float32bits(want) && (got == got || want == want) {
				t.Errorf("%s(%v) = %v, want %v", f.name, x, got, want)
			}
		}
	}
}

// TestSwishOfOtherFactors has the product of the factor in its error.
func TestSwishOfOtherFactors(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	for range 300000 {
		x, alpha := float32(rng.NormFloat64()*20), float32(rng.NormFloat64()*2)
		want := float64(x) * sigmoid(float64(x)*float64(alpha))
		bound := 2.25 + math.Abs(float64(x)*float64(alpha))
		if u := ulps(Swish(x, alpha), want); u > bound {
			t.Fatalf("Swish(%v, %v) = %v, want %v: %v ulp", x, alpha, Swish(x, alpha), want, u)
		}
	}
	for _, c := range [][3]float32{{1e30, 1e-30, 7.3105857863e29}, {-1e30, 1, 0}, {-1e30, 1.2e-28, 0}, {1e30, 1, 1e30}, {3e38, 1e-38, 2.8577239e38}} {
		if got := Swish(c[0], c[1]); math.Abs(float64(got)-float64(c[2])) > 1e-6*math.Abs(float64(c[2])) {
			t.Errorf("Swish(%v, %v) = %v, want %v", c[0], c[1], got, c[2])
		}
	}
}

// TestDoubles compares the functions of float64, whose errors are relative.
func TestDoubles(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 11))
	for _, f := range []struct {
		name      string
		got, want func(float64) float64
	}{
		{"Exp64", Exp64, math.Exp}, {"Sigmoid64", Sigmoid64, sigmoid}, {"Tanh64", Tanh64, math.Tanh}, {"Erf64", Erf64, math.Erf},
		{"Gelu64", Gelu64, gelu}, {"GeluTanh64", GeluTanh64, geluTanh},
		{"Swish64", func(x float64) float64 { return Swish64(x, 1.5) }, func(x float64) float64 { return x * sigmoid(1.5*x) }},
	} {
		for range 100000 {
			x := rng.NormFloat64() * math.Exp2(float64(rng.IntN(20)-17))
			if got, want := f.got(x), f.want(x); math.Abs(got-want) > 1e-10*math.Abs(want) {
				t.Fatalf("%s(%v) = %v, want %v", f.name, x, got, want)
			}
		}
	}
}
