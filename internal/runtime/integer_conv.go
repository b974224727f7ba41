package runtime

import (
	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/op"
)

// finish describes how accumulators become results.
type finish struct {
	bias        []int32
	multipliers []float32 // one, or one a channel
	grid        convert.Grid
	typ         dtype.Type // of the result: Uint8, Int8, Float32, or Int32 for the sums themselves
	lo, hi      float32    // clamp of float results
	fixed       *rescaled  // of results in TensorFlow Lite's arithmetic, else nil
}

// newFinish prepares the epilogue of a convolution or product, that of fixed
// unless it is nil.
func (pl *plan) newFinish(s *step, q *op.Quantized, fixed *rescaled) (*finish, error) {
	if fixed != nil {
		return &finish{typ: fixed.typ, fixed: fixed}, nil
	}
	e := &finish{typ: dtype.Float32, lo: -inf, hi: inf}
	units := affine.Units(q.In[0].Scale[0], q.In[1].Scale)
	if b := pl.constant(s, 2); b != nil {
		var err error
		if e.bias, err = affine.AccumulatorBias(b, q.In[2], 1, units); err != nil {
			return nil, err
		}
	}
	if out := q.Out[0]; out.Present() {
		e.typ = out.Type
		e.multipliers = affine.Multipliers(units, out.Scale[0])
		lo, hi := out.Type.Range()
		if q.Clamp != nil {
			lo, hi = out.Bounds(q.Clamp.Lo, q.Clamp.Hi)
		}
		e.grid = convert.Grid{ZeroPoint: int32(out.Zero(0)), QMin: int32(lo), QMax: int32(hi)}
		return e, nil
	}
	e.multipliers = units
	if q.Clamp != nil {
		e.lo, e.hi = float32(q.Clamp.Lo), float32(q.Clamp.Hi)
	}
	return e, nil
}

func (pl *plan) dispatchQuantizedConv(s *step, key *ir.Node, q *op.Quantized, o *op.Conv, fixed *rescaled) error {
	x, w := &pl.values[s.in[0]], &pl.values[s.in[1]]
	if x.shape == nil || !pl.symmetricWeight(s, q) || len(x.shape) > 5 || !q.In[1].IsPerTensor() && q.In[1].Axis != 0 {
		return nil
	}
	g, err := o.Geometry(x.shape, w.fixed.Shape())
	if err != nil {
		return err
	}
	if g.Layout != op.ChannelsLast || !pl.place(s, 0) {
		return nil
	}
	if d := depthwiseLast(g); d != nil {
		return pl.depthwiseBytes(s, key, d, q, fixed)
	}
	n := abreast(g)
	return pl.convolveBytes(s, key, pl.convPlan(widened(geometryOf(g), n), element(x.typ)), q, n, g.Strides[len(g.Strides)-1], fixed)
}
