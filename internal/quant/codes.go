package quant

import (
	"fmt"
	"math"
	"sync/atomic"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/quant/algo"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// The algorithms of mode weight-only, the last two by samples.
const (
	// RTN covers the range of the weights and rounds to nearest.
	RTN = "rtn"
	// MSEClip takes the range, no larger, of least squared error.
	MSEClip = "mse-clip"
	// HQQ is half-quadratic quantization (Badri and Shaji 2023): scales and zero
	// points that fit all weights but the outliers best.
	HQQ = "hqq"
	// GPTQ rounds each weight so that the error of those before is made up for.
	GPTQ = algo.GPTQ
	// AWQ multiplies the weights of great inputs before they are rounded, and
	// takes the range of least error of the outputs.
	AWQ = "awq"
)

// chooseCodes returns the parameters of a weight by an algorithm of mode
// weight-only. c is a float tensor; pt says which of its elements share a
// scale.
func chooseCodes(c *tensor.Tensor, scheme affine.Scheme, pt Point) (affine.Params, error) {
	var p affine.Params
	var err error
	if pt.Block > 0 {
		if src, perm, ok := tensor.Unpermuted(c); ok {
			turned := pt
			turned.Axis = perm[pt.Axis]
			p, err = chooseGroups(src, scheme, turned)
			return turnedParams(p, src.Shape(), perm), err
		}
		return chooseGroups(c, scheme, pt)
	}
	p, err = coveringParams(c, scheme, pt.Axis)
	f := newFitter(scheme, pt)
	if err != nil || f.refine == nil && !f.mirrored {
		return p, err
	}
	x, err := op.Convert(c, dtype.Float32)
	if err != nil {
		return p, err
	}
	p.Groups(c.Shape(), tensor.Data[float32](x), func(k int, group []float32) {
		p.Scale[k], p.ZeroPoint[k] = f.improve(group, p.Scale[k], p.ZeroPoint[k])
	})
	return p, nil
}

// chooseGroups is chooseCodes for groups, which all processors share.
func chooseGroups(c *tensor.Tensor, scheme affine.Scheme, pt Point) (affine.Params, error) {
	p := affine.Params{Type: scheme.Type, Axis: pt.Axis, BlockSize: pt.Block}
	n, _ := tensor.Count(p.ScaleShape(c.Shape()))
	p.Scale = make([]float32, n)
	if !scheme.Symmetric || !scheme.Type.IsSigned() {
		p.ZeroPoint = make([]int64, n) // that of the others is 0
	}
	f := newFitter(scheme, pt)
	var broken atomic.Bool
	err := p.EachBlock(c, func(k int, group []float32) {
		lo, hi, finite := convert.Ends(group)
		if !finite {
			broken.Store(true)
			return
		}
		s, z := affine.BlockParams(lo, hi, scheme)
		if p.Scale[k], z = f.improve(group, s, z); p.ZeroPoint != nil {
			p.ZeroPoint[k] = z
		}
	})
	if err == nil && broken.Load() {
		err = notFinite(c)
	}
	return p, err
}

// fitter improves the scale and zero point of weights that share them.
type fitter struct {
	lo, hi    float64 // the integers
	symmetric bool
	mirrored  bool // scales may be negative
	refine    func(x []float32, s, z float64) (float64, float64)
}

func newFitter(scheme affine.Scheme, pt Point) *fitter {
	qmin, qmax := scheme.Range()
	f := &fitter{lo: float64(qmin), hi: float64(qmax), symmetric: scheme.Symmetric}
	f.mirrored = pt.Mirrored && scheme.Symmetric && scheme.Type.Bits() < 8
	switch pt.Algorithm {
	case HQQ:
		f.refine = f.halfQuadratic
	case MSEClip:
		f.refine = f.clip
	}
	return f
}

// improve returns the scale and zero point of weights that share them, from
// those that cover their range.
func (f *fitter) improve(x []float32, scale float32, zero int64) (float32, int64) {
	if f.mirrored {
		scale = f.farthest(x, scale)
	}
	if f.refine == nil {
		return scale, zero
	}
	s, z := f.refine(x, float64(scale), float64(zero))
	return float32(s), int64(z)
}

// farthest returns the scale, of either sign, that makes the weight farthest
// from 0 the least integer, of which signed types have one more, as ONNX
// Runtime's groups of codes have it; or s where that loses less.
func (f *fitter) farthest(x []float32, s float32) float32 {
	lo, hi, _ := convert.Ends(x)
	far := lo
	switch {
	case hi > -lo:
		far = hi
	case hi == -lo: // the first of both
		for _, v := range x {
			if max(v, -v) == hi {
				far = v
				break
			}
		}
	}
	if t := far / float32(f.lo); max(t, -t) >= leastScale {
		if losses := f.losses(x, float64(s), float64(t), 0); losses[1] < losses[0] {
			return t
		}
	}
	return s
}

// code returns the integer of a weight.
func (f *fitter) code(x, s, z float64) float64 {
	// Not by min and max: nothing here is NaN, and the sign of 0 does not count.
	q := math.RoundToEven(x/s) + z
	if q < f.lo {
		return f.lo
	}
	if q > f.hi {
		return f.hi
	}
	return q
}

// losses returns the sum of squared errors of each of two scales.
func (f *fitter) losses(x []float32, s, t, z float64) [2]float64 {
	// The bounds of codes are whole: limiting before rounding is the same as
	// after.
	return convert.Losses(x, [2]float64{s, t}, f.lo-z, f.hi-z)
}

// clipSteps and leastClip are the ranges that clip tries: 1 down to leastClip
// of the whole one.
const (
	clipSteps = 40
	leastClip = 0.5
)

// clip returns the parameters of the part of the range with the least loss.
func (f *fitter) clip(x []float32, s, z float64) (float64, float64) {
	// Both ends shrink alike, so that the zero point stays.
	bestS, best := s, math.Inf(1)
	for i := 0; i <= clipSteps; i += 2 {
		t, u := clipped(s, i), clipped(s, min(i+1, clipSteps))
		if i > 0 && math.Abs(t) < leastScale {
			break
		}
		if math.Abs(u) < leastScale {
			u = t
		}
		l := f.losses(x, t, u, z)
		if l[0] < best {
			bestS, best = t, l[0]
		}
		if l[1] < best {
			bestS, best = u, l[1]
		}
	}
	return bestS, z
}

// clipped is scale number i that clip tries.
func clipped(s float64, i int) float64 {
	if i == 0 {
		return s
	}
	return float64(float32(s * (1 - float64((1-leastClip)*float64(i)/clipSteps))))
}

// leastScale is the least magnitude of a scale.
const leastScale = 0x1p-126

// The constants of half-quadratic quantization, as published.
const (
	hqqSteps = 20
	hqqPower = 0.7 // of the norm that outliers count by
	hqqBeta  = 10
	hqqGrow  = 1.01
)

// halfQuadratic alternates between the errors that are taken for outliers, by
// the shrinkage of the norm, and the scale and zero point that fit the rest
// best by least squares, until the error no longer falls. Zero points are
// integers in the end, and so the scale is fitted along with them.
func (f *fitter) halfQuadratic(x []float32, s, z float64) (float64, float64) {
	beta, best := float64(hqqBeta), math.Inf(1)
	bestS, bestZ := s, z
	for range hqqSteps {
		if loss := f.deviation(x, s, z); loss < best {
			best, bestS, bestZ = loss, s, z
		} else {
			break
		}
		t, y := f.fit(x, s, z, beta)
		y = max(f.lo, min(f.hi, math.RoundToEven(y)))
		if f.symmetric {
			y = z
		}
		if t = float64(float32(t)); math.Abs(t) < leastScale {
			break
		}
		s, z = t, y
		beta *= hqqGrow
	}
	return bestS, bestZ
}

// deviation returns the sum of the errors, which outliers do not rule.
func (f *fitter) deviation(x []float32, s, z float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += math.Abs(float64(v) - float64((f.code(float64(v), s, z)-z)*s))
	}
	return sum
}

