package onnx

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/wire/proto"
)

// functionProto is a function that a model brings along: its nodes stand in
// the place of each node that names it (onnx.proto, FunctionProto).
type functionProto struct {
	domain, name, overload string
	in, out                []string
	attrs                  []attrProto // with their defaults, where they have one
	nodes                  []nodeProto
	opset                  int64
}

type functionKey struct{ domain, name, overload string }

func (k functionKey) String() string {
	s := k.name
	if k.domain != "" {
		s = k.domain + "::" + s
	}
	if k.overload != "" {
		s += ":" + k.overload
	}
	return s
}

// inliner puts functions in the place of their calls.
type inliner struct {
	d         *decoder
	functions map[functionKey]*functionProto
	taken     map[string]bool // names of values and nodes, of the whole model
	stack     []functionKey   // calls around the present one
	left      int             // nodes that may still be made
}

// inlinedNodes bounds the nodes that calls may become: functions that call
// functions grow without end. It goes with the size of the file.
func inlinedNodes(file int) int { return 10_000 + file/4 }

func (d *decoder) readFunctions(mp *modelProto) error {
	if len(mp.functions) == 0 {
		return nil
	}
	in := &inliner{d: d, functions: map[functionKey]*functionProto{}, taken: map[string]bool{}, left: inlinedNodes(len(d.src.Main.Bytes()))}
	for _, b := range mp.functions {
		f, err := d.parseFunction(b)
		if err != nil {
			return fmt.Errorf("function %q: %w", f.name, err)
		}
		key := functionKey{f.domain, f.name, f.overload}
		if in.functions[key] != nil {
			return fmt.Errorf("function %v is given twice", key)
		}
		in.functions[key] = f
	}
	d.inliner = in
	return nil
}

func (d *decoder) parseFunction(b []byte) (*functionProto, error) {
	fn := &functionProto{}
	for f, err := range proto.Fields(b) {
		if err != nil {
			return fn, err
		}
		switch f.Num {
		case 1:
			fn.name = string(f.Bytes)
		case 4:
			fn.in = append(fn.in, string(f.Bytes))
		case 5:
			fn.out = append(fn.out, string(f.Bytes))
		case 7:
			n, err := parseNode(f.Bytes)
			if err != nil {
				return fn, fmt.Errorf("node %d: %w", len(fn.nodes), err)
			}
			fn.nodes = append(fn.nodes, n)
		case 9:
			domain, version, err := parseOpset(f.Bytes)
			if err != nil {
				return fn, err
			}
			if domain == "" {
				fn.opset = version
			} else if d.opsets[domain] == 0 {
				d.opsets[domain] = version
			}
		case 10:
			fn.domain = canonicalDomain(string(f.Bytes))
		case 11:
			a, err := parseAttr(f.Bytes)
			if err != nil {
				return fn, fmt.Errorf("attribute %q: %w", a.name, err)
			}
			a.raw = f.Raw
			fn.attrs = append(fn.attrs, a)
		case 13:
			fn.overload = string(f.Bytes)
		}
	}
	if fn.opset != 0 && (fn.opset < oldestOpset || fn.opset > newestOpset) {
		return fn, &diag.UnsupportedError{Where: d.src.Path, What: fmt.Sprintf("opset %d (of function %q)", fn.opset, fn.name),
			Hint: fmt.Sprintf("opset %d to %d is read", oldestOpset, newestOpset)}
	}
	for i, name := range fn.in {
		if slices.Contains(fn.in[:i], name) {
			return fn, fmt.Errorf("input %q is given twice", name)
		}
	}
	return fn, nil
}

// inline replaces the calls among the nodes of a graph, which is not changed,
// by what they call.
func (in *inliner) inline(nodes []nodeProto) ([]nodeProto, error) {
	if len(in.stack) == 0 && !slices.ContainsFunc(nodes, func(n nodeProto) bool { return in.called(&n) != nil }) {
		return nodes, nil
	}
	var out []nodeProto
	for i := range nodes {
		n := &nodes[i]
		f := in.called(n)
		if f == nil {
			out = append(out, *n)
			continue
		}
		key := functionKey{f.domain, f.name, f.overload}
		if at := slices.Index(in.stack, key); at >= 0 {
			var names []string
			for _, k := range append(in.stack[at:], key) {
				names = append(names, k.String())
			}
			return nil, fmt.Errorf("function %v calls itself (%s): ONNX allows no recursion; export the model without it", key, strings.Join(names, " -> "))
		}
		called, err := in.call(f, n)
		if err != nil {
			return nil, fmt.Errorf("function %v: %w", key, err)
		}
		in.stack = append(in.stack, key)
		called, err = in.inline(called)
		in.stack = in.stack[:len(in.stack)-1]
		if err != nil {
			return nil, err
		}
		out = append(out, called...)
	}
	return out, nil
}

func (in *inliner) called(n *nodeProto) *functionProto {
	return in.functions[functionKey{n.domain, n.op, n.overload}]
}

// fresh returns a name that nothing has.
func (in *inliner) fresh(base string) string {
	name := base
	for i := 1; in.taken[name] || name == ""; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	in.taken[name] = true
	return name
}

