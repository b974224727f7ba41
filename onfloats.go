package octavo

import (
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/quant"
	"github.com/octavo-ml/octavo/internal/target"
)

// betweenIntegers is why an operator stays float that the plan has on integers.
const betweenIntegers = "the TensorFlow Lite file has it on floats, between DEQUANTIZE and QUANTIZE"

// integerNodes returns the names of the nodes of g that are to run on integers by
// the plan, but for those of other modes.
func integerNodes(g *ir.Graph, plan *quant.Plan) map[string]bool {
	chosen := map[string]bool{}
	for _, first := range plan.Nodes {
		chosen[first] = true
	}
	out := map[string]bool{}
	for _, n := range g.Nodes {
		i := slices.IndexFunc(n.Out, func(v *ir.Value) bool { return v != nil })
		if i >= 0 && chosen[n.Out[i].Name] {
			out[quant.NodeName(n)] = true
		}
	}
	for _, m := range plan.Modes {
		delete(out, m.Node)
	}
	return out
}

// plannedName is the name of a node in the plan: one without a name is called
// after its output, which is another value where the graph has it as its own.
func plannedName(n *ir.Node) string {
	return strings.TrimSuffix(quant.NodeName(n), "_QuantizeLinear_Input")
}

// planned returns the nodes of g, a quantized graph, that are to run on integers,
// and those that are to stay float.
func (r *Report) planned(g *ir.Graph) (integers []*ir.Node, floats map[*ir.Node]bool) {
	left := map[string]bool{}
	for _, s := range r.Float {
		left[s.Node] = s.Reason != betweenIntegers
	}
	floats = map[*ir.Node]bool{}
	for _, n := range g.Nodes {
		switch n.Op.(type) {
		case *op.QuantizeLinear, *op.DequantizeLinear:
			continue
		}
		if name := plannedName(n); r.integers[name] {
			integers = append(integers, n)
		} else if left[name] {
			floats[n] = true
		}
	}
	return integers, floats
}

// onFloats says in the report which of the planned nodes compute on floats in the
// form of g that a file has; only those of TensorFlow Lite have operators on
// integers and on floats. With recipes that are strict it is an error.
func (r *Report) onFloats(g *ir.Graph, planned []*ir.Node, lite bool) error {
	r.Float = slices.DeleteFunc(r.Float, func(s Skip) bool { return s.Reason == betweenIntegers })
	r.Quantized = r.onIntegers
	if !lite {
		return nil
	}
	for _, n := range planned {
		if _, integers := n.Op.(*op.Quantized); integers || !n.Out[0].Type.IsFloat() || !slices.Contains(g.Nodes, n) {
			continue
		}
		r.Float = append(r.Float, Skip{Node: plannedName(n), Op: n.Op.Name(), Reason: betweenIntegers, Wanted: true})
		r.Quantized--
	}
	if r.recipe.Strict {
		return r.Strict()
	}
	return nil
}

// unasked returns the nodes of g, which others quantized or nobody knows how, that
// target litert has on integers only if they are named.
func unasked(g *ir.Graph) (map[*ir.Node]bool, error) {
	t, err := target.Load("litert")
	if err != nil {
		return nil, err
	}
	out := map[*ir.Node]bool{}
	for _, n := range g.Nodes {
		if r := t.Rule(n.Op.Name()); r != nil && r.Asked != "" {
			out[n] = true
		}
	}
	return out, nil
}
