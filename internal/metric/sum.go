package metric

import "math/big"

// sum adds float64 values exactly, so that neither order nor grouping shows.
// The zero value is 0.
type sum struct {
	finite big.Float
	// rest holds what has no finite value: ±Inf and NaN.
	rest float64
}

// wide holds every bit between the least and the greatest float64, and 2^60 of
// the latter.
const wide = 2160

func (s *sum) add(v float64) {
	if v-v != 0 {
		s.rest += v
		return
	}
	s.finite.SetPrec(wide).Add(&s.finite, big.NewFloat(v))
}

func (s *sum) merge(o *sum) {
	s.rest += o.rest
	s.finite.SetPrec(wide).Add(&s.finite, &o.finite)
}

// value returns the sum rounded once.
func (s *sum) value() float64 {
	v, _ := s.finite.Float64()
	return v + s.rest
}
