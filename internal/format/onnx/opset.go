package onnx

import "github.com/octavo-ml/octavo/internal/ir"

// WrittenOpset returns the ai.onnx version at which g is written when none is
// asked for: that of the file it was read from, within what is written. What
// g holds can raise it.
func WrittenOpset(g *ir.Graph) int {
	v, err := chooseOpset(g, 0)
	if err != nil {
		return lowestWritten // 0 asks for nothing that could be refused
	}
	return v
}
