package ir

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/op"
)

// Eval runs g by its operators' reference meaning: the yardstick for the
// runtime and the engine of constant folding. inputs are in the order of
// g.Inputs; the result in that of g.Outputs. Values are dropped after their
// last use.
func Eval(g *Graph, inputs []op.Datum) ([]op.Datum, error) {
	return EvalWithin(g, inputs, &op.Budget{})
}

// EvalWithin is Eval of a part of an evaluation, whose loops share a budget.
func EvalWithin(g *Graph, inputs []op.Datum, budget *op.Budget) ([]op.Datum, error) {
	if len(inputs) != len(g.Inputs) {
		return nil, fmt.Errorf("got %d inputs, want %d", len(inputs), len(g.Inputs))
	}
	env := map[*Value]op.Datum{}
	for i, v := range g.Inputs {
		env[v] = inputs[i]
	}
	left := map[*Value]int{}
	for _, n := range g.Nodes {
		for _, v := range n.In {
			left[v]++
		}
	}
	for _, v := range g.Outputs {
		left[v]++
	}
	get := func(v *Value) op.Datum {
		if v == nil {
			return op.Datum{}
		}
		if v.Const != nil {
			return op.Datum{Tensor: v.Const}
		}
		return env[v]
	}
	for _, n := range g.Nodes {
		in := make([]op.Datum, len(n.In))
		for i, v := range n.In {
			in[i] = get(v)
		}
		out, err := evalNode(n, in, budget)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Label(), err)
		}
		for i, v := range n.Out {
			if v == nil {
				continue
			}
			if i >= len(out) || !out[i].Present() {
				return nil, fmt.Errorf("%s: does not compute output %d (%q)", n.Label(), i, v.Name)
			}
			if left[v] > 0 {
				env[v] = out[i]
			}
		}
		for _, v := range n.In {
			if left[v]--; left[v] == 0 {
				delete(env, v)
			}
		}
	}
	out := make([]op.Datum, len(g.Outputs))
	for i, v := range g.Outputs {
		out[i] = get(v)
	}
	return out, nil
}

// EvalNode runs one node by its operator's reference meaning.
func EvalNode(n *Node, in []op.Datum) ([]op.Datum, error) { return evalNode(n, in, &op.Budget{}) }

func evalNode(n *Node, in []op.Datum, budget *op.Budget) ([]op.Datum, error) {
	switch o := n.Op.(type) {
	case op.Flow:
		return o.EvalBodies(in, op.Bodies{List: runnable(n, budget), Captured: n.Captured, Budget: budget})
	case op.Evaluator:
		return o.Eval(in)
	}
	return nil, fmt.Errorf("this operator cannot be run here")
}

// runnable returns the bodies of n as operators run them.
func runnable(n *Node, budget *op.Budget) []op.Body {
	out := make([]op.Body, len(n.Bodies))
	for i, b := range n.Bodies {
		out[i] = op.Body{In: Facts(b.Inputs), Out: Facts(b.Outputs), Run: func(in []op.Datum) ([]op.Datum, error) {
			return EvalWithin(b, in, budget)
		}}
	}
	return out
}
