package pass

import (
	"math"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// lowerFixedPoint brings a graph into the form that TensorFlow Lite holds.
func lowerFixedPoint(g *ir.Graph) error {
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
	if err := spellOut(g); err != nil {
		return err
	}
	if err := FuseFixed(g, hasFixedPointKernel); err != nil {
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

// fixedPoint lists the operators of which TensorFlow Lite has kernels that read
// and write integers, and whether of int16, too. Source: LiteRT,
// kernels/register_ref.cc and the kernels' Prepare. ReduceSum is left out: the
// reference kernel of release 2.3 takes int8 for uint8.
var fixedPoint = map[string]struct{ wide bool }{
	"Abs": {true}, "Add": {true}, "AveragePool": {true}, "Concat": {true}, "Conv": {true}, "ConvTranspose": {true}, "DepthToSpace": {},
	"Flatten": {true}, "Gather": {true}, "Gemm": {true}, "GlobalAveragePool": {true}, "HardSwish": {}, "Identity": {true}, "LeakyRelu": {true},
	"LogSoftmax": {}, "MatMul": {true}, "Max": {true}, "MaxPool": {true}, "Min": {true}, "Mul": {true}, "Pad": {true}, "PRelu": {},
	"ReduceMax": {true}, "ReduceMean": {true}, "ReduceMin": {true}, "Relu": {true}, "Reshape": {true}, "Resize": {true},
	"Sigmoid": {true}, "Slice": {true}, "Softmax": {true}, "SpaceToDepth": {}, "Split": {true}, "Squeeze": {true}, "Sub": {true}, "Tanh": {true},
	"Tile": {true}, "Transpose": {true}, "Unsqueeze": {true},
}

// hasFixedPointKernel reports whether TensorFlow Lite has a kernel for a region.
func hasFixedPointKernel(r Region) bool {
	row, ok := fixedPoint[r.Op.Name()]
	if !ok || !r.Out[0].IsPerTensor() || r.Clamp != nil && !hasFusedLimits(*r.Clamp, r.Out[0]) {
		return false
	}
	typ := r.Out[0].Type
	if typ != dtype.Int8 && typ != dtype.Uint8 && !(typ == dtype.Int16 && row.wide) {
		return false
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
