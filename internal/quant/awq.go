package quant

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/quant/algo"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// protectRows is how many rows of a layer's input AWQ looks at, and protectFits
// how many parts of the range of a group it tries.
const (
	protectRows = 512
	protectFits = 10
	clipRows    = 64 // that are tried at once
)

// protector runs AWQ: the float graph goes through the samples, and the layers
// that read a value are changed as soon as it is known.
type protector struct {
	s       *settings
	g       *ir.Graph // changed as values become known
	names   *ir.Namer
	points  map[string]Point // of weights, by value
	known   *weights
	threads int
	nodes   map[string]*ir.Node // of g, by first output
	from    map[string]*sharing // of weights whose parameters are chosen
}

// protect chooses the weights of mode weight-only that AWQ is to choose, among
// the points of pl: known gets their parameters, and g the factors of their
// input channels. done is told how many inputs of how many are ready.
func protect(ctx context.Context, g *ir.Graph, pl *Placement, s *settings, samples []runtime.Tensors, known *weights, threads int, done func(layer, of int)) error {
	p := &protector{s: s, names: ir.NewNamer(g), points: map[string]Point{}, known: known, threads: threads, from: map[string]*sharing{}}
	readers := map[string]bool{}
	for _, pt := range pl.Points {
		if pt.Role == Weight && pt.Algorithm == AWQ && len(pt.Uses) == 1 {
			p.points[pt.Value] = pt
			readers[pt.Uses[0].Node] = true
		}
	}
	float, _ := g.Clone() // goes on computing what the float model does
	p.g = g
	quantized := func(n *ir.Node) bool { return readers[firstOutput(n)] }
	readings := map[string]algo.Reading{}
	for _, r := range algo.Readings(g, quantized) {
		readings[r.Value()] = r
	}
	p.index()
	uses := float.Uses()
	stream := newStream(float, float.Nodes, samples, threads)
	var at []*ir.Value // what layers read, in the order in which it is known
	for _, v := range append(slices.Clone(float.Inputs), valuesOf(stream.nodes)...) {
		if slices.ContainsFunc(uses[v], func(u ir.Use) bool { return u.Index == 0 && p.reads(u.Node) }) {
			at = append(at, v)
		}
	}
	computed := map[*ir.Value]int{}
	for i, n := range stream.nodes {
		for _, v := range n.Out {
			computed[v] = i + 1
		}
	}
	for i, v := range at {
		if done != nil {
			done(i, len(at))
		}
		if err := stream.advance(ctx, max(computed[v], stream.at), nil, nil); err != nil {
			return err
		}
		var nodes []*ir.Node
		for _, u := range uses[v] {
			if u.Index == 0 && p.reads(u.Node) {
				nodes = append(nodes, u.Node)
			}
		}
		reading, can := readings[v.Name]
		if err := p.value(stream, v, nodes, reading, can); err != nil {
			return fmt.Errorf("%s: %w", NodeName(nodes[0]), err)
		}
		debug.FreeOSMemory()
	}
	if done != nil {
		done(len(at), len(at))
	}
	return ir.Infer(g)
}

func valuesOf(nodes []*ir.Node) []*ir.Value {
	var out []*ir.Value
	for _, n := range nodes {
		for _, v := range n.Out {
			if v != nil {
				out = append(out, v)
			}
		}
	}
	return out
}

func (p *protector) index() {
	p.nodes = map[string]*ir.Node{}
	for _, n := range p.g.Nodes {
		p.nodes[firstOutput(n)] = n
	}
}

// reads reports whether a node has a weight that AWQ is to choose, and rows.
func (p *protector) reads(n *ir.Node) bool {
	f, ok := facts(n)
	if !ok || f.Weight == op.None || f.Weight >= len(n.In) || n.In[f.Weight] == nil || f.Groups == 0 || n.In[0] == nil || n.In[0].Type != dtype.Float32 {
		return false
	}
	pt, ok := p.points[n.In[f.Weight].Name]
	if !ok || n.In[f.Weight].Const == nil || n.In[f.Weight].Type != dtype.Float32 || pt.Uses[0].Index != f.Weight {
		return false
	}
	if _, ok = n.Op.(op.Unrolled); !ok {
		return false
	}
	_, _, ok = p.sharing(n, f)
	return ok
}

func (p *protector) sharing(n *ir.Node, f op.Facts) (*sharing, int, bool) {
	w := n.In[f.Weight]
	axis, err := op.Axis(f.WeightAxis, w.Const.Rank())
	if err != nil || w.Const.Rank() < 2 {
		return nil, 0, false
	}
	s, ok := sharingOf(p.points[w.Name], w.Const.Shape(), axis)
	return s, axis, ok
}

