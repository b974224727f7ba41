package quant

import (
	"math"

	"github.com/octavo-ml/octavo/internal/affine"
)

// fitSteps is how many parts of the range of some weights are tried, down to
// leastClip of the whole.
const fitSteps = 20

// groupFit chooses the scale and zero point of weights that share them by what
// their errors cost.
type groupFit struct {
	*fitter
	scheme affine.Scheme
}

func newGroupFit(s *settings, pt Point) *groupFit {
	scheme := s.scheme(pt)
	return &groupFit{newFitter(scheme, pt), scheme}
}

// bases returns the scales, and their zero point, that reach all of x: that
// which covers the range, and where scales may be negative, that which makes the
// farthest weight the least integer.
func (f *groupFit) bases(x []float64) (scales []float64, zero float64) {
	lo, hi, far := 0.0, 0.0, 0.0
	for _, v := range x {
		lo, hi = min(lo, v), max(hi, v)
		if math.Abs(v) > math.Abs(far) {
			far = v
		}
	}
	scale, z := affine.ChooseParams(lo, hi, f.scheme)
	scales = []float64{float64(scale)}
	if t := float64(float32(far / f.lo)); f.mirrored && math.Abs(t) >= 0x1p-126 {
		scales = append(scales, t)
	}
	return scales, max(f.lo, min(f.hi, float64(z)))
}

// weighed returns the parameters with the least sum of squared errors, each
// times its cost.
func (f *groupFit) weighed(x, cost []float64) (float32, int64) {
	return f.least(x, func(s, z, best float64) float64 {
		sum := 0.0
		for i, v := range x {
			d := v - float64((f.code(v, s, z)-z)*s)
			if sum += float64(float64(d*d) * cost[i]); sum >= best {
				break // it only grows
			}
		}
		return sum
	})
}

// least tries parts of the range in steps; both ends shrink alike. A loss need not
// be exact once it exceeds the best so far.
func (f *groupFit) least(x []float64, loss func(s, z, best float64) float64) (float32, int64) {
	scales, z := f.bases(x)
	best, bestS := math.Inf(1), scales[0]
	for _, s := range scales {
		for i := range fitSteps + 1 {
			t := float64(float32(s * (1 - float64((1-leastClip)*float64(i)/fitSteps))))
			if math.Abs(t) < 0x1p-126 {
				break
			}
			if l := loss(t, z, best); l < best {
				best, bestS = l, t
			}
		}
	}
	return float32(bestS), int64(z)
}

// leastOf is least for a group of weights, those of the given columns, in each of n
// rows of a matrix: what the errors of all rows cost is told at once. set gets the
// parameters of each row.
func (f *groupFit) leastOf(matrix []float32, width, n int, columns []int, costs func(cost []float64, e, products []float32), set func(row int, scale float32, zero int64)) {
	w := len(columns)
	if n <= 0 || w == 0 {
		return
	}
	x, e, products := make([]float64, n*w), make([]float32, n*w), make([]float32, n*w)
	scales, zeros := make([][]float64, n), make([]float64, n)
	best, bestS, cost := make([]float64, n), make([]float64, n), make([]float64, n)
	most := 0
	for r := range n {
		for i, c := range columns {
			x[r*w+i] = float64(matrix[r*width+c])
		}
		scales[r], zeros[r] = f.bases(x[r*w : r*w+w])
		best[r], bestS[r] = math.Inf(1), scales[r][0]
		most = max(most, len(scales[r]))
	}
	now := make([]float64, n)
	for k := range most {
		for i := range protectFits + 1 {
			for r := range n {
				if now[r] = 0; k < len(scales[r]) {
					now[r] = float64(float32(scales[r][k] * (1 - float64((1-leastClip)*float64(i)/protectFits))))
				}
				if math.Abs(now[r]) < 0x1p-126 {
					clear(e[r*w : r*w+w])
					continue
				}
				for j, v := range x[r*w : r*w+w] {
					e[r*w+j] = float32(v - float64((f.code(v, now[r], zeros[r])-zeros[r])*now[r]))
				}
			}
			costs(cost, e, products)
			for r, l := range cost {
				if math.Abs(now[r]) >= 0x1p-126 && l < best[r] {
					best[r], bestS[r] = l, now[r]
				}
			}
		}
	}
	for r := range n {
		set(r, float32(bestS[r]), int64(zeros[r]))
	}
}

// plain writes what plain rounding leaves of a row to dst, given the columns of
// each group.
func (f *groupFit) plain(dst, w []float32, columns [][]int) {
	x := make([]float64, 0, len(w))
	for _, group := range columns {
		x = x[:0]
		for _, c := range group {
			x = append(x, float64(w[c]))
		}
		scales, z := f.bases(x)
		best, bestS := math.Inf(1), scales[0]
		for _, s := range scales {
			if len(scales) == 1 {
				break
			}
			sum := 0.0
			for _, v := range x {
				d := v - float64((f.code(v, s, z)-z)*s)
				sum += float64(d * d)
			}
			if sum < best {
				best, bestS = sum, s
			}
		}
		for i, c := range group {
			dst[c] = float32((f.code(x[i], bestS, z) - z) * bestS)
		}
	}
}
