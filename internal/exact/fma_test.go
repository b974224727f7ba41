package exact_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/exact"
)

// oracle rounds a·b+c once, by arbitrary precision.
func oracle(a, b, c float32) float32 {
	x := new(big.Float).SetPrec(600).SetFloat64(float64(a))
	x.Mul(x, new(big.Float).SetPrec(600).SetFloat64(float64(b)))
	x.Add(x, new(big.Float).SetPrec(600).SetFloat64(float64(c)))
	f, _ := x.Float32()
	return f
}

func TestFMA32RoundsOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	patterns := []func() float32{
		func() float32 { return math.Float32frombits(r.Uint32()) },
		func() float32 { return float32(r.NormFloat64()) },
		func() float32 { return math.Float32frombits(r.Uint32()&0x807fffff | uint32(1+r.IntN(30))<<23) },
		func() float32 { return math.Float32frombits(r.Uint32() & 0x807fffff) }, // subnormal
		func() float32 { return float32(int32(r.Uint32()>>8)) * 0x1p-12 },
		func() float32 { return math.Float32frombits(r.Uint32()&0xff800000 | 1<<uint(r.IntN(23))) },
	}
	checked, hard, decided := 0, 0, 0
	for i := range 400000 {
		a, b, c := patterns[r.IntN(6)](), patterns[r.IntN(6)](), patterns[r.IntN(6)]()
		switch i % 4 {
		case 0: // near cancellation
			c = -a * b * (1 + float32(r.IntN(3)-1)*0x1p-23)
		case 1: // the product is half a unit of c less a square below float64's last bit
			c = float32(r.NormFloat64())
			_, e := math.Frexp(float64(c))
			d := float32(r.IntN(9)-4) * 0x1p-23
			a = 1 + d
			b = float32(math.Ldexp(float64(1-d)*float64(2*r.IntN(2)-1), e-25-r.IntN(2)))
		case 2: // the sum is subnormal, with bits below the last
			a = float32(math.Ldexp(r.NormFloat64(), -100))
			b = float32(math.Ldexp(r.NormFloat64(), -30-r.IntN(25)))
			c = math.Float32frombits(r.Uint32() & 0x80ffffff)
		}
		if !finite(a) || !finite(b) || !finite(c) {
			continue
		}
		got, want := exact.FMA32(a, b, c), oracle(a, b, c)
		if got != want {
			t.Fatalf("FMA32(%x, %x, %x) = %x, want %x", a, b, c, got, want)
		}
		checked++
		if s := exact.Wide(a, b, c); exact.Hard(s) {
			hard++
			if float32(s) != want {
				decided++
			}
		} else if float32(s) != want {
			t.Fatalf("Wide(%x, %x, %x) is hard", a, b, c)
		}
	}
	if checked < 300000 || hard < 10000 || decided < 1000 {
		t.Errorf("%d cases, %d of them hard, %d decided by the slow path: the test tests little", checked, hard, decided)
	}
}

func finite(x float32) bool { return x-x == 0 }

func TestFMA32Specials(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	zero := float32(0)
	negZero := float32(math.Copysign(0, -1))
	for _, c := range []struct{ a, b, c, want float32 }{
		{inf, 1, 1, inf}, {inf, 0, 1, nan}, {inf, 1, -inf, nan}, {nan, 1, 1, nan}, {1, 1, nan, nan},
		{zero, 1, negZero, zero}, {negZero, 1, negZero, negZero}, {1, -1, 1, zero},
		{math.MaxFloat32, 2, -inf, -inf}, {math.MaxFloat32, 2, 0, inf},
	} {
		got := exact.FMA32(c.a, c.b, c.c)
		if math.Float32bits(got) != math.Float32bits(c.want) && !(got != got && c.want != c.want) {
			t.Errorf("FMA32(%v, %v, %v) = %v, want %v", c.a, c.b, c.c, got, c.want)
		}
	}
}

func BenchmarkFMA32(b *testing.B) {
	x, acc := float32(1.0001), float32(0)
	for range b.N {
		acc = exact.FMA32(x, x, acc)
	}
	_ = acc
}
