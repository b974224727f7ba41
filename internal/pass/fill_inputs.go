package pass

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// FillInputs puts constants in the place of inputs, and infers all shapes anew.
// Values goes by the input's name; each has its input's type and shape. It is
// no part of Prepare: which input never changes is the user's to say.
//
// Before: inputs x, rate; y = If(Equal(rate, 16000))
// After:  input x;        y = If(Equal(16000, 16000))
func FillInputs(g *ir.Graph, values map[string]*tensor.Tensor) error {
	for _, v := range slices.Clone(g.Inputs) {
		t := values[v.Name]
		if t == nil {
			continue
		}
		g.Replace(v, ir.NewConst(v.Name, t))
		g.Inputs = slices.DeleteFunc(g.Inputs, func(in *ir.Value) bool { return in == v })
	}
	return ir.Infer(g)
}
