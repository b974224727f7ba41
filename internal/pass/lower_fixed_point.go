package pass

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// lowerFixedPoint brings a graph into the form that TensorFlow Lite holds.
func lowerFixedPoint(g *ir.Graph) error {
	if _, err := ExpandContrib(g, true); err != nil {
		return err
	}
	if _, err := ExpandFunctions(g); err != nil {
		return err
	}
	if err := ir.Infer(g); err != nil {
		return err
	}
	if err := FuseQDQ(g, hasFixedPointKernel); err != nil {
		return err
	}
	_, err := ConvertLayout(g, LayoutOptions{})
	return err
}

// fixedPoint lists the operators of which TensorFlow Lite has kernels that read
// and write integers, and whether of int16, too. Source: LiteRT,
// kernels/register_ref.cc and the kernels' Prepare.
var fixedPoint = map[string]struct{ wide bool }{
	"Abs": {true}, "Add": {true}, "AveragePool": {true}, "Concat": {true}, "Conv": {true}, "ConvTranspose": {true}, "DepthToSpace": {},
	"Flatten": {true}, "Gather": {true}, "Gemm": {true}, "GlobalAveragePool": {true}, "HardSwish": {}, "Identity": {true}, "LeakyRelu": {true},
	"LogSoftmax": {}, "MatMul": {true}, "Max": {true}, "MaxPool": {true}, "Min": {true}, "Mul": {true}, "Pad": {true}, "PRelu": {},
	"ReduceMax": {true}, "ReduceMean": {true}, "ReduceMin": {true}, "ReduceSum": {}, "Relu": {true}, "Reshape": {true}, "Resize": {true},
	"Sigmoid": {true}, "Slice": {true}, "Softmax": {true}, "SpaceToDepth": {}, "Split": {true}, "Squeeze": {true}, "Sub": {true}, "Tanh": {true},
	"Tile": {true}, "Transpose": {true}, "Unsqueeze": {true},
}

// hasFixedPointKernel reports whether TensorFlow Lite has a kernel for a region.
func hasFixedPointKernel(r Region) bool {
	row, ok := fixedPoint[r.Node.Op.Name()]
	if !ok || !r.Out[0].IsPerTensor() {
		return false
	}
	typ := r.Out[0].Type
	if typ != dtype.Int8 && typ != dtype.Uint8 && !(typ == dtype.Int16 && row.wide) {
		return false
	}
	facts := op.NoFacts()
	if q, ok := r.Node.Op.(op.Quantizable); ok {
		facts = q.Quantization()
	}
	for i, v := range r.Node.In {
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
