package pass

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// ConvertLayout makes convolutions channels-last, and whatever else it pays to
// turn with them, with the fewest bytes transposed.
//
// Before: y = Reshape(MaxPool(Relu(Conv(x, W))))
// After:  y = Reshape(T'(MaxPool(Relu(Conv(T(x), W)))))   Conv and MaxPool channels-last
//
// Graph inputs, graph outputs, states and kept values stay as they are; so do the operands of operators that turnOf does not know.
// Between these and the convolutions the places of the transposes are a
// minimum cut. Where the channels or the places are one, a Reshape stands for
// the transpose; one that a model has already takes up those beside it.
// Results do not change by a bit: sums whose order would change stay.
//
// Conditions: shapes are inferred. Operators that are turned are copied.
func ConvertLayout(g *ir.Graph, o LayoutOptions) (bool, error) {
	c := newConverter(g, o, way{})
	for _, n := range g.Nodes {
		// The weight tells the rank of data of which nothing is known.
		if wantsLast(n.Op) && len(n.In) > 1 && n.In[0].Shape == nil && n.In[1].Shape != nil {
			n.In[0].Shape = op.OfRank(len(n.In[1].Shape))
		}
	}
	return c.run("convert_layout")
}

func newConverter(g *ir.Graph, o LayoutOptions, d way) *converter {
	return &converter{g: g, o: o, way: d, turns: map[*ir.Node]*turn{}, consts: map[turnedConst]*ir.Value{}, other: map[*ir.Value]*ir.Value{}, last: map[*ir.Value]bool{}}
}

func (c *converter) run(name string) (bool, error) {
	if !c.choose() {
		return false, nil
	}
	c.names = ir.NewNamer(c.g)
	if err := c.rewrite(); err != nil {
		return true, fmt.Errorf("%s: %w", name, err)
	}
	c.dropIdentities()
	return true, ir.Infer(c.g)
}

// LayoutOptions says which values ConvertLayout must keep.
type LayoutOptions struct {
	// Keep names values that must be there afterwards; nil: none.
	Keep map[string]bool
	// AnyOrder lets the kept values lie channels last.
	AnyOrder bool
	// Spatial turns every operator that carries a layout, and resizes of height
	// and width, for formats that have no words for channels first.
	Spatial bool
}

func (o LayoutOptions) keeps(v *ir.Value) bool { return o.Keep[v.Name] }

type converter struct {
	g *ir.Graph
	o LayoutOptions
	way
	turns map[*ir.Node]*turn // of the nodes that are turned
	names *ir.Namer

	nodes  []*ir.Node
	last   map[*ir.Value]bool      // values that are turned
	other  map[*ir.Value]*ir.Value // the same in the other layout
	consts map[turnedConst]*ir.Value
}

type turnedConst struct {
	v    *ir.Value
	rank int
}

// free reports whether a node reads its operand in either layout at no cost.
func free(n *ir.Node, operand int) bool {
	_, shape := n.Op.(*op.ShapeOf)
	return shape || operand == 0 && transposes(n)
}

// transposes reports whether a node does nothing but permute the axes of a
// tensor that has layouts.
func transposes(n *ir.Node) bool {
	if _, ok := unwrapped(n.Op).(*op.Transpose); !ok || len(n.In[0].Shape) < 3 {
		return false
	}
	q, ok := n.Op.(*op.Quantized)
	return !ok || q.Clamp == nil && len(q.In) == 1 && len(q.Out) == 1 && q.In[0].IsPerTensor() && q.In[0].Equal(q.Out[0])
}

// wants reports whether a node is to be turned wherever it can be: for its
// kernels, or because there is no word for the layout that it has.
func (c *converter) wants(n *ir.Node) bool {
	if !c.back && !c.o.Spatial {
		return wantsLast(n.Op)
	}
	if _, ok := unwrapped(n.Op).(*op.Resize); ok && !c.back {
		in, out := n.In[0].Shape, n.Out[0].Shape
		return len(in) == 4 && len(out) == 4 && in[1].Same(out[1]) && !in[3].Same(out[3])
	}
	_, spatial := turnSpatial(unwrapped(n.Op), n, &turn{way: c.way, rank: len(n.In[0].Shape)})
	return spatial
}

// wantsLast reports whether an operator has its kernels for channels last.
func wantsLast(o op.Op) bool {
	switch unwrapped(o).(type) {
	case *op.Conv, *op.ConvTranspose, *op.ConvIntegerToFloat:
		return true
	}
	return false
}

