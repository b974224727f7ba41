package quant

import (
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/quant/algo"
)

// resolveAlgorithms fills in which algorithms run.
func (s *settings) resolveAlgorithms() error {
	r := s.recipe
	s.effort = algo.StandardEffort
	if r.Effort != nil {
		if s.effort = *r.Effort; s.effort < algo.LeastEffort || s.effort > algo.MostEffort {
			return diag.Usagef("effort %d: want %d (plain rounding) to %d", s.effort, algo.LeastEffort, algo.MostEffort)
		}
	}
	if slices.Contains(r.Algorithms, NoAlgorithm) {
		if len(r.Algorithms) > 1 {
			return diag.Usagef("algorithms %s: none stands alone", strings.Join(r.Algorithms, ", "))
		}
		return nil
	}
	if s.parity {
		if len(r.Algorithms) > 0 || r.Effort != nil {
			return diag.Usagef("algorithms and parity: %s rounds plainly", r.Parity).Note("leave out one of them")
		}
		return nil
	}
	if s.algorithms = r.Algorithms; len(s.algorithms) == 0 {
		s.algorithms = algo.OfEffort(s.effort)
	}
	return nil
}

// AlgorithmsUsed returns the algorithms that run for the recipe, in no order. They
// need samples.
func (r *Recipe) AlgorithmsUsed() ([]string, error) {
	s, err := r.resolve()
	if err != nil {
		return nil, err
	}
	return s.algorithms, nil
}