// note marks the names of a graph and of the graphs in it as taken.
func (in *inliner) note(g *graphProto, depth int) error {
	if depth > maxNested {
		return errTooDeep
	}
	for _, t := range g.inits {
		in.taken[t.name] = true
	}
	for _, v := range g.inputs {
		in.taken[v.name] = true
	}
	for i := range g.nodes {
		n := &g.nodes[i]
		in.taken[n.name] = true
		for _, name := range n.out {
			in.taken[name] = true
		}
		for _, a := range n.attrs {
			if a.typ != attrGraph {
				continue
			}
			sub, err := a.body()
			if err == nil {
				err = in.note(sub, depth+1)
			}
			if err != nil {
				return fmt.Errorf("attribute %q: %w", a.name, err)
			}
		}
	}
	return nil
}

// instance is one call of a function.
type instance struct {
	in     *inliner
	f      *functionProto
	label  string // what new names begin with
	opset  int64
	given  map[string]attrProto
	values map[string]string // names in the function to names around the call
}

// call returns the nodes of f for the operands and attributes of n.
func (in *inliner) call(f *functionProto, n *nodeProto) ([]nodeProto, error) {
	if len(n.in) > len(f.in) || len(n.out) > len(f.out) {
		return nil, fmt.Errorf("it is called with %d inputs and %d outputs, and has %d and %d", len(n.in), len(n.out), len(f.in), len(f.out))
	}
	label := n.name
	if label == "" {
		label = in.fresh(f.name)
	}
	c := &instance{in: in, f: f, label: label, opset: f.opset, given: map[string]attrProto{}, values: map[string]string{"": ""}}
	if c.opset == 0 {
		c.opset = n.opset
	}
	for _, a := range slices.Concat(f.attrs, n.attrs) {
		c.given[a.name] = a
	}
	for i, name := range f.in {
		c.values[name] = ""
		if i < len(n.in) {
			c.values[name] = n.in[i]
		}
	}
	var copies []nodeProto
	for i, name := range n.out {
		formal := f.out[i]
		if name == "" {
			continue
		}
		if _, have := c.values[formal]; !have {
			c.values[formal] = name
			continue
		}
		// An input that is handed on, or an output that is given twice.
		copies = append(copies, nodeProto{name: in.fresh(label + "/" + formal), op: "Identity", in: []string{c.values[formal]}, out: []string{name}, opset: c.opset})
	}
	out, err := c.nodes(f.nodes, 0)
	return append(out, copies...), err
}

// name returns what a name of the function is called around the call.
func (c *instance) name(s string) string {
	v, ok := c.values[s]
	if !ok {
		v = c.in.fresh(c.label + "/" + s)
		c.values[s] = v
	}
	return v
}

func (c *instance) names(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = c.name(s)
	}
	return out
}

func (c *instance) nodes(list []nodeProto, depth int) ([]nodeProto, error) {
	if depth > maxNested {
		return nil, errTooDeep
	}
	if c.in.left -= len(list); c.in.left < 0 {
		return nil, fmt.Errorf("functions become more than %d nodes, which is the limit for a file of %d bytes", inlinedNodes(len(c.in.d.src.Main.Bytes())), len(c.in.d.src.Main.Bytes()))
	}
	out := make([]nodeProto, len(list))
	for i, n := range list {
		n.in, n.out, n.opset = c.names(n.in), c.names(n.out), c.opset
		base := n.name
		if base == "" {
			base = n.op
		}
		n.name = c.in.fresh(c.label + "/" + base)
		attrs := n.attrs
		n.attrs = nil
		for _, a := range attrs {
			if a.ref != "" {
				given, ok := c.given[a.ref]
				if !ok || given.ref != "" {
					continue // absent: it has no default
				}
				if a.typ != 0 && given.typ != a.typ {
					return nil, fmt.Errorf("attribute %q is of another kind than the one that it stands for", a.ref)
				}
				given.name = a.name
				given.renamed = true
				n.attrs = append(n.attrs, given)
				continue
			}
			if a.typ == attrGraph {
				g, err := a.body()
				if err == nil {
					a.graph, err = c.graph(g, depth)
				}
				if err != nil {
					return nil, fmt.Errorf("attribute %q: %w", a.name, err)
				}
			}
			n.attrs = append(n.attrs, a)
		}
		out[i] = n
	}
	return out, nil
}

// graph returns a graph of the function with the names around the call.
func (c *instance) graph(g *graphProto, depth int) (*graphProto, error) {
	out := *g
	if c.in.left -= len(g.inits); c.in.left < 0 {
		return nil, errors.New("functions become too many constants")
	}
	out.inits = slices.Clone(g.inits)
	for i := range out.inits {
		out.inits[i].name = c.name(out.inits[i].name)
	}
	for _, l := range []*[]valueProto{&out.inputs, &out.outputs, &out.declared} {
		*l = slices.Clone(*l)
		for i := range *l {
			(*l)[i].name = c.name((*l)[i].name)
		}
	}
	var err error
	out.nodes, err = c.nodes(g.nodes, depth+1)
	return &out, err
}
