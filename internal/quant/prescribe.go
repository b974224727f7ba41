package quant

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/target"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Moved is a value whose parameters became others.
type Moved struct {
	Value    string
	From, To affine.Params
}

// Prescribe gives values of a quantized graph the parameters that the rules of a
// target prescribe, whoever quantized it, and returns those that had others, in
// the order of the graph.
//
//   - An operator with fixed parameters (Softmax, Sigmoid, Tanh) gets those.
//   - One that shares (Reshape, MaxPool) gives its output what its input has.
//   - One that joins (Concat) gives all its inputs what its output has. What
//     computes such an input rounds to them at once if nothing else reads it and
//     no rule speaks against it, and it is quantized again otherwise.
//
// Only operators between integers are looked at. A uint8 gets what is prescribed
// for int8 with a zero point that is 128 higher.
func Prescribe(g *ir.Graph, t *target.Target) ([]Moved, error) {
	p := &prescriber{g: g, target: t, names: ir.NewNamer(g), was: map[string]affine.Params{}}
	for _, n := range slices.Clone(g.Nodes) {
		if r := t.Rule(n.Op.Name()); r != nil {
			p.prod, p.uses = g.Producers(), g.Uses()
			if err := p.node(n, r); err != nil {
				return nil, err
			}
		}
	}
	for i, m := range p.moved {
		p.moved[i].From = p.was[m.Value]
	}
	p.moved = slices.DeleteFunc(p.moved, func(m Moved) bool { return m.From.Equal(m.To) })
	return p.moved, ir.Infer(g)
}

type prescriber struct {
	g      *ir.Graph
	target *target.Target
	names  *ir.Namer
	prod   map[*ir.Value]*ir.Node
	uses   map[*ir.Value][]ir.Use
	was    map[string]affine.Params // of values that were moved, before
	moved  []Moved
}

func (p *prescriber) node(n *ir.Node, r *target.Rule) error {
	first, ok := p.read(n.In[0])
	if !ok {
		return nil
	}
	for _, y := range n.Out {
		q, have := p.written(y)
		if q == nil {
			continue
		}
		switch scale, zero, fixed := r.Fixed.Of(signed(have.Type)); {
		case fixed:
			if have.Type == dtype.Uint8 {
				zero += 128
			}
			p.move(q, have, affine.PerTensor(have.Type, float32(scale), zero))
		case r.Kind == target.Share && first.Type == have.Type:
			p.move(q, have, first)
		case r.Kind == target.Join:
			for i, x := range n.In {
				if in, ok := p.read(x); ok && in.Type == have.Type && !in.Equal(have) {
					p.join(n, i, in, have)
				}
			}
		}
	}
	return nil
}

// signed is the type in which a target's rules speak of t.
func signed(t dtype.Type) dtype.Type {
	if t == dtype.Uint8 {
		return dtype.Int8
	}
	return t
}

// read returns the parameters of integers that v is dequantized of.
func (p *prescriber) read(v *ir.Value) (affine.Params, bool) {
	n := p.prod[v]
	if n == nil || n.In[0].Const != nil {
		return affine.Params{}, false
	}
	if _, ok := n.Op.(*op.DequantizeLinear); !ok {
		return affine.Params{}, false
	}
	return one(n)
}

// written returns the QuantizeLinear that alone reads y, and its parameters.
func (p *prescriber) written(y *ir.Value) (*ir.Node, affine.Params) {
	if y == nil || len(p.uses[y]) != 1 || p.g.IsOutput(y) {
		return nil, affine.Params{}
	}
	q := p.uses[y][0].Node
	if _, ok := q.Op.(*op.QuantizeLinear); !ok {
		return nil, affine.Params{}
	}
	if have, ok := one(q); ok {
		return q, have
	}
	return nil, affine.Params{}
}

// one returns the parameters of a node that has one constant scale.
func one(n *ir.Node) (affine.Params, bool) {
	q, ok, err := ir.ParamsOf(n)
	return q, ok && err == nil && q.IsPerTensor() && q.BlockSize == 0
}

// dequantizers returns what reads the integers of q, and false where anything
// else than a DequantizeLinear does.
func (p *prescriber) dequantizers(q *ir.Node) ([]*ir.Node, bool) {
	var out []*ir.Node
	for _, u := range p.uses[q.Out[0]] {
		if _, ok := u.Node.Op.(*op.DequantizeLinear); !ok || u.Index != 0 {
			return nil, false
		}
		out = append(out, u.Node)
	}
	return out, true
}

// move gives the integers that q writes other parameters.
func (p *prescriber) move(q *ir.Node, from, to affine.Params) {
	readers, ok := p.dequantizers(q)
	if !ok || from.Equal(to) {
		return
	}
	p.note(q.In[0].Name, from, to)
	params := p.constants(q.Out[0].Name, to)
	for _, n := range append(readers, q) {
		n.In = append(n.In[:1:1], params...)
	}
}

func (p *prescriber) note(value string, from, to affine.Params) {
	if _, ok := p.was[value]; !ok {
		p.was[value] = from
	}
	i := slices.IndexFunc(p.moved, func(m Moved) bool { return m.Value == value })
	if i < 0 {
		i, p.moved = len(p.moved), append(p.moved, Moved{Value: value})
	}
	p.moved[i].To = to
}

func (p *prescriber) constants(base string, to affine.Params) []*ir.Value {
	return []*ir.Value{
		ir.NewConst(p.names.Name(base+"_scale"), tensor.FromSlice(to.Scale)),
		ir.NewConst(p.names.Name(base+"_zero_point"), tensor.FromInts(to.Type, []int64{to.Zero(0)})),
	}
}

// join gives input i of n the parameters to.
func (p *prescriber) join(n *ir.Node, i int, from, to affine.Params) {
	dq := p.prod[n.In[i]]
	if q := p.prod[dq.In[0]]; q != nil && p.free(q) {
		if readers, ok := p.dequantizers(q); ok && len(readers) == 1 && len(p.uses[n.In[i]]) == 1 {
			p.move(q, from, to)
			return
		}
	}
	x := n.In[i]
	p.note(x.Name, from, to)
	params := p.constants(x.Name, to)
	quantized := &ir.Value{Name: p.names.Name(x.Name + "_joined"), Fact: op.TensorFact(to.Type, x.Shape.Clone())}
	again := &ir.Value{Name: p.names.Name(x.Name + "_joined_DequantizeLinear_Output"), Fact: op.TensorFact(x.Type, x.Shape.Clone())}
	added := []*ir.Node{
		{Name: p.names.Name(quantized.Name + "_QuantizeLinear"), Op: op.New[op.QuantizeLinear](), In: append([]*ir.Value{x}, params...), Out: []*ir.Value{quantized}},
		{Name: p.names.Name(quantized.Name + "_DequantizeLinear"), Op: op.New[op.DequantizeLinear](), In: append([]*ir.Value{quantized}, params...), Out: []*ir.Value{again}},
	}
	n.In[i] = again
	p.g.Nodes = slices.Insert(p.g.Nodes, slices.Index(p.g.Nodes, n), added...)
	p.prod, p.uses = p.g.Producers(), p.g.Uses()
}

// free reports whether no rule prescribes what q writes.
func (p *prescriber) free(q *ir.Node) bool {
	if _, ok := q.Op.(*op.QuantizeLinear); !ok || p.g.IsOutput(q.Out[0]) {
		return false
	}
	n := p.prod[q.In[0]]
	if n == nil {
		return false
	}
	r := p.target.Rule(n.Op.Name())
	return r != nil && r.Fixed == nil && (r.Kind == target.Compute || r.Kind == target.Clamp)
}
