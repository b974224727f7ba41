package quant

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/quant/algo"
	"github.com/octavo-ml/octavo/internal/quant/calibrate"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// The columns of one Hessian of a weight of mode weight-only are bounded too.
const (
	fullShared  = 1024
	blockShared = 512
)

// CalibratedWeights returns the algorithm by which weights of mode weight-only
// are chosen where it needs samples, else "".
func (r *Recipe) CalibratedWeights() string {
	if slices.Contains([]string{GPTQ, AWQ}, r.Weights.Algorithm) {
		return r.Weights.Algorithm
	}
	return ""
}

// ImproveWeights chooses the weights of mode weight-only of g by samples, layer
// by layer, as the recipe's algorithm says. What it changes is in the result's
// graph; g stays as it is, of which pl is the placement and st the statistics.
// done is told how far it is.
func ImproveWeights(ctx context.Context, g *ir.Graph, pl *Placement, st Statistics, samples []calibrate.Kept, r *Recipe, threads int, done func(layer, of int)) (*Improved, error) {
	s, err := r.resolve()
	if err != nil {
		return nil, err
	}
	if n := int(streamBytes / max(liveBytes(g, samples), 1)); n < len(samples) {
		samples = spread(samples, max(n, LeastImproveSamples))
	}
	out, known := &Improved{Ran: []string{s.algorithm}}, newWeights(true)
	out.Graph, _ = g.Clone()
	debug.FreeOSMemory() // what ran before is as large as the weights
	if s.algorithm == AWQ {
		if err := protect(ctx, out.Graph, pl, s, inputsOf(samples), known, threads, done); err != nil {
			return nil, err
		}
	}
	if out.Plan, err = makePlan(out.Graph, pl, st, r, known, threads); err != nil {
		return nil, err
	}
	if s.algorithm == GPTQ {
		err = refine(ctx, s, out.Graph, out.Plan, inputsOf(samples), []string{algo.GPTQ}, threads, done)
	}
	return out, err
}

// hessian returns an empty one for the inputs of a layer.
func (l *layer) hessian(groups, width int) *algo.Hessian {
	if l.shared != nil {
		return algo.NewHessian(groups, width, fullShared, blockShared, l.shared.unit)
	}
	return algo.NewHessian(groups, width, fullColumns, blockColumns, 1)
}

// roundShared chooses the integers of a weight of mode weight-only, and the
// scales with them.
func (r *refiner) roundShared(l *layer, h *algo.Hessian, rounded *roundedRows) error {
	s := l.shared
	fit := newGroupFit(r.settings, s.point)
	scale, zero := make([]float32, s.rows()*s.groups), make([]int64, s.rows()*s.groups)
	h.RoundShared(rounded, algo.Shared{Of: s.of, Groups: s.groups, Lo: int64(fit.lo), Hi: int64(fit.hi)},
		func(row, group int, x, cost []float64) (float32, int64) {
			k := row*s.groups + group
			scale[k], zero[k] = fit.weighed(x, cost)
			return scale[k], zero[k]
		}, r.threads)
	p, q := s.params(scale, zero), rounded.tensor()
	r.known.params[l.key], r.known.integers[l.key] = p, quantized{p, q}
	r.plan.Params[l.point] = p
	l.weight.Const.Release()
	return r.replace(l, q, p)
}

// replace puts integers and their parameters into the quantized graph.
func (r *refiner) replace(l *layer, q *tensor.Tensor, p affine.Params) error {
	dq := r.quant.prod[l.quantized.In[l.facts.Weight]]
	if dq == nil || len(dq.In) < 3 || dq.In[0].Const == nil || dq.In[1].Const == nil || dq.In[2].Const == nil {
		return fmt.Errorf("the weight is not stored as integers")
	}
	dq.In[0].Const = q
	dq.In[1].Const = tensor.FromSlice(p.Scale, dq.In[1].Const.Shape()...)
	dq.In[2].Const = tensor.FromInts(p.Type, p.ZeroPoint, dq.In[2].Const.Shape()...)
	return nil
}
