package metric_test

import (
	"math/rand/v2"
	"testing"

	. "github.com/octavo-ml/octavo/internal/metric"
)

// level is the rate at which equal models may be called different; slack is
// three deviations of what 1,000 trials show of it.
const level, slack = 0.05, 0.021

// TestEqualModelsAreRarelyCalledDifferent simulates 1,000 validations of pairs
// of models that are equally good, by the exact test of answers and by that of
// figures.
func TestEqualModelsAreRarelyCalledDifferent(t *testing.T) {
	const trials, n = 1000, 60
	rng := rand.New(rand.NewPCG(7, 7))
	answers, means, ranks := 0, 0, 0
	for trial := range trials {
		var p Pairs
		var a, b, sa, sb [n]float64
		for i := range n {
			hard := rng.Float64() < 0.3
			right := func() bool { return !hard || rng.Float64() < 0.5 }
			p.Add(right(), right())
			size := rng.ExpFloat64() // errors of one sample are alike, and skewed
			a[i], b[i] = size*rng.ExpFloat64(), size*rng.ExpFloat64()
			sa[i], sb[i] = size+rng.NormFloat64(), size+rng.NormFloat64()
		}
		if p.McNemar() < level {
			answers++
		}
		seed := uint64(trial)
		if ExchangeTest(n, 199, seed, func(swap []bool) float64 {
			sum := 0.0
			for i, s := range swap {
				if s {
					sum += a[i] - b[i]
				} else {
					sum += b[i] - a[i]
				}
			}
			return sum / n
		}) < level {
			means++
		}
		if ExchangeTest(n, 99, seed, func(swap []bool) float64 {
			var ra, rb Ranking
			for i, s := range swap {
				x, y := sa[i], sb[i]
				if s {
					x, y = y, x
				}
				ra.Add(float32(x), i%2 == 0)
				rb.Add(float32(y), i%2 == 0)
			}
			return rb.AUC() - ra.AUC()
		}) < level {
			ranks++
		}
	}
	t.Logf("called different: %.3f by answers, %.3f by means, %.3f by ranks", float64(answers)/trials, float64(means)/trials, float64(ranks)/trials)
	if r := float64(answers) / trials; r > level+slack {
		t.Errorf("answers: %v of equal models are called different, stated is %v", r, level)
	}
	if r := float64(means) / trials; r > level+slack {
		t.Errorf("means: %v of equal models are called different, stated is %v", r, level)
	}
	if r := float64(ranks) / trials; r > level+slack {
		t.Errorf("ranks: %v of equal models are called different, stated is %v", r, level)
	}
}

// TestExchangeSeesADifference: a model that is worse on every sample is found.
func TestExchangeSeesADifference(t *testing.T) {
	p := ExchangeTest(40, 999, 1, func(swap []bool) float64 {
		sum := 0.0
		for _, s := range swap {
			if s {
				sum--
			} else {
				sum++
			}
		}
		return sum
	})
	if p != 0.001 {
		t.Errorf("p = %v, want 1/1000", p)
	}
}

func TestTallyIsTheMarginOfConfusion(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	c, y := NewConfusion(7), NewTally(7)
	for range 200 {
		a, b := rng.IntN(6), rng.IntN(6)
		if err := c.Add(a, b); err != nil {
			t.Fatal(err)
		}
		y.Add(a, b)
	}
	if c.Macro() != y.Macro() {
		t.Errorf("macro %v, want %v", y.Macro(), c.Macro())
	}
	for i := range 7 {
		if c.Score(i) != y.Score(i) {
			t.Errorf("class %d: %v, want %v", i, y.Score(i), c.Score(i))
		}
	}
}
