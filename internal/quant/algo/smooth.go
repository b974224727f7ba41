package algo

import (
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Norm is a normalization whose channels layers behind it read.
type Norm struct {
	node    *ir.Node
	facts   op.Facts
	readers []linear
	next    []*ir.Node // what reads it on their behalf: readers, or what hands it to them in rows
	moved   bool       // not all readers read it at once
	shared  bool       // others read it too, and are to see what they saw
}

// Value is the one whose channels are smoothed, along the last axis.
func (n Norm) Value() string { return n.node.Out[0].Name }

// Norms finds the normalizations of g that end in a constant gain for each
// channel and that layers read which are quantized.
func Norms(g *ir.Graph, quantized func(*ir.Node) bool) []Norm {
	uses := g.Uses()
	var out []Norm
	for _, node := range g.Nodes {
		q, ok := node.Op.(op.Quantizable)
		if !ok || len(node.Out) == 0 || node.Out[0] == nil {
			continue
		}
		n := Norm{node: node, facts: q.Quantization()}
		gain := n.operand(n.facts.Gain)
		if gain == nil || !isRow(gain) || n.operand(n.facts.Offset) != nil && !isRow(n.operand(n.facts.Offset)) {
			continue
		}
		channels := gain.Const.Shape()[0]
		n.shared = g.IsOutput(node.Out[0])
		for _, u := range uses[node.Out[0]] {
			readers := layersBehind(g, u, uses, channels, quantized)
			if n.readers = append(n.readers, readers...); len(readers) > 0 {
				n.next, n.moved = append(n.next, u.Node), n.moved || readers[0].node != u.Node
			} else {
				n.shared = true
			}
		}
		if len(n.readers) > 0 {
			out = append(out, n)
		}
	}
	return out
}

// rowLayer returns the quantized layer that a use is the data of, if it multiplies
// all channels along the last axis.
func rowLayer(u ir.Use, uses map[*ir.Value][]ir.Use, quantized func(*ir.Node) bool) (linear, bool) {
	l, ok := linearOf(u.Node, uses)
	return l, ok && u.Index == 0 && quantized(u.Node) && l.facts.Groups == 1 && l.facts.Channels == -1
}

// layersBehind returns the quantized layers that multiply the channels, along the
// last axis, of a use: it itself, or those behind a Reshape that leaves channels
// as they are, if nothing but they read that. It returns none where others do.
func layersBehind(g *ir.Graph, u ir.Use, uses map[*ir.Value][]ir.Use, channels int, quantized func(*ir.Node) bool) []linear {
	layer := func(u ir.Use) (linear, bool) {
		l, ok := rowLayer(u, uses, quantized)
		return l, ok && l.inputs() == channels
	}
	if l, ok := layer(u); ok {
		return []linear{l}
	}
	if _, ok := u.Node.Op.(*op.Reshape); !ok || u.Index != 0 || g.IsOutput(u.Node.Out[0]) {
		return nil
	}
	shape := u.Node.Out[0].Shape
	if len(shape) == 0 || !shape[len(shape)-1].Is(channels) {
		return nil
	}
	var out []linear
	for _, next := range uses[u.Node.Out[0]] {
		l, ok := layer(next)
		if !ok {
			return nil
		}
		out = append(out, l)
	}
	return out
}

func isRow(v *ir.Value) bool {
	return v.Const != nil && v.Type == dtype.Float32 && v.Const.Rank() == 1
}

func (n Norm) operand(i int) *ir.Value {
	if i == op.None || i >= len(n.node.In) {
		return nil
	}
	return n.node.In[i]
}

// Shared reports whether something else reads the normalization than layers that
// are quantized: smoothing costs it another one then.
func (n Norm) Shared() bool { return n.shared }

// Expected returns the magnitude that is expected of each channel where no samples
// tell: what is multiplied by the gain has been made to have a variance of 1, so
// that deviations from 0 add up to the least that most values stay within.
func (n Norm) Expected() []float32 {
	const deviations = 3
	gain := tensor.Data[float32](n.operand(n.facts.Gain).Const)
	out := make([]float32, len(gain))
	for c, v := range gain {
		out[c] = deviations * max(v, -v)
	}
	if offset := n.operand(n.facts.Offset); offset != nil {
		for c, v := range tensor.Data[float32](offset.Const) {
			out[c] += max(v, -v)
		}
	}
	return out
}

// Smooth divides the channels of a normalization, given the greatest magnitude
// a of each, and multiplies the weights behind it, whose greatest magnitude
// is w, by √(a/w): what is hard to round in activations is shared with the
// weights (Xiao et al., "SmoothQuant", 2023, with α = 0.5). Others that read
// the normalization get one of their own, which has not changed. It returns
// the value that the layers read now. The float graph computes the same within
// rounding.
func (n Norm) Smooth(g *ir.Graph, names *ir.Namer, greatest []float32) *ir.Value {
	gain := n.operand(n.facts.Gain)
	if len(greatest) != gain.Const.Shape()[0] {
		return nil
	}
	w := make([]float64, len(greatest))
	for _, l := range n.readers {
		for c, v := range l.greatestInputs() {
			w[c] = max(w[c], v)
		}
	}
	factors, changes := make([]float32, len(greatest)), false
	for c, v := range greatest {
		factors[c] = 1
		if s := math.Sqrt(float64(v) / w[c]); s > 0 && s <= math.MaxFloat32/2 && float32(s) > 0 {
			factors[c] = float32(s)
		}
		changes = changes || factors[c] != 1
	}
	if !changes {
		return nil
	}
	to := n.node
	if n.shared {
		v := n.node.Out[0]
		read := &ir.Value{Name: names.Name(v.Name + "_smoothed"), Fact: v.Fact}
		to = &ir.Node{Name: names.Name(n.node.Label() + "_smoothed"), Op: n.node.Op, In: append([]*ir.Value(nil), n.node.In...), Out: []*ir.Value{read}, Origin: n.node.Origin}
		for i, node := range g.Nodes {
			if node == n.node {
				g.Nodes = append(g.Nodes[:i+1], append([]*ir.Node{to}, g.Nodes[i+1:]...)...)
				break
			}
		}
		for _, m := range n.next {
			m.In[0] = read
		}
	}
	n.divide(to, names, factors, "_smoothed")
	for _, l := range n.readers {
		l.scaleInputs(factors, false)
	}
	return to.Out[0]
}

// divide divides what a node like n's multiplies each channel with, and adds to
// it, by a factor.
func (n Norm) divide(node *ir.Node, names *ir.Namer, factors []float32, suffix string) {
	for _, i := range []int{n.facts.Gain, n.facts.Offset} {
		if n.operand(i) == nil {
			continue
		}
		d := append([]float32(nil), tensor.Data[float32](node.In[i].Const)...)
		for c := range d {
			d[c] /= factors[c]
		}
		node.In[i] = ir.NewConst(names.Name(node.In[i].Name+suffix), tensor.FromSlice(d, len(d)))
	}
}
