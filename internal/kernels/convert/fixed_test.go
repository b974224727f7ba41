package convert

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

// randomFixed returns a factor of some magnitude between 2⁻³¹ and 2³¹.
func randomFixed(r *rand.Rand) Fixed {
	f := Fixed{M: 1<<30 + r.Int32N(1<<30)}
	switch r.IntN(4) {
	case 0:
		f.Left = r.Int32N(8)
	case 1:
		f.Right = r.Int32N(32)
	default:
		f.Right = r.Int32N(14)
	}
	if r.IntN(20) == 0 {
		f.M = 0
	}
	return f
}

// TestFixedRoundsTwice compares with exact quotients: halves up of the product,
// then halves away from zero of the shift.
func TestFixedRoundsTwice(t *testing.T) {
	r := kerneltest.Rand(41)
	floor := func(x *big.Rat) *big.Int {
		return new(big.Int).Div(x.Num(), x.Denom()) // Euclidean: the denominator is positive
	}
	half := big.NewRat(1, 2)
	for i := range 20000 {
		f, x := randomFixed(r), r.Int32()-r.Int32()
		switch i % 5 {
		case 0:
			x = r.Int32N(2000) - 1000
		case 1:
			x = int32(1) << r.IntN(31)
		case 2:
			x = math.MinInt32 + r.Int32N(3)
		}
		product := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(int64(x<<f.Left)), big.NewInt(int64(f.M))), big.NewInt(1<<31))
		high := floor(product.Add(product, half))
		quotient := new(big.Rat).SetFrac(new(big.Int).Abs(high), big.NewInt(1<<f.Right))
		want := floor(quotient.Add(quotient, half))
		if high.Sign() < 0 {
			want.Neg(want)
		}
		if got := f.Of(x); int64(got) != want.Int64() {
			t.Fatalf("%d times %+v is %d, want %v", x, f, got, want)
		}
	}
}

func testFixed[T int8 | uint8](t *testing.T) {
	r := kerneltest.Rand(42)
	lo, hi := limits[T]()
	for _, channels := range []int{1, 3, 7, 8, 9, 15, 16, 24, 31, 64} {
		bias, factors := make([]int32, channels), make([]Fixed, channels)
		for c := range bias {
			bias[c], factors[c] = r.Int32N(2000)-1000, randomFixed(r)
		}
		bias[0] = math.MaxInt32 - 5
		for _, rows := range []int{1, 2, 5} {
			sums := make([]int32, rows*channels)
			for i := range sums {
				sums[i] = r.Int32() - r.Int32()
				if i%3 > 0 {
					sums[i] = r.Int32N(400) - 200
				}
			}
			k := NewRescaling(bias, factors, 7, int32(lo)+3, int32(hi)-1)
			want := make([]T, len(sums))
			kerneltest.OnGo(t, func() { Rescale(k, want, sums) })
			got, check := kerneltest.Guard[T](t, len(sums), channels%4)
			Rescale(k, got, kerneltest.Fence(t, sums))
			check()
			kerneltest.Equal(t, got, want, "%d rows of %d channels", rows, channels)
			reals := make([]float64, channels)
			for c := range reals {
				if reals[c] = math.Exp2(-12 * r.Float64()); c%3 == 0 {
					reals[c] = 0.5 // many halves
				}
			}
			k = NewRealRescaling(bias, reals, -4, int32(lo)+3, int32(hi)-1)
			for i, v := range sums {
				c := i % channels
				y := math.Round(float64(v+bias[c]) * reals[c])
				want[i] = T(max(float64(lo)+3, min(float64(hi)-1, y-4)))
			}
			got, check = kerneltest.Guard[T](t, len(sums), channels%4)
			Rescale(k, got, kerneltest.Fence(t, sums))
			check()
			kerneltest.Equal(t, got, want, "real factors: %d rows of %d channels", rows, channels)
		}
	}
	for i, n := range append(kerneltest.Lengths(fixedLanes), 100, 333) {
		a, b := kerneltest.Ints[T](r, n), kerneltest.Ints[T](r, n)
		left, right, end := Fixed{1 << 30, 0, 0}, randomFixed(r), randomFixed(r)
		right.Left = 0
		if end.Left == 0 {
			end.Right = min(end.Right+16, 31)
		}
		k := NewFixedSum(left, right, end, 3, 100, []int32{20, 15}[i%2], []int32{1, -1}[i/2%2], 11, int32(lo), int32(hi)-9)
		want := make([]T, n)
		kerneltest.OnGo(t, func() { SumFixed(k, want, a, b) })
		got, check := kerneltest.Guard[T](t, n, i%5)
		SumFixed(k, got, kerneltest.Fence(t, a), kerneltest.Fence(t, b))
		check()
		kerneltest.Equal(t, got, want, "sums of %d", n)
		product := NewFixedProduct(end, int32(lo), 9, -3, int32(lo)+2, int32(hi))
		kerneltest.OnGo(t, func() { MultiplyFixed(product, want, a, b) })
		got, check = kerneltest.Guard[T](t, n, i%5)
		MultiplyFixed(product, got, kerneltest.Fence(t, a), kerneltest.Fence(t, b))
		check()
		kerneltest.Equal(t, got, want, "products of %d", n)
	}
}

func TestFixedVariantsEqualGo(t *testing.T) {
	kerneltest.Run(t, rows(), func(t *testing.T) {
		t.Run("int8", testFixed[int8])
		t.Run("uint8", testFixed[uint8])
	})
}

func BenchmarkRescale(b *testing.B) {
	r := kerneltest.Rand(43)
	bias, factors := make([]int32, 64), make([]Fixed, 64)
	for c := range bias {
		factors[c] = Fixed{1<<30 + r.Int32N(1<<30), 0, 7}
	}
	k, sums, dst := NewRescaling(bias, factors, 0, -128, 127), make([]int32, 64*64), make([]int8, 64*64)
	b.SetBytes(int64(len(dst)))
	for b.Loop() {
		Rescale(k, dst, sums)
	}
}
