package octavo

import (
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/quant"
	"github.com/octavo-ml/octavo/internal/quant/algo"
)

// Algorithms returns the names that Recipe.Algorithms takes.
func Algorithms() []string { return slices.Clone(quant.WordsOf("algorithms").Known) }

// WithLayers calls f while the algorithms of the recipe run, before each layer
// that is rounded and at the end.
func WithLayers(f func(layer, of int)) Option { return func(o *options) { o.layers = f } }

// algorithms returns those that run: all need samples, and by default real ones.
func (o *options) algorithms(r *Recipe) ([]string, error) {
	use, err := r.AlgorithmsUsed()
	if err != nil {
		return nil, err
	}
	if o.random != nil && len(r.Algorithms) == 0 && r.Effort == nil {
		return nil, nil // noise does not tell what layers see
	}
	if o.ranges == nil {
		return use, nil
	}
	if len(use) > 0 && len(r.Algorithms) > 0 {
		return nil, diag.Usagef("algorithms %s: they need samples, and ranges stand in their place", strings.Join(r.Algorithms, ", ")).
			Note("give samples, or algorithm none")
	}
	return nil, nil
}

// algorithmsKey is where a file records which algorithms ran, with commas
// between.
const algorithmsKey = "octavo.algorithms"

// rescales reports whether an algorithm ran that multiplies channels by factors
// of their own.
func rescales(g *ir.Graph) bool {
	return algo.Uses(strings.Split(g.Meta[algorithmsKey], ","), algo.Equalizing, algo.Smoothing)
}

// keptSamples is how many samples calibration hands back.
func keptSamples(use []string) int {
	if len(use) > 0 {
		return quant.ImproveSamples
	}
	return quant.KeptSamples
}
