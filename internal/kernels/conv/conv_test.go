package conv_test

import (
	"math/rand/v2"

	"github.com/octavo-ml/octavo/internal/cpu"
	"github.com/octavo-ml/octavo/internal/kernels/conv"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

var variants = []kerneltest.Variant{{Name: "amx", Level: cpu.AMX}, {Name: "vnni", Level: cpu.VNNI}, {Name: "avxvnni", Level: cpu.AVXVNNI}, {Name: "avx2", Level: cpu.AVX2}, {Name: "dotprod", Level: cpu.DotProd}, {Name: "neon", Level: cpu.NEON}, {Name: "generic", Level: cpu.Generic}}

// geometry makes a consistent geometry of one to three dimensions; transposed
// ones are sized as the convolution that they undo.
func geometry(r *rand.Rand, transposed bool) conv.Geometry {
	g := conv.Geometry{Batch: 1 + r.IntN(2), Group: 1 + r.IntN(3), Transposed: transposed}
	g.In, g.Out = g.Group*(1+r.IntN(5)), g.Group*(1+r.IntN(6))
	switch r.IntN(6) {
	case 0: // depthwise
		g.In = g.Group
	case 1: // more filters than a tile has rows or columns
		g.Out = g.Group * (1 + r.IntN(35))
	}
	rank := 1 + r.IntN(3)
	pointwise := r.IntN(5) == 0
	for range rank {
		var in, k, s, d, begin, out int
		for out < 1 {
			in, k, s, d, begin = 1+r.IntN(9), 1+r.IntN(3), 1+r.IntN(3), 1+r.IntN(2), r.IntN(4)
			if rank == 1 {
				in = 1 + r.IntN(90)
			}
			if pointwise {
				k, s, begin = 1, 1, 0
			}
			end := r.IntN(begin + 1)
			if transposed {
				out = (in-1)*s + (k-1)*d + 1 - begin - end
			} else if span := in + begin + end - (k-1)*d - 1; span >= 0 {
				out = span/s + 1
			}
		}
		g.Size, g.Kernel, g.Stride = append(g.Size, in), append(g.Kernel, k), append(g.Stride, s)
		g.Dilate, g.Pad, g.Result = append(g.Dilate, d), append(g.Pad, begin), append(g.Result, out)
	}
	return g
}

func product(s []int) int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// unravel returns the coordinates of element i of a row-major shape.
func unravel(i int, shape []int) []int {
	c := make([]int, len(shape))
	for d := len(shape) - 1; d >= 0; d-- {
		c[d], i = i%shape[d], i/shape[d]
	}
	return c
}

// activation returns the index of an element of an activation.
func activation(channels, pixels, n, ch, pixel int) int {
	return (n*pixels+pixel)*channels + ch
}

// naive is the definition: taps outermost, channels inside, padding as zeros.
func naive[S float32 | int32](g conv.Geometry, x, w []S, fma func(a, b, c S) S) []S {
	ic, oc, taps := g.In/g.Group, g.Out/g.Group, product(g.Kernel)
	inPix, outPix := product(g.Size), product(g.Result)
	y := make([]S, g.Batch*g.Out*outPix)
	for n := range g.Batch {
		for m := range g.Out {
			for o := range outPix {
				var acc S
				for t := range taps {
					in, ok := source(g, unravel(o, g.Result), unravel(t, g.Kernel))
					for c := range ic {
						ch, v := m/oc*ic+c, S(0)
						if ok {
							v = x[activation(g.In, inPix, n, ch, in)]
						}
						at := (m*ic+c)*taps + t
						if g.Transposed {
							at = (ch*oc+m%oc)*taps + t
						}
						acc = fma(w[at], v, acc)
					}
				}
				y[activation(g.Out, outPix, n, m, o)] = acc
			}
		}
	}
	return y
}

// source returns the input element under an output and a tap, if there is one.
func source(g conv.Geometry, out, tap []int) (at int, ok bool) {
	for d, o := range out {
		i := o*g.Stride[d] - g.Pad[d] + tap[d]*g.Dilate[d]
		if g.Transposed {
			i = o + g.Pad[d] - tap[d]*g.Dilate[d]
			if i < 0 || i%g.Stride[d] != 0 {
				return 0, false
			}
			i /= g.Stride[d]
		}
		if i < 0 || i >= g.Size[d] {
			return 0, false
		}
		at = at*g.Size[d] + i
	}
	return at, true
}

func weightLen(g conv.Geometry) int { return g.Out * g.In / g.Group * product(g.Kernel) }

// square is a 2-D convolution with padding that keeps the size at stride 1.
func square(in, out, group, size, kernel, stride int) conv.Geometry {
	return conv.Geometry{
		Batch: 1, In: in, Out: out, Group: group, Size: []int{size, size}, Kernel: []int{kernel, kernel},
		Stride: []int{stride, stride}, Dilate: []int{1, 1}, Pad: []int{kernel / 2, kernel / 2},
		Result: []int{(size + stride - 1) / stride, (size + stride - 1) / stride},
	}
}
