package affine_test

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
)

// nearest returns x rounded: ties say which way a half goes, by the sign of x.
func nearest(x *big.Rat, up func(negative bool) bool) *big.Int {
	two := big.NewInt(2)
	num, den := new(big.Int).Mul(x.Num(), two), new(big.Int).Mul(x.Denom(), two)
	floor := new(big.Int)
	rest := new(big.Int)
	floor.DivMod(num, den, rest) // Euclidean: the rest is not negative
	switch c := rest.Cmp(x.Denom()); {
	case c > 0, c == 0 && up(x.Sign() < 0):
		floor.Add(floor, big.NewInt(1))
	}
	return floor
}

func towardsInf(bool) bool            { return true }
func awayFromZero(negative bool) bool { return !negative }
func power(e int) *big.Rat {
	p := new(big.Int).Lsh(big.NewInt(1), uint(max(e, -e)))
	if e < 0 {
		return new(big.Rat).SetFrac(big.NewInt(1), p)
	}
	return new(big.Rat).SetInt(p)
}

// TestFixedRoundsTwice compares with rational numbers: the product with the
// significand is rounded, halves up, and then the quotient, halves away from
// zero.
func TestFixedRoundsTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := affine.Fixed{M: rapid.Int32Range(1<<30, math.MaxInt32).Draw(t, "m"), Shift: rapid.IntRange(-31, 8).Draw(t, "shift")}
		limit := int32(math.MaxInt32) >> max(f.Shift, 0)
		x := rapid.Int32Range(-limit, limit).Draw(t, "x")
		up, down := max(f.Shift, 0), max(-f.Shift, 0)
		product := new(big.Rat).Mul(new(big.Rat).SetInt64(int64(x)*int64(f.M)), power(up-31))
		once := new(big.Rat).SetInt(nearest(product, towardsInf))
		want := nearest(new(big.Rat).Mul(once, power(-down)), awayFromZero)
		if got := f.Of(x); !want.IsInt64() || int64(got) != want.Int64() {
			t.Errorf("%v of %d is %d, want %v", f, x, got, want)
		}
	})
}

func TestFixedOfWideRoundsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := affine.Fixed{M: rapid.Int32Range(1<<30, math.MaxInt32).Draw(t, "m"), Shift: rapid.IntRange(-31, 0).Draw(t, "shift")}
		x := rapid.Int64Range(-1<<31, 1<<31-1).Draw(t, "x")
		m := nearest(new(big.Rat).SetFrac64(int64(f.M), 1<<16), towardsInf)
		if m.Cmp(big.NewInt(math.MaxInt16)) > 0 {
			m.SetInt64(math.MaxInt16)
		}
		product := new(big.Rat).Mul(new(big.Rat).SetInt(m.Mul(m, big.NewInt(x))), power(f.Shift-15))
		if want := nearest(product, towardsInf).Int64(); int64(f.OfWide(x)) != want {
			t.Errorf("%v of %d is %d, want %d", f, x, f.OfWide(x), want)
		}
	})
}

// TestFixedOfIsTheNearest holds the significand to 31 bits of the factor.
func TestFixedOfIsTheNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64Range(1e-8, 200).Draw(t, "x")
		f := affine.FixedOf(x)
		if f.M < 1<<30 {
			t.Fatalf("%v has the significand %d", x, f.M)
		}
		exact := new(big.Rat)
		exact.SetFloat64(x)
		want := nearest(exact.Mul(exact, power(31-f.Shift)), awayFromZero)
		if want.Int64() != int64(f.M) {
			t.Errorf("%v is %v, want the significand %v", x, f, want)
		}
	})
}

func TestFixedOfTheEdges(t *testing.T) {
	for _, c := range []struct {
		x    float64
		want affine.Fixed
	}{
		{0, affine.Fixed{}},
		{math.NaN(), affine.Fixed{}},
		{-1, affine.Fixed{}},
		{1, affine.Fixed{M: 1 << 30, Shift: 1}},
		{0.5, affine.Fixed{M: 1 << 30}},
		{math.Nextafter(1, 0), affine.Fixed{M: 1 << 30, Shift: 1}}, // rounds up to the next power
		{math.Ldexp(1, -32), affine.Fixed{M: 1 << 30, Shift: -31}},
		{math.Ldexp(1, -33), affine.Fixed{}},
		{math.Inf(1), affine.Fixed{M: math.MaxInt32, Shift: 31}},
		{1e300, affine.Fixed{M: math.MaxInt32, Shift: 31}},
	} {
		if got := affine.FixedOf(c.x); got != c.want {
			t.Errorf("%v is %v, want %v", c.x, got, c.want)
		}
	}
	if got := affine.HighMul(math.MinInt32, math.MinInt32); got != math.MaxInt32 {
		t.Errorf("−1·−1 is %d", got)
	}
	for x, want := range map[int32]int32{5: 3, -5: -3, 6: 3, -6: -3, 1: 1, -1: -1} {
		if got := affine.RoundingShift(x, 1); got != want {
			t.Errorf("%d/2 is %d, want %d", x, got, want)
		}
	}
	if got := affine.FixedOf(math.Inf(1)).OfWide(1); got != math.MaxInt16<<16 {
		t.Errorf("1 times the largest factor is %d, want %d", got, math.MaxInt16<<16)
	}
}

func TestFixedBoundsRoundAwayFromZero(t *testing.T) {
	p := affine.PerTensor(dtype.Int8, 4, -3)
	if lo, hi := p.FixedBounds(-6, 6); lo != -5 || hi != -1 {
		t.Errorf("±1.5 steps around −3 are %d and %d, want −5 and −1", lo, hi)
	}
	if lo, hi := p.FixedBounds(0, math.Inf(1)); lo != -3 || hi != 127 {
		t.Errorf("from 0 on are %d to %d, want −3 to 127", lo, hi)
	}
}
