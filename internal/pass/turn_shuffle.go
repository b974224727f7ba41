package pass

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// shuffle is a channel shuffle (Zhang et al., "ShuffleNet", 2018) that stands as
// a Gather while layouts are chosen: it keeps height and width, which the
// Reshape and Transpose it is made of hide.
type shuffle struct {
	node          *ir.Node
	groups, width int
}

// gatherShuffles makes a Gather of each.
//
// Before: y = Reshape(Transpose(Reshape(x; [N,g,c,H,W]); [0,2,1,3,4]); [N,c·g,H,W])
// After:  y = Gather(x, [0, c, 2c, …, 1, c+1, …]; axis=1)
//
// Conditions: nothing else reads the values between; as integers, all have the
// same parameters.
func gatherShuffles(g *ir.Graph) []shuffle {
	m := newMatcher(g)
	names := ir.NewNamer(g)
	var found []shuffle
	for _, last := range g.Nodes {
		t := m.prod[firstOf(last)]
		if t == nil || !m.only(last.In[0]) || !transposes(t) {
			continue
		}
		first := m.prod[firstOf(t)]
		if first == nil || !m.only(t.In[0]) || !reshapes(first) || !reshapes(last) {
			continue
		}
		x, mid, y := first.In[0], first.Out[0].Shape, last.Out[0].Shape
		if len(x.Shape) != 4 || len(mid) != 5 || len(y) != 4 || !slices.Equal(unwrapped(t.Op).(*op.Transpose).Perm, []int{0, 2, 1, 3, 4}) {
			continue
		}
		groups, ok := mid[1].Int()
		width, known := mid[2].Int()
		if !ok || !known || !x.Shape[1].Is(groups*width) || !y[1].Is(groups*width) || !kept(x.Shape, mid, y) {
			continue
		}
		at := make([]int, 0, groups*width)
		for j := range width {
			for i := range groups {
				at = append(at, i*width+j)
			}
		}
		gather := with(op.New[op.Gather](), func(o *op.Gather) { o.Axis = 1 })
		last.Op = inside(last.Op, gather)
		last.In = []*ir.Value{x, ir.NewConst(names.Name(last.Out[0].Name+"_channels"), list(at))}
		found = append(found, shuffle{last, groups, width})
		m = newMatcher(g)
	}
	return found
}

// reshapes reports whether a node gives its data another shape, and no other
// numbers.
func reshapes(n *ir.Node) bool {
	if _, ok := unwrapped(n.Op).(*op.Reshape); !ok {
		return false
	}
	q, ok := n.Op.(*op.Quantized)
	return !ok || q.Clamp == nil && q.In[0].IsPerTensor() && q.In[0].Equal(q.Out[0])
}

// kept reports whether batch, height and width are the same in [N,C,H,W],
// [N,g,c,H,W] and [N,C,H,W].
func kept(x, mid, y op.Shape) bool {
	for _, i := range []int{0, 2, 3} {
		k := i
		if i > 0 {
			k++
		}
		if !x[i].Same(mid[k]) || !x[i].Same(y[i]) {
			return false
		}
	}
	return true
}

// inside returns o with another inner operator that moves the same integers.
func inside(o, inner op.Op) op.Op {
	q, ok := o.(*op.Quantized)
	if !ok {
		return inner
	}
	return with(q, func(c *op.Quantized) {
		c.Inner, c.In = inner, q.In[:1:1]
	})
}

// expandShuffles spells out those whose channels came to lie last, with one
// Transpose of the last two axes; others stay.
func expandShuffles(g *ir.Graph, found []shuffle) error {
	if len(found) == 0 {
		return nil
	}
	names := ir.NewNamer(g)
	var nodes []*ir.Node
	for _, n := range g.Nodes {
		i := slices.IndexFunc(found, func(s shuffle) bool { return s.node == n })
		if i < 0 || !found[i].spell(names, &nodes) {
			nodes = append(nodes, n)
		}
	}
	g.Nodes = nodes
	return ir.Infer(g)
}

func (s shuffle) spell(names *ir.Namer, nodes *[]*ir.Node) bool {
	n := s.node
	x, y := n.In[0], n.Out[0]
	gather, ok := unwrapped(n.Op).(*op.Gather)
	if !ok || gather.Axis != 3 || len(x.Shape) != 4 {
		return false
	}
	apart := append(x.Shape[:3].Clone(), op.Size(s.groups), op.Size(s.width))
	turned := append(x.Shape[:3].Clone(), op.Size(s.width), op.Size(s.groups))
	to, known := sizesOf(apart)
	from, also := sizesOf(y.Shape)
	if !known || !also {
		return false
	}
	step := func(o op.Op, in, out *ir.Value, shape []int) *ir.Value {
		k := &ir.Node{Name: names.Name(out.Name + "_" + o.Name()), Op: inside(n.Op, o), In: []*ir.Value{in}, Out: []*ir.Value{out}, Origin: n.Origin}
		if shape != nil {
			k.In = append(k.In, ir.NewConst(names.Name(out.Name+"_shape"), list(shape)))
		}
		*nodes = append(*nodes, k)
		return out
	}
	value := func(name string, shape op.Shape) *ir.Value {
		return &ir.Value{Name: names.Name(y.Name + name), Fact: op.TensorFact(y.Type, shape)}
	}
	a := step(op.New[op.Reshape](), x, value("_groups", apart), to)
	b := step(with(op.New[op.Transpose](), func(o *op.Transpose) { o.Perm = []int{0, 1, 2, 4, 3} }), a, value("_shuffled", turned), nil)
	step(op.New[op.Reshape](), b, y, from)
	return true
}
