package op

import (
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// taps are the weighted input elements of each output element of one axis:
// width of them each. outside marks the output elements that lie outside the
// input and get the extrapolation value.
type taps struct {
	width   int
	at      []int
	weight  []float64
	outside []bool
}

// filter returns the interpolation kernel at distance t (Keys, "Cubic
// convolution interpolation for digital image processing", equation 4).
func (o *Resize) filter(t float64) float64 {
	t = math.Abs(t)
	if o.Mode == "linear" {
		return max(0, 1-t)
	}
	a := float64(o.CubicA)
	switch {
	case t <= 1:
		near := float64((a+2)*t) - (a + 3)
		return float64(float64(near*t)*t) + 1
	case t < 2:
		far := float64(a*t) - float64(5*a)
		far = float64(far*t) + float64(8*a)
		return float64(far*t) - float64(4*a)
	}
	return 0
}

// taps computes the weights of an axis of n input and m output elements.
func (o *Resize) taps(n, m int, scale float32, coordinate func(int) float32) taps {
	support, shrink := 1, 1.0
	if o.Mode == "cubic" {
		support = 2
	}
	if o.Antialias {
		shrink = min(float64(scale), 1)
	}
	// The kernel reaches from tap first to tap 1-first, counted from the
	// coordinate's floor.
	first := int(math.Floor(float64(-support)/shrink)) + 1
	width := 2 * (1 - first)
	t := taps{width, make([]int, m*width), make([]float64, m*width), make([]bool, m)}
	for i := range m {
		p := float64(coordinate(i))
		if o.Coordinates == cropAndResize && !(p >= 0 && p <= float64(n-1)) {
			t.outside[i] = true
			continue
		}
		p = min(max(p, float64(-n-2)), float64(2*n+2))
		floor := math.Floor(p)
		at, weight := t.at[i*width:(i+1)*width], t.weight[i*width:(i+1)*width]
		var sum float64
		for k := range at {
			j := first + k
			at[k] = int(floor) + j
			weight[k] = o.filter(float64((float64(j) - (p - floor)) * shrink))
			if at[k] < 0 || at[k] >= n {
				if o.ExcludeOutside {
					weight[k] = 0
				}
				at[k] = min(max(at[k], 0), n-1)
			}
			sum += weight[k]
		}
		if (o.ExcludeOutside || o.Antialias) && sum != 0 {
			for k := range weight {
				weight[k] /= sum
			}
		}
	}
	return t
}

// interpolate resizes one axis after the other.
func (o *Resize) interpolate(x *tensor.Tensor, axes []int, plan []sampled, at func(int) func(int) float32, still func(int) bool) ([]Datum, error) {
	work := dtype.Float32
	if t := x.Type(); t == dtype.Float64 || t.IsInteger() && t.Bits() > 16 {
		work = dtype.Float64
	}
	y, err := Convert(x, work)
	if err != nil {
		return nil, err
	}
	for k, a := range axes {
		if still(k) {
			continue
		}
		m, _ := plan[k].out.Int()
		t := o.taps(y.Shape()[a], m, plan[k].scale, at(k))
		shape := append([]int{}, y.Shape()...)
		shape[a] = m
		c, err := canvasOf(work, shape...)
		if err != nil {
			return nil, err
		}
		n := y.Shape()[a]
		row, outer := inner(shape, a+1), inner(shape[:a], 0)
		if work == dtype.Float64 {
			resample(tensor.Data[float64](c.t), tensor.Data[float64](y), t, outer, n, row, float64(o.Extrapolation))
		} else {
			resample(tensor.Data[float32](c.t), tensor.Data[float32](y), t, outer, n, row, o.Extrapolation)
		}
		y = c.t
	}
	if x.Type().IsInteger() {
		y = rounded(y, x.Type())
	}
	y, err = Convert(y, x.Type())
	return Of(y), err
}

// resample computes outer slabs of m·row elements from slabs of n·row. Taps
// without weight do not count, so that an infinite neighbour does no harm to an
// element that is copied.
func resample[T float32 | float64](dst, src []T, t taps, outer, n, row int, fill T) {
	m := len(t.outside)
	weight := make([]T, len(t.weight))
	for i, w := range t.weight {
		weight[i] = T(w)
	}
	for o := range outer {
		from, to := src[o*n*row:(o+1)*n*row], dst[o*m*row:(o+1)*m*row]
		if row == 1 {
			resampleLine(to, from, t, weight, fill)
			continue
		}
		for i := range m {
			d := to[i*row : (i+1)*row]
			if t.outside[i] {
				for j := range d {
					d[j] = fill
				}
				continue
			}
			begun := false
			for k, at := range t.at[i*t.width : (i+1)*t.width] {
				w := weight[i*t.width+k]
				if w == 0 {
					continue
				}
				s := from[at*row : (at+1)*row]
				if !begun {
					for j, v := range s {
						d[j] = w * v
					}
					begun = true
					continue
				}
				for j, v := range s {
					d[j] += T(w * v)
				}
			}
		}
	}
}

// resampleLine is resample for one line of single elements.
func resampleLine[T float32 | float64](dst, src []T, t taps, weight []T, fill T) {
	for i := range dst {
		if t.outside[i] {
			dst[i] = fill
			continue
		}
		begun := false
		var acc T
		for k, at := range t.at[i*t.width : (i+1)*t.width] {
			switch w := weight[i*t.width+k]; {
			case w == 0:
			case begun:
				acc += T(w * src[at])
			default:
				acc, begun = w*src[at], true
			}
		}
		dst[i] = acc
	}
}

// rounded returns floats rounded half to even and clamped to the range of an
// integer type.
func rounded(t *tensor.Tensor, typ dtype.Type) *tensor.Tensor {
	lo, hi := typ.Range()
	out := t.Clone()
	if t.Type() == dtype.Float64 {
		roundInto(tensor.Data[float64](out), float64(lo), float64(hi))
	} else {
		roundInto(tensor.Data[float32](out), float32(lo), float32(hi))
	}
	return out
}

func roundInto[T float32 | float64](d []T, lo, hi T) {
	for i, v := range d {
		d[i] = min(max(T(math.RoundToEven(float64(v))), lo), hi)
	}
}
