package runtime

import (
	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
)

// hasFixedKernel is hasIntegerKernel for TensorFlow Lite's arithmetic: what has
// a row in its table, and what copies or compares elements of one scale.
func hasFixedKernel(r pass.Region) bool {
	switch r.Op.(type) {
	case *op.FixedLSTM:
		return true
	case *op.MaxPool, *op.Reshape, *op.Flatten, *op.Transpose, *op.Squeeze, *op.Unsqueeze, *op.Slice, *op.Gather, *op.Expand, *op.Tile:
		narrow := func(p affine.Params) bool {
			return p.IsPerTensor() && (p.Type == dtype.Int8 || p.Type == dtype.Uint8)
		}
		return len(r.Out) == 1 && narrow(r.Out[0]) && r.In[0].Equal(r.Out[0]) && r.Clamp == nil
	case *op.Conv, *op.ConvTranspose, *op.Gemm:
		if len(r.In) > 2 && r.Node.In[2] != nil && !r.In[2].Present() {
			return false
		}
	}
	q := op.Quantized{Inner: r.Op, In: r.In, Out: r.Out, Clamp: r.Clamp, Fixed: true}
	return q.FixedPoint()
}

// dispatchFixed chooses the kernel of a region of TensorFlow Lite's arithmetic.
func (pl *plan) dispatchFixed(s *step, key *ir.Node, q *op.Quantized) error {
	switch o := q.Inner.(type) {
	case *op.Add, *op.Sub, *op.Mul:
		pl.dispatchFixedBinary(s, q)
	case *op.AveragePool:
		pl.dispatchFixedPool(s, q, o)
	case *op.ReduceMean:
		pl.dispatchFixedMean(s, q, o.NoopWithEmptyAxes, true)
	case *op.ReduceSum:
		pl.dispatchFixedMean(s, q, o.NoopWithEmptyAxes, false)
	case *op.Softmax, *op.LogSoftmax, *op.LpNormalization:
		pl.dispatchFixedRows(s, q)
	case *op.MaxPool:
		pl.dispatchMaxPool(s, o)
	case *op.Transpose:
		pl.dispatchTranspose(s, o)
	case *op.Gather:
		pl.dispatchGather(s, o)
	case *op.Slice:
		pl.dispatchSlice(s)
	case *op.Reshape, *op.Flatten, *op.Squeeze, *op.Unsqueeze:
		pl.dispatchView(s)
	case *op.Concat:
		if q.Out[0].Type.Bits() == 8 {
			return pl.dispatchQuantizedConcat(s, q, o)
		}
		pl.join(s, o.Axis, nil)
	default:
		if pl.dispatchFixedMap(s, q); q.In[0].Type.Bits() == 8 && q.Out[0].Type.Bits() == 8 {
			return pl.dispatchTable(s, q)
		}
	}
	return nil
}