func unwrapped(o op.Op) op.Op {
	if q, ok := o.(*op.Quantized); ok {
		return q.Inner
	}
	return o
}

// choose fills turns and reports whether anything is to be turned.
func (c *converter) choose() bool {
	var net network
	last, first := net.vertex(), net.vertex()
	at := map[*ir.Node]int{}
	wanted := false
	for _, n := range c.g.Nodes {
		t := c.turnOf(n)
		if transposes(n) {
			t = &turn{op: n.Op, way: c.way, rank: len(n.In[0].Shape)} // its result may lie either way
		}
		if t == nil {
			continue
		}
		c.turns[n], at[n] = t, net.vertex()
		if c.wants(n) {
			wanted = true
			net.arc(last, at[n], endless)
		}
	}
	if !wanted {
		return false
	}
	prod, uses := c.g.Producers(), c.g.Uses()
	for _, v := range c.g.Values() {
		if v.Const != nil || len(v.Shape) < 3 {
			continue
		}
		source := first
		if p := prod[v]; p != nil && c.turns[p] != nil && c.turns[p].turns(v) {
			source = at[p]
		}
		var readers []int
		if c.stays(v) {
			readers = append(readers, first)
		}
		for _, u := range uses[v] {
			switch t := c.turns[u.Node]; {
			case free(u.Node, u.Index):
			case t != nil && slices.Contains(t.data, u.Index):
				readers = append(readers, at[u.Node])
			default:
				readers = append(readers, first)
			}
		}
		if len(readers) == 0 {
			continue
		}
		// One transpose serves all readers of the other layout.
		toFirst, toLast, price := net.vertex(), net.vertex(), c.cost(v)
		net.arc(source, toFirst, price)
		net.arc(toLast, source, price)
		for _, r := range readers {
			net.arc(toFirst, r, endless)
			net.arc(r, toLast, endless)
		}
	}
	side := net.cut(last, first)
	for n := range c.turns {
		if !side[at[n]] {
			delete(c.turns, n)
		}
	}
	return true
}

// stays reports whether a value must exist channels first under its name.
func (c *converter) stays(v *ir.Value) bool {
	if c.g.IsOutput(v) || !c.o.AnyOrder && c.o.keeps(v) {
		return true
	}
	return slices.ContainsFunc(c.g.States, func(s ir.State) bool { return s.Out == v })
}

func (c *converter) rewrite() error {
	for _, n := range c.g.Nodes {
		if c.transpose(n) {
			continue
		}
		t := c.turns[n]
		var err error
		if shape, ok := n.Op.(*op.ShapeOf); ok && c.last[n.In[0]] {
			c.shapeOf(n, shape)
			continue
		}
		for i, v := range n.In {
			if v == nil {
				continue
			}
			if n.In[i], err = c.operand(v, t != nil && slices.Contains(t.data, i), t); err != nil {
				return fmt.Errorf("%s: %w", n.Label(), err)
			}
		}
		c.nodes = append(c.nodes, n)
		if t == nil {
			continue
		}
		n.Op = t.op
		for i, l := range t.lists {
			for len(n.In) <= i {
				n.In = append(n.In, nil)
			}
			n.In[i] = ir.NewConst(c.names.Name(n.Out[0].Name+"_axes"), l)
		}
		for i, v := range n.Out {
			if t.turns(v) {
				n.Out[i] = c.result(v)
			}
		}
	}
	c.g.Nodes = c.nodes
	return nil
}

// operand returns v as its reader wants it.
func (c *converter) operand(v *ir.Value, last bool, t *turn) (*ir.Value, error) {
	if v.Const != nil {
		if !last {
			return v, nil
		}
		k := turnedConst{v, t.rank}
		if c.consts[k] == nil {
			p, err := c.permuted(v.Const, t.rank)
			if err != nil {
				return nil, err
			}
			c.consts[k] = ir.NewConst(c.names.Name(v.Name+c.suffix()), p)
		}
		return c.consts[k], nil
	}
	if len(v.Shape) < 3 || c.last[v] == last {
		return v, nil
	}
	if c.other[v] == nil {
		d := c.way
		if !last {
			d.back = !d.back
		}
		perm := d.perm(len(v.Shape))
		c.move(v, c.value(v, v.Name+d.suffix(), perm), perm)
	}
	return c.other[v], nil
}

// value returns a fresh value: v with its axes permuted.
func (c *converter) value(v *ir.Value, name string, perm []int) *ir.Value {
	return &ir.Value{Name: c.names.Name(name), Fact: op.TensorFact(v.Type, turnedShape(v.Shape, perm))}
}

