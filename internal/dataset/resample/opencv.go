package resample

import (
	"fmt"
	"math"
)

// OpenCV resizes as cv2.resize does on 8-bit pixels, with INTER_NEAREST and
// INTER_LINEAR (weights of 11 bits; halving both sides averages four pixels);
// the other filters are refused. Reducing looks at the nearest pixels only.
// Arguments are those of [Pillow].
func OpenCV(src []uint8, from, to Size, channels int, f Filter) ([]uint8, error) {
	if err := check(len(src), from, to, channels); err != nil {
		return nil, err
	}
	switch f {
	case Nearest:
		return nearest(src, from, to, channels, floors(from.Width, to.Width), floors(from.Height, to.Height)), nil
	case Bilinear:
		if from.Width == 2*to.Width && from.Height == 2*to.Height {
			return halve(src, to, channels), nil
		}
		return linear(src, from, to, channels), nil
	}
	return nil, fmt.Errorf("resample: OpenCV's %v is not supported; nearest and bilinear are", f)
}

// floors returns the source index of each output index.
func floors(from, to int) []int {
	step := 1 / (float64(to) / float64(from))
	index := make([]int, to)
	for i := range index {
		index[i] = min(int(float64(float64(i)*step)), from-1)
	}
	return index
}

// halve averages squares of four pixels, halves up.
func halve(src []uint8, to Size, channels int) []uint8 {
	out := make([]uint8, to.Width*to.Height*channels)
	stride := 2 * to.Width * channels
	for y := range to.Height {
		for x := range to.Width {
			for c := range channels {
				at := 2*y*stride + 2*x*channels + c
				sum := int(src[at]) + int(src[at+channels]) + int(src[at+stride]) + int(src[at+stride+channels])
				out[(y*to.Width+x)*channels+c] = uint8((sum + 2) >> 2)
			}
		}
	}
	return out
}

// pair is the two pixels on a line that an output pixel lies between, and
// their weights in 1/2048.
type pair struct {
	at     [2]int
	weight [2]int32
}

// pairs places the output pixels; beyond the outer centres a row takes the
// outer pixel alone, while a column weighs it with itself.
func pairs(from, to int, alone bool) []pair {
	scale := 1 / (float64(to) / float64(from))
	out := make([]pair, to)
	for i := range out {
		f := float32(float64((float64(i)+0.5)*scale) - 0.5)
		at := int(math.Floor(float64(f)))
		f -= float32(at)
		if alone && at < 0 {
			at, f = 0, 0
		}
		if alone && at >= from-1 {
			at, f = from-1, 0
		}
		out[i] = pair{
			[2]int{min(max(at, 0), from-1), min(max(at+1, 0), from-1)},
			[2]int32{int32(math.RoundToEven(float64(float32((1 - f) * 2048)))), int32(math.RoundToEven(float64(float32(f * 2048))))},
		}
	}
	return out
}

func linear(src []uint8, from, to Size, channels int) []uint8 {
	xs, ys := pairs(from.Width, to.Width, true), pairs(from.Height, to.Height, false)
	stride := to.Width * channels
	row := func(dst []int32, y int) {
		line := src[y*from.Width*channels:]
		for x, p := range xs {
			for c := range channels {
				dst[x*channels+c] = int32(line[p.at[0]*channels+c])*p.weight[0] + int32(line[p.at[1]*channels+c])*p.weight[1]
			}
		}
	}
	out := make([]uint8, to.Height*stride)
	upper, lower := make([]int32, stride), make([]int32, stride)
	for y, p := range ys {
		row(upper, p.at[0])
		row(lower, p.at[1])
		for i := range upper {
			// The bits that are dropped on the way are part of the result.
			v := (p.weight[0]*(upper[i]>>4))>>16 + (p.weight[1]*(lower[i]>>4))>>16
			out[y*stride+i] = uint8(min(max((v+2)>>2, 0), 255))
		}
	}
	return out
}
