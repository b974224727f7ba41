package observe

import "math"

// searchSteps is into how many parts each end of the range is cut by the
// searches, and searchDepth how far in they go.
const (
	searchSteps = 100
	searchDepth = 80
)

// mse searches the range whose quantization has the least mean squared error:
// first the two ends together, then each alone. Inside the range the error of
// rounding is taken as a twelfth of the squared scale, as the bins are wider
// than a step there; values below half a step and outside the range count
// with their exact error.
func mse(s *Stats, _ Method, w Want) (lo, hi float64) {
	bins := s.hist.Bins()
	full := func() (float64, float64) { return math.Min(float64(s.Min), 0), math.Max(float64(s.Max), 0) }
	lo0, hi0 := full()
	if w.Symmetric {
		m := math.Max(-lo0, hi0)
		lo0, hi0 = -m, m
	}
	levels := float64(uint64(1)<<w.Type.Bits() - 1)
	best := math.Inf(1)
	lo, hi = lo0, hi0
	try := func(l, h float64) {
		if e := roundingError(bins, l, h, levels); e < best {
			best, lo, hi = e, l, h
		}
	}
	for i := range searchDepth {
		f := 1 - float64(i)/searchSteps
		try(lo0*f, hi0*f)
	}
	if w.Symmetric {
		return lo, hi
	}
	for i := range searchDepth {
		try(lo, hi0*(1-float64(i)/searchSteps))
	}
	for i := range searchDepth {
		try(lo0*(1-float64(i)/searchSteps), hi)
	}
	return lo, hi
}

// roundingError sums the squared error of quantizing the bins to the range.
func roundingError(bins []Bin, lo, hi, levels float64) float64 {
	step := (hi - lo) / levels
	if step <= 0 {
		return math.Inf(1)
	}
	inside := step * step / 12
	var sum float64
	for _, b := range bins {
		switch x := b.Mean; {
		case x > hi:
			sum += float64(b.Count * (x - hi) * (x - hi))
		case x < lo:
			sum += float64(b.Count * (lo - x) * (lo - x))
		case math.Abs(x) < step/2:
			sum += float64(b.Count * x * x)
		default:
			sum += float64(b.Count * inside)
		}
	}
	return sum
}
