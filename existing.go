package octavo

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/quant"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Existing counts the values with quantization parameters, activations and
// constants, of a model that was quantized already.
type Existing struct {
	Kept  int `json:"kept"`  // those that it had, which stay as they are
	Added int `json:"added"` // those that came to them; 0: nothing was left to quantize
}

// String describes the counts in a line.
func (e Existing) String() string {
	if e.Added == 0 {
		return fmt.Sprintf("%d parameters kept; nothing is left to quantize: the result computes what the model did", e.Kept)
	}
	return fmt.Sprintf("%d parameters kept, %d added", e.Kept, e.Added)
}

// existing returns the graph to quantize of a model with n nodes that quantize
// or dequantize, and the recipe for it, as r.Existing says.
func (m *Model) existing(n int, r Recipe) (*ir.Graph, Recipe, *Existing, error) {
	switch r.Existing {
	case quant.ExistingStrip:
		g, err := m.stripped(r.Parity != "")
		return g, r, nil, err
	case quant.ExistingKeep:
		g, err := m.withStoredWeights()
		if err != nil {
			return nil, r, nil, err
		}
		r, err = quant.FollowExisting(g, r)
		return g, r, &Existing{Kept: quant.Parameters(g)}, err
	}
	return nil, r, nil, &diag.Error{Msg: fmt.Sprintf("%s: the model is quantized already (%d QuantizeLinear and DequantizeLinear nodes)", m.Path, n),
		Notes: []string{"quantize the float model it was made from",
			"or keep what it has and quantize the rest: --existing keep",
			"or take it back to floats first, with what rounding its weights has cost: --existing strip"}}
}

// withStoredWeights is prepare for a model that keeps its parameters.
func (m *Model) withStoredWeights() (*ir.Graph, error) {
	prepared, err := m.prepare(false)
	if err != nil {
		return nil, err
	}
	g, _ := prepared.Clone()
	err = tensor.Guard(func() error {
		if _, err := pass.StoreWeights(g); err != nil {
			return err
		}
		return ir.Infer(g)
	})
	if err != nil {
		return nil, m.wrap(err)
	}
	return g, nil
}

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
