package onnx

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// The range of ai.onnx versions that are read.
const (
	oldestOpset = 1
	newestOpset = 28
)

// node is a node on its way between the file and the graph, in the form that
// upgrades and downgrades rewrite.
type node struct {
	nodeProto
	set []op.Attr // attributes that rewrites added or decoded
	// bodies of graph attributes, by attribute name
	bodies []body
}

type body struct {
	attr     string
	graph    *ir.Graph
	captured int // trailing inputs that the file form does not list
}

// namedBody is a decoded graph attribute with its scope.
type namedBody struct {
	attr  string
	graph *ir.Graph
	scope *scope
}

// keepModel is what the door keeps of a file beside the graph; of a body, the
// fields of the graph alone.
type keepModel struct {
	opsets map[string]int64
	model  []byte
	graph  []byte
	values map[string][]byte // fields of value_info, by name
}

// keepNode is what the door keeps of a node: raw fields and raw attributes
// that the operator does not have, and the attribute names of its bodies where
// the operator does not say them.
type keepNode struct {
	fields   []byte
	attrs    []byte
	bodies   []string
	overload string
}

type decoder struct {
	src    *format.Source
	opsets map[string]int64
	files  map[string]*tensor.Mapping
	warn   []diag.Warning
	custom map[string]int
	depth  int
	// inliner is nil for models without functions of their own.
	inliner *inliner
}

// Decode reads a model of opset 1 to 28 into a graph in the newest opset's
// form. Constants stay in the mapped file. Operators that are not in the
// catalogue are carried as op.Custom and reported by a warning.
func Decode(src *format.Source) (*format.Model, error) {
	m, err := decode(src)
	if err == nil {
		return m, nil
	}
	var fe *diag.FormatError
	var ue *diag.UnsupportedError
	if errors.As(err, &fe) || errors.As(err, &ue) {
		return nil, err
	}
	return nil, &diag.FormatError{Where: src.Path, Msg: err.Error()}
}

func decode(src *format.Source) (*format.Model, error) {
	if len(src.Main.Bytes()) == 0 {
		return nil, errors.New("the file is empty")
	}
	mp, err := parseModel(src.Main.Bytes())
	if err != nil {
		return nil, fmt.Errorf("not an ONNX model, or a truncated one: %w", err)
	}
	if mp.graph == nil {
		return nil, errors.New("not an ONNX model: it has no graph")
	}
	v, imported := mp.opsets[""]
	if !imported && len(mp.opsets) == 0 {
		v, imported = 1, true // what files older than imports mean
		mp.opsets = map[string]int64{"": 1}
	}
	if imported && (v < oldestOpset || v > newestOpset) {
		return nil, &diag.UnsupportedError{Where: src.Path, What: fmt.Sprintf("opset %d", v),
			Hint: fmt.Sprintf("opset %d to %d is read; export the model again, or convert it with onnx.version_converter", oldestOpset, newestOpset)}
	}
	d := &decoder{src: src, opsets: mp.opsets, files: map[string]*tensor.Mapping{}, custom: map[string]int{}}
	gp, err := parseGraph(mp.graph)
	if err != nil {
		return nil, err
	}
	if err := d.readFunctions(mp); err != nil {
		return nil, err
	}
	if d.inliner != nil {
		if err := d.inliner.note(gp, 0); err != nil {
			return nil, err
		}
	}
	g, _, err := d.graph(gp, nil)
	if err != nil {
		return nil, err
	}
	for _, kv := range mp.meta {
		if g.Meta == nil {
			g.Meta = map[string]string{}
		}
		g.Meta[kv[0]] = kv[1]
	}
	keep := g.Keep.(*keepModel)
	keep.opsets, keep.model = mp.opsets, mp.keep
	if mp.training {
		d.warn = append(d.warn, diag.Warning{ID: "OCT013", Msg: "training information of the model is dropped"})
	}
	for _, name := range slices.Sorted(maps.Keys(d.custom)) {
		d.warn = append(d.warn, diag.Warning{ID: "OCT001", Msg: fmt.Sprintf("operator %s (%d nodes) is unknown: it is carried through unchanged and cannot be run or quantized", name, d.custom[name])})
	}
	return &format.Model{Graph: g, Warnings: d.warn}, nil
}

// scope holds the values of one graph by name.
type scope struct {
	values map[string]*ir.Value
	outer  *scope
	// captured lists the outer values that were asked for, with the inputs
	// that stand for them in this scope.
	captured []capture
}

