package dwconv

import "math/rand/v2"

// geometry makes a consistent geometry of one to three dimensions.
func geometry(r *rand.Rand) Geometry {
	g := Geometry{Batch: 1 + r.IntN(2)}
	from := r.IntN(3)
	for i := range 3 {
		if i < from {
			g.Size[i], g.Kernel[i], g.Stride[i], g.Dilate[i], g.Result[i] = 1, 1, 1, 1, 1
			continue
		}
		for g.Result[i] < 1 {
			g.Size[i], g.Kernel[i] = 1+r.IntN(9), 1+r.IntN(5)
			if from == 2 {
				g.Size[i] = 1 + r.IntN(200)
			}
			g.Stride[i], g.Dilate[i], g.Pad[i] = 1+r.IntN(3), 1+r.IntN(3), r.IntN(4)
			if span := g.Size[i] + g.Pad[i] + r.IntN(4) - (g.Kernel[i]-1)*g.Dilate[i] - 1; span >= 0 {
				g.Result[i] = span/g.Stride[i] + 1
			}
		}
	}
	return g
}

// naive is the definition: ascending taps, padding as zeros.
func naive[S float32 | int32](g Geometry, x, w []S, fma func(a, b, c S) S) []S {
	outPix := product(g.Result)
	y := make([]S, g.Batch*g.Channels*outPix)
	for i := range y {
		n, m, o := i/(g.Channels*outPix), i%g.Channels, i/g.Channels%outPix
		out := [3]int{o / (g.Result[1] * g.Result[2]), o / g.Result[2] % g.Result[1], o % g.Result[2]}
		var acc S
		t := m * product(g.Kernel)
		for kz := range g.Kernel[0] {
			for ky := range g.Kernel[1] {
				for kx := range g.Kernel[2] {
					at, ok := 0, true
					for d, k := range [3]int{kz, ky, kx} {
						in := out[d]*g.Stride[d] - g.Pad[d] + k*g.Dilate[d]
						ok = ok && in >= 0 && in < g.Size[d]
						at = at*g.Size[d] + in
					}
					var v S
					if ok {
						v = x[(n*product(g.Size)+at)*g.Channels+m]
					}
					acc = fma(w[t], v, acc)
					t++
				}
			}
		}
		y[i] = acc
	}
	return y
}

// square is a 2-D geometry with padding that keeps the size at stride 1.
func square(channels, size, kernel, stride int) Geometry {
	out := (size + stride - 1) / stride
	return Geometry{
		Batch: 1, Channels: channels,
		Size: [3]int{1, size, size}, Kernel: [3]int{1, kernel, kernel}, Stride: [3]int{1, stride, stride},
		Dilate: [3]int{1, 1, 1}, Pad: [3]int{0, kernel / 2, kernel / 2}, Result: [3]int{1, out, out},
	}
}
