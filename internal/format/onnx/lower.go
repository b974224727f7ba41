package onnx

import (
	"fmt"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// lowering turns the nodes of one graph into nodes of the opset to write.
type lowering struct {
	opset int
	outer *lowering // of the enclosing graph
	names *ir.Namer
	// consts lists the constants that the written nodes read, in first use.
	consts []*ir.Value
	byName map[string]*ir.Value
	used   map[string]int // how many written nodes and outputs read a constant
}

func newLowering(opset int, g *ir.Graph, outer *lowering) *lowering {
	l := &lowering{opset: opset, outer: outer, names: ir.NewNamer(g), byName: map[string]*ir.Value{}, used: map[string]int{}}
	for _, v := range g.Values() {
		if v.Const != nil {
			l.byName[v.Name] = v
			l.consts = append(l.consts, v)
		}
	}
	for _, v := range g.Outputs {
		if v.Const != nil {
			l.used[v.Name]++
		}
	}
	if outer == nil {
		l.share(g)
	}
	return l
}

// share puts constants that several bodies read into the graph around them, so
// that they are written once.
func (l *lowering) share(g *ir.Graph) {
	taken := map[string]bool{}
	for _, v := range g.Values() {
		taken[v.Name] = true
	}
	first := map[string]*ir.Value{}
	var visit func(g *ir.Graph)
	visit = func(g *ir.Graph) {
		for _, n := range g.Nodes {
			for _, b := range n.Bodies {
				for _, v := range b.Values() {
					w := first[v.Name]
					switch {
					case v.Const == nil || w != nil && w.Const != v.Const:
						taken[v.Name] = true
					case w == nil:
						first[v.Name] = v
					case !taken[v.Name]:
						taken[v.Name] = true
						l.byName[v.Name] = w
						l.consts = append(l.consts, w)
					}
				}
				visit(b)
			}
		}
	}
	visit(g)
}

// constants returns the constants that the lowered nodes still read and that
// no enclosing graph holds under the same name.
func (l *lowering) constants() []*ir.Value {
	var out []*ir.Value
	for _, v := range l.consts {
		if l.used[v.Name] > 0 && !l.borrow(v) {
			out = append(out, v)
		}
	}
	return out
}

// borrow marks v as used in the enclosing graph that holds it, if one does.
func (l *lowering) borrow(v *ir.Value) bool {
	for o := l.outer; o != nil; o = o.outer {
		if w := o.byName[v.Name]; w != nil && w.Const == v.Const {
			o.used[v.Name]++
			return true
		}
	}
	return false
}

// value adds a constant and returns its name.
func (l *lowering) value(base string, t *tensor.Tensor) string {
	v := ir.NewConst(l.names.Name(base), t)
	l.consts = append(l.consts, v)
	l.byName[v.Name] = v
	return v.Name
}

// node returns n in the form of the opset, and counts what it reads.
func (l *lowering) node(n *ir.Node) ([]*node, error) {
	out, err := l.rewrite(n)
	if err != nil {
		return nil, err
	}
	for _, v := range n.In[len(n.In)-n.Captured:] {
		l.used[v.Name]++ // by the bodies
	}
	for _, r := range out {
		for _, name := range r.in {
			l.used[name]++
		}
	}
	return out, nil
}

// rewrite returns the nodes that stand for n at the opset.
func (l *lowering) rewrite(n *ir.Node) ([]*node, error) {
	if since := functionSince(n); since > l.opset {
		return l.function(n, since)
	}
	raw, err := rawNode(n)
	if err != nil {
		return nil, err
	}
	out := []*node{raw}
	if raw.domain == "" {
		if f := downgrades[raw.op]; f != nil {
			if out, err = f(l, raw, n); err != nil {
				return nil, err
			}
		}
	}
	for _, r := range out {
		if err := l.check(r, n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// cellClip is what ONNX cannot say of an LSTM; graph warns of it.
const cellClip = ".cell_clip"

func cellLimit(o op.Op) op.Opt[float32] {
	switch o := o.(type) {
	case *op.LSTM:
		return o.CellClip
	case *op.DynamicQuantizeLSTM:
		return o.CellClip
	}
	return op.Opt[float32]{}
}

// rawNode writes a node's names and attributes, with what the door kept of it.
func rawNode(n *ir.Node) (*node, error) {
	r := &node{nodeProto: nodeProto{name: n.Name}}
	ins := n.In
	switch o := n.Op.(type) {
	case *op.Custom:
		r.domain, r.op = o.Domain, o.Type
	default:
		e, ok := entryOf[o.Name()]
		if !ok {
			return nil, fmt.Errorf("ONNX has no such operator")
		}
		r.domain, r.op = e.Domain, e.Type
	}
	for _, a := range op.Attrs(n.Op) {
		if a.Name == cellClip {
			continue
		}
		if _, custom := n.Op.(*op.Custom); !custom && strings.HasPrefix(a.Name, ".") {
			return nil, fmt.Errorf("ONNX cannot say %s=%v", a.Name[1:], a.Value)
		}
		if op.HoldsType(n.Op, a.Name) {
			t := typeNumber(a.Value)
			if t == 0 {
				return nil, fmt.Errorf("attribute %q: ONNX has no type %v", a.Name, a.Value)
			}
			a.Value = t
		}
		r.set = append(r.set, a)
	}
	if k, ok := n.Keep.(*keepNode); ok {
		r.keep = append(slices.Clone(k.fields), k.attrs...)
		r.overload = k.overload
	}
	names, cut := bodyNames(n), len(ins)-n.Captured
	if len(names) != len(n.Bodies) {
		return nil, fmt.Errorf("the attribute names of its bodies are not known")
	}
	for i, b := range n.Bodies {
		if leftOut(n.Op, b) {
			continue
		}
		r.bodies = append(r.bodies, body{names[i], settle(b, ins[cut:]), n.Captured})
	}
	ins = ins[:cut]
	for _, v := range trim(ins) {
		r.in = append(r.in, valueName(v))
	}
	for _, v := range trim(n.Out) {
		r.out = append(r.out, valueName(v))
	}
	for i := len(r.out); i < leastOutputs[n.Op.Name()]; i++ {
		r.out = append(r.out, fmt.Sprintf("%s_unused_%d", r.out[0], i))
	}
	return r, nil
}

// settle gives the inputs of b that stand for outer values the names that
// these have now, as a file says by the name alone which value is meant. b
// itself is not changed.
func settle(b *ir.Graph, outer []*ir.Value) *ir.Graph {
	first := len(b.Inputs) - len(outer)
	same := true
	for i, v := range outer {
		same = same && b.Inputs[first+i].Name == v.Name
	}
	if same {
		return b // then all are different, as the names of the body are
	}
	c, _ := b.Clone()
	names := ir.NewNamer(c)
	byName := map[string]*ir.Value{}
	for _, v := range c.Values() {
		byName[v.Name] = v
	}
	for i, v := range outer {
		in := c.Inputs[first+i]
		if at := slices.Index(outer[:i], v); at >= 0 {
			c.Replace(in, c.Inputs[first+at]) // one value under two names
			in.Name = names.Name(in.Name)
			continue
		}
		if w := byName[v.Name]; w != nil && w != in {
			w.Name = names.Name(w.Name)
			byName[w.Name] = w
		}
		in.Name = v.Name
		byName[in.Name] = in
	}
	return c
}

var entryOf = func() map[string]op.Entry {
	m := map[string]op.Entry{}
	for _, e := range op.Table() {
		if e.Domain != ownDomain {
			m[e.Name] = e
		}
	}
	return m
}()

func typeNumber(v any) int64 {
	name, _ := v.(string)
	for t, n := range dataNumbers {
		if t.String() == name {
			return n
		}
	}
	return 0
}

// leastOutputs are how many outputs ONNX Runtime wants of operators whether or
// not all of them are read.
var leastOutputs = map[string]int{"EmbedLayerNormalization": 2, "QEmbedLayerNormalization": 2}

// trim drops absent values from the end of a list.
func trim(vs []*ir.Value) []*ir.Value {
	for len(vs) > 0 && vs[len(vs)-1] == nil {
		vs = vs[:len(vs)-1]
	}
	return vs
}

func valueName(v *ir.Value) string {
	if v == nil {
		return ""
	}
	return v.Name
}

// attribute returns a set attribute of a raw node.
func (n *node) attribute(name string) (any, bool) {
	for _, a := range n.set {
		if a.Name == name {
			return a.Value, true
		}
	}
	return nil, false
}

// drop removes a set attribute.
func (n *node) drop(name string) {
	n.set = slices.DeleteFunc(slices.Clone(n.set), func(a op.Attr) bool { return a.Name == name })
}
