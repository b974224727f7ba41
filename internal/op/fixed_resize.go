package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// resizeFits reports whether a Resize is one of TensorFlow Lite's: of two axes
// beside each other.
func (o *Quantized) resizeFits(r *Resize) bool {
	if o.Clamp != nil || !o.In[0].Equal(o.Out[0]) || r.Antialias || r.AspectRatio != "stretch" || len(r.Axes) != 2 || r.Axes[0] < 0 || r.Axes[1] != r.Axes[0]+1 {
		return false
	}
	centred := r.Coordinates == "half_pixel" || r.Coordinates == "align_corners"
	switch r.Mode {
	case "linear":
		return centred || r.Coordinates == "asymmetric"
	case "nearest":
		return centred && r.NearestMode == "round_prefer_ceil" || r.Coordinates == "asymmetric" && r.NearestMode == "floor"
	}
	return false
}

// near2 are the two places that an element of a resized axis lies between, and
// how far from the first: in steps of 1/resizeUnit, or as it is.
type near2 struct {
	lo, hi int
	part   int64
	real   float32
}

// fixedResize interpolates integers as they are.
func (o *Quantized) fixedResize(r *Resize, in []Datum, shape []int) (*tensor.Tensor, error) {
	x := arg(in, 0)
	a := r.Axes[0]
	if x.Rank() < a+2 || len(shape) != x.Rank() {
		return nil, fmt.Errorf("data of shape %v has no axes %d and %d", x.Shape(), a, a+1)
	}
	outer, _ := tensor.Count(shape[:a])
	last := inner(shape, a+2)
	h, w := x.Shape()[a], x.Shape()[a+1]
	real := o.In[0].Type == dtype.Uint8
	ys, xs := make([]near2, shape[a]), make([]near2, shape[a+1])
	for i := range ys {
		ys[i] = r.fixedPlace(i, h, len(ys), real)
	}
	for i := range xs {
		xs[i] = r.fixedPlace(i, w, len(xs), real)
	}
	v, _ := tensor.Ints(x)
	n, _ := tensor.Count(shape)
	out := make([]int64, 0, n)
	for b := range outer {
		for _, y := range ys {
			for _, x := range xs {
				at := func(i, k int) []int64 { return v[((b*h+i)*w+k)*last:][:last] }
				p := at(y.lo, x.lo)
				switch {
				case r.Mode == "nearest":
					out = append(out, p...)
				case real:
					for c := range last {
						out = append(out, lerp32(p[c], at(y.hi, x.lo)[c], at(y.lo, x.hi)[c], at(y.hi, x.hi)[c], y.real, x.real))
					}
				default:
					for c := range last {
						out = append(out, lerp(p[c], at(y.hi, x.lo)[c], at(y.lo, x.hi)[c], at(y.hi, x.hi)[c], y.part, x.part))
					}
				}
			}
		}
	}
	return tensor.FromInts(o.Out[0].Type, out, shape...), nil
}

// resizeUnit is how many steps the place between two elements has.
const resizeUnit = 1 << 10

// lerp interpolates with weights of 10 bits, and rounds halves away from zero.
func lerp(a, b, c, d, y, x int64) int64 {
	s := (resizeUnit-x)*((resizeUnit-y)*a+y*b) + x*((resizeUnit-y)*c+y*d)
	if s > 0 {
		return (s + 1<<19) / (1 << 20)
	}
	return (s - 1<<19) / (1 << 20)
}

// lerp32 interpolates in float32, in the reference's order.
func lerp32(a, b, c, d int64, y, x float32) int64 {
	term := func(v int64, p, q float32) float32 { return float32(float32(float32(v)*p) * q) }
	s := term(a, 1-y, 1-x) + term(b, y, 1-x)
	s += term(c, 1-y, x)
	s += term(d, y, x)
	return int64(s + 0.5)
}

// fixedPlace returns where element i of m lies among n, in steps or in float32.
func (r *Resize) fixedPlace(i, n, m int, real bool) near2 {
	align, half := r.Coordinates == "align_corners", r.Coordinates == "half_pixel"
	from, to := n, m
	if align && m > 1 {
		from, to = n-1, m-1
	}
	scale, at := float32(from)/float32(to), float32(i)
	if half {
		at += 0.5
	}
	at = float32(at * scale)
	if r.Mode == "nearest" {
		p := math.Floor(float64(at))
		if align {
			p = math.Round(float64(at))
		}
		return near2{lo: max(min(int(p), n-1), 0)}
	}
	if real {
		if half {
			at -= 0.5
		}
		lo := min(max(int(math.Floor(float64(at))), 0), n-1)
		return near2{lo: lo, hi: min(max(int(math.Ceil(float64(at))), 0), n-1), real: at - float32(lo)}
	}
	steps := (resizeUnit*from + to/2) / to
	k := i * steps
	if half {
		k += steps/2 - resizeUnit/2
	}
	lo := min(max(k/resizeUnit, 0), n-1)
	return near2{lo: lo, hi: min((k+resizeUnit-1)/resizeUnit, n-1), part: int64(k - resizeUnit*lo)}
}
