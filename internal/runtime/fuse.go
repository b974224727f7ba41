package runtime

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/fused"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// group is nodes of a plan that run as one step, at the place of the last, so
// that what lies between them need not be stored. It computes what the nodes
// compute in turn, to the bit.
type group struct {
	nodes   []*ir.Node // in the order of the graph
	in, out []*ir.Value
	set     func(s *step) error
}

// last is the node in whose place the group runs.
func (gr *group) last() *ir.Node { return gr.nodes[len(gr.nodes)-1] }

// fuser looks for groups.
type fuser struct {
	pl   *plan
	g    *ir.Graph
	keys map[*ir.Node]*ir.Node
	prod map[*ir.Value]*ir.Node
	uses map[*ir.Value][]ir.Use
	at   map[*ir.Node]int
	of   map[*ir.Node]*group
}

// fuse returns the group of each node that is in one. keys are the program's
// nodes, under which packed weights are kept.
func (pl *plan) fuse(g *ir.Graph, keys map[*ir.Node]*ir.Node) map[*ir.Node]*group {
	u := &fuser{pl: pl, g: g, keys: keys, prod: g.Producers(), uses: g.Uses(), at: map[*ir.Node]int{}, of: map[*ir.Node]*group{}}
	if pl.p.plain {
		return u.of
	}
	for i, n := range g.Nodes {
		u.at[n] = i
	}
	for _, look := range []func(*ir.Node) *group{u.attention, u.coded, u.batched, u.product, u.norm, u.gate} {
		for _, n := range g.Nodes {
			if u.of[n] != nil {
				continue
			}
			if gr := look(n); gr != nil {
				u.add(gr)
			}
		}
	}
	return u.of
}

// prepare sets up the step of a node, or of the group that it is the last of.
func (pl *plan) prepare(s *step, gr *group, key *ir.Node) error {
	if gr == nil {
		return pl.dispatch(s, key)
	}
	s.in, s.out = pl.refs(gr.in), pl.refs(gr.out)
	return gr.set(s)
}

// add takes a group if its nodes are free and each result is computed before
// others read it.
func (u *fuser) add(gr *group) {
	slices.SortFunc(gr.nodes, func(a, b *ir.Node) int { return u.at[a] - u.at[b] })
	last := u.at[gr.last()]
	for _, n := range gr.nodes {
		if u.of[n] != nil {
			return
		}
	}
	for _, v := range gr.out {
		for _, use := range u.uses[v] {
			if u.at[use.Node] < last && !slices.Contains(gr.nodes, use.Node) {
				return
			}
		}
	}
	for _, n := range gr.nodes {
		u.of[n] = gr
	}
}

// next returns the node that alone reads v, if there is one and nobody asks for
// v itself.
func (u *fuser) next(v *ir.Value) (*ir.Node, int) {
	if len(u.uses[v]) != 1 || u.g.IsOutput(v) || u.pl.p.keep[v.Name] {
		return nil, 0
	}
	return u.uses[v][0].Node, u.uses[v][0].Index
}

// before returns the node that computes v for nobody but one reader.
func (u *fuser) before(v *ir.Value) *ir.Node {
	if v == nil || u.prod[v] == nil {
		return nil
	}
	if n, _ := u.next(v); n == nil {
		return nil
	}
	return u.prod[v]
}

// dims returns a value's shape, nil where it is not known.
func (u *fuser) dims(v *ir.Value) []int {
	if v == nil {
		return nil
	}
	return u.pl.values[u.pl.index[v]].dims()
}

// moved returns the operator of a node that only moves elements, integers or
// not.
func moved(n *ir.Node) op.Op {
	if q, ok := n.Op.(*op.Quantized); ok {
		if q.Clamp == nil && len(q.In) > 0 && len(q.Out) > 0 && q.In[0].Equal(q.Out[0]) {
			return q.Inner
		}
		return nil
	}
	return n.Op
}

// lattice is the grid of a tensor of bytes.
type lattice struct {
	typ   dtype.Type
	scale float32
	grid  convert.Grid
}

// fused returns the grid as kernels have it.
func (l lattice) fused() *fused.Grid { return fused.NewGrid(l.scale, l.grid, l.typ == dtype.Int8) }

// latticeOf returns a grid of bytes; false for others.
func latticeOf(p affine.Params) (lattice, bool) {
	if !p.Present() || !p.IsPerTensor() || byteless(p.Type) {
		return lattice{}, false
	}
	lo, hi := p.Type.Range()
	return lattice{p.Type, p.Scale[0], convert.Grid{ZeroPoint: int32(p.Zero(0)), QMin: int32(lo), QMax: int32(hi)}}, true
}

// quantizes returns the grid of a QuantizeLinear from floats to bytes.
func quantizes(n *ir.Node) (lattice, bool) {
	o, ok := n.Op.(*op.QuantizeLinear)
	if !ok || o.Round != affine.RoundHalfEven || n.In[0].Type != dtype.Float32 {
		return lattice{}, false
	}
	p, ok, err := ir.ParamsOf(n)
	if !ok || err != nil {
		return lattice{}, false
	}
	return latticeOf(p)
}

