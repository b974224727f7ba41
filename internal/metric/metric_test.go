package metric_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	. "github.com/octavo-ml/octavo/internal/metric"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) && got != want && (got == got || want == want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// The matrix of the tests, true classes down:
//
//	    0  1  2  3
//	0   5  1  0  0
//	1   2  3  1  0
//	2   0  0  4  0
//	3   0  0  0  0
var answers = []struct{ truth, answer, times int }{
	{0, 0, 5}, {0, 1, 1}, {1, 0, 2}, {1, 1, 3}, {1, 2, 1}, {2, 2, 4},
}

func TestConfusion(t *testing.T) {
	c, other := NewConfusion(4), NewConfusion(4)
	for i, a := range answers {
		into := c
		if i%2 == 1 {
			into = other
		}
		for range a.times {
			if err := into.Add(a.truth, a.answer); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.Merge(other)
	if c.Count(1, 0) != 2 || c.Count(0, 1) != 1 || c.Classes() != 4 {
		t.Errorf("counts %d, %d of %d classes", c.Count(1, 0), c.Count(0, 1), c.Classes())
	}
	if r := c.Accuracy(); r != (Rate{12, 16}) {
		t.Errorf("accuracy %+v", r)
	}
	want := []Score{
		{5.0 / 7, 5.0 / 6, 10.0 / 13, 6},
		{3.0 / 4, 3.0 / 6, 6.0 / 10, 6},
		{4.0 / 5, 1, 8.0 / 9, 4},
		{},
	}
	score := func(what string, got, want Score) {
		t.Helper()
		near(t, what+" precision", got.Precision, want.Precision, 1e-15)
		near(t, what+" recall", got.Recall, want.Recall, 1e-15)
		near(t, what+" F1", got.F1, want.F1, 1e-15)
		if got.Support != want.Support {
			t.Errorf("%s support: got %d, want %d", what, got.Support, want.Support)
		}
	}
	for class, w := range want {
		score("class", c.Score(class), w)
	}
	// Class 3 never occurs and does not count.
	score("macro", c.Macro(), Score{(5.0/7 + 3.0/4 + 4.0/5) / 3, (5.0/6 + 0.5 + 1) / 3, (10.0/13 + 0.6 + 8.0/9) / 3, 16})
	score("weighted", c.Weighted(), Score{(6*5.0/7 + 6*3.0/4 + 4*4.0/5) / 16, 12.0 / 16, (6*10.0/13 + 6*0.6 + 4*8.0/9) / 16, 16})
	score("micro", c.Micro(), Score{0.75, 0.75, 0.75, 16})
	for _, bad := range [][2]int{{-1, 0}, {0, 4}, {4, 0}, {0, -1}} {
		if err := c.Add(bad[0], bad[1]); err == nil {
			t.Errorf("%v counted", bad)
		}
	}
	if r := c.Accuracy(); r.Total != 16 {
		t.Errorf("bad classes were counted: %+v", r)
	}
}

func TestConfusionMacroCountsAnswersWithoutTruth(t *testing.T) {
	c := NewConfusion(2)
	for range 2 {
		if err := c.Add(0, 1); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.Macro(); got != (Score{Support: 2}) {
		t.Errorf("macro %+v", got)
	}
	if got := NewConfusion(3).Weighted(); got != (Score{}) {
		t.Errorf("empty: %+v", got)
	}
}

func TestRate(t *testing.T) {
	var r Rate
	near(t, "nothing", r.Value(), 0, 0)
	r.Add(true)
	r.Add(false)
	r.Merge(Rate{2, 2})
	if r != (Rate{3, 4}) || r.Value() != 0.75 {
		t.Errorf("%+v is %v", r, r.Value())
	}
}

func TestTop(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		scores []float32
		best   int
		// ranks[class] is the least k with class among the top k, 0 for never.
		ranks []int
	}{
		{[]float32{0.1, 0.7, 0.2}, 1, []int{3, 1, 2}},
		{[]float32{5, 9, 9, 5}, 1, []int{3, 1, 2, 4}},
		{[]float32{nan, 1, nan, 2}, 3, []int{0, 2, 0, 1}},
		{[]float32{nan}, -1, []int{0}},
		{nil, -1, nil},
	} {
		if got := Best(c.scores); got != c.best {
			t.Errorf("best of %v is %d", c.scores, got)
		}
		for class, rank := range c.ranks {
			for k := range 6 {
				if got, want := InTop(c.scores, class, k), rank > 0 && k >= rank; got != want {
					t.Errorf("%d in the top %d of %v: %v", class, k, c.scores, got)
				}
			}
		}
		if InTop(c.scores, len(c.scores), 9) || InTop(c.scores, -1, 9) {
			t.Errorf("class out of range in the top of %v", c.scores)
		}
	}
}

func TestAUC(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		positive, negative []float32
		want               float64
	}{
		{[]float32{0.8, 0.4}, []float32{0.1, 0.5}, 0.75},
		{[]float32{3, 4}, []float32{1, 2}, 1},
		{[]float32{1, 2}, []float32{3, 4}, 0},
		{[]float32{1, 1}, []float32{1, 1, 1}, 0.5},
		{[]float32{2, 3, 3}, []float32{1, 2, 3}, (1.5 + 2.5 + 2.5) / 9},
		{[]float32{0}, []float32{float32(math.Copysign(0, -1))}, 0.5},
		{[]float32{1}, nil, math.NaN()},
		{[]float32{1, nan}, []float32{0}, math.NaN()},
	} {
		var r, part Ranking
		for i, s := range c.positive {
			if i%2 == 0 {
				r.Add(s, true)
			} else {
				part.Add(s, true)
			}
		}
		for _, s := range c.negative {
			part.Add(s, false)
		}
		r.Merge(&part)
		near(t, "AUC", r.AUC(), c.want, 1e-15)
	}
}

func TestAUCEqualsPairs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var r Ranking
	var pos, neg []float32
	for range 300 {
		s, p := float32(rng.IntN(40)), rng.IntN(3) == 0
		r.Add(s, p)
		if p {
			pos = append(pos, s)
		} else {
			neg = append(neg, s)
		}
	}
	wins := 0.0
	for _, p := range pos {
		for _, n := range neg {
			if p > n {
				wins++
			} else if p == n {
				wins += 0.5
			}
		}
	}
	near(t, "AUC", r.AUC(), wins/float64(len(pos)*len(neg)), 1e-15)
}

func TestLatencies(t *testing.T) {
	times := make([]time.Duration, 200)
	for i := range times {
		times[i] = time.Duration((i*77)%200 + 1)
	}
	if got, want := Latencies(times), (Latency{100, 180, 198, 1, 200}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := Latencies([]time.Duration{7}), (Latency{7, 7, 7, 7, 7}); got != want {
		t.Errorf("one time: got %v", got)
	}
	if got, want := Latencies([]time.Duration{3, 1, 2}), (Latency{2, 3, 3, 1, 3}); got != want {
		t.Errorf("three times: got %v", got)
	}
	if got := Latencies(nil); got != (Latency{}) {
		t.Errorf("no time: got %v", got)
	}
}
