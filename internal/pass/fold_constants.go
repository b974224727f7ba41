package pass

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// maxFolded bounds the bytes that constant folding may produce in one graph and
// its bodies.
// A model that asks for more is refused before anything is allocated.
const maxFolded = 1 << 30

// FoldConstants replaces nodes whose inputs are all constant, and nodes whose
// value follows from shapes, by their results.
//
// Conditions: the operator has a reference meaning and is deterministic; it
// does not quantize or dequantize (the pair around a weight must stay). Sizes
// are checked against inferred shapes first: a result larger than its inputs
// counts against a limit of 1 GB a graph. Bodies are folded too; what fails in
// one stays, as the body may never run.
func FoldConstants(g *ir.Graph) (bool, error) {
	var produced int64
	return foldConstants(g, &produced, false, false)
}

func foldConstants(g *ir.Graph, produced *int64, inBody, large bool) (bool, error) {
	var kept []*ir.Node
	changed := false
	repl := map[*ir.Value]*ir.Value{}
	resolve := func(vs []*ir.Value) {
		for i, v := range vs {
			if r := repl[v]; r != nil {
				vs[i] = r
			}
		}
	}
	for _, n := range g.Nodes {
		resolve(n.In)
		for _, b := range n.Bodies {
			did, err := foldConstants(b, produced, true, large)
			if err != nil {
				return changed, err
			}
			changed = changed || did
		}
		before := *produced
		consts, err := foldNode(n, produced, large)
		if err != nil && inBody {
			*produced, err = before, nil
		}
		if err != nil {
			return changed, fmt.Errorf("%s: %w", n.Label(), err)
		}
		if consts == nil {
			kept = append(kept, n)
			continue
		}
		changed = true
		for i, v := range n.Out {
			if v != nil {
				repl[v] = ir.NewConst(v.Name, consts[i])
			}
		}
	}
	g.Nodes = kept
	resolve(g.Outputs)
	for i := range g.States {
		if r := repl[g.States[i].Out]; r != nil {
			g.States[i].Out = r
		}
	}
	return changed, nil
}

// foldNode returns the node's outputs where they are constant, nil otherwise.
// With large, those of many bytes are computed when they are read.
func foldNode(n *ir.Node, produced *int64, large bool) ([]*tensor.Tensor, error) {
	if c := shapeValues(n); c != nil {
		return c, nil
	}
	e, ok := n.Op.(op.Evaluator)
	if !ok || len(n.Bodies) > 0 || quantizes(n.Op) || op.IsRandom(n.Op) || len(n.In) == 0 && !sourceOp(n.Op) {
		return nil, nil
	}
	var in []op.Datum
	var facts []op.Fact
	var given int64
	for _, v := range n.In {
		if v == nil {
			in, facts = append(in, op.Datum{}), append(facts, op.Fact{})
			continue
		}
		if v.Const == nil {
			return nil, nil
		}
		in, facts = append(in, op.Datum{Tensor: v.Const}), append(facts, v.Fact)
		if s := v.Const.Storage(); s != nil {
			given += s.Len()
		}
	}
	// The result's size is known before it is computed: hostile files ask for
	// terabytes in one small node.
	out, err := n.Op.Infer(facts, len(n.Out))
	if err != nil {
		return nil, err
	}
	var size int64
	for i, f := range out {
		if i >= len(n.Out) || n.Out[i] == nil {
			continue
		}
		count, ok := f.Shape.Count().Int()
		bytes := f.Type.Size(count)
		if !ok || bytes < 0 {
			return nil, nil
		}
		size += int64(bytes)
	}
	if grows := size - given; grows > 0 {
		if *produced += grows; *produced > maxFolded {
			return nil, fmt.Errorf("its constant result would take %d bytes, and folding is limited to %d in all", size, int64(maxFolded))
		}
	}
	if large && len(out) > 0 {
		if t, err := foldLarge(n, in, out[0]); t != nil || err != nil {
			return []*tensor.Tensor{t}, err
		}
	}
	res, err := e.Eval(in)
	if err != nil {
		return nil, err
	}
	consts := make([]*tensor.Tensor, len(n.Out))
	for i, v := range n.Out {
		if v == nil {
			continue
		}
		if i >= len(res) || res[i].Tensor == nil {
			return nil, nil
		}
		consts[i] = res[i].Tensor
	}
	return consts, nil
}

// shapeValues returns the output of a node that is known from shapes alone.
func shapeValues(n *ir.Node) []*tensor.Tensor {
	if len(n.Out) != 1 || n.Out[0] == nil || n.Out[0].Values == nil || !n.Out[0].Type.IsInteger() {
		return nil
	}
	nums, ok := n.Out[0].Numbers()
	shape, known := n.Out[0].Shape.Ints()
	count, _ := tensor.Count(shape)
	if !ok || !known || count != len(nums) {
		return nil
	}
	vals := make([]int64, len(nums))
	for i, v := range nums {
		vals[i] = int64(v)
	}
	return []*tensor.Tensor{tensor.FromInts(n.Out[0].Type, vals, shape...)}
}

// sourceOp reports whether an operator without inputs has a fixed result.
func sourceOp(o op.Op) bool {
	switch o.(type) {
	case *op.Constant:
		return true
	}
	return false
}

func quantizes(o op.Op) bool {
	switch o.(type) {
	case *op.QuantizeLinear, *op.DequantizeLinear, *op.DynamicQuantizeLinear:
		return true
	}
	return false
}
