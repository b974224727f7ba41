package observe

import "math"

// searchSteps is into how many parts each end of the range is cut by the
// searches, and searchDepth how far in they go.
const (
	searchSteps = 100
	searchDepth = 80
)

// mse searches the range whose quantization has the least mean squared error.
func mse(s *Stats, _ Method, w Want) (lo, hi float64) { return leastError(s, w, squaredError) }

// error4 searches the range with the least mean fourth power of the error: it
// cuts less off than mse.
func error4(s *Stats, _ Method, w Want) (lo, hi float64) { return leastError(s, w, fourthError) }

// squaredError and fourthError are powers of an error, and what they are in the
// mean where it is uniform within half a step: a twelfth of the squared step,
// an eightieth of its fourth power.
var (
	squaredError = loss{func(e float64) float64 { return e * e }, 1.0 / 12}
	fourthError  = loss{func(e float64) float64 { return float64(e*e) * float64(e*e) }, 1.0 / 80}
)

type loss struct {
	of      func(e float64) float64
	uniform float64 // its mean within half a step, of step 1
}

// leastError searches the range with the least loss: first the two ends
// together, then each alone. Inside the range the error of rounding is taken
// as uniform, as the bins are wider than a step there; values below half a
// step and outside the range count with their exact error.
func leastError(s *Stats, w Want, by loss) (lo, hi float64) {
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
		if e := roundingError(bins, l, h, levels, by); e < best {
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

// roundingError sums the loss of quantizing the bins to the range.
func roundingError(bins []Bin, lo, hi, levels float64, by loss) float64 {
	step := (hi - lo) / levels
	if step <= 0 {
		return math.Inf(1)
	}
	inside := by.of(step) * by.uniform
	var sum float64
	for _, b := range bins {
		switch x := b.Mean; {
		case x > hi:
			sum += float64(b.Count * by.of(x-hi))
		case x < lo:
			sum += float64(b.Count * by.of(lo-x))
		case math.Abs(x) < step/2:
			sum += float64(b.Count * by.of(x))
		default:
			sum += float64(b.Count * inside)
		}
	}
	return sum
}
