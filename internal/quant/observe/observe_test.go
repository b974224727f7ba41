package observe

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/octavo-ml/octavo/internal/dtype"
)

// state is what must not depend on order or split.
func state(s *Stats) any {
	type view struct {
		min, max        float32
		count, nan, inf uint64
		zeros           uint64
		tiny            [2]uint64
		bins            []Bin
	}
	return view{s.Min, s.Max, s.Count, s.NaN, s.Inf, s.hist.zeros, s.hist.tiny, s.hist.Bins()}
}

func TestStatisticsDoNotDependOnOrderOrSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vals := rapid.SliceOfN(rapid.OneOf(rapid.Float32(), rapid.Float32Range(-10, 10), rapid.Just(float32(0)), rapid.Just(float32(math.NaN())), rapid.Just(float32(math.Inf(1)))), 1, 60).Draw(t, "values")
		whole := New(true)
		whole.Observe(0, vals, nil)
		parts := make([]*Stats, rapid.IntRange(1, 4).Draw(t, "parts"))
		for i := range parts {
			parts[i] = New(true)
		}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for _, i := range r.Perm(len(vals)) {
			parts[r.IntN(len(parts))].Observe(i, vals[i:i+1], nil)
		}
		merged := New(true)
		for _, i := range r.Perm(len(parts)) {
			merged.Merge(parts[i])
		}
		if !reflect.DeepEqual(state(whole), state(merged)) {
			t.Fatalf("got %+v\nwant %+v", state(merged), state(whole))
		}
	})
}

func TestHistogramCountsEveryValue(t *testing.T) {
	s := New(true)
	r := rand.New(rand.NewPCG(1, 1))
	var x []float32
	for range 10000 {
		x = append(x, float32(r.NormFloat64()))
	}
	s.Observe(0, x, nil)
	var n, sum float64
	last := math.Inf(-1)
	for _, b := range s.hist.Bins() {
		if b.Mean < b.Lo || b.Mean > b.Hi || b.Lo < last {
			t.Errorf("bin %+v behind %v", b, last)
		}
		last = b.Hi
		n += b.Count
		sum += b.Mean * b.Count
	}
	if n != 10000 {
		t.Errorf("%v values counted", n)
	}
	var want float64
	for _, v := range x {
		want += float64(v)
	}
	if math.Abs(sum-want) > 1e-2 {
		t.Errorf("mean of bins gives the sum %v, want %v", sum, want)
	}
}

func ranged(t *testing.T, s *Stats, method string, w Want) (lo, hi float64) {
	t.Helper()
	m, err := ParseMethod(method)
	if err != nil {
		t.Fatal(err)
	}
	lo, hi, err = s.Range(m, w)
	if err != nil {
		t.Fatal(err)
	}
	return lo, hi
}

// TestMethodsOnAnOutlier: 100,000 normal values and one at 1000, which percentile
// and entropy leave out without cutting into the bulk.
func TestMethodsOnAnOutlier(t *testing.T) {
	s := New(true)
	r := rand.New(rand.NewPCG(2, 2))
	var x []float32
	for range 100000 {
		x = append(x, float32(r.NormFloat64()))
	}
	s.Observe(0, append(x, 1000), nil)
	u8 := Want{Type: dtype.Uint8}
	if lo, hi := ranged(t, s, "minmax", u8); hi != 1000 || lo > -3 {
		t.Errorf("minmax: [%v, %v]", lo, hi)
	}
	for _, m := range []string{"percentile:99.99", "entropy"} {
		lo, hi := ranged(t, s, m, u8)
		if hi > 500 || hi < 2 || lo > -1 {
			t.Errorf("%s: [%v, %v]", m, lo, hi)
		}
	}
	if lo, hi := ranged(t, s, "percentile:99", Want{Type: dtype.Int8, Symmetric: true}); math.Abs(hi-2.576) > 0.1 || math.Abs(lo+2.576) > 0.1 {
		t.Errorf("symmetric percentile 99: [%v, %v], want ±2.576", lo, hi)
	}
}

// TestLeastErrorIsNoWorseThanMinMax: by the exact squared error of quantizing, or
// its fourth power, which lets less be cut off.
func TestLeastErrorIsNoWorseThanMinMax(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 20 {
		s := New(true)
		var x []float32
		for range 5000 {
			v := r.NormFloat64()
			x = append(x, float32(v*math.Abs(v)*math.Abs(v)))
		}
		s.Observe(0, x, nil)
		exact := func(lo, hi, power float64) float64 {
			step := (hi - lo) / 255
			var e float64
			for _, v := range x {
				q := math.RoundToEven(math.Min(math.Max(float64(v), lo), hi)/step) * step
				e += math.Pow(math.Abs(q-float64(v)), power)
			}
			return e
		}
		mlo, mhi := ranged(t, s, "minmax", Want{Type: dtype.Uint8})
		width := map[string]float64{}
		for method, power := range map[string]float64{"mse": 2, "error4": 4} {
			lo, hi := ranged(t, s, method, Want{Type: dtype.Uint8})
			if width[method] = hi - lo; exact(lo, hi, power) > 1.02*exact(mlo, mhi, power) {
				t.Errorf("%s [%v, %v] errs by %v, minmax by %v", method, lo, hi, exact(lo, hi, power), exact(mlo, mhi, power))
			}
		}
		if width["error4"] < width["mse"] || width["error4"] > mhi-mlo {
			t.Errorf("error4 has a range of %v, mse of %v, all of %v", width["error4"], width["mse"], mhi-mlo)
		}
	}
}

func TestMovingAverageFollowsTheIndex(t *testing.T) {
	a, b := New(false), New(false)
	for i := range 10 {
		a.Observe(i, []float32{0, float32(i)}, nil)
	}
	for i := 9; i >= 0; i-- {
		b.Observe(i, []float32{float32(i)}, nil)
		b.Observe(i, []float32{0}, nil)
	}
	_, ha := ranged(t, a, "moving-average", Want{Type: dtype.Uint8})
	_, hb := ranged(t, b, "moving-average", Want{Type: dtype.Uint8})
	want := 0.0
	for i := 1; i < 10; i++ {
		want += 0.01 * (float64(i) - want)
	}
	if ha != hb || math.Abs(ha-want) > 1e-12 {
		t.Errorf("got %v and %v, want %v", ha, hb, want)
	}
}

func TestRangeRefuses(t *testing.T) {
	m, err := ParseMethod("minmax")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := New(false).Range(m, Want{}); err == nil {
		t.Error("nothing observed: got nil")
	}
	s := New(false)
	s.Observe(0, []float32{float32(math.NaN()), float32(math.Inf(-1))}, nil)
	if _, _, err := s.Range(m, Want{}); err == nil || s.NaN != 1 || s.Inf != 1 {
		t.Errorf("only NaN and infinity: %v, counted %d and %d", err, s.NaN, s.Inf)
	}
	for _, bad := range []string{"", "minimax", "percentile:10", "mse:3", "percentile:x"} {
		if _, err := ParseMethod(bad); err == nil {
			t.Errorf("ParseMethod(%q): got nil, want an error", bad)
		}
	}
}

func TestGrowthLooksAtTheLastQuarter(t *testing.T) {
	s := New(false)
	for i := range 40 {
		s.Observe(i, []float32{0, float32(1 + i/35)}, nil)
	}
	if g := s.Growth(40); g != 0.5 {
		t.Errorf("growth %v, want 0.5", g)
	}
}
