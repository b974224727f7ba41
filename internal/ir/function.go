package ir

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/op"
)

// Expand returns the nodes that stand for n, whose operator is defined in terms
// of others, of which shapes are inferred. The outputs are n's own values; names
// gives the others theirs. n is not changed. An error says what would have to
// be known of n's inputs.
func (n *Node) Expand(names *Namer) ([]*Node, error) {
	o, ok := n.Op.(op.Expander)
	if !ok {
		return nil, fmt.Errorf("%s: %s is not defined in terms of other operators", n.Label(), n.Op.Name())
	}
	facts := make([]op.Fact, len(n.In))
	for i, v := range n.In {
		if v != nil {
			facts[i] = v.Fact
		}
	}
	f, err := o.Expand(facts)
	if err != nil {
		return nil, err
	}
	f.Prune(func(i int) bool { return i < len(n.Out) && n.Out[i] != nil })
	e := expansion{n: n, names: names, values: map[int]*Value{op.Absent: nil}}
	for i, v := range n.In {
		e.values[i] = v
	}
	made := map[int]bool{}
	for _, c := range f.Calls {
		made[c.Out] = true
	}
	var copies []*Node
	for i, v := range f.Out {
		switch {
		case v == op.Absent:
		case made[v] && e.values[v] == nil:
			e.values[v] = n.Out[i]
		default: // an input, a constant, or a result that is given twice
			copies = append(copies, &Node{Name: e.name("Identity"), Op: op.New[op.Identity](), In: []*Value{e.value(f, v)}, Out: n.Out[i : i+1], Origin: n.Origin})
		}
	}
	var out []*Node
	for _, c := range f.Calls {
		m := &Node{Name: e.name(c.Op.Name()), Op: c.Op, Origin: n.Origin}
		for _, v := range c.In {
			m.In = append(m.In, e.value(f, v))
		}
		m.Out = []*Value{e.value(f, c.Out)}
		out = append(out, m)
	}
	out = append(out, copies...)
	for _, m := range out {
		if err := inferNode(m, 0); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Label(), err)
		}
	}
	return out, nil
}

// expansion is one use of a function.
type expansion struct {
	n      *Node
	names  *Namer
	values map[int]*Value
}

// value returns a value of the function in the graph.
func (e *expansion) value(f *op.Function, i int) *Value {
	v, ok := e.values[i]
	if !ok {
		v = &Value{Name: e.name("value")}
		if c := f.Consts[i]; c != nil {
			v = NewConst(e.name("constant"), c)
		}
		e.values[i] = v
	}
	return v
}

func (e *expansion) name(what string) string {
	stem := e.n.Name
	for _, v := range e.n.Out {
		if stem == "" && v != nil {
			stem = v.Name
		}
	}
	return e.names.Name(stem + "_" + what)
}
