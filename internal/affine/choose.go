package affine

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Scheme says onto which integers a range is mapped.
type Scheme struct {
	Type dtype.Type
	// Symmetric puts the zero point in the middle and widens the range to
	// ±max|x|.
	Symmetric bool
	// Narrow leaves out the least integer, so that signed ranges mirror.
	Narrow bool
	// Reduced takes one bit less, for processors whose 8-bit products
	// saturate in 16 bits.
	Reduced bool
	// MinRange is the least distance between the ends of the range.
	MinRange float64
}

// reducedRange holds ONNX Runtime's ranges of one bit less.
var reducedRange = map[dtype.Type][2]int64{
	dtype.Uint8: {0, 127}, dtype.Int8: {-64, 64},
	dtype.Uint16: {0, 32767}, dtype.Int16: {-16384, 16384},
	dtype.Uint4: {0, 7}, dtype.Int4: {-4, 3},
}

// Range returns the integers that the ends of a range are mapped to: reduced
// ranges first; symmetric 8- and 16-bit signed types are narrow (ONNX Runtime
// 1.32, quant_utils.py).
func (s Scheme) Range() (qmin, qmax int64) {
	qmin, qmax = s.Type.Range()
	if s.Reduced {
		if r, ok := reducedRange[s.Type]; ok {
			return r[0], r[1]
		}
	}
	if s.Narrow || s.Symmetric && (s.Type == dtype.Int8 || s.Type == dtype.Int16) {
		qmin++
	}
	return qmin, qmax
}

const smallestNormal = 0x1p-126

// ChooseParams returns the scale and zero point that map [lo, hi], widened to
// hold 0, onto the integers of s, so that 0 is exact. A range too small for a
// normal scale gives scale 1 and zero point 0. NaN counts as 0, and ends beyond
// float32 as its largest number.
func ChooseParams(lo, hi float64, s Scheme) (scale float32, zeroPoint int64) {
	lo, hi = math.Min(finite(lo), 0), math.Max(finite(hi), 0)
	hi = math.Max(hi, lo+s.MinRange)
	if s.Symmetric {
		hi = math.Max(-lo, hi)
		lo = -hi
	}
	qmin, qmax := s.Range()
	step := (hi - lo) / float64(qmax-qmin)
	if step < smallestNormal {
		return 1, 0
	}
	if s.Symmetric {
		return float32(step), middle(qmin, qmax)
	}
	return float32(step), int64(math.RoundToEven(float64(qmin) - lo/step))
}

func middle(qmin, qmax int64) int64 { return int64(math.RoundToEven(float64(qmin+qmax) / 2)) }

func finite(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return math.Max(-math.MaxFloat32, math.Min(math.MaxFloat32, x))
}

// ChooseWeightParams returns the parameters that cover the elements of t: one
// scale for PerTensorAxis, else one for each index of the axis.
func ChooseWeightParams(t *tensor.Tensor, s Scheme, axis int) (Params, error) {
	p, _, err := WeightParams(t, s, axis)
	return p, err
}

// WeightParams is ChooseWeightParams, and reports whether all elements are
// finite. t is read once, by parts, on all processors.
func WeightParams(t *tensor.Tensor, s Scheme, axis int) (p Params, finite bool, err error) {
	p = Params{Type: s.Type, Scale: []float32{1}, Axis: axis}
	if axis < PerTensorAxis || axis >= t.Rank() {
		return p, false, fmt.Errorf("affine: axis %d is outside shape %v", axis, t.Shape())
	}
	if axis >= 0 {
		p.Scale = make([]float32, t.Shape()[axis])
	}
	p.ZeroPoint = make([]int64, len(p.Scale))
	lo, hi, err := p.extremes(t)
	if err != nil {
		return p, false, err
	}
	finite = true
	for i := range p.Scale {
		finite = finite && lo[i]-lo[i] == 0 && hi[i]-hi[i] == 0
		p.Scale[i], p.ZeroPoint[i] = ChooseParams(float64(lo[i]), float64(hi[i]), s)
	}
	return p, finite, nil
}

