package eltwise_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	. "github.com/octavo-ml/octavo/internal/kernels/eltwise"
)

// piDigits are enough of pi to reduce any float32: 128 bits of magnitude, 30
// of closeness to a multiple, 60 of result.
const piDigits = "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798"

// remainder returns k mod 4 and r with x = k*pi/2 + r.
func remainder(x float32) (k int, r float64) {
	const prec = 320
	pi, _, _ := big.ParseFloat(piDigits, 10, prec, big.ToNearestEven)
	half := new(big.Float).Quo(pi, big.NewFloat(2))
	bx := new(big.Float).SetPrec(prec).SetFloat64(float64(x))
	q := new(big.Float).Quo(bx, half)
	q.Add(q, big.NewFloat(math.Copysign(0.5, float64(x))))
	n, _ := q.Int(nil)
	m := new(big.Float).SetPrec(prec).SetInt(n)
	r, _ = new(big.Float).Sub(bx, m.Mul(m, half)).Float64()
	return int(new(big.Int).And(n, big.NewInt(3)).Int64()), r
}

func TestTrigonometryNearMultiplesOfHalfPi(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		x := float32(math.Trunc(math.Exp2(rng.Float64()*126)) * math.Pi / 2)
		if rng.IntN(2) == 0 {
			x = -x
		}
		k, r := remainder(x)
		s, c := math.Sin(r), math.Cos(r)
		for range k {
			s, c = c, -s
		}
		for _, f := range []struct {
			name string
			got  float32
			want float64
		}{{"Sin", Sin(x), s}, {"Cos", Cos(x), c}, {"Tan", Tan(x), s / c}} {
			if u := ulps(f.got, f.want); u > MaxULP {
				t.Fatalf("%s(%v) = %v, want %v: %v ulp", f.name, x, f.got, f.want, u)
			}
		}
	}
}

func TestMonotone(t *testing.T) {
	for _, f := range []struct {
		name   string
		fn     func(float32) float32
		lo, hi float32
	}{
		{"Log", Log, 0.5, 2}, {"Softplus", Softplus, -1, 1}, {"Atan", Atan, 0.3, 3}, {"Asin", Asin, 0.4, 0.6}, {"Gelu", Gelu, 0.5, 2},
	} {
		prev := f.fn(f.lo)
		for x, n := f.lo, 0; x < f.hi && n < 300000; n++ {
			x = math.Nextafter32(x, f.hi)
			if n%100 == 0 {
				x += (f.hi - f.lo) / 5000
				prev = f.fn(x)
				continue
			}
			y := f.fn(x)
			if y < prev {
				t.Fatalf("%s falls from %v to %v at %v", f.name, prev, y, x)
			}
			prev = y
		}
	}
}

func TestPow(t *testing.T) {
	same := func(got, want float32) bool {
		return got != got && want != want || math.Float32bits(got) == math.Float32bits(want)
	}
	exponents := append([]float32{4, 5, -3, 7, 1.0 / 3, 0.25, -0.25, 33, 1 << 23, 1<<24 + 2, 1e9, -1e9}, specials...)
	for _, x := range append(specials, 0.1, 7, 10, -10, 0.999, 1.001) {
		for _, y := range exponents {
			got, want := Pow(x, y), math.Pow(float64(x), float64(y))
			if want == 0 || math.IsInf(want, 0) || want != want {
				if !same(got, float32(want)) {
					t.Errorf("Pow(%v, %v) = %v, want %v", x, y, got, want)
				}
			} else if u := ulps(got, want); u > MaxULP {
				t.Errorf("Pow(%v, %v) = %v, want %v: %v ulp", x, y, got, want, u)
			}
		}
	}
	rng := rand.New(rand.NewPCG(5, 6))
	worst := 0.0
	for range 300000 {
		x := float32(math.Exp2(rng.NormFloat64() * 8))
		y := float32(rng.NormFloat64() * 8)
		worst = max(worst, ulps(Pow(x, y), math.Pow(float64(x), float64(y))))
		v := float32(rng.NormFloat64() * 100)
		if !same(Pow(v, 2), v*v) || !same(Pow(v, 1), v) || v > 0 && !same(Pow(v, 0.5), Sqrt(v)) {
			t.Fatalf("Pow of %v and 2, 1, 1/2: %v, %v, %v", v, Pow(v, 2), Pow(v, 1), Pow(v, 0.5))
		}
	}
	if worst > MaxULP {
		t.Errorf("error %v ulp", worst)
	}
	for b := float32(2); b < 17; b++ {
		p := float32(1)
		for n := float32(0); n < 6; n++ {
			if got := Pow(b, n); got != p {
				t.Errorf("Pow(%v, %v) = %v, want %v", b, n, got, p)
			}
			p *= b
		}
	}
	for n := -149; n < 128; n++ {
		if got, want := Exp2(float32(n)), float32(math.Ldexp(1, n)); got != want {
			t.Errorf("Exp2(%d) = %v, want %v", n, got, want)
		}
	}
}

