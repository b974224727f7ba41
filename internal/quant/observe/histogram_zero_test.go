package observe

import "testing"

// A zero counts as a zero even after a subnormal of the same exponent field.
func TestHistogramZeroAfterSubnormal(t *testing.T) {
	var h Histogram
	h.add([]float32{5.877472e-39, 0})
	if h.zeros != 1 {
		t.Errorf("zeros = %d, want 1", h.zeros)
	}
}
