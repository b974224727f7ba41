// Package observe gathers statistics of values while samples run, and chooses
// ranges from them.
//
// Statistics are exact and mergeable: the state after all samples does not
// depend on their order, on how they were split over workers, or on the
// machine. The package sees slices of numbers; it knows no graph and no
// runtime. Start at [Stats]; each method of choosing a range has a file.
package observe

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/histogram"
)

// Method is a way to choose a range, with its parameter.
type Method struct {
	name string
	// percent is the share of values that percentile keeps.
	percent float64
}

// String returns the method as it is written in recipes.
func (m Method) String() string {
	if m.name == "percentile" {
		return "percentile:" + strconv.FormatFloat(m.percent, 'g', -1, 64)
	}
	return m.name
}

// Want is what the range is for.
type Want struct {
	Type      dtype.Type
	Symmetric bool
}

// methods is the table of range methods.
var methods = []struct {
	name      string
	histogram bool // needs the histogram
	choose    func(s *Stats, m Method, w Want) (lo, hi float64)
}{
	{"minmax", false, minMax},
	{"moving-average", false, movingAverage},
	{"percentile", true, percentile},
	{"entropy", true, entropy},
	{"mse", true, mse},
	{"error4", true, error4},
}

// Names returns the methods in order.
func Names() []string {
	var out []string
	for _, m := range methods {
		out = append(out, m.name)
	}
	return out
}

// defaultPercent is the share that percentile keeps without a parameter.
const defaultPercent = 99.99

// ParseMethod reads "minmax", "percentile:99.9" and the like.
func ParseMethod(s string) (Method, error) {
	name, arg, has := strings.Cut(s, ":")
	if !slices.Contains(Names(), name) {
		return Method{}, diag.Usagef("unknown observer %q", s).Suggest(name, append([]string{"auto"}, Names()...), "known")
	}
	m := Method{name: name}
	if name == "percentile" {
		m.percent = defaultPercent
	}
	if has {
		v, err := strconv.ParseFloat(arg, 64)
		if err != nil || name != "percentile" || !(v > 50 && v <= 100) {
			return Method{}, &diag.Error{Kind: diag.Usage, Msg: fmt.Sprintf("observer %q: only percentile takes a number, above 50 and up to 100", s)}
		}
		m.percent = v
	}
	return m, nil
}

// NeedsHistogram reports whether the method looks at more than extremes.
func (m Method) NeedsHistogram() bool {
	for _, row := range methods {
		if row.name == m.name {
			return row.histogram
		}
	}
	return false
}

// Stats is what was observed of one value.
type Stats struct {
	Min, Max float32
	Count    uint64 // finite values
	NaN, Inf uint64
	hist     *Histogram
	samples  []extent
	chosen   map[Want]Range // instead of all that
}

// Range is a closed range of real numbers.
type Range struct{ Lo, Hi float64 }

// Chosen returns statistics that know the ranges that were chosen from others,
// and give them whatever the method.
func Chosen(ranges map[Want]Range) *Stats { return &Stats{chosen: ranges} }

// extent is the range of one sample.
type extent struct {
	index    int
	min, max float32
}

// New returns empty statistics, with a histogram if one will be asked for.
func New(histogram bool) *Stats {
	s := &Stats{Min: float32(math.Inf(1)), Max: float32(math.Inf(-1))}
	if histogram {
		s.hist = &Histogram{}
	}
	return s
}

// HasHistogram reports whether values are counted beside their extremes.
func (s *Stats) HasHistogram() bool { return s.hist != nil }

// fewValues is below how many a counter costs more than it saves.
const fewValues = 1024

// Observe takes in the values of one sample; index is its number among all
// samples. A sample may be given in parts. The counter, which may be nil, holds
// nothing before and after; many values are counted faster with one.
func (s *Stats) Observe(index int, x []float32, c *histogram.Counter) {
	if len(x) < fewValues || s.hist == nil {
		c = nil
	}
	all := histogram.None()
	for len(x) > 0 {
		part := x[:min(len(x), histogram.Chunk)]
		x = x[len(part):]
		e, finite := histogram.Bounds(part)
		if !finite {
			part = s.finite(part)
			e, _ = histogram.Bounds(part)
		}
		s.Count += uint64(len(part))
		switch {
		case s.hist == nil:
		case c == nil:
			s.hist.add(part)
		default:
			if c.Full() {
				s.hist.drain(c, all)
			}
			s.hist.zeros += c.Add(part)
		}
		all = all.With(e)
	}
	if c != nil {
		s.hist.drain(c, all)
	}
	if all.Min > all.Max {
		return
	}
	s.Min, s.Max = min(s.Min, all.Min), max(s.Max, all.Max)
	if n := len(s.samples); n > 0 && s.samples[n-1].index == index {
		e := &s.samples[n-1]
		e.min, e.max = min(e.min, all.Min), max(e.max, all.Max)
	} else {
		s.samples = append(s.samples, extent{index, all.Min, all.Max})
	}
}

