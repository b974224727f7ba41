package metric

import (
	"slices"
	"time"
)

// Latency gives quantiles of measured times by nearest rank: the least time
// that at least p % of all do not exceed, always one that was measured.
type Latency struct{ P50, P90, P99, Min, Max time.Duration }

// Latencies returns the quantiles of times, in any order; all 0 for none.
func Latencies(times []time.Duration) Latency {
	if len(times) == 0 {
		return Latency{}
	}
	sorted := slices.Sorted(slices.Values(times))
	at := func(percent int) time.Duration {
		return sorted[(percent*len(sorted)+99)/100-1]
	}
	return Latency{at(50), at(90), at(99), sorted[0], sorted[len(sorted)-1]}
}