func TestLog64(t *testing.T) {
	const ceiling = 1e-14
	// The standard library's assembly is off for subnormal arguments.
	reference := func(x float64) float64 {
		if x > 0 && x < 0x1p-1022 {
			return math.Log(x*0x1p52) - 52*math.Ln2
		}
		return math.Log(x)
	}
	rng := rand.New(rand.NewPCG(7, 8))
	for range 200000 {
		x := math.Abs(math.Float64frombits(rng.Uint64()))
		if rng.IntN(2) == 0 {
			x = 1 + rng.NormFloat64()*math.Exp2(-float64(rng.IntN(50)))
		}
		got, want := Log64(x), reference(x)
		if got != want && math.Abs(got-want) > ceiling*math.Abs(want) && want == want {
			t.Fatalf("Log64(%v) = %v, want %v", x, got, want)
		}
	}
	for _, x := range []float64{0, -1, math.Inf(1), math.Inf(-1), math.NaN(), 5e-324, 1} {
		if got, want := Log64(x), reference(x); got != want && (got == got || want == want) {
			if math.Abs(got-want) > ceiling*math.Abs(want) {
				t.Errorf("Log64(%v) = %v, want %v", x, got, want)
			}
		}
	}
}

func TestActivations(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	hs := func(x float32) float32 { return HardSigmoid(x, 0.2, 0.5) }
	lr := func(x float32) float32 { return LeakyRelu(x, 0.125) }
	for _, c := range []struct {
		name string
		fn   func(float32) float32
		x, y float32
	}{
		{"HardSigmoid", hs, -3, 0}, {"HardSigmoid", hs, 3, 1}, {"HardSigmoid", hs, 0, 0.5}, {"HardSigmoid", hs, nan, nan},
		{"HardSigmoid", hs, -inf, 0}, {"HardSigmoid", hs, inf, 1},
		{"HardSwish", HardSwish, -3, 0}, {"HardSwish", HardSwish, 3, 3}, {"HardSwish", HardSwish, 0, 0}, {"HardSwish", HardSwish, 6, 6},
		{"HardSwish", HardSwish, 1.5, 1.125}, {"HardSwish", HardSwish, inf, inf},
		{"LeakyRelu", lr, 4, 4}, {"LeakyRelu", lr, -4, -0.5}, {"LeakyRelu", lr, -inf, -inf}, {"LeakyRelu", lr, nan, nan},
		{"Gelu", Gelu, inf, inf}, {"Gelu", Gelu, -inf, nan}, {"Swish", func(x float32) float32 { return Swish(x, 2) }, -inf, nan},
	} {
		if got := c.fn(c.x); got != c.y && !(got != got && c.y != c.y) {
			t.Errorf("%s(%v) = %v, want %v", c.name, c.x, got, c.y)
		}
	}
}

func BenchmarkMap(b *testing.B) {
	x := make([]float32, 4096)
	for i := range x {
		x[i] = float32(i-2048) / 300
	}
	dst := make([]float32, len(x))
	for _, f := range functions {
		b.Run(fmt.Sprint(f.name), func(b *testing.B) {
			b.SetBytes(int64(4 * len(x)))
			for b.Loop() {
				Map(dst, x, f.got)
			}
		})
	}
}
