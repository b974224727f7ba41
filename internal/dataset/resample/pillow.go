package resample

import (
	"fmt"
	"math"
	"slices"
)

// Pillow resizes as Image.resize of Pillow does on modes L and RGB: weights in
// fixed point, first along the rows, then along the columns, with 8 bits
// between; a direction whose size stays is left out. Reducing averages over
// all pixels that an output pixel covers. src has channels (1 or 3)
// interleaved bytes a pixel; the result is a new slice.
func Pillow(src []uint8, from, to Size, channels int, f Filter) ([]uint8, error) {
	if err := check(len(src), from, to, channels); err != nil {
		return nil, err
	}
	if f == Nearest {
		return nearest(src, from, to, channels, centres(from.Width, to.Width), centres(from.Height, to.Height)), nil
	}
	if int(f) >= len(pillowKernels) {
		return nil, fmt.Errorf("resample: %v is not known", f)
	}
	k := pillowKernels[f]
	out := src
	if from.Width != to.Width {
		out = alongRows(out, from.Width, to.Width, channels, weigh(from.Width, to.Width, k))
	}
	if from.Height != to.Height {
		out = alongColumns(out, to.Width*channels, weigh(from.Height, to.Height, k))
	}
	if from == to {
		out = slices.Clone(src)
	}
	return out, nil
}

// centres returns the source index of each output index; the position is
// summed up step by step, as Pillow does, and -1 stands for one outside.
func centres(from, to int) []int {
	step := float64(from) / float64(to)
	at := step * 0.5
	index := make([]int, to)
	for i := range index {
		index[i] = int(at)
		if index[i] >= from {
			index[i] = -1
		}
		at += step
	}
	return index
}

func nearest(src []uint8, from, to Size, channels int, xs, ys []int) []uint8 {
	out := make([]uint8, to.Width*to.Height*channels)
	for y, sy := range ys {
		if sy < 0 {
			continue
		}
		row := src[sy*from.Width*channels:]
		dst := out[y*to.Width*channels:]
		for x, sx := range xs {
			if sx >= 0 {
				copy(dst[x*channels:(x+1)*channels], row[sx*channels:])
			}
		}
	}
	return out
}

// kernel is a weight by distance, zero beyond support.
type kernel struct {
	support float64
	weight  func(x float64) float64
}

var pillowKernels = []kernel{
	Bilinear: {1, func(x float64) float64 { return max(0, 1-math.Abs(x)) }},
	Bicubic:  {2, keys},
	Box: {0.5, func(x float64) float64 {
		if x > -0.5 && x <= 0.5 {
			return 1
		}
		return 0
	}},
	Lanczos: {3, func(x float64) float64 {
		if x < -3 || x >= 3 {
			return 0
		}
		return sinc(x) * sinc(x/3)
	}},
}

// keys is the cubic convolution of Keys (1981) with a = -0.5.
func keys(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	switch {
	case x < 1:
		return float64((float64((a+2)*x)-(a+3))*x*x) + 1
	case x < 2:
		return (float64((float64((x-5)*x)+8)*x) - 4) * a
	}
	return 0
}

// precision is the number of fractional bits of a weight: a sum keeps 8 bits of
// pixel, and two to spare for weights beyond 0 to 1.
const precision = 32 - 8 - 2

// span is the weights of one output index, for source indices from first on.
type span struct {
	first   int
	weights []int32
}

func weigh(from, to int, k kernel) []span {
	scale := float64(from) / float64(to)
	stretch := max(scale, 1)
	support := float64(k.support * stretch)
	spans := make([]span, to)
	// Rounding moves each end of an interval by half a pixel at most.
	all := make([]int32, 0, to*(2*int(math.Ceil(support))+1))
	var raw []float64
	for i := range spans {
		centre := float64((float64(i) + 0.5) * scale)
		first := max(0, int(centre-support+0.5))
		end := min(from, int(centre+support+0.5))
		raw = raw[:0]
		sum := 0.0
		for j := first; j < end; j++ {
			w := k.weight((float64(j) - centre + 0.5) * (1 / stretch))
			raw = append(raw, w)
			sum += w
		}
		start := len(all)
		for _, w := range raw {
			if sum != 0 {
				w /= sum
			}
			fixed := float64(w * (1 << precision))
			if w < 0 {
				all = append(all, int32(fixed-0.5))
			} else {
				all = append(all, int32(fixed+0.5))
			}
		}
		spans[i] = span{first, all[start:]}
	}
	return spans
}

func clip(sum int32) uint8 { return uint8(min(max(sum>>precision, 0), 255)) }

const half = 1 << (precision - 1)

func alongRows(src []uint8, from, to, channels int, spans []span) []uint8 {
	rows := len(src) / (from * channels)
	out := make([]uint8, rows*to*channels)
	for y := range rows {
		in, dst := src[y*from*channels:(y+1)*from*channels], out[y*to*channels:(y+1)*to*channels]
		for i, s := range spans {
			if channels == 1 {
				sum := int32(half)
				for j, w := range s.weights {
					sum += w * int32(in[s.first+j])
				}
				dst[i] = clip(sum)
				continue
			}
			p := in[s.first*3 : (s.first+len(s.weights))*3]
			a, b, c := int32(half), int32(half), int32(half)
			for j, w := range s.weights {
				a += w * int32(p[3*j])
				b += w * int32(p[3*j+1])
				c += w * int32(p[3*j+2])
			}
			dst[3*i], dst[3*i+1], dst[3*i+2] = clip(a), clip(b), clip(c)
		}
	}
	return out
}

func alongColumns(src []uint8, stride int, spans []span) []uint8 {
	out := make([]uint8, len(spans)*stride)
	sums := make([]int32, stride)
	for i, s := range spans {
		for x := range sums {
			sums[x] = half
		}
		for j, w := range s.weights {
			for x, v := range src[(s.first+j)*stride : (s.first+j+1)*stride] {
				sums[x] += w * int32(v)
			}
		}
		for x, sum := range sums {
			out[i*stride+x] = clip(sum)
		}
	}
	return out
}
