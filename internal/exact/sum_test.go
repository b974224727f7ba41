package exact_test

import (
	"bytes"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/octavo-ml/octavo/internal/exact"
)

// anyFloat draws floats of every exponent, specials only where asked.
func anyFloat(special bool) *rapid.Generator[float64] {
	return rapid.Custom(func(t *rapid.T) float64 {
		switch k := rapid.IntRange(0, 5).Draw(t, "kind"); {
		case k == 0:
			return float64(rapid.IntRange(-3, 3).Draw(t, "small"))
		case k == 1:
			return math.Copysign(0x1p-1074*float64(rapid.IntRange(0, 9).Draw(t, "tiny")), -1)
		case k == 2:
			return math.MaxFloat64 * float64(rapid.IntRange(-1, 1).Draw(t, "huge"))
		case k == 3 && special:
			return rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1)}).Draw(t, "special")
		}
		u := rapid.Uint64().Draw(t, "bits")
		if v := math.Float64frombits(u); v-v == 0 {
			return v
		}
		return math.Float64frombits(u &^ (1 << 62))
	})
}

func marshal(t interface{ Fatal(...any) }, s *exact.Sum) []byte {
	b, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sumOf(xs []float64) *exact.Sum {
	var s exact.Sum
	for _, x := range xs {
		s.Add(x)
	}
	return &s
}

func same64(a, b float64) bool { return a == b || a != a && b != b }

func TestSumIsIndependentOfOrderAndGrouping(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(anyFloat(true), 0, 40).Draw(t, "xs")
		want := marshal(t, sumOf(xs))
		order := rapid.Permutation(xs).Draw(t, "order")
		parts := make([]exact.Sum, rapid.IntRange(1, 5).Draw(t, "parts"))
		for _, x := range order {
			parts[rapid.IntRange(0, len(parts)-1).Draw(t, "part")].Add(x)
		}
		var all exact.Sum
		for _, i := range rapid.Permutation(indices(len(parts))).Draw(t, "merge") {
			if rapid.Bool().Draw(t, "through bytes") {
				var p exact.Sum
				if err := p.UnmarshalBinary(marshal(t, &parts[i])); err != nil {
					t.Fatal(err)
				}
				parts[i] = p
			}
			all.Merge(&parts[i])
		}
		if got := marshal(t, &all); !bytes.Equal(got, want) {
			t.Fatalf("got % x, want % x", got, want)
		}
		if got, want := all.Float64(), sumOf(xs).Float64(); !same64(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func indices(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestSumIsCorrectlyRounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(anyFloat(false), 0, 20).Draw(t, "xs")
		want := new(big.Float).SetPrec(2300)
		for _, x := range xs {
			want.Add(want, new(big.Float).SetFloat64(x))
		}
		w, _ := want.Float64()
		if got := sumOf(xs).Float64(); got != w {
			t.Fatalf("got %v, want %v", got, w)
		}
	})
}

func TestSumCases(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		name string
		xs   []float64
		want float64
	}{
		{"nothing", nil, 0},
		{"cancellation", []float64{1e300, 1, -1e300}, 1},
		{"negative zero", []float64{math.Copysign(0, -1)}, 0},
		{"tie to even, down", []float64{1, 0x1p-53}, 1},
		{"tie to even, up", []float64{1 + 0x1p-52, 0x1p-53}, 1 + 0x1p-51},
		{"tie broken far below", []float64{1, 0x1p-53, 0x1p-1074}, 1 + 0x1p-52},
		{"subnormal", []float64{0x1p-1074, 0x1p-1074, -0x1p-1073, 0x1p-1074}, 0x1p-1074},
		{"greatest", []float64{math.MaxFloat64, 0x1p969}, math.MaxFloat64},
		{"overflow at half a unit", []float64{math.MaxFloat64, 0x1p970}, inf},
		{"beyond the range and back", []float64{math.MaxFloat64, math.MaxFloat64, -math.MaxFloat64}, math.MaxFloat64},
		{"negative", []float64{-3, -math.MaxFloat64, math.MaxFloat64}, -3},
		{"infinite", []float64{inf, -1e308}, inf},
		{"negative infinite", []float64{5, -inf}, -inf},
		{"both infinite", []float64{inf, -inf}, nan},
		{"not a number", []float64{1, nan, inf}, nan},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := sumOf(c.xs).Float64(); !same64(got, c.want) || math.Signbit(got) != math.Signbit(c.want) && got == got {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestSumUnmarshalRefusesOtherBytes(t *testing.T) {
	good := marshal(t, sumOf([]float64{1, -0x1p-1000}))
	change := func(i int, b byte) []byte {
		c := bytes.Clone(good)
		c[i] = b
		return c
	}
	for name, data := range map[string][]byte{
		"empty": nil, "cut": good[:len(good)-1], "longer": append(bytes.Clone(good), 0),
		"version": change(0, 9), "flags": change(1, 16), "offset": change(2, 255), "count": change(3, 255),
		"leading zero digit": {1, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0}, "negative nothing": {1, 8, 0, 0}, "shifted nothing": {1, 0, 1, 0},
		"too large": {1, 0, 67, 1, 0, 0, 0, 0x80},
	} {
		var s exact.Sum
		s.Add(7)
		if err := s.UnmarshalBinary(data); err == nil {
			t.Errorf("%s: no error", name)
		}
		if s.Float64() != 7 {
			t.Errorf("%s: the sum changed", name)
		}
	}
}

func FuzzSumUnmarshal(f *testing.F) {
	f.Add(marshal(f, sumOf([]float64{1, -0x1p-1000, math.Inf(1)})))
	f.Add([]byte{1, 8, 66, 2, 0, 0, 0, 0, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		var s exact.Sum
		if s.UnmarshalBinary(data) == nil && !bytes.Equal(marshal(t, &s), data) {
			t.Errorf("% x does not survive", data)
		}
	})
}

func BenchmarkSumAdd(b *testing.B) {
	var s exact.Sum
	for b.Loop() {
		s.Add(1.0 / 3)
	}
}
