package eltwise_test

import (
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/octavo-ml/octavo/internal/kernels/eltwise"
)

// functions pairs the functions that are computed in float64 with the standard
// library, whose error is far below float32 rounding.
var functions = []struct {
	name string
	got  func(float32) float32
	want func(float64) float64
	// lo and hi bound the arguments drawn beside those over all bit patterns.
	lo, hi float64
}{
	{"Exp2", Exp2, math.Exp2, -151, 129},
	{"Expm1", Expm1, math.Expm1, -20, 90},
	{"Log", Log, math.Log, 0, 4},
	{"Log2", Log2, log2, 0, 4},
	{"Log10", Log10, func(x float64) float64 { return math.Log(x) / math.Ln10 }, 0, 4},
	{"Log1p", Log1p, math.Log1p, -1, 3},
	{"Sqrt", Sqrt, math.Sqrt, 0, 4},
	{"Softplus", Softplus, softplus, -105, 20},
	{"Erfc", Erfc, math.Erfc, -4, 10.1},
	{"Sin", Sin, math.Sin, -100, 100},
	{"Cos", Cos, math.Cos, -100, 100},
	{"Tan", Tan, math.Tan, -100, 100},
	{"Asin", Asin, asin, -1, 1},
	{"Acos", Acos, acos, -1, 1},
	{"Atan", Atan, math.Atan, -4, 4},
	{"Sinh", Sinh, math.Sinh, -90, 90},
	{"Cosh", Cosh, math.Cosh, -90, 90},
	{"Asinh", Asinh, math.Asinh, -4, 4},
	{"Acosh", Acosh, math.Acosh, 1, 4},
	{"Atanh", Atanh, math.Atanh, -1, 1},
	{"Mish", Mish, mish, -110, 20},
	{"Softsign", Softsign, func(x float64) float64 { return x / (1 + math.Abs(x)) }, -4, 4},
	{"Elu", func(x float32) float32 { return Elu(x, 0.75) }, elu, -20, 1},
	{"Celu", func(x float32) float32 { return Celu(x, 0.75) }, celu, -20, 1},
	{"Selu", func(x float32) float32 { return Selu(x, 1.5, 1.25) }, selu, -20, 1},
}

func log2(x float64) float64 {
	f, e := math.Frexp(x)
	if f < math.Sqrt2/2 {
		f, e = 2*f, e-1
	}
	return math.Log(f)*math.Log2E + float64(e)
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func softplus(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// asin and acos avoid the cancellation of the standard library near 1.
func asin(x float64) float64 { return math.Atan2(x, math.Sqrt((1-x)*(1+x))) }

func acos(x float64) float64 { return math.Atan2(math.Sqrt((1-x)*(1+x)), x) }

func gelu(x float64) float64 { return 0.5 * x * math.Erfc(-x/math.Sqrt2) }

func geluTanh(x float64) float64 {
	return x * sigmoid(2*math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))
}

func mish(x float64) float64 { return x * math.Tanh(softplus(x)) }

func elu(x float64) float64 {
	if x < 0 {
		return 0.75 * math.Expm1(x)
	}
	return x
}

func celu(x float64) float64 {
	return max(0, x) + min(0, 0.75*math.Expm1(x/0.75))
}

func selu(x float64) float64 {
	if x > 0 {
		return 1.25 * x
	}
	return 1.25 * (1.5*math.Expm1(x) + 0)
}

var specials = []float32{
	0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()),
	1, -1, 0.5, -0.5, 2, -2, 3, 1.5, math.MaxFloat32, -math.MaxFloat32, 1e38, -1e38, 3.0e-39,
	math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, 0x1p-126, 0x1p-149, 0x1.fffffep-1, -0x1.fffffep-1, 0x1.000002p0,
	0x1p19, 0x1.fffffep18, 0x1.6e3p+8, 709.5, 709.7, 710, -709.1, -710, 88.72284, 88.72283, -103.97, -103.98, -104, 128, -149, -150, -151,
}

// ulps returns the distance of got from the exact value in units of the last
// place of the exact value's float32 binade.
func ulps(got float32, want float64) float64 {
	w := float32(want)
	switch {
	case math.IsNaN(want):
		if got != got {
			return 0
		}
		return math.Inf(1)
	case got == w && (got != 0 || math.Signbit(float64(got)) == math.Signbit(want) || want != 0):
		if math.IsInf(float64(got), 0) {
			return 0
		}
	case got == 0 && want == 0, math.IsInf(want, 0):
		return math.Inf(1)
	case math.IsInf(float64(got), 0):
		// An overflow is judged as if the exponent range went on.
		got64 := math.Copysign(0x1p128, float64(got))
		return math.Abs(got64-want) / 0x1p104
	}
	e := max(math.Ilogb(want), -126)
	if want == 0 {
		e = -126
	}
	return math.Abs(float64(got)-want) / math.Ldexp(1, e-23)
}

func TestErrorBound(t *testing.T) {
	for _, f := range functions {
		t.Run(f.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			worst, at := 0.0, float32(0)
			try := func(x float32) {
				if u := ulps(f.got(x), f.want(float64(x))); u > worst {
					worst, at = u, x
				}
			}
			for _, x := range specials {
				try(x)
			}
			for range 200000 {
				try(math.Float32frombits(rng.Uint32()))
				try(float32(f.lo + (f.hi-f.lo)*rng.Float64()))
				try(float32(rng.NormFloat64()))
			}
			t.Logf("worst %.4f ulp at %v", worst, at)
			if worst > MaxULP {
				t.Errorf("error %v ulp at %v (%#x): got %v, want %v", worst, at, math.Float32bits(at), f.got(at), f.want(float64(at)))
			}
		})
	}
}