type capture struct{ outer, inner *ir.Value }

// lookup returns the value of a name, from the enclosing graphs if need be.
func (s *scope) lookup(name string) *ir.Value {
	if v := s.values[name]; v != nil {
		return v
	}
	if s.outer == nil {
		return nil
	}
	o := s.outer.lookup(name)
	if o == nil {
		return nil
	}
	if o.Const != nil {
		v := ir.NewConst(name, o.Const)
		s.values[name] = v
		return v
	}
	v := &ir.Value{Name: name, Fact: o.Fact}
	s.values[name] = v
	s.captured = append(s.captured, capture{o, v})
	return v
}

func (d *decoder) graph(gp *graphProto, outer *scope) (*ir.Graph, *scope, error) {
	if d.depth++; d.depth > maxNested {
		return nil, nil, errTooDeep
	}
	defer func() { d.depth-- }()
	if d.inliner != nil {
		var err error
		if gp.nodes, err = d.inliner.inline(gp.nodes); err != nil {
			return nil, nil, err
		}
	}
	if gp.sparse > 0 {
		return nil, nil, &diag.UnsupportedError{Where: d.src.Path, What: "sparse initializers", Hint: "store them as dense tensors"}
	}
	keep := &keepModel{graph: gp.keep, values: map[string][]byte{}}
	g := &ir.Graph{Name: gp.name, Keep: keep}
	sc := &scope{values: map[string]*ir.Value{}, outer: outer}
	for _, t := range gp.inits {
		if sc.values[t.name] != nil {
			return nil, nil, fmt.Errorf("initializer %q is given twice", t.name)
		}
		c, err := d.tensor(t)
		if err != nil {
			return nil, nil, err
		}
		sc.values[t.name] = ir.NewConst(t.name, c)
	}
	for _, in := range gp.inputs {
		f, err := parseType(in.typ, 0)
		if err != nil {
			return nil, nil, fmt.Errorf("input %q: %w", in.name, err)
		}
		if v := sc.values[in.name]; v != nil {
			if v.Const == nil {
				return nil, nil, fmt.Errorf("input %q is given twice", in.name)
			}
			continue // an initializer listed as input: old files do, and it is a constant
		}
		if in.name == "" {
			return nil, nil, errors.New("an input has no name")
		}
		v := &ir.Value{Name: in.name, Fact: f}
		sc.values[in.name] = v
		g.Inputs = append(g.Inputs, v)
	}
	for _, in := range gp.inputs {
		if in.keep != nil {
			keep.values[in.name] = in.keep
		}
	}
	declared := map[string]op.Fact{}
	for _, list := range [][]valueProto{gp.declared, gp.outputs} {
		for _, v := range list {
			f, err := parseType(v.typ, 0)
			if err != nil {
				return nil, nil, fmt.Errorf("value %q: %w", v.name, err)
			}
			declared[v.name] = f
			if v.keep != nil {
				keep.values[v.name] = v.keep
			}
		}
	}
	nodes, err := d.upgrade(gp, sc, declared)
	if err != nil {
		return nil, nil, err
	}
	nodes = d.first(nodes)
	for _, n := range nodes {
		for _, name := range n.out {
			if name == "" {
				continue
			}
			if sc.values[name] != nil {
				return nil, nil, fmt.Errorf("value %q is computed twice", name)
			}
			sc.values[name] = &ir.Value{Name: name, Fact: declared[name]}
		}
	}
	for _, n := range nodes {
		in, err := d.node(n, sc)
		if err != nil {
			return nil, nil, fmt.Errorf("node %q (%s): %w", n.name, n.op, err)
		}
		g.Nodes = append(g.Nodes, in)
	}
	for _, o := range gp.outputs {
		v := sc.lookup(o.name)
		if v == nil {
			return nil, nil, fmt.Errorf("output %q is not computed by any node", o.name)
		}
		g.Outputs = append(g.Outputs, v)
	}
	for _, c := range sc.captured {
		g.Inputs = append(g.Inputs, c.inner)
	}
	if err := g.Sort(); err != nil {
		return nil, nil, err
	}
	if err := ir.Verify(g); err != nil {
		return nil, nil, err
	}
	return g, sc, nil
}

