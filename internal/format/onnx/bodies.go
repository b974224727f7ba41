package onnx

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/wire/proto"
)

// body decodes a graph attribute.
func (d *decoder) body(a attrProto, sc *scope) (namedBody, error) {
	gp, err := a.body()
	if err != nil {
		return namedBody{}, fmt.Errorf("attribute %q: %w", a.name, err)
	}
	g, inner, err := d.graph(gp, sc)
	if err != nil {
		return namedBody{}, fmt.Errorf("%s: %w", a.name, err)
	}
	return namedBody{a.name, g, inner}, nil
}

// addBodies gives n its bodies, in the operator's order. What any of them reads
// of the graphs around becomes trailing inputs of the node and of all of them.
func addBodies(n *ir.Node, bodies []namedBody, keep *keepNode) error {
	if flow, ok := n.Op.(op.Flow); ok {
		names := flow.BodyNames()
		for _, b := range bodies {
			if !slices.Contains(names, b.attr) {
				return fmt.Errorf("it has no graph attribute %q", b.attr)
			}
		}
		var sorted []namedBody
		given := 0
		for _, name := range names {
			at := slices.IndexFunc(bodies, func(b namedBody) bool { return b.attr == name })
			_, optional := flow.(op.PartialFlow)
			switch {
			case at >= 0:
				sorted = append(sorted, bodies[at])
				given++
			case optional:
				sorted = append(sorted, passing(name))
			default:
				return fmt.Errorf("its graph attribute %q is missing", name)
			}
		}
		if given != len(bodies) {
			return fmt.Errorf("a graph attribute is given twice")
		}
		bodies = sorted
	} else {
		for _, b := range bodies {
			keep.bodies = append(keep.bodies, b.attr)
		}
	}
	var shared []*ir.Value
	seen := map[*ir.Value]bool{}
	for _, b := range bodies {
		for _, c := range b.scope.captured {
			if !seen[c.outer] {
				seen[c.outer] = true
				shared = append(shared, c.outer)
			}
		}
	}
	n.In, n.Captured = append(n.In, shared...), len(shared)
	for _, b := range bodies {
		inner := map[*ir.Value]*ir.Value{}
		for _, c := range b.scope.captured {
			inner[c.outer] = c.inner
		}
		b.graph.Inputs = b.graph.Inputs[:len(b.graph.Inputs)-len(inner)]
		for _, o := range shared {
			v := inner[o]
			if v == nil {
				name := o.Name
				for b.scope.values[name] != nil {
					name += "_" // a name that this body uses otherwise
				}
				v = &ir.Value{Name: name, Fact: o.Fact}
				b.scope.values[name] = v
			}
			b.graph.Inputs = append(b.graph.Inputs, v)
		}
		n.Bodies = append(n.Bodies, b.graph)
	}
	return nil
}

// passing returns the body that stands for one that is left out.
func passing(attr string) namedBody {
	v := &ir.Value{Name: "x"}
	g := &ir.Graph{Name: attr, Inputs: []*ir.Value{v}, Outputs: []*ir.Value{v}}
	return namedBody{attr, g, &scope{values: map[string]*ir.Value{v.Name: v}}}
}

// leftOut reports whether a body of o is not written.
func leftOut(o op.Op, b *ir.Graph) bool {
	_, ok := o.(op.PartialFlow)
	return ok && len(b.Nodes) == 0 && len(b.Outputs) == 1 && len(b.Inputs) > 0 && b.Outputs[0] == b.Inputs[0]
}

// field returns the attribute as a field of a node.
func (a *attrProto) field() []byte {
	if !a.renamed {
		return a.raw
	}
	var m, node proto.Message
	for f, err := range proto.Fields(a.raw) {
		if err != nil {
			return nil
		}
		for f, err := range proto.Fields(f.Bytes) {
			if err == nil && f.Num != 1 {
				m.Raw(f.Raw)
			}
		}
	}
	m.String(1, a.name)
	node.Message(5, &m)
	var b bytes.Buffer
	if _, err := node.WriteTo(&b); err != nil {
		return nil
	}
	return b.Bytes()
}

// bodyNames returns the attributes that hold the bodies of n.
func bodyNames(n *ir.Node) []string {
	if flow, ok := n.Op.(op.Flow); ok {
		return flow.BodyNames()
	}
	if k, ok := n.Keep.(*keepNode); ok {
		return k.bodies
	}
	return nil
}
