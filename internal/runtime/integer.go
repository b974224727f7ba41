package runtime

import (
	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
)

// hasIntegerKernel reports whether a quantized region runs on integers. 16-bit
// regions but of recurrent cells, and those of operators not listed, run as dequantized floats.
func hasIntegerKernel(r pass.Region) bool {
	integer := func(p affine.Params) bool { return p.Present() && p.Type.Bits() == 8 && p.Type.IsInteger() }
	in := func(i int) bool { return i < len(r.In) && integer(r.In[i]) && r.In[i].IsPerTensor() }
	out := len(r.Out) == 1 && integer(r.Out[0]) && r.Out[0].IsPerTensor()
	result := out || len(r.Out) == 1 && !r.Out[0].Present()
	bias := len(r.In) < 3 || r.Node.In[2] == nil || r.In[2].Type == dtype.Int32
	weight := len(r.In) > 1 && integer(r.In[1])
	switch o := r.Node.Op.(type) {
	case *op.Conv:
		return in(0) && weight && bias && result && r.Node.In[1] != nil
	case *op.Gemm:
		return in(0) && weight && bias && result && o.Alpha == 1 && o.Beta == 1 && !o.TransA
	case *op.MatMul:
		return in(0) && weight && result
	case *op.Add, *op.Mul:
		return in(0) && in(1) && out
	case *op.Concat:
		for i := range r.In {
			if !in(i) {
				return false
			}
		}
		return out
	case *op.MaxPool, *op.Reshape, *op.Flatten, *op.Transpose, *op.Squeeze, *op.Unsqueeze, *op.Slice, *op.Gather, *op.Expand, *op.Tile:
		return in(0) && out && r.Clamp == nil && r.In[0].Equal(r.Out[0])
	case *op.AveragePool, *op.GlobalAveragePool, *op.Sigmoid, *op.Tanh, *op.HardSwish, *op.HardSigmoid, *op.LeakyRelu, *op.Gelu, *op.Relu, *op.Softmax:
		return in(0) && out
	case *op.LSTM, *op.GRU, *op.RNN:
		// The results may be of any kind: they are real numbers.
		cell := op.Quantized{Inner: o, In: r.In}
		return len(r.In) > 2 && r.Node.In[0].Type == dtype.Float32 && r.Clamp == nil && cell.IntegerCell()
	}
	return false
}

// dispatchQuantized chooses the integer kernel of a region. Regions without one
// here run by their reference meaning, on integers too.
func (pl *plan) dispatchQuantized(s *step, key *ir.Node, q *op.Quantized) error {
	if q.Fixed {
		return pl.dispatchFixed(s, key, q)
	}
	switch o := q.Inner.(type) {
	case *op.Conv:
		return pl.dispatchQuantizedConv(s, key, q, o, nil)
	case *op.Gemm:
		return pl.dispatchQuantizedGemm(s, key, q, o.TransB, nil)
	case *op.MatMul:
		return pl.dispatchQuantizedMatMul(s, key, q, nil)
	case *op.Add, *op.Mul:
		pl.dispatchQuantizedBinary(s, q)
	case *op.MaxPool:
		pl.dispatchMaxPool(s, o)
	case *op.AveragePool:
		if g, err := o.Geometry(pl.values[s.in[0]].shape); err == nil {
			pl.dispatchQuantizedMean(s, q, g, o)
		}
	case *op.GlobalAveragePool:
		if g, ok := whole(pl.values[s.in[0]].shape, o.Layout); ok {
			pl.dispatchQuantizedMean(s, q, g, nil)
		}
	case *op.LSTM, *op.GRU, *op.RNN:
		pl.dispatchIntegerCell(s, key, q)
	case *op.Softmax:
		pl.dispatchQuantizedSoftmax(s, q, o)
	case *op.Transpose:
		if q.In[0].Equal(q.Out[0]) && q.Clamp == nil {
			pl.dispatchTranspose(s, o)
		}
	case *op.Gather:
		if q.In[0].Equal(q.Out[0]) && q.Clamp == nil {
			pl.dispatchGather(s, o)
		}
	case *op.Slice:
		if q.In[0].Equal(q.Out[0]) && q.Clamp == nil {
			pl.dispatchSlice(s)
		}
	case *op.Concat:
		return pl.dispatchQuantizedConcat(s, q, o)
	case *op.Reshape, *op.Flatten, *op.Squeeze, *op.Unsqueeze:
		pl.dispatchView(s)
	default:
		return pl.dispatchTable(s, q)
	}
	return nil
}

// weights reports whether operand 1 is a constant weight with zero points 0,
// whose sums with activations float32 holds exactly in stretches.
func (pl *plan) symmetricWeight(s *step, q *op.Quantized) bool {
	w := pl.values[s.in[1]].fixed
	return w != nil && w.Type() == dtype.Int8 && q.In[1].Symmetric() && q.In[1].BlockSize == 0
}
