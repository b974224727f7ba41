package ir

import (
	"errors"
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
)

// BodyInferer is an operator whose outputs follow from its bodies.
type BodyInferer interface {
	op.Op
	// InferBodies gets what is known of the inputs and a function that infers
	// body i for given inputs.
	InferBodies(in []op.Fact, outs int, body func(i int, in []op.Fact) ([]op.Fact, error)) ([]op.Fact, error)
}

// Infer computes types, shapes and known shape values of all values of g, in
// node order, from the graph's inputs. What operators cannot tell stays as the
// file declared it; where the two contradict each other, the operators stand.
// An error names the node that can never run.
func Infer(g *Graph) error {
	for _, n := range g.Nodes {
		if err := inferNode(n); err != nil {
			return fmt.Errorf("%s: %w", n.Label(), err)
		}
	}
	return nil
}

func inferNode(n *Node) error {
	facts := make([]op.Fact, len(n.In))
	unknown := false
	for i, v := range n.In {
		if v == nil {
			continue
		}
		facts[i] = v.Fact
		if v.Type == dtype.Invalid && v.Elem == nil {
			unknown, facts[i] = true, op.TensorFact(dtype.Float32, nil)
		}
	}
	if unknown {
		// Behind a custom operator nothing is known but the number of inputs,
		// on which passes count.
		var wrong op.ArityError
		if _, ok := n.Op.(BodyInferer); ok {
			return nil
		}
		if _, err := n.Op.Infer(facts, len(n.Out)); errors.As(err, &wrong) {
			return err
		}
		return nil
	}
	var out []op.Fact
	var err error
	if b, ok := n.Op.(BodyInferer); ok {
		out, err = b.InferBodies(facts, len(n.Out), func(i int, in []op.Fact) ([]op.Fact, error) {
			return inferBody(n.Bodies, i, in)
		})
	} else {
		out, err = n.Op.Infer(facts, len(n.Out))
	}
	if err != nil {
		return err
	}
	for i, v := range n.Out {
		if v == nil || i >= len(out) {
			continue
		}
		learn(v, out[i])
	}
	return nil
}

func inferBody(bodies []*Graph, i int, in []op.Fact) ([]op.Fact, error) {
	if i >= len(bodies) {
		return nil, fmt.Errorf("body %d is missing", i)
	}
	b := bodies[i]
	if len(in) > len(b.Inputs) {
		return nil, fmt.Errorf("body %q takes %d inputs, got %d", b.Name, len(b.Inputs), len(in))
	}
	for k, f := range in {
		f.Const = nil
		learn(b.Inputs[k], f)
	}
	if err := Infer(b); err != nil {
		return nil, err
	}
	out := make([]op.Fact, len(b.Outputs))
	for k, v := range b.Outputs {
		out[k] = v.Fact
	}
	return out, nil
}

func learn(v *Value, f op.Fact) {
	if f.Type == dtype.Invalid && f.Elem == nil {
		return
	}
	shape, err := op.Merge(f.Shape, v.Shape)
	if err != nil {
		shape = f.Shape
	}
	v.Kind, v.Type, v.Elem, v.Values = f.Kind, f.Type, f.Elem, f.Values
	v.Shape = shape
}
