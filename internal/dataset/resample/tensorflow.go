package resample

import (
	"fmt"
	"math"
)

// TensorFlow resizes as tf.image.resize of TensorFlow 2 does with antialias
// False: centres of pixels at halves, all in float32, and no averaging where it
// reduces. Nearest, Bilinear and Bicubic (Keys with a = -0.5, from a table of
// 1024 steps) are supported. The result is interleaved values in pixel units,
// beyond 0 to 255 where Bicubic overshoots. Arguments are those of [Pillow].
func TensorFlow(src []uint8, from, to Size, channels int, f Filter) ([]float32, error) {
	if err := check(len(src), from, to, channels); err != nil {
		return nil, err
	}
	out := make([]float32, to.Width*to.Height*channels)
	switch f {
	case Nearest:
		pix := nearest(src, from, to, channels, halves(from.Width, to.Width), halves(from.Height, to.Height))
		for i, v := range pix {
			out[i] = float32(v)
		}
	case Bilinear:
		lerp(out, src, from, to, channels)
	case Bicubic:
		cubic(out, src, from, to, channels)
	default:
		return nil, fmt.Errorf("resample: TensorFlow's %v is not supported; nearest, bilinear and bicubic are", f)
	}
	return out, nil
}

func halves(from, to int) []int {
	scale := float32(from) / float32(to)
	index := make([]int, to)
	for i := range index {
		index[i] = min(int(math.Floor(float64(float32((float32(i)+0.5)*scale)))), from-1)
	}
	return index
}

// between is the two pixels on a line that an output pixel lies between.
type between struct {
	lower, upper int
	t            float32
}

func position(i int, scale float32) float32 { return float32((float32(i)+0.5)*scale) - 0.5 }

func betweens(from, to int) []between {
	scale := float32(from) / float32(to)
	out := make([]between, to)
	for i := range out {
		at := position(i, scale)
		floor := float32(math.Floor(float64(at)))
		out[i] = between{max(int(floor), 0), min(int(math.Ceil(float64(at))), from-1), at - floor}
	}
	return out
}

func lerp(out []float32, src []uint8, from, to Size, channels int) {
	xs, ys := betweens(from.Width, to.Width), betweens(from.Height, to.Height)
	for y, v := range ys {
		upper, lower := src[v.lower*from.Width*channels:], src[v.upper*from.Width*channels:]
		for x, h := range xs {
			for c := range channels {
				a, b := h.lower*channels+c, h.upper*channels+c
				top := float32(upper[a]) + float32((float32(upper[b])-float32(upper[a]))*h.t)
				bottom := float32(lower[a]) + float32((float32(lower[b])-float32(lower[a]))*h.t)
				out[(y*to.Width+x)*channels+c] = top + float32((bottom-top)*v.t)
			}
		}
	}
}

// four is the pixels on a line that an output pixel is made of.
type four struct {
	at     [4]int
	weight [4]float32
}

// cubicSteps is how finely TensorFlow tabulates the kernel.
const cubicSteps = 1024

func fours(from, to int) []four {
	scale := float32(from) / float32(to)
	out := make([]four, to)
	for i := range out {
		at := position(i, scale)
		first := int(math.Floor(float64(at)))
		step := int(math.RoundToEven(float64(float32((at - float32(first)) * cubicSteps))))
		t := float64(float64(step) / cubicSteps)
		weights := [4]float32{float32(keys(1 + t)), float32(keys(t)), float32(keys(1 - t)), float32(keys(2 - t))}
		// Pixels outside weigh nothing, and the others more.
		var sum float32
		for k := range weights {
			j := first - 1 + k
			out[i].at[k] = min(max(j, 0), from-1)
			if j != out[i].at[k] {
				weights[k] = 0
			}
			sum += weights[k]
		}
		if math.Abs(float64(sum)) >= 1000*0x1p-126 {
			one := 1 / sum
			for k := range weights {
				weights[k] *= one
			}
		}
		out[i].weight = weights
	}
	return out
}

func (f *four) sum(v [4]float32) float32 {
	s := float32(v[0]*f.weight[0]) + float32(v[1]*f.weight[1])
	s += float32(v[2] * f.weight[2])
	return s + float32(v[3]*f.weight[3])
}

func cubic(out []float32, src []uint8, from, to Size, channels int) {
	xs, ys := fours(from.Width, to.Width), fours(from.Height, to.Height)
	line := make([]float32, from.Width*channels)
	for y := range ys {
		v := &ys[y]
		for i := range line {
			var p [4]float32
			for k, row := range v.at {
				p[k] = float32(src[row*from.Width*channels+i])
			}
			line[i] = v.sum(p)
		}
		for x := range xs {
			h := &xs[x]
			for c := range channels {
				var p [4]float32
				for k, column := range h.at {
					p[k] = line[column*channels+c]
				}
				out[(y*to.Width+x)*channels+c] = h.sum(p)
			}
		}
	}
}
