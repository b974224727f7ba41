package octavo

import (
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// stripped is prepare for a model that is quantized already: weights are the
// floats that their integers stand for, activations are not rounded.
func (m *Model) stripped(parity bool) (*ir.Graph, error) {
	g, _ := m.graph.Clone()
	err := tensor.Guard(func() error {
		if err := pass.Expand(g); err != nil {
			return err
		}
		if err := ir.Infer(g); err != nil {
			return err
		}
		if _, _, err := pass.StripQuantization(g); err != nil {
			return err
		}
		return pass.Prepare(g, pass.Options{NoPatterns: parity})
	})
	if err != nil {
		return nil, m.wrap(err)
	}
	return g, nil
}
