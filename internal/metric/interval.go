package metric

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// Z95 is the normal quantile of two-sided 95 % intervals.
const Z95 = 1.959963984540054

// Interval is a range that covers the true figure with a stated confidence.
type Interval struct{ Low, High float64 }

// Contains reports whether v lies inside, ends included.
func (i Interval) Contains(v float64) bool { return i.Low <= v && v <= i.High }

// Wilson returns the score interval of the rate for the normal quantile z
// (Wilson, J. Am. Stat. Assoc. 22, 1927); all of [0, 1] without trials.
func (r Rate) Wilson(z float64) Interval {
	if r.Total == 0 {
		return Interval{0, 1}
	}
	n, p, zz := float64(r.Total), r.Value(), float64(z*z)
	mid := p + zz/(2*n)
	half := float64(z * math.Sqrt(p*(1-p)/n+zz/(4*n*n)))
	iv := Interval{(mid - half) / (1 + zz/n), (mid + half) / (1 + zz/n)}
	// The ends are exact where every trial went the same way.
	if r.Hits == 0 {
		iv.Low = 0
	}
	if r.Hits == r.Total {
		iv.High = 1
	}
	return iv
}

// Pairs counts the samples that two models answered, by which one was right.
type Pairs struct{ Both, OnlyFirst, OnlySecond, Neither int64 }

// Add counts one sample.
func (p *Pairs) Add(first, second bool) {
	switch {
	case first && second:
		p.Both++
	case first:
		p.OnlyFirst++
	case second:
		p.OnlySecond++
	default:
		p.Neither++
	}
}

// Merge adds the counts of o.
func (p *Pairs) Merge(o Pairs) {
	p.Both += o.Both
	p.OnlyFirst += o.OnlyFirst
	p.OnlySecond += o.OnlySecond
	p.Neither += o.Neither
}

// First returns the accuracy of the first model.
func (p Pairs) First() Rate { return Rate{p.Both + p.OnlyFirst, p.total()} }

// Second returns the accuracy of the second model.
func (p Pairs) Second() Rate { return Rate{p.Both + p.OnlySecond, p.total()} }

func (p Pairs) total() int64 { return p.Both + p.OnlyFirst + p.OnlySecond + p.Neither }

// Change returns the accuracy of the second model less that of the first.
func (p Pairs) Change() float64 { return ratio(p.OnlySecond-p.OnlyFirst, p.total()) }

// ChangeInterval returns the score interval of Change for the normal quantile
// z, which takes account of the pairing (Newcombe, Stat. Med. 17, 1998, p.
// 2635, method 10); all of [-1, 1] without samples.
func (p Pairs) ChangeInterval(z float64) Interval {
	if p.total() == 0 {
		return Interval{-1, 1}
	}
	first, second := p.First(), p.Second()
	w1, w2 := first.Wilson(z), second.Wilson(z)
	p1, p2 := first.Value(), second.Value()
	var phi float64
	a, b, c, d := float64(p.Both), float64(p.OnlyFirst), float64(p.OnlySecond), float64(p.Neither)
	if m := (a + b) * (c + d) * (a + c) * (b + d); m > 0 {
		phi = (float64(a*d) - float64(b*c)) / math.Sqrt(m)
	}
	root := func(x, y float64) float64 {
		return math.Sqrt(max(0, float64(x*x)-float64(2*phi*x*y)+float64(y*y)))
	}
	return Interval{
		p.Change() - root(p2-w2.Low, w1.High-p1),
		p.Change() + root(p1-w1.Low, w2.High-p2),
	}
}

// McNemar returns the two-sided exact p-value of the hypothesis that both
// models are equally often the only one to be right: twice the binomial tail
// of the rarer outcome at even odds, at most 1.
func (p Pairs) McNemar() float64 {
	n, k := p.OnlyFirst+p.OnlySecond, min(p.OnlyFirst, p.OnlySecond)
	// term = C(n, k) as frac * 2^exp; the terms below it follow by ratios.
	frac, exp := 1.0, 0
	for i := int64(1); i <= k; i++ {
		f, e := math.Frexp(frac * float64(n-i+1) / float64(i))
		frac, exp = f, exp+e
	}
	sum, term := 1.0, 1.0
	for i := k; i > 0 && term > 0; i-- {
		term = float64(term * float64(i) / float64(n-i+1))
		sum += term
	}
	shift := max(int64(exp)-n, -4000)
	return min(1, math.Ldexp(2*frac*sum, int(shift)))
}

// Bootstrap returns the percentile interval of a statistic over n samples: the
// statistic of resamples with replacement, given as indices, between its
// (1-level)/2 and (1+level)/2 quantiles by nearest rank. The same seed gives
// the same resamples everywhere. Resamples whose statistic is NaN are left
// out; without any other the interval is NaN.
func Bootstrap(n, rounds int, level float64, seed uint64, statistic func(sample []int) float64) Interval {
	rng := rand.NewPCG(seed, 0x6f637461766f)
	sample := make([]int, n)
	var values []float64
	for range rounds {
		for i := range sample {
			hi, _ := bits.Mul64(rng.Uint64(), uint64(n))
			sample[i] = int(hi)
		}
		if v := statistic(sample); v == v {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return Interval{math.NaN(), math.NaN()}
	}
	slices.Sort(values)
	tail := float64((1 - level) / 2 * float64(len(values)))
	low := min(int(tail), len(values)-1)
	return Interval{values[low], values[max(len(values)-1-low, low)]}
}
