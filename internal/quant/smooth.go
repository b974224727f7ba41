package quant

import (
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/quant/algo"
)

// Smooth runs the algorithm of that name in mode dynamic, which has no samples:
// how great the channels of a normalization become is told by its gain and offset.
// Only normalizations are smoothed that layers alone read whose activations are
// quantized as the model runs, so that the model computes nothing more. It returns
// another graph and its placement, or g and pl where there is nothing to do.
func Smooth(g *ir.Graph, pl *Placement, r *Recipe) (*ir.Graph, *Placement, error) {
	s, err := r.resolve()
	if err != nil || !s.smooth {
		return g, pl, err
	}
	live := map[Use]bool{}
	for _, pt := range pl.Points {
		for _, u := range pt.Uses {
			live[u] = live[u] || pt.Role == Live
		}
	}
	out, _ := g.Clone()
	names, changed := ir.NewNamer(out), false
	for _, n := range algo.Norms(out, func(n *ir.Node) bool { return live[Use{firstOutput(n), 0}] }) {
		if !n.Shared() && n.Smooth(out, names, n.Expected()) != nil {
			changed = true
		}
	}
	if !changed {
		return g, pl, nil
	}
	if err := ir.Infer(out); err != nil {
		return nil, nil, err
	}
	pl, err = Place(out, r)
	return out, pl, err
}
