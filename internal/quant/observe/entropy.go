package observe

import (
	"math"

	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
)

// entropyBins is the resolution of the distribution that entropy compares, and
// entropyStride by how many bins the threshold moves.
const (
	entropyBins   = 4096
	entropyStride = 16
)

// entropy searches the range for which the quantized distribution diverges
// least from the true one (Kullback-Leibler; Migacz, "8-bit inference with
// TensorRT", 2017), over thresholds from the number of levels up to the whole
// range, both ends scaled alike. Values outside are counted in the last bins.
func entropy(s *Stats, _ Method, w Want) (lo, hi float64) {
	lo, hi = math.Min(float64(s.Min), 0), math.Max(float64(s.Max), 0)
	if w.Symmetric {
		m := math.Max(-lo, hi)
		lo, hi = -m, m
	}
	if hi <= lo {
		return lo, hi
	}
	dist := linear(s.hist.Bins(), lo, hi, entropyBins)
	levels := min(1<<w.Type.Bits(), 256)
	// The bin that holds zero splits the range; thresholds keep its place.
	zero := int(math.Round(-lo / (hi - lo) * entropyBins))
	// The spike of zeros that a ReLU leaves says nothing about the range, and
	// would outweigh all else.
	if at := min(zero, entropyBins-1); at+1 < entropyBins {
		dist[at] = dist[at+1]
	}
	best, bestF := math.Inf(1), 1.0
	for n := levels; n <= entropyBins; n += entropyStride {
		f := float64(n) / entropyBins
		from := zero - int(math.Round(f*float64(zero)))
		to := min(from+n, entropyBins)
		if d := divergence(dist, from, to, levels); d < best {
			best, bestF = d, f
		}
	}
	return lo * bestF, hi * bestF
}

// linear spreads bins over n equal cells of [lo, hi].
func linear(bins []Bin, lo, hi float64, n int) []float64 {
	out := make([]float64, n)
	width := (hi - lo) / float64(n)
	cell := func(x float64) int { return min(max(int((x-lo)/width), 0), n-1) }
	for _, b := range bins {
		first, last := cell(b.Lo), cell(b.Hi)
		share := b.Count / float64(last-first+1)
		for i := first; i <= last; i++ {
			out[i] += share
		}
	}
	return out
}

// divergence compares the distribution clipped to cells from..to with its form
// in the given number of levels.
func divergence(dist []float64, from, to, levels int) float64 {
	n := to - from
	p := make([]float64, n)
	copy(p, dist[from:to])
	// Levels are filled from what lies inside; what is clipped weighs on the
	// reference alone, so that clipping much costs.
	inside := append([]float64(nil), p...)
	for _, v := range dist[:from] {
		p[0] += v
	}
	for _, v := range dist[to:] {
		p[n-1] += v
	}
	q := make([]float64, n)
	var sumP, sumQ float64
	for l := range levels {
		a, b := l*n/levels, (l+1)*n/levels
		var sum, used float64
		for i := a; i < b; i++ {
			sum += inside[i]
			if p[i] > 0 {
				used++
			}
		}
		for i := a; i < b; i++ {
			if p[i] > 0 && used > 0 {
				q[i] = sum / used
			}
			sumP += p[i]
			sumQ += q[i]
		}
	}
	if sumP == 0 || sumQ == 0 {
		return math.Inf(1)
	}
	const epsilon = 1e-9
	var d float64
	for i := range p {
		if p[i] > 0 {
			pi, qi := p[i]/sumP, math.Max(q[i]/sumQ, epsilon)
			d += float64(pi * eltwise.Log64(pi/qi))
		}
	}
	return d
}
