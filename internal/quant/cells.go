package quant

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Cell is an LSTM that is to quantize what it reads, and its states, at each
// step: a DynamicQuantizeLSTM.
type Cell struct {
	Node string // its first output
	Type dtype.Type
	// Symmetric weights have zero points of 0; PerChannel ones a scale for each
	// row of a direction, others one for each direction.
	Symmetric, PerChannel, Reduced bool
	// Hybrid keeps it an LSTM, of which points quantize the data and the weights:
	// its states are quantized as TensorFlow Lite does.
	Hybrid bool
}

// placeCell makes an LSTM dynamic.
func (p *placer) placeCell(n *ir.Node, o *op.LSTM, q precision) {
	if ws := weightsOf(n, op.NoFacts()); len(ws) != 2 || o.BatchFirst || n.In[0].Type != dtype.Float32 {
		p.skip(n, "its weights are computed, or its batch comes first", true)
		return
	}
	if p.target.Mode(string(Dynamic)).Activation == "int8" {
		p.placeHybridCell(n, q)
		return
	}
	if p.parity {
		q.weight = dtype.Int8 // the peer's, whatever is asked for
	}
	p.choose(n)
	p.out.Cells = append(p.out.Cells, Cell{firstOutput(n), q.weight, p.symmetric(q.weight), p.perChannel, p.recipe.ReduceRange, false})
}

// placeHybridCell quantizes each row of what an LSTM reads as the model runs, and
// its weights with one scale for each direction.
func (p *placer) placeHybridCell(n *ir.Node, q precision) {
	w := n.In[1].Const
	if least := p.target.Mode(string(Dynamic)).LeastElements; max(w.Len(), n.In[2].Const.Len()) < least && !q.asked {
		p.skip(n, fmt.Sprintf("its weights have fewer elements than %d, and files for %s keep those as floats", least, p.target.Name), false)
		return
	}
	p.choose(n)
	p.addLive(n, reading{n.In[0], w.Shape()[2]}, q)
	axis := PerTensor
	if w.Shape()[0] > 1 {
		axis = 0
	}
	q.weight = dtype.Int8 // its kernel has no others
	p.addWeight(n, 1, q, axis, 0)
	p.addWeight(n, 2, q, axis, 0)
	p.out.Cells = append(p.out.Cells, Cell{Node: firstOutput(n), Hybrid: true})
}

// cells replaces the LSTMs of the plan. Their weights turn: [directions, inputs,
// 4·hidden].
func (a *applier) cells() error {
	for _, c := range a.plan.Cells {
		i := slices.IndexFunc(a.g.Nodes, func(n *ir.Node) bool { return a.keys[n] == c.Node && c.Node != "" })
		if i < 0 {
			return fmt.Errorf("LSTM %q is not in the graph", c.Node)
		}
		n := a.g.Nodes[i]
		o, ok := n.Op.(*op.LSTM)
		if !ok {
			return fmt.Errorf("%s is no LSTM", n.Label())
		}
		if c.Hybrid {
			live := *o
			live.LiveState, n.Op = "asymmetric", &live
			continue
		}
		d := op.New[op.DynamicQuantizeLSTM]()
		d.Alpha, d.Beta, d.Activations, d.Clip = o.Alpha, o.Beta, o.Activations, o.Clip
		d.Direction, d.HiddenSize, d.InputForget, d.CellClip = o.Direction, o.HiddenSize, o.InputForget, o.CellClip
		in := make([]*ir.Value, 12)
		copy(in, n.In)
		for k, at := range []int{1, 2} {
			v := n.In[at]
			w, scale, zero, err := c.weight(v.Const)
			if err != nil {
				return fmt.Errorf("weight %q: %w", v.Name, err)
			}
			in[at] = ir.NewConst(a.names.Name(v.Name+"_quantized"), w)
			in[8+2*k] = ir.NewConst(a.names.Name(v.Name+"_scale"), scale)
			in[9+2*k] = ir.NewConst(a.names.Name(v.Name+"_zero_point"), zero)
		}
		n.Op, n.In = d, in
	}
	return nil
}

// weight returns [directions, rows, columns] as integers [directions, columns,
// rows], with scales and zero points [directions, rows] or [directions].
func (c Cell) weight(t *tensor.Tensor) (w, scale, zero *tensor.Tensor, err error) {
	if err := finite(t); err != nil {
		return nil, nil, nil, err
	}
	turned := tensor.Permute(t, []int{0, 2, 1})
	shape := turned.Shape()
	axis, params := affine.PerTensorAxis, []int{shape[0]}
	if c.PerChannel {
		axis, params = 1, []int{shape[0], shape[2]}
	}
	w = tensor.New(c.Type, shape...)
	var scales []float32
	var zeros []int64
	size := shape[1] * shape[2]
	for d := range shape[0] {
		flat, err := turned.Reshape(shape[0] * size)
		if err != nil {
			return nil, nil, nil, err
		}
		one, err := flat.Slice(d*size, (d+1)*size).Reshape(shape[1], shape[2])
		if err != nil {
			return nil, nil, nil, err
		}
		p, err := affine.ChooseWeightParams(one, affine.Scheme{Type: c.Type, Symmetric: c.Symmetric, Reduced: c.Reduced}, axis)
		if err != nil {
			return nil, nil, nil, err
		}
		q, err := affine.Quantize(one, p, affine.RoundHalfEven)
		if err != nil {
			return nil, nil, nil, err
		}
		copy(w.Bytes()[d*size:], q.Bytes())
		scales, zeros = append(scales, p.Scale...), append(zeros, p.ZeroPoint...)
	}
	return w, tensor.FromSlice(scales, params...), tensor.FromInts(c.Type, zeros, params...), nil
}
