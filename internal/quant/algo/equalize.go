package algo

import (
	"math"

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
// better, given the greatest magnitude of each (after Nagel et al., 2019,
// section 4.1, with factors from activations): channels in front of weights
// that have a scale for each of them become alike, others half so. Factors are
// 1 or more, so that a limit that holds for all channels goes on holding. It
// returns the values that changed. The float graph computes the same within
// rounding.
func (p Pair) Equalize(greatest []float32) []*ir.Value {
	if len(greatest) != p.from.outputs() {
		return nil
	}
	top := 0.0
	for _, v := range greatest {
		top = max(top, float64(v))
	}
	depthwise := p.to.facts.Groups == p.to.inputs()
	factors, any := make([]float32, len(greatest)), false
	for c, v := range greatest {
		s := 1.0
		if v > 0 && !math.IsInf(top, 0) {
			s = top / float64(v)
			if !depthwise {
				s = math.Sqrt(s)
			}
			s = min(s, mostFactor, p.hi/(margin*float64(v)))
		}
		factors[c] = float32(max(s, 1))
		any = any || factors[c] != 1
	}
	if !any {
		return nil
	}
	p.from.scaleOutputs(factors)
	p.to.scaleInputs(factors, true)
	return p.between
}

// scaleOutputs multiplies each output channel by its factor.
func (l linear) scaleOutputs(factors []float32) {
	l.scale(l.axis(l.facts.WeightAxis), func(m, _ int) float32 { return factors[m] }, false)
	if b := l.bias(); b != nil {
		d := append([]float32(nil), tensor.Data[float32](b.Const)...)
		for c := range d {
			d[c] *= factors[c]
		}
		b.Const = tensor.FromSlice(d, len(d))
	}
}

// scaleInputs multiplies what an input channel is multiplied with by its
// factor, or divides it.
func (l linear) scaleInputs(factors []float32, divide bool) {
	per := l.outputs() / l.facts.Groups
	n := l.weight.Const.Shape()[l.axis(l.facts.WeightInput)]
	l.scale(l.axis(l.facts.WeightAxis), func(m, c int) float32 { return factors[m/per*n+c] }, divide)
}

// scale multiplies or divides each element of the weight by what factor says of
// its output channel and its input channel inside the group.
func (l linear) scale(out int, factor func(m, c int) float32, divide bool) {
	in, shape := l.axis(l.facts.WeightInput), l.weight.Const.Shape()
	strides := tensor.Strides(shape)
	d := append([]float32(nil), tensor.Data[float32](l.weight.Const)...)
	for i := range d {
		f := factor(i/strides[out]%shape[out], i/strides[in]%shape[in])
		if divide {
			d[i] /= f
		} else {
			d[i] *= f
		}
	}
	l.weight.Const = tensor.FromSlice(d, shape...)
}
