package quant

import (
	"context"
	"fmt"
	"math"
	"runtime/debug"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/quant/algo"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// What one layer is judged by is bounded: rows of its input that make a
// Hessian, places of its output, and the columns of one Hessian.
const (
	leastRows, mostRows = 2048, 8192
	mostPlaces          = 1 << 21 // times channels
	fullColumns         = 768
	blockColumns        = 256
)

// layer is a node whose weight and bias are chosen anew.
type layer struct {
	node, quantized *ir.Node // in the float graph and in the quantized one
	facts           op.Facts
	weight          *ir.Value // of node
	params          affine.Params
	key             weightKey
	axis            int       // of the weight's output channels
	shared          *sharing  // groups of the weight that have a scale each
	only            bool      // the weight is one of mode weight-only
	point           int       // of the plan
	bias            *ir.Value // nil: there is none to correct
	biasNode        *ir.Node  // that adds it: node, or one that follows it
	biasIndex       int
	clamp           op.Interval
}

// refiner goes through the layers of a plan in the order in which they run.
// Each sees what the quantized layers before it make of the samples.
type refiner struct {
	g, q         *ir.Graph
	float, quant *stream
	gptq, bias   bool
	threads      int
	samples      int
	known        *weights
	plan         *Plan
	settings     *settings
	// corrected are the new biases of g, which get there when all layers are
	// done: until then the float graph says what they should come to, and a
	// bias that a sum adds behind its layer is still to be read.
	corrected map[*ir.Value]*tensor.Tensor
}

// refine chooses the integers of weights and the biases of the layers of plan,
// and changes g to match: weights lie on their grid then. samples are inputs
// of g. done is told how many layers of how many are ready.
func refine(ctx context.Context, s *settings, g *ir.Graph, plan *Plan, samples []runtime.Tensors, use []string, threads int, done func(layer, of int)) error {
	q, origin, err := apply(g, plan)
	if err != nil {
		return err
	}
	r := &refiner{g: g, q: q, gptq: algo.Uses(use, algo.GPTQ), bias: algo.Uses(use, algo.Correcting), threads: threads, samples: len(samples), known: plan.weights, plan: plan, settings: s, corrected: map[*ir.Value]*tensor.Tensor{}}
	r.float = newStream(g, inOrderOf(g, q, origin), samples, threads)
	r.quant = newStream(q, q.Nodes, samples, threads)
	layers := r.layers(plan, origin)
	for i, l := range layers {
		if done != nil {
			done(i, len(layers))
		}
		if n, _ := tensor.Count(l.weight.Const.Shape()); n > eager {
			debug.FreeOSMemory() // what the layers before needed
		}
		if err := r.layer(ctx, l); err != nil {
			return fmt.Errorf("%s: %w", NodeName(l.node), err)
		}
	}
	for v, t := range r.corrected {
		v.Const = t
	}
	if done != nil {
		done(len(layers), len(layers))
	}
	return nil
}

// inOrderOf returns the nodes of g in the order in which q has them; those that
// q has no more stand behind what they read.
func inOrderOf(g, q *ir.Graph, origin map[*ir.Node]string) []*ir.Node {
	at := map[string]int{}
	for i, n := range q.Nodes {
		if key := origin[n]; key != "" {
			at[key] = i
		}
	}
	rank, prod := map[*ir.Node]int{}, g.Producers()
	for _, n := range g.Nodes {
		i, ok := at[firstOutput(n)]
		if !ok && len(n.In) > 0 && prod[n.In[0]] != nil {
			i = rank[prod[n.In[0]]]
		}
		rank[n] = i
	}
	out := slices.Clone(g.Nodes)
	slices.SortStableFunc(out, func(a, b *ir.Node) int { return rank[a] - rank[b] })
	return out
}

// layers returns what is refined, in the order of the quantized graph.
func (r *refiner) layers(plan *Plan, origin map[*ir.Node]string) []*layer {
	byKey, quantized := map[string]*ir.Node{}, map[string]*ir.Node{}
	for _, n := range r.g.Nodes {
		byKey[firstOutput(n)] = n
	}
	for n, key := range origin {
		quantized[key] = n
	}
	uses, rank := r.g.Uses(), map[*ir.Node]int{}
	for i, n := range r.quant.nodes {
		rank[n] = i
	}
	var out []*layer
	for i, pt := range plan.Points {
		p := plan.Params[i]
		if pt.Role != Weight || !p.Present() || !p.Type.IsInteger() || len(pt.Uses) != 1 || pt.Algorithm != "" && pt.Algorithm != algo.GPTQ {
			continue
		}
		n := byKey[pt.Uses[0].Node]
		if n == nil || quantized[pt.Uses[0].Node] == nil {
			continue
		}
		l := &layer{node: n, quantized: quantized[pt.Uses[0].Node], key: keyOf(pt), params: p, point: i}
		if l.facts, _ = facts(n); !r.fits(l, pt, uses) {
			continue
		}
		if l.only = pt.Algorithm != ""; pt.Block > 0 {
			l.shared, _ = sharingOf(pt, l.weight.Const.Shape(), l.axis)
		}
		if r.bias {
			r.findBias(l, uses, quantized)
		}
		l.clamp = clampBehind(r.g, n, uses)
		out = append(out, l)
	}
	slices.SortStableFunc(out, func(a, b *layer) int { return rank[a.quantized] - rank[b.quantized] })
	return out
}

// fits reports whether the layer is one whose rows are told.
func (r *refiner) fits(l *layer, pt Point, uses map[*ir.Value][]ir.Use) bool {
	f, n := l.facts, l.node
	if f.Weight != pt.Uses[0].Index || f.Groups == 0 || len(n.In) == 0 || n.In[0] == nil || n.In[0].Const != nil || n.In[0].Type != dtype.Float32 {
		return false
	}
	if _, ok := n.Op.(op.Unrolled); !ok {
		return false
	}
	l.weight = n.In[f.Weight]
	if l.weight.Const == nil || l.weight.Type != dtype.Float32 || len(uses[l.weight]) != 1 || l.weight.Const.Rank() < 2 {
		return false
	}
	axis, err := op.Axis(f.WeightAxis, l.weight.Const.Rank())
	l.axis = axis
	return err == nil && (l.params.BlockSize > 0 || l.params.IsPerTensor() || l.params.Axis == axis) && constantOf(r.quant, l.quantized.In[f.Weight]) != nil
}

// constantOf returns the constant that v is, or is dequantized from; nil where
// it is computed.
func constantOf(s *stream, v *ir.Value) *ir.Value {
	if v.Const != nil {
		return v
	}
	if n := s.prod[v]; n != nil {
		if _, dq := n.Op.(*op.DequantizeLinear); dq && n.In[0].Const != nil {
			return n.In[0]
		}
	}
	return nil
}

// findBias finds the constant that is added to the output of a layer: its own
// operand, or that of a sum which alone reads it.
func (r *refiner) findBias(l *layer, uses map[*ir.Value][]ir.Use, quantized map[string]*ir.Node) {
	channels := l.weight.Const.Shape()[l.axis]
	n, index := l.node, l.facts.Bias
	if index == op.None {
		next := uses[n.Out[0]]
		if len(next) != 1 || r.g.IsOutput(n.Out[0]) || len(next[0].Node.In) != 2 {
			return
		}
		if f, _ := facts(next[0].Node); !f.Sum {
			return
		}
		n, index = next[0].Node, 1-next[0].Index
		if axis := l.facts.Channels; axis != -1 {
			return // a row is added along the last axis
		}
	} else if l.facts.BiasFactor != 1 {
		return
	}
	if index >= len(n.In) || n.In[index] == nil {
		return
	}
	b, q := n.In[index], quantized[firstOutput(n)]
	if b.Const == nil || b.Type != dtype.Float32 || len(uses[b]) != 1 || q == nil || index >= len(q.In) {
		return
	}
	if shape := b.Const.Shape(); len(shape) != 1 || shape[0] != channels {
		return
	}
	if c := constantOf(r.quant, q.In[index]); c == nil || c.Type != dtype.Float32 && c.Type != dtype.Int32 {
		return
	}
	l.bias, l.biasNode, l.biasIndex = b, q, index
}

// clampBehind returns to what the activation behind a node limits its output.
func clampBehind(g *ir.Graph, n *ir.Node, uses map[*ir.Value][]ir.Use) op.Interval {
	iv := op.Interval{Lo: math.Inf(-1), Hi: math.Inf(1)}
	next := uses[n.Out[0]]
	if len(next) != 1 || next[0].Index != 0 || g.IsOutput(n.Out[0]) {
		return iv
	}
	if c := limits(next[0].Node); c != nil {
		return *c
	}
	return iv
}

// limits returns the constant interval to which a node limits operand 0; nil
// where it does something else.
func limits(n *ir.Node) *op.Interval {
	f, _ := facts(n)
	if f.Clamp != nil || !f.Bounds {
		return f.Clamp
	}
	iv := op.Interval{Lo: math.Inf(-1), Hi: math.Inf(1)}
	for i, dst := range []*float64{&iv.Lo, &iv.Hi} {
		if len(n.In) <= i+1 || n.In[i+1] == nil {
			continue
		}
		c := n.In[i+1].Const
		if c == nil || c.Type() != dtype.Float32 {
			return nil
		}
		d := tensor.Data[float32](c)
		if len(d) != 1 || d[0] != d[0] {
			return nil
		}
		*dst = float64(d[0])
	}
	return &iv
}

// layer chooses the integers of one weight, then its bias, and lets the float
// graph and the quantized one come up to it.
func (r *refiner) layer(ctx context.Context, l *layer) error {
	correct := l.bias != nil
	var want *places
	end := slices.Index(r.float.nodes, l.node) + 1
	if correct {
		want = newPlaces(l, r.samples)
	}
	if r.bias { // the float graph is needed for nothing else
		var extra []*ir.Value
		if correct {
			extra = []*ir.Value{l.node.Out[0]}
		}
		if err := r.float.advance(ctx, end, extra, func(i int, out runtime.Tensors) error {
			if correct {
				return want.take(i, out[l.node.Out[0].Name])
			}
			return nil
		}); err != nil {
			return err
		}
	}
	at := slices.Index(r.quant.nodes, l.quantized)
	if err := r.quant.advance(ctx, at, nil, nil); err != nil {
		return err
	}
	if r.gptq {
		if err := r.round(ctx, l, correct); err != nil {
			return err
		}
	}
	if !correct {
		return nil
	}
	got := newPlaces(l, r.samples)
	y := l.quantized.Out[0]
	if err := r.quant.peek(ctx, []*ir.Node{l.quantized}, []*ir.Value{y}, func(i int, out runtime.Tensors) error {
		return got.take(i, out[y.Name])
	}); err != nil {
		return err
	}
	return r.shift(l, want, got)
}

// shift corrects the bias of a layer.
func (r *refiner) shift(l *layer, want, got *places) error {
	bias := slices.Clone(tensor.Data[float32](l.bias.Const))
	algo.Each(len(bias), r.threads, func(c int) {
		var d []float64
		for i := range want.samples {
			d = append(d, algo.Mean(want.of(i, c), l.clamp.Lo, l.clamp.Hi)-algo.Mean(got.of(i, c), l.clamp.Lo, l.clamp.Hi))
		}
		trust := algo.Trust(d)
		if trust == 0 {
			return
		}
		mean := algo.Mean(want.channel(c), l.clamp.Lo, l.clamp.Hi)
		s := algo.Shift(got.channel(c), mean, l.clamp.Lo, l.clamp.Hi)
		if b := float32(float64(bias[c]) + float64(trust*s)); b-b == 0 {
			bias[c] = b
		}
	})
	t := tensor.FromSlice(bias, len(bias))
	r.corrected[l.bias] = t
	return r.store(l.biasNode.In[l.biasIndex], t, affine.RoundHalfEven)
}

// store puts a new constant in the place of what v is, or is dequantized from.
func (r *refiner) store(v *ir.Value, t *tensor.Tensor, round affine.Rounding) error {
	c := constantOf(r.quant, v)
	if c == v {
		c.Const = t
		return nil
	}
	p, ok, err := ir.ParamsOf(r.quant.prod[v])
	if err != nil || !ok {
		return fmt.Errorf("constant %q: its parameters are not known (%v)", c.Name, err)
	}
	p.Type = c.Type
	q, err := affine.Quantize(t, p, round)
	c.Const = q
	return err
}

// round chooses the integers of a weight by the Hessian of its inputs.
func (r *refiner) round(ctx context.Context, l *layer, centred bool) error {
	x := l.quantized.In[0]
	w := l.weight.Const.Shape()
	in := newRows(l.node, w, r.samples, func(width int) int { return min(max(4*width, leastRows), mostRows) })
	var h *algo.Hessian
	add := func(i int) {
		leaf := in.of[i:min(i+algo.Leaf, len(in.of))]
		if h == nil {
			h = l.hessian(in.groups, in.width)
		}
		h.Add(slices.Concat(leaf...), r.threads)
		clear(leaf)
	}
	if dq := r.quant.prod[x]; dq != nil && isQDQ(dq) {
		if err := r.quant.peek(ctx, nil, []*ir.Value{x}, func(i int, out runtime.Tensors) error { return in.take(i, out[x.Name]) }); err != nil {
			return err
		}
		for i := 0; i < r.samples; i += algo.Leaf {
			add(i)
		}
	} else {
		for i, live := range r.quant.live {
			if err := in.take(i, live[x.Name]); err != nil {
				return err
			}
			if i%algo.Leaf == algo.Leaf-1 || i == r.samples-1 {
				add(i / algo.Leaf * algo.Leaf)
			}
		}
	}
	typ := l.params.Type
	if l.shared != nil {
		typ = l.shared.point.Type
	}
	rounded := newRoundedRows(l.weight.Const, l.axis, typ)
	if in.width != rounded.width() {
		return fmt.Errorf("rows of %d elements do not fit the weight %v", in.width, w)
	}
	if l.shared != nil {
		return r.roundShared(l, h, rounded)
	}
	grid, err := r.gridOf(l)
	if err != nil {
		return err
	}
	h.Round(rounded, grid, centred, r.threads)
	q := rounded.tensor()
	if !l.only { // else nothing looks at it again
		if l.weight.Const, err = dequantized(q, l.params); err != nil {
			return err
		}
	}
	r.known.integers[l.key] = quantized{l.params, q}
	constantOf(r.quant, l.quantized.In[l.facts.Weight]).Const = q
	return nil
}

// gridOf returns the integers that plain rounding of the weight stays within:
// what the target's convention leaves out stays out.
func (r *refiner) gridOf(l *layer) (algo.Grid, error) {
	plain, ok := tensor.Ints(constantOf(r.quant, l.quantized.In[l.facts.Weight]).Const)
	if !ok || len(plain) == 0 {
		return algo.Grid{}, fmt.Errorf("the weight has no integers")
	}
	g := algo.Grid{Scale: l.params.Scale, Zero: l.params.ZeroPoint, Lo: slices.Min(plain), Hi: slices.Max(plain)}
	if l.params.Symmetric() {
		far := max(g.Hi, -g.Lo)
		least, most := l.params.Type.Range()
		g.Lo, g.Hi = max(-far, least), min(far, most)
	}
	return g, nil
}

// eager is the number of elements up to which real numbers are computed at
// once: those of greater weights are made when they are read.
const eager = 1 << 16

// dequantized returns the real numbers of a weight.
func dequantized(q *tensor.Tensor, p affine.Params) (*tensor.Tensor, error) {
	if n, _ := tensor.Count(q.Shape()); n <= eager || q.Type() != dtype.Int8 && q.Type() != dtype.Uint8 {
		return affine.Dequantize(q, p, dtype.Float32)
	}
	inner := 1
	if !p.IsPerTensor() {
		inner = tensor.Strides(q.Shape())[p.Axis]
	}
	codes, signed := q.Bytes(), q.Type() == dtype.Int8
	return tensor.Computed(dtype.Float32, q.Shape(), func(off int64, dst []byte) error {
		t, err := tensor.FromBytes(dtype.Float32, []int{len(dst) / 4}, dst)
		if err != nil {
			return err
		}
		out, at := tensor.Data[float32](t), int(off/4)
		for i := range out {
			c := (at + i) / inner % len(p.Scale)
			v := int64(codes[at+i])
			if signed {
				v = int64(int8(codes[at+i]))
			}
			out[i] = p.Scale[c] * float32(v-p.Zero(c))
		}
		return nil
	}), nil
}