// store quantizes x to dst.
func (l lattice) store(dst []byte, x []float32) {
	if l.typ == dtype.Int8 {
		convert.Quantize(signed(dst), x, l.scale, l.grid)
	} else {
		convert.Quantize(dst, x, l.scale, l.grid)
	}
}

// load dequantizes q to dst.
func (l lattice) load(dst []float32, q []byte) {
	if l.typ == dtype.Int8 {
		convert.Dequantize(dst, signed(q), l.scale, l.grid.ZeroPoint)
	} else {
		convert.Dequantize(dst, q, l.scale, l.grid.ZeroPoint)
	}
}

// hoistQuantize quantizes before elements are moved instead of after it, which
// is the same: a quarter of the bytes move, and the quantization comes next to
// what computes the values.
func hoistQuantize(g *ir.Graph, keep map[string]bool) {
	names := ir.NewNamer(g)
	for changed := true; changed; {
		changed = false
		prod, uses := g.Producers(), g.Uses()
		for _, n := range g.Nodes {
			l, ok := quantizes(n)
			if !ok {
				continue
			}
			x := n.In[0]
			if len(uses[x]) != 1 || g.IsOutput(x) || keep[x.Name] || prod[x] == nil || len(prod[x].Bodies) > 0 {
				continue
			}
			move := prod[x]
			switch move.Op.(type) {
			case *op.Reshape, *op.Flatten, *op.Squeeze, *op.Unsqueeze, *op.Transpose:
			default:
				continue
			}
			p, _, _ := ir.ParamsOf(n)
			y := move.In[0]
			q := &ir.Value{Name: names.Name(n.Out[0].Name), Fact: op.TensorFact(l.typ, y.Shape.Clone())}
			inner := &op.Quantized{Inner: move.Op, In: []affine.Params{p}, Out: []affine.Params{p}}
			move.Op, n.Op = n.Op, inner
			move.Name, n.Name = n.Name, move.Name
			move.Origin, n.Origin = n.Origin, move.Origin
			in := append([]*ir.Value{q}, move.In[1:]...)
			move.In = append([]*ir.Value{y}, n.In[1:]...)
			n.In, move.Out = in, []*ir.Value{q}
			changed = true
			break
		}
	}
}

// spot says where the elements of a value lie that is another's, seen through
// operators that move elements.
type spot struct {
	v       *ir.Value
	strides []int
	nodes   []*ir.Node // the operators
}

// spotOf returns where v lies. Operators are looked through where only v's
// reader needs what they compute.
func (u *fuser) spotOf(v *ir.Value) spot {
	here := spot{v: v, strides: tensor.Strides(u.dims(v))}
	n := u.before(v)
	if n == nil || u.of[n] != nil || u.dims(n.In[0]) == nil {
		return here
	}
	switch o := moved(n).(type) {
	case *op.Reshape, *op.Flatten, *op.Squeeze, *op.Unsqueeze:
		return spot{n.In[0], here.strides, []*ir.Node{n}}
	case *op.Transpose:
		from := u.spotOf(n.In[0])
		perm := permOf(o, len(from.strides))
		if perm == nil {
			return here
		}
		strides := make([]int, len(perm))
		for i, p := range perm {
			strides[i] = from.strides[p]
		}
		return spot{from.v, strides, append(from.nodes, n)}
	}
	return here
}

// spotAfter returns where v's elements go, likewise.
func (u *fuser) spotAfter(v *ir.Value) spot {
	here := spot{v: v, strides: tensor.Strides(u.dims(v))}
	n, i := u.next(v)
	if n == nil || i != 0 || u.of[n] != nil || len(n.Out) != 1 || u.dims(n.Out[0]) == nil {
		return here
	}
	switch o := moved(n).(type) {
	case *op.Reshape, *op.Flatten, *op.Squeeze, *op.Unsqueeze:
		return spot{n.Out[0], here.strides, []*ir.Node{n}}
	case *op.Transpose:
		to := u.spotAfter(n.Out[0])
		perm := permOf(o, len(to.strides))
		if perm == nil {
			return here
		}
		strides := make([]int, len(perm))
		for i, p := range perm {
			strides[p] = to.strides[i]
		}
		return spot{to.v, strides, append(to.nodes, n)}
	}
	return here
}

// permOf returns the permutation of a Transpose, nil if it is none.
func permOf(o *op.Transpose, rank int) []int {
	perm := slices.Clone(o.Perm)
	if perm == nil {
		for i := range rank {
			perm = append(perm, rank-1-i)
		}
	}
	for i, p := range perm {
		if p < 0 {
			perm[i] = p + rank
		}
	}
	sorted := slices.Sorted(slices.Values(perm))
	for i, p := range sorted {
		if p != i || len(sorted) != rank {
			return nil
		}
	}
	return perm
}
