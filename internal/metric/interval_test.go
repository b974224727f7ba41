package metric_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	. "github.com/octavo-ml/octavo/internal/metric"
)

func TestWilson(t *testing.T) {
	// Newcombe, Stat. Med. 17 (1998), p. 857, table I, method 3.
	for _, c := range []struct {
		r         Rate
		low, high float64
	}{
		{Rate{81, 263}, 0.2553, 0.3662}, {Rate{15, 148}, 0.0624, 0.1605}, {Rate{0, 20}, 0, 0.1611}, {Rate{1, 29}, 0.0061, 0.1718},
		{Rate{20, 20}, 0.8389, 1}, {Rate{0, 0}, 0, 1},
	} {
		iv := c.r.Wilson(Z95)
		near(t, "low", iv.Low, c.low, 5e-5)
		near(t, "high", iv.High, c.high, 5e-5)
	}
}

func TestMcNemar(t *testing.T) {
	for n := int64(0); n < 60; n++ {
		for b := int64(0); b <= n; b++ {
			tail := new(big.Int)
			for i := int64(0); i <= min(b, n-b); i++ {
				tail.Add(tail, new(big.Int).Binomial(n, i))
			}
			want, _ := new(big.Rat).SetFrac(tail.Lsh(tail, 1), new(big.Int).Lsh(big.NewInt(1), uint(n))).Float64()
			want = math.Min(want, 1)
			if got := (Pairs{Both: 9, OnlyFirst: b, OnlySecond: n - b}).McNemar(); math.Abs(got-want) > 1e-13*want {
				t.Fatalf("%d against %d: p = %v, want %v", b, n-b, got, want)
			}
		}
	}
	// Large counts: the normal approximation with continuity correction.
	b, c := 50200.0, 49400.0
	want := math.Erfc((b - c - 1) / math.Sqrt(b+c) / math.Sqrt2)
	near(t, "p of many", Pairs{OnlyFirst: int64(b), OnlySecond: int64(c)}.McNemar(), want, 1e-5)
	near(t, "p of none against many", Pairs{OnlyFirst: 20000}.McNemar(), 0, 0)
}

func TestPairs(t *testing.T) {
	var p, q Pairs
	for range 3 {
		p.Add(true, true)
	}
	p.Add(true, false)
	q.Add(false, true)
	q.Add(false, true)
	q.Add(false, false)
	p.Merge(q)
	if p != (Pairs{3, 1, 2, 1}) || p.First() != (Rate{4, 7}) || p.Second() != (Rate{5, 7}) {
		t.Errorf("%+v, %+v, %+v", p, p.First(), p.Second())
	}
	near(t, "change", p.Change(), 1.0/7, 1e-16)
}

func TestChangeInterval(t *testing.T) {
	if iv := (Pairs{}).ChangeInterval(Z95); iv != (Interval{-1, 1}) {
		t.Errorf("no samples: %v", iv)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	covered, trials := 0, 4000
	for range trials {
		// Accuracies 0.85 and 0.82, agreeing more often than by chance.
		var p Pairs
		for range 120 {
			switch u := rng.Float64(); {
			case u < 0.78:
				p.Both++
			case u < 0.85:
				p.OnlyFirst++
			case u < 0.89:
				p.OnlySecond++
			default:
				p.Neither++
			}
		}
		iv := p.ChangeInterval(Z95)
		if !iv.Contains(p.Change()) {
			t.Fatalf("%+v: %v misses its own change %v", p, iv, p.Change())
		}
		back := Pairs{p.Both, p.OnlySecond, p.OnlyFirst, p.Neither}.ChangeInterval(Z95)
		near(t, "mirrored low", back.Low, -iv.High, 1e-15)
		near(t, "mirrored high", back.High, -iv.Low, 1e-15)
		if iv.Contains(-0.03) {
			covered++
		}
	}
	if c := float64(covered) / float64(trials); c < 0.94 || c > 0.965 {
		t.Errorf("covers the true change in %v of trials, want 0.95", c)
	}
	// Without correlation and with no discordant pair on equal margins the
	// formula reduces by hand: a=d, b=c=0 has phi 1 and a width of 0.
	iv := Pairs{Both: 10, Neither: 10}.ChangeInterval(Z95)
	near(t, "low", iv.Low, 0, 1e-7)
	near(t, "high", iv.High, 0, 1e-7)
}

func TestBootstrap(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	x := make([]float64, 400)
	var mean float64
	for i := range x {
		x[i] = rng.NormFloat64()
		mean += x[i] / float64(len(x))
	}
	stat := func(sample []int) float64 {
		var s float64
		for _, i := range sample {
			s += x[i]
		}
		return s / float64(len(sample))
	}
	a := Bootstrap(len(x), 2000, 0.95, 7, stat)
	if b := Bootstrap(len(x), 2000, 0.95, 7, stat); a != b {
		t.Errorf("same seed: %v, %v", a, b)
	}
	if b := Bootstrap(len(x), 2000, 0.95, 8, stat); a == b {
		t.Errorf("other seed: %v again", a)
	}
	// The normal interval of a mean: 1.96 / sqrt(400) on either side.
	near(t, "low", a.Low, mean-0.098, 0.015)
	near(t, "high", a.High, mean+0.098, 0.015)
	same := Bootstrap(3, 10, 0.9, 1, func([]int) float64 { return 4 })
	if same != (Interval{4, 4}) {
		t.Errorf("constant statistic: %v", same)
	}
	none := Bootstrap(3, 10, 0.9, 1, func([]int) float64 { return math.NaN() })
	if none.Low == none.Low || none.High == none.High {
		t.Errorf("no statistic: %v", none)
	}
}
