package kerneltest

import (
	"testing"
	"time"
)

// Fraction runs f, which does macs multiply-adds, of bytes or of floats, as a
// benchmark, and between its runs a loop that does nothing but multiply-adds.
// It reports the shortest run's multiply-adds per second, and what part that
// is of the loop's.
func Fraction(b *testing.B, bytes bool, macs int, f func()) {
	shortest := func(best time.Duration, f func()) time.Duration {
		begin := time.Now()
		f()
		if d := time.Since(begin); best == 0 || d < best {
			return d
		}
		return best
	}
	var mine, peak time.Duration
	most := 0
	for b.Loop() {
		mine = shortest(mine, f)
		peak = shortest(peak, func() { most = burst(bytes) })
	}
	rate := float64(macs) / mine.Seconds()
	b.ReportMetric(rate/1e9, "GMAC/s")
	if most > 0 {
		b.ReportMetric(100*rate*peak.Seconds()/float64(most), "%peak")
	}
}
