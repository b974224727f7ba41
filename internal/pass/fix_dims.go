package pass

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// FixDims gives the symbols of dynamic dimensions their sizes, wherever they
// stand in g and its bodies, and infers all shapes anew. Sizes goes by the name
// of a symbol (op.Dim.Name). It is no part of Prepare: the sizes are the
// user's.
//
// Before: x float32[batch,3]; y float32[2*batch,3] = Concat(x, x)
// After:  x float32[4,3];     y float32[8,3] = Concat(x, x)
func FixDims(g *ir.Graph, sizes map[string]int) error {
	substitute(g, sizes)
	if err := ir.Infer(g); err != nil {
		return fmt.Errorf("with these dimensions: %w", err)
	}
	return nil
}

func substitute(g *ir.Graph, sizes map[string]int) {
	for _, v := range g.Values() {
		if v.Const != nil {
			continue
		}
		v.Shape = fixed(v.Shape, sizes)
		v.Values = fixed(v.Values, sizes)
	}
	for _, n := range g.Nodes {
		for _, b := range n.Bodies {
			substitute(b, sizes)
		}
	}
}

func fixed(dims []op.Dim, sizes map[string]int) []op.Dim {
	if dims == nil {
		return nil
	}
	out := make([]op.Dim, len(dims))
	for i, d := range dims {
		out[i] = d.Substitute(sizes)
	}
	return out
}
