package octavo

import (
	"maps"
	"slices"

	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Conversion says how Convert makes a model.
type Conversion struct {
	// Simplify folds constants and normalizations and replaces known groups of
	// operators by the one that stands for them. What the model computes stays;
	// what is quantized stays as it is.
	Simplify bool
	// Opset is the version of the operators to write, 13 to 25; 0 is the
	// input's, at least 13.
	Opset int
}

// Convert returns a copy of m for Save to write: the same model at another
// opset, with its constants inside or beside it, or a simplified one. Large
// constants are not copied, but computed when they are written. The copy refers
// to m's file: m must stay open.
func Convert(m *Model, c Conversion) (*Model, error) {
	g, _ := m.graph.Clone()
	if c.Simplify {
		err := tensor.Guard(func() error { return pass.Prepare(g, pass.Options{Large: true}) })
		if err != nil {
			return nil, m.wrap(err)
		}
	}
	g.Meta = maps.Clone(g.Meta)
	if g.Meta == nil {
		g.Meta = map[string]string{}
	}
	g.Meta["octavo.version"] = Version
	return &Model{Path: m.Path, base: m, format: m.format, graph: g, opset: c.Opset, fixed: slices.Clone(m.fixed)}, nil
}

// Nodes returns how many nodes the model has as it is written in its file.
func (m *Model) Nodes() int { return len(m.graph.Nodes) }

// OpsetRaised says from which opset to which Save raised the file's, and what
// needs that; "" where it did not.
func (m *Model) OpsetRaised() string { return m.raised }
