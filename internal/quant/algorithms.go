package quant

import (
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
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
	if r.Static() && r.Weights.Algorithm != "" {
		return diag.Usagef("algorithm %s is one of mode weight-only, and the recipe has no nodes of that mode", r.Weights.Algorithm).
			Note("give --mode weight-only, or an override such as op:MatMul=w4a16:g32").Note("for mode static there are %s", strings.Join(algo.Names(), ", "))
	}
	if r.Mode == Dynamic {
		if i := slices.IndexFunc(r.Algorithms, func(a string) bool { return a != algo.Smoothing }); i >= 0 {
			return diag.Usagef("algorithm %s belongs to mode static", r.Algorithms[i]).Note("mode dynamic, which looks at no samples, has %s", algo.Smoothing)
		}
		s.smooth = len(r.Algorithms) > 0 || s.effort > algo.LeastEffort
		return nil
	}
	if !r.Static() {
		if len(r.Algorithms) > 0 || r.Effort != nil {
			return diag.Usagef("algorithms and effort belong to mode static, and the recipe has nodes of another mode").
				Note("leave them out; for weights of mode weight-only there are %s", strings.Join(WordsOf("weights.algorithm").Known, ", "))
		}
		return nil
	}
	wide := s.firstActivation(16) != dtype.Invalid
	if s.algorithms = r.Algorithms; len(s.algorithms) == 0 {
		s.algorithms = slices.DeleteFunc(algo.OfEffort(s.effort), func(a string) bool { return a == algo.Widening && !wide })
	} else if !wide && slices.Contains(s.algorithms, algo.Widening) {
		return diag.Usagef("algorithm %s: target %s takes no activations of 16 bits", algo.Widening, s.target.Name).
			Note("it takes: %s", strings.Join(s.target.Activations.Types, ", "))
	}
	return nil
}

// Static reports whether the recipe quantizes all nodes that it does not leave
// float with ranges that are known before the model runs, and to 8 bits.
func (r *Recipe) Static() bool {
	if r.Mode != "" && r.Mode != Auto && r.Mode != Static {
		return false
	}
	return !slices.ContainsFunc(r.Overrides, func(o Override) bool {
		return !slices.Contains([]string{"", precFloat, precW8A8, precInt8}, o.Precision)
	})
}

// SetAlgorithms sorts words into those of static quantization and those of
// weights in mode weight-only, of which there can be one.
func (r *Recipe) SetAlgorithms(words []string) error {
	r.Algorithms, r.Weights.Algorithm = nil, ""
	for _, w := range words {
		switch {
		case r.Mode != WeightOnly && (slices.Contains(algo.Names(), w) || !slices.Contains(WordsOf("weights.algorithm").Known, w)):
			r.Algorithms = append(r.Algorithms, w)
		case r.Weights.Algorithm != "":
			return diag.Usagef("algorithms %s and %s: weights of mode weight-only take one", r.Weights.Algorithm, w)
		default:
			r.Weights.Algorithm = w
		}
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
