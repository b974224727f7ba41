package pass

import (
	"fmt"
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// Region is a node with the integers around it, as FuseQDQ offers it.
type Region struct {
	Node *ir.Node
	// Op is what is done: the node's operator, or Identity where only the
	// parameters change, or a Clamp limits.
	Op op.Op
	// In and Out hold the parameters of the operands that are integers, the
	// zero Params for those that are not.
	In, Out []affine.Params
	// Clamp is the limit between the node and the integers it writes.
	Clamp *op.Interval
}

// FuseQDQ makes one op.Quantized of each node whose operands are dequantized
// and whose result is quantized, where can says that its client has such a
// kernel.
//
// Before: y = Q(Relu(F(DQ(a), DQ(w))))    After: y = Quantized{F; clamp}(a, w)
//
// Conditions: parameters are constant; the values between are read by nothing
// else. A result that no QuantizeLinear reads stays float. A Q and a DQ of
// different parameters are never cancelled: each keeps its own.
func FuseQDQ(g *ir.Graph, can func(Region) bool) error { return fuseQDQ(g, false, can) }

// FuseFixed is FuseQDQ for TensorFlow Lite's arithmetic. There a Q of a DQ is an
// operator, too, and so is a Relu or Clip between a DQ and a Q: both are
// Identity, the latter with a Clamp. A DQ that stands apart ends integers: there
// an operator on floats rounds otherwise than its form on integers.
//
// Before: y = Q(DQ(x))    After: y = Quantized{Identity}(x)
func FuseFixed(g *ir.Graph, can func(Region) bool) error {
	if err := fuseFixedLSTM(g, can); err != nil {
		return err
	}
	return fuseQDQ(g, true, can)
}

func fuseQDQ(g *ir.Graph, fixed bool, can func(Region) bool) error {
	m := newMatcher(g)
	gone := map[*ir.Node]bool{}
	for _, n := range g.Nodes {
		if gone[n] || len(n.Out) == 0 || n.Out[0] == nil {
			continue
		}
		if quantizes(n.Op) {
			if fixed {
				if err := m.requantize(n, can); err != nil {
					return err
				}
			}
			continue
		}
		r := Region{Node: n, Op: n.Op}
		if fixed {
			r = m.merged(n)
		}
		sources := slices.Clone(r.Node.In[:len(n.In)])
		r.In, r.Out = make([]affine.Params, len(sources)), make([]affine.Params, len(n.Out))
		found, apart := false, false
		for i, v := range sources {
			dq, o, ok := from[*op.DequantizeLinear](m, v)
			if !ok {
				continue
			}
			apart = apart || fixed && o.Apart
			p, ok, err := ir.ParamsOf(dq)
			if err == nil {
				err = finite(p)
			}
			if err != nil {
				return fmt.Errorf("fuse_qdq: %s: %w", dq.Label(), err)
			}
			if ok {
				r.In[i], sources[i] = p, dq.In[0]
				found = found || dq.In[0].Const == nil
			}
		}
		if !found || apart {
			continue
		}
		out, dead, err := m.quantizedOutput(n, &r)
		if err != nil {
			return err
		}
		round := affine.RoundHalfEven
		if fixed {
			round = affine.RoundHalfAway
			if iv, ok := clamp(n); ok && out != nil && r.In[0].Present() && r.Clamp == nil {
				r.Op, r.Clamp, r.In, sources = op.New[op.Identity](), &iv, r.In[:1], sources[:1]
			}
		}
		if !can(r) {
			continue
		}
		n.Op = &op.Quantized{Inner: r.Op, In: r.In, Out: r.Out, Clamp: r.Clamp, Round: round, Fixed: fixed}
		n.In = sources
		if out != nil {
			n.Out[0] = out
			for _, d := range dead {
				gone[d] = true
			}
			m.prod[out] = n
		}
	}
	g.Nodes = slices.DeleteFunc(g.Nodes, func(n *ir.Node) bool { return gone[n] })
	_, err := EliminateDead(g)
	return err
}

// merged returns the region of a node, which for the last of two operators that
// TensorFlow Lite has in one is theirs: its operands are those of the first, and
// behind them stands the value between.
func (m *matcher) merged(n *ir.Node) Region {
	r := Region{Node: n, Op: n.Op}
	var first *ir.Node
	switch n.Op.(type) {
	case *op.Reciprocal:
		if p, _, ok := from[*op.Sqrt](m, n.In[0]); ok {
			first, r.Op = p, &op.ReciprocalSqrt{}
		}
	case *op.Mul:
		if p, _, ok := from[*op.Sub](m, n.In[0]); ok && n.In[0] == n.In[1] {
			first, r.Op = p, &op.SquaredDifference{}
		}
	}
	if first == nil || !m.inner(n.In[0], n) || len(first.In) != len(n.In) {
		return Region{Node: n, Op: n.Op}
	}
	r.Node = &ir.Node{Name: n.Name, Op: r.Op, In: append(slices.Clone(first.In), n.In[0]), Out: n.Out, Origin: n.Origin}
	return r
}

// requantize makes one operator of a QuantizeLinear that reads a
// DequantizeLinear.
func (m *matcher) requantize(n *ir.Node, can func(Region) bool) error {
	if _, ok := n.Op.(*op.QuantizeLinear); !ok {
		return nil
	}
	dq, o, ok := from[*op.DequantizeLinear](m, n.In[0])
	if !ok || o.Apart || dq.In[0].Const != nil {
		return nil
	}
	x, known, err := ir.ParamsOf(dq)
	if err != nil || !known {
		return err
	}
	y, known, err := ir.ParamsOf(n)
	if err != nil || !known {
		return err
	}
	if err := finite(x); err != nil {
		return fmt.Errorf("fuse_qdq: %s: %w", dq.Label(), err)
	}
	if err := finite(y); err != nil {
		return fmt.Errorf("fuse_qdq: %s: %w", n.Label(), err)
	}
	r := Region{Node: n, Op: op.New[op.Identity](), In: []affine.Params{x}, Out: []affine.Params{y}}
	if can(r) {
		n.Op = &op.Quantized{Inner: r.Op, In: r.In, Out: r.Out, Round: affine.RoundHalfAway, Fixed: true}
		n.In = dq.In[:1]
	}
	return nil
}

// finite refuses a scale that no arithmetic can use, here and not when the model
// runs.
func finite(p affine.Params) error {
	for _, s := range p.Scale {
		if x := float64(s); math.IsInf(x, 0) || math.IsNaN(x) {
			return fmt.Errorf("scale %v: values without bound, such as the -inf of an attention mask, were quantized; leave them float, or strip the quantization", s)
		}
	}
	return nil
}

// quantizedOutput returns the integer value that stands for n's output, and
// the nodes that compute it from n's, setting r.Out and r.Clamp.
func (m *matcher) quantizedOutput(n *ir.Node, r *Region) (*ir.Value, []*ir.Node, error) {
	if len(n.Out) != 1 || !m.only(n.Out[0]) {
		return nil, nil, nil
	}
	next := m.uses[n.Out[0]][0].Node
	var dead []*ir.Node
	if iv, ok := clamp(next); ok && m.uses[n.Out[0]][0].Index == 0 && m.only(next.Out[0]) {
		r.Clamp = &iv
		dead = append(dead, next)
		next = m.uses[next.Out[0]][0].Node
	}
	if _, ok := next.Op.(*op.QuantizeLinear); !ok {
		r.Clamp = nil
		return nil, nil, nil
	}
	p, ok, err := ir.ParamsOf(next)
	if err != nil || !ok {
		r.Clamp = nil
		return nil, nil, err
	}
	r.Out[0] = p
	return next.Out[0], append(dead, next), nil
}
