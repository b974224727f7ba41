package quant

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// ONNX Runtime's placement (quantize_static, QDQ form, release 1.32): each
// operator of its registry, in graph order, marks its values; every reader of a
// marked value sees it quantized.

// parityAll are the operators all of whose float values are marked.
var parityAll = []string{"Add", "Mul", "Concat", "Sigmoid", "LeakyRelu", "GlobalAveragePool", "Softmax", "ArgMax", "CumSum"}

// parityShare are the operators that hand their input's parameters on when
// the input is marked.
var parityShare = []string{"Reshape", "Transpose", "Squeeze", "Unsqueeze", "AveragePool", "Slice", "TopK", "MaxPool", "Resize", "Pad"}

func (p *placer) placeParity() {
	for _, n := range p.g.Nodes {
		if why, ok := p.kept[n]; ok {
			p.skip(n, why, false)
			continue
		}
		name := n.Op.Name()
		f, _ := facts(n)
		switch {
		case slices.Contains([]string{"Conv", "ConvTranspose", "Gemm"}, name):
			p.mark(n.In[0], op.None)
			p.mark(n.Out[0], op.None)
			p.mark(n.In[1], f.WeightAxis)
			if len(n.In) > 2 && n.In[2] != nil {
				p.markBias(n, f)
			}
		case name == "MatMul":
			for _, v := range append(slices.Clone(n.In), n.Out...) {
				p.mark(v, 1)
			}
		case name == "Relu" || name == "Clip":
			p.markClamp(n)
		case slices.Contains(parityShare, name):
			if p.integer[n.In[0]] {
				p.markShared(n.Out[:1], n.In[0])
			}
		case name == "Split":
			p.mark(n.In[0], op.None)
			p.markShared(n.Out, n.In[0])
		case name == "Gather" || name == "GatherElements":
			if n.In[0].Const != nil || p.integer[n.In[0]] {
				if n.In[0].Const != nil {
					p.markOperand(n.In[0])
				} else {
					p.mark(n.In[0], op.None)
				}
				p.markShared(n.Out, n.In[0])
			}
		case name == "Where":
			if p.integer[n.In[1]] && p.integer[n.In[2]] {
				p.mark(n.Out[0], op.None)
			}
		case name == "InstanceNormalization" || name == "LayerNormalization" || name == "BatchNormalization":
			p.mark(n.In[0], op.None)
			p.mark(n.In[1], op.None)
			p.mark(n.Out[0], op.None)
		case slices.Contains(parityAll, name):
			for _, v := range append(slices.Clone(n.In), n.Out...) {
				if v != nil && v.Const != nil {
					p.markOperand(v)
				} else {
					p.mark(v, op.None)
				}
			}
		default:
			if p.floatWork(n) {
				p.skip(n, "not in ONNX Runtime's default set", true)
			}
			continue
		}
		p.choose(n)
	}
}

// mark adds a point for v: an activation, or a weight with the axis.
func (p *placer) mark(v *ir.Value, axis int) {
	if v == nil || v.Type != dtype.Float32 || p.integer[v] {
		return
	}
	if v.Const == nil {
		p.point(v, nil, nil)
		p.integer[v] = true
		return
	}
	pt := Point{Value: v.Name, Role: Weight, Type: p.weight, Symmetric: p.symmetricWeight, Axis: PerTensor}
	if p.perChannel && axis != op.None {
		if a, err := op.Axis(axis, len(v.Shape)); err == nil {
			pt.Axis = a
		}
	}
	p.points[v] = len(p.out.Points)
	p.out.Points = append(p.out.Points, pt)
	p.integer[v] = true
}

// markOperand adds a point for a constant that is no weight: it has the type
// of activations.
func (p *placer) markOperand(v *ir.Value) {
	if v.Type != dtype.Float32 || p.integer[v] {
		return
	}
	p.points[v] = len(p.out.Points)
	p.out.Points = append(p.out.Points, Point{Value: v.Name, Role: Weight, Type: p.activation, Symmetric: p.symmetricActivation, Axis: PerTensor})
	p.integer[v] = true
}

func (p *placer) markShared(outs []*ir.Value, from *ir.Value) {
	for _, v := range outs {
		if v == nil || v.Type != dtype.Float32 {
			continue
		}
		p.mark(v, op.None)
		p.out.Points[p.points[v]].Group = p.root(from)
	}
}

func (p *placer) markClamp(n *ir.Node) {
	x, y := n.In[0], n.Out[0]
	if !p.integer[x] {
		return
	}
	_, computed := p.prod[x]
	if !p.symmetricActivation && computed && len(p.uses[x]) == 1 && !p.g.IsOutput(x) && p.takeOver(x, y) {
		p.absorbed[n] = true
		p.out.Absorbed = append(p.out.Absorbed, y.Name)
		return
	}
	p.mark(y, op.None)
	// Where the node stays, the value it reads gets the range it lets through.
	if i, ok := p.points[x]; ok && len(p.uses[x]) == 1 && p.out.Points[i].Group == "" {
		p.out.Points[i].Ranged = y.Name
	}
}

func (p *placer) markBias(n *ir.Node, f op.Facts) {
	b := n.In[2]
	if b.Const == nil || b.Type != dtype.Float32 || n.In[1].Const == nil {
		return
	}
	p.out.Points = append(p.out.Points, Point{Value: b.Name, Role: Bias, Uses: []Use{{firstOutput(n), 2}}, Type: dtype.Int32, Symmetric: true,
		Axis: PerTensor, Input: n.In[0].Name, Scale: n.In[1].Name, Factor: f.BiasFactor})
}