// finite returns those values of x that are finite, and counts the others.
func (s *Stats) finite(x []float32) []float32 {
	kept := make([]float32, 0, len(x))
	for _, v := range x {
		switch {
		case v != v:
			s.NaN++
		case v-v != 0:
			s.Inf++
		default:
			kept = append(kept, v)
		}
	}
	return kept
}

// Merge adds what o has observed; both may have seen parts of one sample.
func (s *Stats) Merge(o *Stats) {
	s.Min, s.Max = min(s.Min, o.Min), max(s.Max, o.Max)
	s.Count += o.Count
	s.NaN += o.NaN
	s.Inf += o.Inf
	if s.hist != nil && o.hist != nil {
		s.hist.merge(o.hist)
	}
	s.samples = append(s.samples, o.samples...)
}

// Range chooses the range to quantize by m. Values that are not finite do not
// take part; it is an error if there are no others.
func (s *Stats) Range(m Method, w Want) (lo, hi float64, err error) {
	if s.chosen != nil {
		r, ok := s.chosen[w]
		if !ok {
			return 0, 0, fmt.Errorf("there is no range for %v", w.Type)
		}
		return r.Lo, r.Hi, nil
	}
	if s.Count == 0 {
		if s.NaN+s.Inf > 0 {
			return 0, 0, fmt.Errorf("all %d values were NaN or infinite", s.NaN+s.Inf)
		}
		return 0, 0, fmt.Errorf("no values were observed")
	}
	for _, row := range methods {
		if row.name == m.name {
			if row.histogram && s.hist == nil {
				return 0, 0, fmt.Errorf("observed without a histogram, which %s needs", m)
			}
			lo, hi = row.choose(s, m, w)
			return lo, hi, nil
		}
	}
	return 0, 0, fmt.Errorf("no method is chosen")
}

// Growth returns by how much the range of all samples exceeds that of the
// first three quarters, relative to the whole.
func (s *Stats) Growth(samples int) float64 {
	if s.chosen != nil {
		return 0
	}
	cut := samples - samples/4
	lo, hi := float32(0), float32(0)
	for _, e := range s.samples {
		if e.index < cut {
			lo, hi = min(lo, e.min), max(hi, e.max)
		}
	}
	whole := float64(max(s.Max, 0)) - float64(min(s.Min, 0))
	if whole == 0 {
		return 0
	}
	return 1 - (float64(hi)-float64(lo))/whole
}

func minMax(s *Stats, _ Method, _ Want) (lo, hi float64) { return float64(s.Min), float64(s.Max) }

// momentum is how far the average moves towards each sample (ONNX Runtime's
// CalibMovingAverageConstant).
const momentum = 0.01

// movingAverage follows the ranges of the samples in the order of their index.
func movingAverage(s *Stats, _ Method, _ Want) (lo, hi float64) {
	byIndex := slices.Clone(s.samples)
	slices.SortStableFunc(byIndex, func(a, b extent) int { return a.index - b.index })
	for i := 0; i < len(byIndex); {
		e := byIndex[i]
		for i++; i < len(byIndex) && byIndex[i].index == e.index; i++ {
			e.min, e.max = min(e.min, byIndex[i].min), max(e.max, byIndex[i].max)
		}
		if e.index == byIndex[0].index {
			lo, hi = float64(e.min), float64(e.max)
			continue
		}
		lo += float64(momentum * (float64(e.min) - lo))
		hi += float64(momentum * (float64(e.max) - hi))
	}
	return lo, hi
}

// percentile cuts half of what it drops from either end, and never beyond the
// extremes.
func percentile(s *Stats, m Method, w Want) (lo, hi float64) {
	bins := s.hist.Bins()
	tail := float64((100 - m.percent) / 200 * float64(s.Count))
	if w.Symmetric {
		limit := tailOfMagnitude(bins, float64(2*tail))
		return max(-limit, float64(s.Min)), min(limit, float64(s.Max))
	}
	lo, hi = float64(s.Min), float64(s.Max)
	var sum float64
	for _, b := range bins {
		if sum += b.Count; sum > tail {
			lo = max(lo, b.Lo)
			break
		}
	}
	sum = 0
	for _, b := range slices.Backward(bins) {
		if sum += b.Count; sum > tail {
			hi = min(hi, b.Hi)
			break
		}
	}
	return lo, hi
}

// tailOfMagnitude returns the magnitude that at most n values exceed.
func tailOfMagnitude(bins []Bin, n float64) float64 {
	i, k := 0, len(bins)-1
	var sum float64
	for i <= k {
		left, right := math.Abs(bins[i].Lo), math.Abs(bins[k].Hi)
		b, limit := bins[k], right
		if left > right {
			b, limit = bins[i], left
			i++
		} else {
			k--
		}
		if sum += b.Count; sum > n {
			return limit
		}
	}
	return 0
}
