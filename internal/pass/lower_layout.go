package pass

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/ir"
)

// LowerLayout makes all spatial operators channels-first, for formats that have
// no word for channels last, and whatever it pays to turn with them, with the
// fewest bytes transposed: [ConvertLayout] the other way round.
//
// Before: y = Reshape(MaxPool(Relu(Conv(x, W))))   Conv and MaxPool channels-last
// After:  y = Reshape(T'(MaxPool(Relu(Conv(T(x), W)))))
//
// Inputs, outputs and states of the graph keep their order. Bodies are lowered
// too.
func LowerLayout(g *ir.Graph) error {
	for _, n := range g.Nodes {
		for _, b := range n.Bodies {
			if err := LowerLayout(b); err != nil {
				return fmt.Errorf("%s: %w", n.Label(), err)
			}
		}
	}
	_, err := newConverter(g, LayoutOptions{}, way{back: true}).run("lower_layout")
	return err
}
