package ir

import (
	"errors"
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
)

// Infer computes types, shapes and known shape values of all values of g, in
// node order, from the graph's inputs, and of its bodies from what is known of
// theirs. What operators cannot tell stays as the file declared it; where the
// two contradict each other, the operators stand. An error names the node that
// can never run.
func Infer(g *Graph) error { return infer(g, 0) }

// deep is the number of bodies around a node from which on carried shapes are
// taken for unknown: finding them takes several inferences of a body, and as
// many of those in it.
const deep = 3

func infer(g *Graph, depth int) error {
	for _, n := range g.Nodes {
		if err := inferNode(n, depth); err != nil {
			return fmt.Errorf("%s: %w", n.Label(), err)
		}
	}
	return nil
}

func inferNode(n *Node, depth int) error {
	facts := make([]op.Fact, len(n.In))
	flow, bodies := n.Op.(op.Flow)
	unknown := false
	for i, v := range n.In {
		if v == nil {
			continue
		}
		facts[i] = v.Fact
		if v.Type == dtype.Invalid && v.Elem == nil && v.Kind == op.TensorKind && !bodies {
			unknown, facts[i] = true, op.TensorFact(dtype.Float32, nil)
		}
	}
	if unknown {
		// Behind a custom operator nothing is known but the number of inputs,
		// on which passes count.
		var wrong op.ArityError
		if _, err := n.Op.Infer(facts, len(n.Out)); errors.As(err, &wrong) {
			return err
		}
		return nil
	}
	var out []op.Fact
	var err error
	if bodies {
		out, err = flow.InferBodies(facts, len(n.Out), op.Bodies{List: inferable(n, depth), Captured: n.Captured, Deep: depth >= deep})
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

// Facts returns what is known of values.
func Facts(vs []*Value) []op.Fact {
	out := make([]op.Fact, len(vs))
	for i, v := range vs {
		out[i] = v.Fact
	}
	return out
}

// inferable returns the bodies of n as operators infer them.
func inferable(n *Node, depth int) []op.Body {
	out := make([]op.Body, len(n.Bodies))
	for i, b := range n.Bodies {
		var before map[*Value]op.Fact
		out[i] = op.Body{In: Facts(b.Inputs), Out: Facts(b.Outputs), Infer: func(in []op.Fact) ([]op.Fact, error) {
			if len(in) != len(b.Inputs) {
				return nil, fmt.Errorf("body %q takes %d inputs, got %d", b.Name, len(b.Inputs), len(in))
			}
			// What was learned of narrower inputs must not stay.
			if before == nil {
				before = map[*Value]op.Fact{}
				remember(b, before)
			} else {
				for v, f := range before {
					v.Fact = f
				}
			}
			for k, f := range in {
				assume(b.Inputs[k], f, k >= len(in)-n.Captured)
			}
			if err := infer(b, depth+1); err != nil {
				return nil, err
			}
			return Facts(b.Outputs), nil
		}}
	}
	return out
}

// remember notes what is known of the values of g and its bodies.
func remember(g *Graph, facts map[*Value]op.Fact) {
	for _, v := range g.Values() {
		facts[v] = v.Fact
	}
	for _, n := range g.Nodes {
		for _, b := range n.Bodies {
			remember(b, facts)
		}
	}
}

// assume sets what is known of a body's input. What the file declares of a
// value that changes between trips is not trusted.
func assume(v *Value, f op.Fact, fixed bool) {
	if f.Type == dtype.Invalid && f.Elem == nil && f.Kind == op.TensorKind {
		return
	}
	if !fixed || f.Kind != op.TensorKind {
		f.Const, f.Values = nil, nil
		v.Fact = f
		return
	}
	if f.Const != nil {
		const short = 64 // shapes and indices are
		if f.Values = nil; f.Const.Rank() <= 1 && f.Const.Len() <= short {
			f.Values, _ = f.Ints()
		}
		f.Const = nil
	}
	learn(v, f)
}

func learn(v *Value, f op.Fact) {
	if f.Type == dtype.Invalid && f.Elem == nil && f.Kind == op.TensorKind {
		return
	}
	shape, err := op.Merge(f.Shape, v.Shape)
	if err != nil {
		shape = f.Shape
	}
	v.Kind, v.Type, v.Values = f.Kind, f.Type, f.Values
	if f.Elem != nil || f.Kind == op.TensorKind {
		v.Elem = f.Elem
	}
	v.Shape = shape
}