// first drops the nodes that compute nothing, and names the first output of the
// others where a file leaves it out: a node goes by it.
func (d *decoder) first(nodes []*node) []*node {
	taken := map[string]bool{}
	for _, n := range nodes {
		for _, name := range n.out {
			taken[name] = true
		}
	}
	var out []*node
	for _, n := range nodes {
		i := slices.IndexFunc(n.out, func(name string) bool { return name != "" })
		if i < 0 {
			d.warn = append(d.warn, diag.Warning{ID: "OCT013", Msg: fmt.Sprintf("node %q (%s) has no outputs and is dropped", n.name, n.op)})
			continue
		}
		if i > 0 {
			name := n.out[i] + "_first"
			for taken[name] {
				name += "_"
			}
			taken[name], n.out[0] = true, name
		}
		out = append(out, n)
	}
	return out
}

func (d *decoder) node(n *node, sc *scope) (*ir.Node, error) {
	out := &ir.Node{Name: n.name, Origin: n.name}
	for _, name := range n.in {
		if name == "" {
			out.In = append(out.In, nil)
			continue
		}
		v := sc.lookup(name)
		if v == nil {
			return nil, fmt.Errorf("input %q is not defined", name)
		}
		out.In = append(out.In, v)
	}
	for _, name := range n.out {
		if name == "" {
			out.Out = append(out.Out, nil)
		} else {
			out.Out = append(out.Out, sc.values[name])
		}
	}
	o, known := catalogue(n.domain, n.op)
	if !known {
		o = &op.Custom{Domain: n.domain, Type: n.op}
		d.custom[o.Name()]++
	}
	out.Op = o
	keep := &keepNode{fields: n.keep, overload: n.overload}
	attrs := n.set
	var bodies []namedBody
	for _, a := range n.attrs {
		if a.typ == attrGraph && a.ref == "" {
			b, err := d.body(a, sc)
			if err != nil {
				return nil, err
			}
			if bodies = append(bodies, b); len(bodies) > maxBodies {
				return nil, fmt.Errorf("it has more than %d graphs", maxBodies)
			}
			continue
		}
		val, ok, err := d.attr(a)
		if err != nil {
			return nil, fmt.Errorf("attribute %q: %w", a.name, err)
		}
		if !ok {
			keep.attrs = append(keep.attrs, a.field()...)
			continue
		}
		if num, isInt := val.(int64); isInt && op.HoldsType(o, a.name) {
			t, ok := dataTypes[num]
			if !ok && num != 0 {
				return nil, fmt.Errorf("attribute %q: unknown element type %d", a.name, num)
			}
			if t == dtype.Invalid {
				continue
			}
			val = t.String()
		}
		attrs = append(attrs, op.Attr{Name: a.name, Value: val})
	}
	unknown, err := op.SetAttrs(o, attrs)
	if err != nil {
		return nil, err
	}
	for _, u := range unknown {
		for _, a := range n.attrs {
			if a.name == u.Name {
				keep.attrs = append(keep.attrs, a.field()...)
			}
		}
	}
	if err := addBodies(out, bodies, keep); err != nil {
		return nil, err
	}
	if keep.fields != nil || keep.attrs != nil || keep.bodies != nil || keep.overload != "" {
		out.Keep = keep
	}
	return out, nil
}

// ownDomain holds the operators of the catalogue that no file has.
const ownDomain = "octavo"

// catalogue returns the operator of a domain, if it is known.
func catalogue(domain, name string) (op.Op, bool) {
	e, ok := entries[[2]string{domain, name}]
	if !ok {
		return nil, false
	}
	return e.New(), true
}

var entries = func() map[[2]string]op.Entry {
	m := map[[2]string]op.Entry{}
	for _, e := range op.Table() {
		if e.Domain != ownDomain {
			m[[2]string{e.Domain, e.Type}] = e
		}
	}
	return m
}()

// attr returns an attribute's value, and false for kinds that are only kept.
func (d *decoder) attr(a attrProto) (any, bool, error) {
	if a.ref != "" {
		return nil, false, nil
	}
	switch a.typ {
	case attrFloat:
		return a.f, true, nil
	case attrInt:
		return a.i, true, nil
	case attrString:
		return string(a.s), true, nil
	case attrFloats:
		return a.floats, true, nil
	case attrInts:
		return a.ints, true, nil
	case attrStrings:
		return a.strings, true, nil
	case attrTensor:
		tp, err := parseTensor(a.t)
		if err != nil {
			return nil, false, err
		}
		t, err := d.tensor(tp)
		return t, err == nil, err
	}
	return nil, false, nil
}
