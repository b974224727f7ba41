package quant

import "github.com/octavo-ml/octavo/internal/diag"

// Check returns an error of kind usage unless m is a mode of this release, or
// empty. Its notes say what works instead.
func (m Mode) Check() error {
	if m == "hybrid" {
		return diag.Usagef("mode hybrid means two things: say which").
			Note("in TFLite, hybrid kernels compute on int8 weights and float activations (dynamic-range quantization): not built in this release").
			Note("in guides to quantization, a hybrid model has several precisions: --mode static with --override PATTERN=float or --keep PATTERN for the nodes that stay float")
	}
	return checkWord("mode", "mode", string(m))
}