// result turns v, or one in its place where v must stay, and returns it.
func (c *converter) result(v *ir.Value) *ir.Value {
	perm := c.perm(len(v.Shape))
	if !c.stays(v) {
		v.Shape = turnedShape(v.Shape, perm)
		c.last[v] = true
		return v
	}
	w := c.value(v, v.Name+c.suffix(), perm)
	c.last[w] = true
	c.move(w, v, c.inverse(len(v.Shape)))
	return w
}

// move adds the node that computes to, which is from with its axes permuted.
func (c *converter) move(from, to *ir.Value, perm []int) {
	c.other[from], c.other[to] = to, from
	c.last[to] = !c.last[from]
	n := &ir.Node{Name: c.names.Name(to.Name + "_layout"), In: []*ir.Value{from}, Out: []*ir.Value{to}}
	first := from
	if c.last[from] {
		first = to
	}
	if sizes, ok := sizesOf(to.Shape); ok && c.viewed(first.Shape) {
		n.Op = op.New[op.Reshape]()
		n.In = append(n.In, ir.NewConst(c.names.Name(to.Name+"_shape"), list(sizes)))
	} else {
		n.Op = with(op.New[op.Transpose](), func(o *op.Transpose) { o.Perm = perm })
	}
	c.nodes = append(c.nodes, n)
}

// sizesOf returns a shape for Reshape: at most one dimension may be unknown.
func sizesOf(s op.Shape) ([]int, bool) {
	out, unknown := make([]int, len(s)), 0
	for i, d := range s {
		n, ok := d.Int()
		if out[i] = n; !ok {
			out[i] = -1
			unknown++
		} else if n == 0 {
			return nil, false
		}
	}
	return out, unknown <= 1
}

// transpose rewrites a Transpose whose operand or result lies channels last.
func (c *converter) transpose(n *ir.Node) bool {
	if !transposes(n) {
		return false
	}
	t, x, rank := c.turns[n], n.In[0], len(n.In[0].Shape)
	if t == nil && !c.last[x] {
		return false
	}
	perm := slices.Clone(unwrapped(n.Op).(*op.Transpose).Perm)
	if len(perm) == 0 {
		perm = count(rank)
		slices.Reverse(perm)
	}
	if c.last[x] {
		perm, _ = c.turnedAxes(perm, rank)
	}
	if t != nil {
		moved := make([]int, rank)
		for i, p := range c.perm(rank) {
			moved[i] = perm[p]
		}
		perm = moved
	}
	n.Op = with(op.New[op.Transpose](), func(o *op.Transpose) { o.Perm = perm })
	if slices.IsSorted(perm) {
		n.Op = op.New[op.Identity]()
	}
	c.nodes = append(c.nodes, n)
	if t != nil {
		n.Out[0] = c.result(n.Out[0])
	}
	return true
}

// dropIdentities removes what is left of transposes that do nothing.
func (c *converter) dropIdentities() {
	c.g.Nodes = slices.DeleteFunc(c.g.Nodes, func(n *ir.Node) bool {
		if _, ok := n.Op.(*op.Identity); !ok || c.o.keeps(n.Out[0]) || c.stays(n.Out[0]) {
			return false
		}
		c.g.Replace(n.Out[0], n.In[0])
		return true
	})
}

// shapeOf puts the dimensions of a value that lies channels last in order.
func (c *converter) shapeOf(n *ir.Node, o *op.ShapeOf) {
	rank := len(n.In[0].Shape)
	order := c.inverse(rank)
	from, to := bound(o.Start, rank), rank
	if o.End.Set {
		to = bound(o.End.Value, rank)
	}
	raw := &ir.Value{Name: c.names.Name(n.Out[0].Name + c.suffix()), Fact: op.TensorFact(n.Out[0].Type, op.Known(rank))}
	pick := ir.NewConst(c.names.Name(n.Out[0].Name+"_order"), list(order[from:max(from, to)]))
	c.nodes = append(c.nodes,
		&ir.Node{Op: op.New[op.ShapeOf](), In: n.In, Out: []*ir.Value{raw}},
		&ir.Node{Name: n.Name, Op: op.New[op.Gather](), In: []*ir.Value{raw, pick}, Out: n.Out, Origin: n.Origin, Keep: n.Keep})
}

// bound resolves a bound of Shape.
func bound(i, rank int) int {
	if i < 0 {
		i += rank
	}
	return min(max(i, 0), rank)
}
