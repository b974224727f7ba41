package octavo

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/quant"
	"github.com/octavo-ml/octavo/internal/target"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// forTarget returns g as the target can load it: operators of other runtimes
// that it does not bring are written out as standard ones. It returns the names
// of those that have no such form. For integers with fixed ranges, the products
// inside of operators that the target runs on floats are taken out. g is not
// changed.
func (m *Model) forTarget(g *ir.Graph, t *target.Target, static bool) (*ir.Graph, map[string]bool, error) {
	if len(foreign(g, t)) == 0 {
		if !static || t.Rule("MatMul") == nil || !slices.ContainsFunc(g.Nodes, func(n *ir.Node) bool { return n.Op.Name() == "MicrosoftAttention" && t.Rule(n.Op.Name()) == nil }) {
			return g, nil, nil
		}
		g, _ = g.Clone()
		if err := ir.Infer(g); err != nil {
			return nil, nil, m.wrap(err)
		}
		pass.ProjectAttention(g)
		if err := ir.Infer(g); err != nil {
			return nil, nil, m.wrap(err)
		}
		return g, nil, nil
	}
	g, _ = g.Clone()
	err := tensor.Guard(func() error {
		if err := ir.Infer(g); err != nil {
			return err
		}
		if _, err := pass.ExpandContrib(g, false); err != nil {
			return err
		}
		return pass.Prepare(g, pass.Options{NoPatterns: true})
	})
	if err != nil {
		return nil, nil, m.wrap(err)
	}
	return g, foreign(g, t), nil
}

// foreign lists the operators of the catalogue, but not ONNX's own, that the
// target does not bring.
func foreign(g *ir.Graph, t *target.Target) map[string]bool {
	out := map[string]bool{}
	for _, n := range g.Nodes {
		if _, custom := n.Op.(*op.Custom); custom {
			continue
		}
		if d := op.Domain(n.Op); d != "" && !strings.HasPrefix(d, "ai.onnx") && !t.Brings(d, true) {
			out[n.Op.Name()] = true
		}
	}
	return out
}

// loadable is forTarget for a recipe, and an error if operators are left that the
// target does not bring.
func (m *Model) loadable(g *ir.Graph, r *Recipe) (*ir.Graph, error) {
	name := r.Target
	if name == "" {
		name = quant.DefaultTarget
	}
	t, err := target.Load(name)
	if err != nil {
		return nil, err
	}
	g, missing, err := m.forTarget(g, t, r.Static() && r.Parity == "")
	if err != nil || len(missing) == 0 {
		return g, err
	}
	return nil, &diag.Error{Msg: fmt.Sprintf("%s: %s does not bring %s, and it has no form of standard operators", m.Path, name, strings.Join(slices.Sorted(maps.Keys(missing)), ", ")),
		Notes: []string{"choose a target that brings it, such as " + quant.DefaultTarget}}
}