// BlockParams returns the scale and zero point that cover a block of elements from
// lo to hi. The zero point follows from the stored float32 scale, as in ONNX
// Runtime's blocked weights.
func BlockParams(lo, hi float32, s Scheme) (scale float32, zeroPoint int64) {
	qmin, qmax := s.Range()
	lo, hi = min(lo, 0), max(hi, 0)
	if s.Symmetric {
		hi = max(-lo, hi)
		lo = -hi
	}
	span := float64(hi - lo)
	if math.IsInf(span, 0) {
		span = float64(hi) - float64(lo)
	}
	scale, zeroPoint = float32(span/float64(qmax-qmin)), middle(qmin, qmax)
	switch {
	case scale < smallestNormal && s.Symmetric:
		scale = 1
	case scale < smallestNormal:
		scale, zeroPoint = 1, 0
	case !s.Symmetric:
		z := math.RoundToEven(float64(qmin) - float64(lo)/float64(scale))
		zeroPoint = int64(math.Max(float64(qmin), math.Min(float64(qmax), z)))
	}
	return scale, zeroPoint
}

// Extremes returns the least and the greatest of 0 and the elements of t, and
// whether all of them are finite. t is read by parts, on all processors.
func Extremes(t *tensor.Tensor) (lo, hi float32, finite bool, err error) {
	los, his, err := Params{Scale: []float32{1}, Axis: PerTensorAxis}.extremes(t)
	if err != nil {
		return 0, 0, false, err
	}
	lo, hi = los[0], his[0]
	return lo, hi, lo-lo == 0 && hi-hi == 0, nil
}

// ChannelExtremes is Extremes for each index of an axis, without what tells
// whether they are finite.
func ChannelExtremes(t *tensor.Tensor, axis int) (lo, hi []float32, err error) {
	if axis < 0 || axis >= t.Rank() {
		return nil, nil, fmt.Errorf("affine: axis %d is outside shape %v", axis, t.Shape())
	}
	return Params{Scale: make([]float32, t.Shape()[axis]), Axis: axis}.extremes(t)
}

// extremes returns the least and the greatest element for each scale of p, and
// 0 where there are no elements; NaN where one of them is NaN.
func (p Params) extremes(t *tensor.Tensor) (lo, hi []float32, err error) {
	for p.BlockSize == 0 {
		// The order of the elements does not count.
		src, perm, ok := tensor.Unpermuted(t)
		if !ok {
			break
		}
		if t = src; !p.IsPerTensor() {
			p.Axis = perm[p.Axis]
		}
	}
	workers := workersFor(t.Len())
	los, his := make([][]float32, workers), make([][]float32, workers)
	for i := range workers {
		los[i], his[i] = make([]float32, len(p.Scale)), make([]float32, len(p.Scale))
	}
	err = eachPart(t, workers, func(worker, first int, x []float32) {
		lo, hi := los[worker], his[worker]
		s := scratches.Get().(*scratch)
		defer scratches.Put(s)
		p.eachIn(t.Shape(), first, first+len(x), func(from, to, k, n int) {
			x := x[from-first : to-first]
			switch {
			case n == 1:
				extend(&lo[k], &hi[k], x)
			case len(x)/n >= leastTurned:
				s.tile.each(x, n, func(_, c, height, width int) {
					for j := range width {
						extend(&lo[k+c+j], &hi[k+c+j], s.tile[j*height:(j+1)*height])
					}
				})
			default:
				for len(x) > 0 {
					for j, v := range x[:n] {
						lo[k+j], hi[k+j] = min(lo[k+j], v), max(hi[k+j], v)
					}
					x = x[n:]
				}
			}
		})
	})
	lo, hi = los[0], his[0]
	for w := 1; w < workers; w++ {
		for i := range lo {
			lo[i], hi[i] = min(lo[i], los[w][i]), max(hi[i], his[w][i])
		}
	}
	return lo, hi, err
}
