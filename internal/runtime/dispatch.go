package runtime

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// dispatch chooses how a step runs. key is the node of the program, under
// which packed weights are shared by all plans.
func (pl *plan) dispatch(s *step, key *ir.Node) error {
	s.run = evalStep
	if len(s.out) == 0 || s.out[0] < 0 {
		return nil
	}
	switch o := s.node.Op.(type) {
	case op.Flow:
		pl.dispatchFlow(s, key)
	case *op.Reshape, *op.Flatten, *op.Squeeze, *op.Unsqueeze, *op.Identity:
		pl.dispatchView(s)
	case *op.Transpose:
		pl.dispatchTranspose(s, o)
	case *op.Conv:
		return pl.dispatchConv(s, key, o.Geometry, unclamped)
	case *op.ConvTranspose:
		return pl.dispatchConv(s, key, o.Geometry, unclamped)
	case *op.Gemm:
		return pl.dispatchGemm(s, key, o, unclamped)
	case *op.MatMul:
		return pl.dispatchMatMul(s, key)
	case *op.MatMulNBits:
		return pl.dispatchNBits(s, key, o)
	case *op.LSTM:
		pl.dispatchLSTM(s, key, o)
	case *op.DynamicQuantizeLSTM:
		pl.dispatchLiveLSTM(s, key, o)
	case *op.GRU:
		pl.dispatchGRU(s, key, o)
	case *clamped:
		switch inner := o.Op.(type) {
		case *op.Conv:
			return pl.dispatchConv(s, key, inner.Geometry, o.bounds)
		case *op.Gemm:
			return pl.dispatchGemm(s, key, inner, o.bounds)
		}
	case *summed:
		return pl.dispatchSummed(s, key, o)
	case *op.Quantized:
		return pl.dispatchQuantized(s, key, o)
	case *rescaledProduct:
		return pl.dispatchRescaledProduct(s, key, o)
	case *rescaled:
		pl.dispatchRescaled(s, o)
	case *split16:
		pl.dispatchSplit16(s)
	case *tabled:
		pl.lookUp(s, o.table)
	case *op.Gather:
		pl.dispatchGather(s, o)
	case *op.Slice:
		pl.dispatchSlice(s)
	case *op.Split:
		pl.dispatchSplit(s, o)
	case *op.QuantizeLinear:
		pl.dispatchQuantize(s, o)
	case *op.DequantizeLinear:
		pl.dispatchDequantize(s)
	case *op.DynamicQuantize:
		pl.dispatchDynamicQuantize(s, o)
	case *op.DynamicQuantizeLinear:
		pl.dispatchDynamicQuantize(s, op.New[op.DynamicQuantize]())
	case unsignedRows:
		pl.dispatchQuantizeRows(s, o.DynamicQuantize, true)
	case *rowProduct:
		return pl.dispatchRowProduct(s, key, o)
	case *op.MatMulIntegerToFloat:
		return pl.dispatchLive(s, key)
	case *op.ConvIntegerToFloat:
		return pl.dispatchLiveConv(s, key, o)
	case *op.MaxPool:
		pl.dispatchMaxPool(s, o)
	case *op.AveragePool:
		if g, err := o.Geometry(pl.values[s.in[0]].shape); err == nil {
			pl.dispatchMean(s, g, o)
		}
	case *op.GlobalAveragePool:
		if g, ok := whole(pl.values[s.in[0]].shape, o.Layout); ok {
			pl.dispatchMean(s, g, nil)
		}
	case *op.ReduceMean:
		pl.dispatchReduceMean(s, o.NoopWithEmptyAxes)
	case *op.Softmax:
		pl.dispatchSoftmax(s, o)
	case *op.LayerNormalization:
		pl.dispatchNorm(s, o.Axis, o.Epsilon, o.StashType, true)
	case *op.RMSNormalization:
		pl.dispatchNorm(s, o.Axis, o.Epsilon, o.StashType, false)
	case *op.Where:
		pl.dispatchWhere(s)
	case *op.Equal, *op.Less, *op.LessOrEqual, *op.Greater, *op.GreaterOrEqual:
		pl.dispatchCompare(s)
	case *op.And:
		pl.dispatchTruth(s, true)
	case *op.Or:
		pl.dispatchTruth(s, false)
	case *op.Not, *op.IsNaN:
		pl.dispatchTest(s)
	case *op.ReduceSum:
		pl.dispatchReduce(s, o.NoopWithEmptyAxes)
	case *op.ReduceMax:
		pl.dispatchReduce(s, o.NoopWithEmptyAxes)
	case *op.ReduceMin:
		pl.dispatchReduce(s, o.NoopWithEmptyAxes)
	case *op.Cast, *op.CastLike:
		pl.dispatchCast(s)
	case *op.Concat:
		pl.join(s, o.Axis, nil)
	case *op.Pad:
		pl.dispatchRuns(s, 2)
	case *op.Resize:
		if o.Moves() {
			pl.dispatchRuns(s, 0)
		}
	case *op.Pow:
		pl.dispatchPow(s)
	case *op.Add, *op.Sub, *op.Mul, *op.Div:
		pl.dispatchBinary(s)
	case *op.Relu, *op.Clip, *op.Sigmoid, *op.Swish, *op.Tanh, *op.HardSwish, *op.HardSigmoid, *op.LeakyRelu, *op.Gelu, *op.Erf, *op.Sqrt, *op.Exp, *op.Log:
		pl.dispatchUnary(s)
	}
	return nil
}

// dispatchView gives the output the input's memory. Where that lies in the
// arena, nothing is left to do in a run.
func (pl *plan) dispatchView(s *step) {
	out := &pl.values[s.out[0]]
	if out.shape == nil || s.in[0] < 0 || pl.values[s.in[0]].fixed != nil || pl.values[s.in[0]].shape == nil || out.typ == dtype.String {
		return
	}
	n, _ := tensor.Count(out.shape)
	if m, _ := tensor.Count(pl.values[s.in[0]].shape); m != n {
		return // no element may get lost: the reference meaning says what is wrong
	}
	out.alias = s.in[0]
	s.run = viewStep
	if pl.values[pl.root(s.in[0])].offset == placeInArena {
		s.run = nil
	}
}

// dispatchTranspose treats a Transpose that only moves axes of one element as a
// view, and moves the others.
func (pl *plan) dispatchTranspose(s *step, o *op.Transpose) {
	x := pl.values[s.in[0]].shape
	perm := slices.DeleteFunc(slices.Clone(o.Perm), func(p int) bool { return p < len(x) && x[p] == 1 })
	if x != nil && len(o.Perm) == len(x) && slices.IsSorted(perm) {
		pl.dispatchView(s)
		return
	}
	pl.dispatchPermute(s, o)
}
