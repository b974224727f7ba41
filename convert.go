package octavo

import (
	"maps"
	"slices"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/ir"
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
	// Fill puts constants in the place of inputs: each is NAME=NUMBER, and the
	// number fills the input, whose shape must be known.
	Fill []string
}

// Convert returns a copy of m for Save to write: the same model at another
// opset, with its constants inside or beside it, or a simplified one. Large
// constants are not copied, but computed when they are written. The copy refers
// to m's file: m must stay open. A wrong Fill is an error of kind usage.
func Convert(m *Model, c Conversion) (*Model, error) {
	g, _ := m.graph.Clone()
	if err := m.fill(g, c.Fill); err != nil {
		return nil, err
	}
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

// fill makes the named inputs of g, a copy of m's graph, constants.
func (m *Model) fill(g *ir.Graph, fill []string) error {
	if len(fill) == 0 {
		return nil
	}
	spec, err := m.dataSpec(&DataOptions{Fill: fill})
	if err != nil {
		return err
	}
	for _, in := range spec.Inputs {
		if spec.Fill[in.Name] != nil && slices.Contains(in.Shape, -1) {
			return diag.Usagef("--fill: the shape of input %q is not known", in.Name).Note("--shape %s=SIZES fixes it", in.Name)
		}
	}
	if err := pass.FillInputs(g, spec.Fill); err != nil {
		return m.usage(diag.Usagef("with these inputs: %w", err))
	}
	return nil
}

// Nodes returns how many nodes the model has as it is written in its file.
func (m *Model) Nodes() int { return len(m.graph.Nodes) }

// OpsetRaised says from which opset to which Save raised the file's, and what
// needs that; "" where it did not.
func (m *Model) OpsetRaised() string { return m.raised }
