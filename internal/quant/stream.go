package quant

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// stream runs a graph over samples piece by piece, all samples through one
// piece before the next, so that what comes later can be changed by what is
// seen. It holds the values that later pieces read, of each sample, in the
// form they are stored in: integers where the graph has them.
type stream struct {
	nodes   []*ir.Node // in order, without what dequantizes: that is done where it is read
	prod    map[*ir.Value]*ir.Node
	last    map[*ir.Value]int // the last node that reads a stored value
	at      int               // the nodes before it have run
	live    []runtime.Tensors // by sample
	threads int
}

// newStream returns a stream of nodes of g, in an order that g allows.
func newStream(g *ir.Graph, nodes []*ir.Node, samples []runtime.Tensors, threads int) *stream {
	s := &stream{prod: g.Producers(), last: map[*ir.Value]int{}, threads: threads}
	for _, n := range nodes {
		if _, dq := n.Op.(*op.DequantizeLinear); dq {
			continue
		}
		for _, v := range n.In {
			for _, in := range s.stored(v) {
				s.last[in] = len(s.nodes)
			}
		}
		s.nodes = append(s.nodes, n)
	}
	for _, in := range samples {
		live := runtime.Tensors{}
		for name, t := range in {
			live[name] = t
		}
		s.live = append(s.live, live)
	}
	return s
}

// stored returns the values that have to be there for v to be read: v itself,
// or what it is dequantized from.
func (s *stream) stored(v *ir.Value) []*ir.Value {
	if v == nil || v.Const != nil {
		return nil
	}
	n := s.prod[v]
	if n == nil {
		return []*ir.Value{v}
	}
	if _, dq := n.Op.(*op.DequantizeLinear); !dq {
		return []*ir.Value{v}
	}
	var out []*ir.Value
	for _, in := range n.In {
		out = append(out, s.stored(in)...)
	}
	return out
}

// piece returns the graph of some nodes and what they are dequantized from,
// with the given outputs.
func (s *stream) piece(nodes []*ir.Node, outs []*ir.Value) *ir.Graph {
	g := &ir.Graph{Name: "piece", Outputs: outs}
	inside, given := map[*ir.Node]bool{}, map[*ir.Value]bool{}
	var need func(v *ir.Value)
	var add func(n *ir.Node)
	need = func(v *ir.Value) {
		if v == nil || v.Const != nil || given[v] {
			return
		}
		n := s.prod[v]
		if n != nil && inside[n] {
			return
		}
		if n != nil {
			if _, dq := n.Op.(*op.DequantizeLinear); dq {
				add(n)
				return
			}
		}
		given[v] = true
		g.Inputs = append(g.Inputs, v)
	}
	add = func(n *ir.Node) {
		for _, v := range n.In {
			need(v)
		}
		inside[n] = true
		g.Nodes = append(g.Nodes, n)
	}
	for _, n := range nodes {
		add(n)
	}
	for _, v := range outs {
		need(v)
	}
	return g
}

// advance runs the nodes before end, and calls visit for each sample, in any
// order, with those of the extra values that the nodes compute.
func (s *stream) advance(ctx context.Context, end int, extra []*ir.Value, visit func(sample int, out runtime.Tensors) error) error {
	nodes := s.nodes[s.at:max(end, s.at)]
	var outs []*ir.Value
	for _, n := range nodes {
		for _, v := range n.Out {
			if v != nil && s.last[v] >= end {
				outs = append(outs, v)
			}
		}
	}
	dead := map[string]bool{}
	for v, last := range s.last {
		if last < end {
			dead[v.Name] = true
		}
	}
	stays := map[*ir.Value]bool{}
	for _, v := range outs {
		stays[v] = true
	}
	for _, v := range extra {
		if !stays[v] {
			outs = append(outs, v)
		}
	}
	err := s.peek(ctx, nodes, outs, func(i int, out runtime.Tensors) error {
		if visit != nil {
			if err := visit(i, out); err != nil {
				return err
			}
		}
		for v := range stays {
			s.live[i][v.Name] = out[v.Name]
		}
		for name := range dead {
			delete(s.live[i], name)
		}
		return nil
	})
	s.at = max(end, s.at)
	return err
}

// peek runs nodes from what is stored, and hands out values for each sample, in
// any order.
func (s *stream) peek(ctx context.Context, nodes []*ir.Node, outs []*ir.Value, visit func(sample int, out runtime.Tensors) error) error {
	if len(outs) == 0 {
		return nil
	}
	g := s.piece(nodes, outs)
	prog, err := runtime.Compile(g, runtime.Options{Threads: 1})
	if err != nil {
		return err
	}
	eg, running := errgroup.WithContext(ctx)
	eg.SetLimit(max(s.threads, 1))
	for i, live := range s.live {
		if running.Err() != nil {
			break
		}
		eg.Go(func() error {
			in := runtime.Tensors{}
			for _, v := range g.Inputs {
				in[v.Name] = live[v.Name]
			}
			var out runtime.Tensors
			err := tensor.Guard(func() (err error) {
				out, err = prog.Run(running, in)
				return err
			})
			if err != nil {
				return err
			}
			return visit(i, out)
		})
	}
	if err := eg.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}
