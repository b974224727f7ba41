package quant

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// The algorithms of mode weight-only that need no samples.
const (
	// RTN covers the range of the weights and rounds to nearest.
	RTN = "rtn"
	// MSEClip takes the range, no larger, of least squared error.
	MSEClip = "mse-clip"
	// HQQ is half-quadratic quantization (Badri and Shaji 2023): zero points,
	// or scales where they are 0, that fit all weights but the outliers best.
	HQQ = "hqq"
)

// chooseCodes returns the parameters of a weight by an algorithm of mode
// weight-only. c is a float tensor of finite elements; pt says which share a
// scale.
func chooseCodes(c *tensor.Tensor, scheme affine.Scheme, pt Point) (affine.Params, error) {
	var p affine.Params
	var err error
	if pt.Block > 0 {
		p, err = affine.ChooseBlockParams(c, scheme, pt.Axis, pt.Block)
	} else {
		p, err = affine.ChooseWeightParams(c, scheme, pt.Axis)
	}
	if err != nil || pt.Algorithm == RTN {
		return p, err
	}
	x, err := op.Convert(c, dtype.Float32)
	if err != nil {
		return p, err
	}
	qmin, qmax := scheme.Range()
	f := fitter{lo: float64(qmin), hi: float64(qmax), symmetric: scheme.Symmetric}
	refine := f.clip
	if pt.Algorithm == HQQ {
		refine = f.halfQuadratic
	}
	p.Groups(c.Shape(), tensor.Data[float32](x), func(k int, group []float32) {
		s, z := refine(group, float64(p.Scale[k]), float64(p.Zero(k)))
		p.Scale[k], p.ZeroPoint[k] = float32(s), int64(z)
	})
	return p, nil
}

// fitter improves the scale and zero point of weights that share them.
type fitter struct {
	lo, hi    float64 // the integers
	symmetric bool
}

// code returns the integer of a weight.
func (f *fitter) code(x, s, z float64) float64 {
	return max(f.lo, min(f.hi, math.RoundToEven(x/s)+z))
}

// loss returns the sum of squared errors.
func (f *fitter) loss(x []float32, s, z float64) float64 {
	sum := 0.0
	for _, v := range x {
		d := float64(v) - float64((f.code(float64(v), s, z)-z)*s)
		sum += float64(d * d)
	}
	return sum
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
	bestS, best := s, f.loss(x, s, z)
	for i := 1; i <= clipSteps; i++ {
		t := s * (1 - float64((1-leastClip)*float64(i)/clipSteps))
		if t = float64(float32(t)); t < 0x1p-126 {
			break
		}
		if l := f.loss(x, t, z); l < best {
			bestS, best = t, l
		}
	}
	return bestS, z
}

// The constants of half-quadratic quantization, as published.
const (
	hqqSteps = 20
	hqqPower = 0.7 // of the norm that outliers count by
	hqqBeta  = 10
	hqqGrow  = 1.01
)

// halfQuadratic alternates between the errors that are taken for outliers, by
// the shrinkage of the norm, and the zero point (or, where that is fixed, the
// scale) that fits the rest best, until the error no longer falls. The zero
// point is rounded at the end.
func (f *fitter) halfQuadratic(x []float32, s, z float64) (float64, float64) {
	beta, best := float64(hqqBeta), math.Inf(1)
	fitS, fitZ := s, z
	for range hqqSteps {
		loss, num, den := 0.0, 0.0, 0.0
		for _, v := range x {
			w := float64(v)
			q := max(f.lo, min(f.hi, math.RoundToEven(w/fitS+fitZ)))
			e := w - float64((q-fitZ)*fitS)
			loss += math.Abs(e)
			rest := w - shrink(e, beta)
			if f.symmetric {
				num += float64(rest * q)
				den += float64(q * q)
			} else {
				num += q - rest/fitS
				den++
			}
		}
		if !(loss < best) {
			break
		}
		best, s, z = loss, fitS, fitZ
		if den == 0 {
			break
		}
		if f.symmetric {
			if t := float64(float32(num / den)); t >= 0x1p-126 {
				fitS = t
			}
		} else {
			fitZ = num / den
		}
		beta *= hqqGrow
	}
	return s, max(f.lo, min(f.hi, math.RoundToEven(z)))
}

// shrink is the proximal step of |e|^p: what of an error counts as outlier.
func shrink(e, beta float64) float64 {
	a := math.Abs(e)
	if a < 1e-30 {
		return 0
	}
	return math.Copysign(max(a-float64(eltwise.Pow(float32(a), hqqPower-1))/beta, 0), e)
}

// finite returns an error for a weight that holds NaN or an infinity.
func finite(c *tensor.Tensor) error {
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
	if bad == 0 {
		return nil
	}
	return &diag.Error{Msg: fmt.Sprintf("%d of its %d elements are NaN or infinite, the first at %d", bad, c.Len(), first),
		Notes: []string{"a model whose training diverged has such weights: look at the checkpoint before", "--keep PATTERN leaves the node that reads it float"}}
}
