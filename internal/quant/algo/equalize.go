package algo

import (
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Bounds of the factors of equalization: more than mostFactor makes noise of
// channels that hold next to nothing, and margin keeps channels away from a
// limit that a few samples did not reach.
const (
	mostFactor = 64
	margin     = 1.5
)

// Pair is two layers between which each channel can be multiplied by a number
// of its own: the weights of the first take it, those of the second take it
// back.
type Pair struct {
	from, to linear
	between  []*ir.Value // what is multiplied
	hi       float64     // the limit of an activation between
}

// linear is a node that multiplies by a constant weight that only it reads.
type linear struct {
	node   *ir.Node
	facts  op.Facts
	weight *ir.Value
}

// Value is the one whose channels are balanced, and Axis theirs.
func (p Pair) Value() (name string, axis int) {
	return p.to.node.In[0].Name, p.to.facts.Channels
}

// Pairs finds what can be equalized in g, among the nodes that are quantized:
// two layers with nothing between them but operators that work channel by
// channel, and let a factor through, which nothing else reads.
func Pairs(g *ir.Graph, quantized func(*ir.Node) bool) []Pair {
	uses := g.Uses()
	var out []Pair
	for _, n := range g.Nodes {
		from, ok := linearOf(n, uses)
		if !ok || !quantized(n) || len(n.Out) != 1 {
			continue
		}
		p := Pair{from: from, hi: math.Inf(1)}
		for v := n.Out[0]; ; {
			next := uses[v]
			if g.IsOutput(v) || len(next) != 1 || next[0].Index != 0 {
				break
			}
			p.between = append(p.between, v)
			u := next[0].Node
			if p.to, ok = linearOf(u, uses); ok {
				if quantized(u) && p.fits() {
					out = append(out, p)
				}
				break
			}
			hi, through := passes(u)
			if !through {
				break
			}
			p.hi = min(p.hi, hi)
			v = u.Out[0]
		}
	}
	return out
}

// linearOf returns what is known of a node that multiplies by a constant.
func linearOf(n *ir.Node, uses map[*ir.Value][]ir.Use) (linear, bool) {
	q, ok := n.Op.(op.Quantizable)
	if !ok {
		return linear{}, false
	}
	f := q.Quantization()
	if f.Groups == 0 || f.Weight == op.None || f.Weight >= len(n.In) || n.In[f.Weight] == nil {
		return linear{}, false
	}
	w := n.In[f.Weight]
	if w.Const == nil || w.Type != dtype.Float32 || len(uses[w]) != 1 || w.Const.Rank() < 2 {
		return linear{}, false
	}
	l := linear{n, f, w}
	if b := l.bias(); b != nil && (b.Const == nil || b.Type != dtype.Float32 || b.Const.Rank() != 1 || len(uses[b]) != 1) {
		return linear{}, false
	}
	return l, true
}

func (l linear) bias() *ir.Value {
	if l.facts.Bias == op.None || l.facts.Bias >= len(l.node.In) {
		return nil
	}
	return l.node.In[l.facts.Bias]
}

// outputs is the number of output channels, and inputs that of the input.
func (l linear) outputs() int { return l.weight.Const.Shape()[l.axis(l.facts.WeightAxis)] }
func (l linear) inputs() int {
	return l.weight.Const.Shape()[l.axis(l.facts.WeightInput)] * l.facts.Groups
}

func (l linear) axis(a int) int {
	axis, err := op.Axis(a, l.weight.Const.Rank())
	if err != nil {
		panic(err) // the graph has been inferred with this weight
	}
	return axis
}

// fits reports whether the channels between the layers are those of both.
func (p Pair) fits() bool {
	return p.from.facts.Channels == p.to.facts.Channels && p.from.outputs() == p.to.inputs()
}

// passes reports whether a node computes channel by channel and lets a factor
// of 1 or more through as long as the output stays below hi.
func passes(n *ir.Node) (hi float64, ok bool) {
	q, is := n.Op.(op.Quantizable)
	if !is || len(n.Out) != 1 || n.Out[0] == nil {
		return 0, false
	}
	f := q.Quantization()
	hi = math.Inf(1)
	if f.Homogeneous || !f.Bounds {
		return hi, f.Homogeneous
	}
	for i, dst := range []func(float64) bool{
		func(lo float64) bool { return lo == 0 || math.IsInf(lo, -1) },
		func(v float64) bool { hi = v; return v > 0 },
	} {
		if len(n.In) <= i+1 || n.In[i+1] == nil {
			if i == 0 {
				continue
			}
			return hi, true
		}
		c := n.In[i+1].Const
		if c == nil || c.Type() != dtype.Float32 {
			return 0, false
		}
		if d := tensor.Data[float32](c); len(d) != 1 || !dst(float64(d[0])) {
			return 0, false
		}
	}
	return hi, true
}

// Equalize multiplies the channels of a pair so that they use their common range
// better, given the greatest magnitude of each. It returns the values that
// changed. The float graph computes the same within rounding.
//
// A channel of small activations a gains by a great factor, one whose weights
// w2 in the second layer are small by a small one (after Nagel et al., 2019,
// section 4.1, and Xiao et al., "SmoothQuant", 2023): it is √(w2/a), or
// ∜(w2/a³) where the second layer has weights of their own, and a scale, for
// each channel. Where weights share a scale, those of the first layer w1 count
// too: √(1/a)·∜(w2/w1). Factors are brought to 1 or more, so that a limit
// that holds for all channels goes on holding.
func (p Pair) Equalize(greatest []float32, sharedScale bool) []*ir.Value {
	if len(greatest) != p.from.outputs() {
		return nil
	}
	w1, w2 := p.from.greatestOutputs(), p.to.greatestInputs()
	depthwise := p.to.facts.Groups == p.to.inputs()
	f, top := make([]float64, len(greatest)), -1
	for c, v := range greatest {
		a := float64(v)
		if !(a > 0 && w1[c] > 0 && w2[c] > 0) || math.IsInf(a, 0) {
			continue // nothing is known of it
		}
		switch {
		case sharedScale:
			f[c] = math.Sqrt(math.Sqrt(w2[c]/w1[c]) / a)
		case depthwise:
			f[c] = math.Sqrt(math.Sqrt(w2[c]/a) / a)
		default:
			f[c] = math.Sqrt(w2[c] / a)
		}
		if top < 0 || v > greatest[top] {
			top = c
		}
	}
	shared := 0.0
	for _, v := range w1 {
		shared = max(shared, v)
	}
	// Compared with the channel that makes the range, none is raised so far that
	// it would make it: what a channel reaches at most is seen in few samples.
	most := 0.0
	for c, v := range greatest {
		if f[c] > 0 && c != top {
			f[c] = min(f[c], f[top]*max(float64(greatest[top])/(margin*float64(v)), 1))
			if sharedScale {
				f[c] = min(f[c], f[top]*max(shared/w1[c], 1))
			}
		}
		most = max(most, f[c])
	}
	least := most
	for c := range f {
		if f[c] > 0 {
			f[c] = max(f[c], most/mostFactor)
			least = min(least, f[c])
		}
	}
	factors, changes := make([]float32, len(greatest)), false
	for c, v := range greatest {
		factors[c] = 1
		if f[c] > 0 {
			factors[c] = float32(max(min(f[c]/least, p.hi/(margin*float64(v))), 1))
		}
		changes = changes || factors[c] != 1
	}
	if !changes {
		return nil
	}
	p.from.scaleOutputs(factors)
	p.to.scaleInputs(factors, true)
	return p.between
}

// greatestOutputs returns the greatest magnitude of the weights of each output
// channel, greatestInputs of each input channel.
func (l linear) greatestOutputs() []float64 {
	out := make([]float64, l.outputs())
	l.each(func(v float32, m, _ int) { out[m] = max(out[m], math.Abs(float64(v))) })
	return out
}

func (l linear) greatestInputs() []float64 {
	out := make([]float64, l.inputs())
	l.each(func(v float32, _, c int) { out[c] = max(out[c], math.Abs(float64(v))) })
	return out
}

// each calls f with each element of the weight, its output channel and its
// input channel.
func (l linear) each(f func(v float32, m, c int)) {
	of := l.channels(l.weight.Const.Shape(), l.axis(l.facts.WeightAxis), l.axis(l.facts.WeightInput))
	for i, v := range tensor.Data[float32](l.weight.Const) {
		m, c := of(i)
		f(v, m, c)
	}
}

// channels returns what tells the output channel and the input channel of
// element i of the weight, or of one that it is turned from: out and in are the
// axes.
func (l linear) channels(shape []int, out, in int) func(i int) (m, c int) {
	strides := tensor.Strides(shape)
	per := l.outputs() / l.facts.Groups
	return func(i int) (int, int) {
		m := i / strides[out] % shape[out]
		return m, m/per*shape[in] + i/strides[in]%shape[in]
	}
}

// scaleOutputs multiplies each output channel by its factor.
func (l linear) scaleOutputs(factors []float32) {
	l.set(func(v float32, m, _ int) float32 { return v * factors[m] })
	if b := l.bias(); b != nil {
		d := slices.Clone(tensor.Data[float32](b.Const))
		for c := range d {
			d[c] *= factors[c]
		}
		b.Const = tensor.FromSlice(d, len(d))
	}
}

// scaleInputs multiplies what an input channel is multiplied with by its
// factor, or divides it.
func (l linear) scaleInputs(factors []float32, divide bool) {
	l.set(func(v float32, _, c int) float32 {
		if divide {
			return v / factors[c]
		}
		return v * factors[c]
	})
}

// eager is the number of elements up to which changed weights are computed at
// once: greater ones are made when they are read.
const eager = 1 << 16

// set changes each element of the weight, of which it makes another tensor.
func (l linear) set(f func(v float32, m, c int) float32) {
	old, out, in := l.weight.Const, l.axis(l.facts.WeightAxis), l.axis(l.facts.WeightInput)
	if src, perm, ok := tensor.Unpermuted(old); ok {
		l.weight.Const = tensor.Permuted(changed(src, l.channels(src.Shape(), perm[out], perm[in]), f), perm)
		return
	}
	l.weight.Const = changed(old, l.channels(old.Shape(), out, in), f)
}

// changed returns what f makes of each element of a tensor, given the channels of
// each.
func changed(old *tensor.Tensor, of func(i int) (m, c int), f func(v float32, m, c int) float32) *tensor.Tensor {
	change := func(dst, src []float32, at int) {
		for i, v := range src {
			m, c := of(at + i)
			dst[i] = f(v, m, c)
		}
	}
	n, _ := tensor.Count(old.Shape())
	if n <= eager {
		d := slices.Clone(tensor.Data[float32](old))
		change(d, d, 0)
		return tensor.FromSlice(d, old.Shape()...)
	}
	if old.HasParts() {
		return tensor.Computed(dtype.Float32, old.Shape(), func(off int64, dst []byte) error {
			out, err := floatsOf(dst)
			if err != nil {
				return err
			}
			at := int(off / 4)
			src, err := tensor.Part(old, at, at+len(out), out)
			if err != nil {
				return err
			}
			change(out, src, at)
			old.ReleasePart(at, at+len(out))
			return nil
		})
	}
	return tensor.Recomputed(dtype.Float32, old.Shape(), func(dst []byte) error {
		out, err := floatsOf(dst)
		if err != nil {
			return err
		}
		change(out, tensor.Data[float32](old), 0)
		old.Release()
		return nil
	})
}

func floatsOf(b []byte) ([]float32, error) {
	t, err := tensor.FromBytes(dtype.Float32, []int{len(b) / 4}, b)
	if err != nil {
		return nil, err
	}
	return tensor.Data[float32](t), nil
}
