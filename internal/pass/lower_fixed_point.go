package pass

import (
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// lowerFixedPoint brings a graph into the form that TensorFlow Lite holds, with
// some nodes on floats in any case.
func lowerFixedPoint(g *ir.Graph, floats map[*ir.Node]bool) error {
	lowerRounding(g, ir.TFLite)
	if _, err := ExpandContrib(g, true); err != nil {
		return err
	}
	if _, err := ExpandFunctions(g); err != nil {
		return err
	}
	if err := ir.Infer(g); err != nil {
		return err
	}
	if _, err := FuseRowBiases(g); err != nil {
		return err
	}
	divisible, err := spellOut(g, floats)
	if err != nil {
		return err
	}
	if err := FuseFixed(g, func(r Region) bool { return !floats[r.Node] && hasFixedPointKernel(r, divisible[r.Node]) }); err != nil {
		return err
	}
	dropZeroStates(g)
	if err := unrollRecurrent(g); err != nil {
		return err
	}
	if _, err := FuseRowBiases(g); err != nil {
		return err
	}
	shuffles := gatherShuffles(g)
	if _, err := EliminateDead(g); err != nil {
		return err
	}
	if _, err := ConvertLayout(g, LayoutOptions{Spatial: true}); err != nil {
		return err
	}
	if err := expandShuffles(g, shuffles); err != nil {
		return err
	}
	return foldTransposes(g)
}

// dropZeroStates takes away initial states of recurrent operators that are zeros
// of a computed shape, as exporters write them for batches of any size: without, they are
// zeros too.
func dropZeroStates(g *ir.Graph) {
	m := newMatcher(g)
	for _, n := range g.Nodes {
		switch n.Op.(type) {
		case *op.LSTM, *op.GRU, *op.RNN:
		default:
			continue
		}
		for i := 5; i < min(7, len(n.In)); i++ {
			if v := n.In[i]; v != nil && m.zeros(v) {
				n.In[i] = nil
			}
		}
	}
}

// zeros reports whether a value is zeros of whatever shape: constants, or what is
// moved out of them.
func (m *matcher) zeros(v *ir.Value) bool {
	if v.Const != nil {
		return holdsZeros(v.Const)
	}
	n := m.prod[v]
	if n == nil {
		return false
	}
	switch o := n.Op.(type) {
	case *op.ConstantOfShape:
		return o.Value == nil || holdsZeros(o.Value)
	case *op.Slice, *op.Expand, *op.Reshape, *op.Unsqueeze, *op.Squeeze, *op.Transpose, *op.Identity:
		return m.zeros(n.In[0])
	}
	return false
}

// holdsZeros reports whether a tensor of floats holds nothing but zeros.
func holdsZeros(t *tensor.Tensor) bool {
	f, err := op.Convert(t, dtype.Float32)
	return err == nil && !slices.ContainsFunc(tensor.Data[float32](f), func(v float32) bool { return v != 0 })
}

// fixedPoint lists the operators of which TensorFlow Lite has kernels that read
// and write integers, and whether of int16, too. Source: LiteRT,
// kernels/register_ref.cc and the kernels' Prepare. ReduceSum is left out: see
// speller.total.
var fixedPoint = map[string]struct{ wide bool }{
	"Abs": {true}, "Add": {true}, "AveragePool": {true}, "Concat": {true}, "Conv": {true}, "ConvTranspose": {true}, "DepthToSpace": {}, "Div": {}, "Elu": {},
	"Exp": {true}, "Expand": {}, "Flatten": {true}, "Gather": {true}, "GatherND": {true}, "Gelu": {}, "Gemm": {true}, "GlobalAveragePool": {true}, "GlobalMaxPool": {true}, "HardSwish": {}, "Identity": {true}, "LeakyRelu": {true},
	"Log": {true}, "LogSoftmax": {}, "LpNormalization": {}, "MatMul": {true}, "Max": {true}, "MaxPool": {true}, "Min": {true}, "Mul": {true}, "Pad": {true}, "PRelu": {},
	"ReduceMax": {true}, "ReduceMean": {true}, "ReduceMin": {true}, "Relu": {true}, "Reshape": {true}, "Resize": {true},
	"Sigmoid": {true}, "Slice": {true}, "Softmax": {true}, "SpaceToDepth": {}, "Split": {true}, "Sqrt": {}, "Squeeze": {true}, "Sub": {true}, "Tanh": {true},
	"Tile": {true}, "Transpose": {true}, "Unsqueeze": {true}, "Where": {true},
}

// hasFixedPointKernel reports whether TensorFlow Lite has a kernel for a region;
// divisible says of a quotient that no integer that it divides by is zero.
func hasFixedPointKernel(r Region, divisible bool) bool {
	if isComparison(r.Op) {
		return len(r.In) == 2 && comparesExactly(r.In[0]) && r.In[0].Equal(r.In[1])
	}
	row, ok := fixedPoint[r.Op.Name()]
	if !ok || !r.Out[0].IsPerTensor() || r.Clamp != nil && !hasFusedLimits(*r.Clamp, r.Out[0]) {
		return false
	}
	typ := r.Out[0].Type
	if typ != dtype.Int8 && typ != dtype.Uint8 && !(typ == dtype.Int16 && row.wide) {
		return false
	}
	switch r.Op.(type) {
	case *op.Div:
		if !divisible {
			return false
		}
	case *op.Sqrt:
		// The kernel refuses negative integers as it runs.
		if least, _ := typ.Range(); !r.In[0].IsPerTensor() || r.In[0].Zero(0) != least {
			return false
		}
	case *op.Where:
		// What is chosen is copied.
		if !r.In[1].Equal(r.Out[0]) || !r.In[2].Equal(r.Out[0]) {
			return false
		}
	}
	facts := op.NoFacts()
	if q, ok := r.Op.(op.Quantizable); ok {
		facts = q.Quantization()
	}
	for i, v := range r.Node.In[:min(len(r.In), len(r.Node.In))] {
		if v == nil {
			continue
		}
		p := r.In[i]
		switch {
		case i == facts.Weight || i == facts.Bias:
			if !p.Present() {
				return false
			}
		case v.Type.IsFloat() && (!p.IsPerTensor() || p.Type != typ):
			return false
		}
	}
	return true
}

// hasFusedLimits reports whether a fused activation stands for limits: those of
// RELU, RELU6 and RELU_N1_TO_1, or what the integers end at by themselves.
func hasFusedLimits(iv op.Interval, p affine.Params) bool {
	least, most := p.Type.Range()
	end := func(k int64) float64 { return float64(float64(k-p.Zero(0)) * float64(p.Scale[0])) }
	low := math.IsInf(iv.Lo, -1) || iv.Lo <= end(least)
	high := math.IsInf(iv.Hi, 1) || iv.Hi >= end(most)
	switch {
	case iv.Lo == -1 && iv.Hi == 1, iv.Lo == 0 && iv.Hi == 6, low && high, iv.Lo == 0 && high:
		return true
	}
	return low && iv.Hi == 6 && end(least) >= 0
}
