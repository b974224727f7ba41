package quant

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/diag"
)

// built are the modes of this release.
var built = []string{string(Auto), string(Static)}

// unbuilt are the modes that have a name and no code yet.
var unbuilt = []string{"dynamic", "weight-only", "float16", "bfloat16"}

// Check returns an error of kind usage unless m is a mode of this release, or
// empty. Its notes say what works instead.
func (m Mode) Check() error {
	name := string(m)
	switch {
	case name == "" || slices.Contains(built, name):
		return nil
	case slices.Contains(unbuilt, name):
		return diag.Usagef("mode %s is not built in this release", name).
			Note("--mode static quantizes weights and activations to 8 bits, with ranges from samples: --data calib/").
			Note("--mode static --data random needs no samples, and loses more")
	case name == "hybrid":
		return diag.Usagef("mode hybrid means two things: say which").
			Note("in TFLite, hybrid kernels compute on int8 weights and float activations (dynamic-range quantization): not built in this release").
			Note("in guides to quantization, a hybrid model has several precisions: --mode static with --override PATTERN=float or --keep PATTERN for the nodes that stay float")
	}
	e := diag.Usagef("mode %q is not known", name)
	for _, near := range diag.Nearest(name, slices.Concat(built, unbuilt, []string{"hybrid"})) {
		if slices.Contains(unbuilt, near) {
			e.Note("did you mean %s? It is not built in this release", near)
		} else {
			e.Note("did you mean %s?", near)
		}
	}
	return e.Note("known: auto, static")
}
