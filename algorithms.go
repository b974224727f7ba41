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
	return algo.Uses(strings.Split(g.Meta[algorithmsKey], ","), algo.Equalizing, algo.Smoothing, quant.AWQ)
}

// keptSamples is how many samples calibration hands back, and how many small
// ones.
func keptSamples(use []string, weights bool) (n, small int) {
	switch {
	case weights:
		return quant.ImproveSamples, 0
	case len(use) > 0:
		return quant.ImproveSamples, quant.SmallImproveSamples
	}
	return quant.KeptSamples, 0
}

// canCalibrateWeights returns an error where the weights of mode weight-only are
// to be chosen by samples and cannot be. kept says that the model is quantized
// in part and that stays.
func (o *options) canCalibrateWeights(r *Recipe, kept bool) error {
	word := r.CalibratedWeights()
	switch {
	case kept:
		return diag.Usagef("algorithm %s: it chooses the weights of a whole float model, and parts of this one stay as they are", word).
			Note("--existing strip takes it back to floats; hqq and mse-clip look at weights alone")
	case o.ranges != nil:
		return diag.Usagef("algorithm %s: it needs samples, and ranges stand in their place", word).Note("give samples, or algorithm hqq or mse-clip, which look at weights alone")
	case o.samples == nil:
		return diag.Usagef("algorithm %s needs samples of what the model will see", word).
			Note("give WithCalibration, or --data on the command line").Note("hqq and mse-clip look at weights alone and need none")
	}
	return nil
}
