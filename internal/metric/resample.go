package metric

import "math/rand/v2"

// ExchangeTest returns the two-sided p-value of the hypothesis that two models
// are alike: the share of random exchanges of their results, sample by sample,
// that change a figure at least as much as it was (a paired permutation test;
// Good, Permutation Tests, 2000). change returns the second model's figure less
// the first's where the results of samples with swap set change places. The
// same seed gives the same exchanges everywhere.
//
// The p-value counts what was seen among the rounds, so that equal models come
// out below a level no more often than it says.
func ExchangeTest(n, rounds int, seed uint64, change func(swap []bool) float64) float64 {
	swap := make([]bool, n)
	seen := change(swap)
	if seen != seen {
		return 1
	}
	rng := rand.NewPCG(seed, 0x65786368616e6765)
	extreme := 1
	for range rounds {
		var bits uint64
		for i := range swap {
			if i%64 == 0 {
				bits = rng.Uint64()
			}
			swap[i], bits = bits&1 != 0, bits>>1
		}
		// Sums in another order differ in their last bits.
		if c := change(swap); max(c, -c) >= float64(max(seen, -seen)*(1-1e-12)) {
			extreme++
		}
	}
	return float64(extreme) / float64(rounds+1)
}
