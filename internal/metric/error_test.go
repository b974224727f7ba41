package metric_test

import (
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/octavo-ml/octavo/internal/metric"
)

func TestError(t *testing.T) {
	var e Error
	e.Add([]float32{3, 0, -4}, []float32{3, 1, -2})
	near(t, "MSE", e.MSE(), 5.0/3, 1e-15)
	near(t, "MAE", e.MAE(), 1, 1e-15)
	near(t, "greatest", e.Max(), 2, 0)
	near(t, "SQNR", e.SQNR(), 10*math.Log10(25.0/5), 1e-12)
	near(t, "cosine", e.Cosine(), 17/(5*math.Sqrt(14)), 1e-15)
	if e.Len() != 3 {
		t.Errorf("length %d", e.Len())
	}
}

func TestErrorEdges(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		want, got              []float32
		mse, mae, sqnr, cosine float64
	}{
		{nil, nil, 0, 0, inf, 1},
		{[]float32{1, 2}, []float32{1, 2}, 0, 0, inf, 1},
		{[]float32{0, 0}, []float32{0, 0}, 0, 0, inf, 1},
		{[]float32{0, 0}, []float32{1, 1}, 1, 1, -inf, 0},
		{[]float32{1, 1}, []float32{0, 0}, 1, 1, 0, 0},
		{[]float32{1}, []float32{-1}, 4, 2, 10 * math.Log10(0.25), -1},
		{[]float32{1, float32(nan)}, []float32{1, 1}, nan, nan, nan, nan},
		{[]float32{1, 1}, []float32{1, float32(inf)}, inf, inf, -inf, nan},
		{[]float32{math.MaxFloat32}, []float32{-math.MaxFloat32}, 4 * math.MaxFloat32 * math.MaxFloat32, 2 * math.MaxFloat32, 10 * math.Log10(0.25), -1},
	} {
		var e Error
		e.Add(c.want, c.got)
		near(t, "MSE", e.MSE(), c.mse, 0)
		near(t, "MAE", e.MAE(), c.mae, 0)
		near(t, "SQNR", e.SQNR(), c.sqnr, 1e-12)
		near(t, "cosine", Cosine(c.want, c.got), c.cosine, 1e-15)
	}
}

// TestErrorMerges adds samples of very different size in any order and split:
// the figures are the same to the bit.
func TestErrorMerges(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	type sample struct{ want, got []float32 }
	samples := make([]sample, 40)
	for i := range samples {
		s := &samples[i]
		size := math.Exp2(float64(rng.IntN(80) - 40))
		for range 7 {
			w := rng.NormFloat64() * size
			s.want = append(s.want, float32(w))
			s.got = append(s.got, float32(w*(1+rng.NormFloat64()/100)))
		}
	}
	figures := func(e *Error) [5]float64 {
		return [5]float64{e.MSE(), e.MAE(), e.SQNR(), e.Cosine(), e.Max()}
	}
	var all Error
	for _, s := range samples {
		all.Add(s.want, s.got)
	}
	want := figures(&all)
	for range 20 {
		parts := make([]Error, 1+rng.IntN(5))
		for _, i := range rng.Perm(len(samples)) {
			parts[rng.IntN(len(parts))].Add(samples[i].want, samples[i].got)
		}
		for i := range parts[1:] {
			parts[0].Merge(&parts[i+1])
		}
		if got := figures(&parts[0]); got != want || parts[0].Len() != all.Len() {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}
