package metric

import (
	"math"
	"slices"
)

// Ranking gathers scored samples of two classes for the area under the
// receiver operating characteristic.
type Ranking struct{ positive, negative []float32 }

// Add takes the score of one sample.
func (r *Ranking) Add(score float32, positive bool) {
	if positive {
		r.positive = append(r.positive, score)
	} else {
		r.negative = append(r.negative, score)
	}
}

// Merge takes the samples of o.
func (r *Ranking) Merge(o *Ranking) {
	r.positive = append(r.positive, o.positive...)
	r.negative = append(r.negative, o.negative...)
}

// AUC returns the probability that a positive sample scores higher than a
// negative one, equal scores counting half (the Mann-Whitney statistic, exact).
// It is NaN without samples of both classes or with a NaN score.
func (r *Ranking) AUC() float64 {
	if len(r.positive) == 0 || len(r.negative) == 0 {
		return math.NaN()
	}
	pos, neg := slices.Sorted(slices.Values(r.positive)), slices.Sorted(slices.Values(r.negative))
	// NaNs sort first.
	if pos[0] != pos[0] || neg[0] != neg[0] {
		return math.NaN()
	}
	var halves int64
	below, upTo := 0, 0
	for _, p := range pos {
		for below < len(neg) && neg[below] < p {
			below++
		}
		for upTo < len(neg) && neg[upTo] <= p {
			upTo++
		}
		halves += int64(below + upTo)
	}
	return float64(halves) / 2 / float64(len(pos)) / float64(len(neg))
}