// fit returns the scale and zero point by which the integers that s and z give
// are nearest to the weights without their outliers.
func (f *fitter) fit(x []float32, s, z, beta float64) (float64, float64) {
	var n, sq, sr, sqq, sqr float64
	none := unshrunk(beta)
	for _, v := range x {
		q := f.code(float64(v), s, z)
		rest := float64(v) - shrink(float64(v)-float64((q-z)*s), beta, none)
		if f.symmetric {
			q -= z
		}
		n++
		sq, sr = sq+q, sr+rest
		sqq, sqr = sqq+float64(q*q), sqr+float64(q*rest)
	}
	if f.symmetric {
		if sqq == 0 {
			return s, z
		}
		return sqr / sqq, z
	}
	spread := sqq - float64(sq*sq)/n
	if spread <= 0 {
		return s, z
	}
	t := (sqr - float64(sq*sr)/n) / spread
	if t == 0 {
		return s, z
	}
	return t, (sq - sr/t) / n
}

// shrink is the proximal step of |e|^p: what of an error counts as outlier, which
// is nothing of those below none.
func shrink(e, beta, none float64) float64 {
	a := math.Abs(e)
	if a < none {
		return 0
	}
	return math.Copysign(max(a-float64(eltwise.Pow(float32(a), hqqPower-1))/beta, 0), e)
}

// unshrunk is somewhat below the error a for which a = a^(p−1)/beta.
func unshrunk(beta float64) float64 {
	const margin = 0.99 // far more than Pow is off by
	return margin * float64(eltwise.Pow(float32(beta), -1/(2-hqqPower)))
}

// finite returns an error for a weight that holds NaN or an infinity.
func finite(c *tensor.Tensor) error {
	_, _, ok, err := affine.Extremes(c)
	if err == nil && !ok {
		err = notFinite(c)
	}
	return err
}

// notFinite is the error of such a weight.
func notFinite(c *tensor.Tensor) error {
	x, err := op.Convert(c, dtype.Float32)
	if err != nil {
		return err
	}
	bad, first := 0, 0
	for i, v := range tensor.Data[float32](x) {
		if v-v != 0 {
			if bad++; bad == 1 {
				first = i
			}
		}
	}
	return &diag.Error{Msg: fmt.Sprintf("%d of its %d elements are NaN or infinite, the first at %d", bad, c.Len(), first),
		Notes: []string{"a model whose training diverged has such weights: look at the checkpoint before", "--keep PATTERN leaves the node that reads it float"}}
}