// value chooses the factors of a value, and the parameters of the weights that
// the nodes which read it have. can says that the reading is known.
func (p *protector) value(stream *stream, v *ir.Value, nodes []*ir.Node, reading algo.Reading, can bool) error {
	var factors []float32
	divided := map[string]bool{} // weights that take factors on
	if can {
		var ws []algo.Weight
		var in *rows
		for _, n := range nodes {
			f, _ := facts(n)
			w := n.In[f.Weight]
			if !slices.Contains(reading.Weights(), w.Name) {
				continue
			}
			if in == nil {
				var err error
				if in, err = rowsRead(stream, v, n, w.Const.Shape()); err != nil {
					return err
				}
			}
			divided[w.Name] = true
			s, axis, _ := p.sharing(n, f)
			fit, columns := newGroupFit(p.s, s.point), s.columnsOf()
			ws = append(ws, algo.Weight{Rows: newWeightRows(w.Const, axis), Rounded: func(dst, w []float32, _ int) { fit.plain(dst, w, columns) }})
		}
		// All that read it have to be known: their weights take the factors on.
		if in != nil && len(divided) == len(reading.Weights()) {
			f, rest := algo.Protect(in.all(), in.width, ws, p.threads)
			if f != nil && reading.Worth(rest) {
				factors = f
				if changed, axis := reading.Divide(p.g, p.names, factors); p.from[changed] != nil {
					p.rescale(p.from[changed], axis, factors)
				}
			}
		}
	}
	for _, n := range nodes {
		f, _ := facts(n)
		s, axis, _ := p.sharing(n, f)
		w := p.nodes[firstOutput(n)].In[f.Weight] // with its factors
		in, err := rowsRead(stream, v, n, w.Const.Shape())
		if err != nil {
			return err
		}
		weight := newWeightRows(w.Const, axis)
		if in.width != weight.width() {
			return fmt.Errorf("rows of %d elements do not fit the weight %v", in.width, s.shape)
		}
		by := factors
		if !divided[w.Name] {
			by = nil
		}
		p.clip(s, weight, in, by)
		n.In[f.Weight].Const.Release()
	}
	return nil
}

func rowsRead(stream *stream, v *ir.Value, n *ir.Node, weight []int) (*rows, error) {
	r := newRows(n, weight, len(stream.live), func(int) int { return protectRows })
	for i, live := range stream.live {
		if err := r.take(i, live[v.Name]); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// clip chooses for each group of weights the part of its range with the least
// error of the outputs.
func (p *protector) clip(s *sharing, weight *weightRows, in *rows, factors []float32) {
	all, width, groups := in.all(), in.width, in.groups
	fit, columns := newGroupFit(p.s, s.point), s.columnsOf()
	per := max(s.rows()/max(groups, 1), 1)
	scale, zero := make([]float32, s.rows()*s.groups), make([]int64, s.rows()*s.groups)
	for group := range groups {
		own := all
		if groups > 1 {
			own = make([]float32, 0, len(all)/groups)
			for at := group * width; at < len(all); at += groups * width {
				own = append(own, all[at:at+width]...)
			}
		}
		gram := algo.NewGram(own, width, s.of, s.groups, factors, p.threads)
		algo.Each((per+clipRows-1)/clipRows, p.threads, func(i int) {
			first := group*per + i*clipRows
			n := min(clipRows, per-i*clipRows, s.rows()-first)
			if n <= 0 {
				return
			}
			matrix := make([]float32, n*width)
			weight.Read(matrix, first, n, 0, width)
			for g, list := range columns {
				fit.leastOf(matrix, width, n, list, func(cost []float64, e, products []float32) { gram.Costs(cost, g, e, products) },
					func(r int, t float32, z int64) {
						k := (first+r)*s.groups + g
						scale[k], zero[k] = t, z
					})
			}
		})
	}
	p.known.params[keyOf(s.point)] = s.params(scale, zero)
	p.from[s.point.Value] = s
}

// rescale divides the scales of a weight whose output channels are divided.
func (p *protector) rescale(s *sharing, axis int, factors []float32) {
	params := p.known.params[keyOf(s.point)]
	shape := params.ScaleShape(s.shape)
	if len(shape) == 1 {
		axis = 0
	}
	stride := tensor.Strides(shape)[axis]
	scale := slices.Clone(params.Scale)
	for i := range scale {
		if t := scale[i] / factors[i/stride%shape[axis]]; max(t, -t) >= 0x1p-126 && t-t == 0 {
			scale[i] = t
		}
	}
	params.Scale = scale
	p.known.params[keyOf(s.point)] = params
}
