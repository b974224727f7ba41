package picture

import (
	"image"
)

// fromVP8 makes pixels of VP8's 4:2:0 samples, with the bits of libwebp's
// "fancy" upsampling and its fixed-point conversion of BT.601's video range.
func fromVP8(m *image.YCbCr) *Picture {
	size := m.Rect.Size()
	p := &Picture{Width: size.X, Height: size.Y, Channels: 3, Pix: make([]uint8, 3*size.X*size.Y)}
	cb := plane{m.Cb, m.CStride, (size.X + 1) / 2, (size.Y + 1) / 2}
	cr := plane{m.Cr, m.CStride, cb.width, cb.height}
	us, vs := make([]uint8, 2*cb.width), make([]uint8, 2*cb.width)
	for y := range size.Y {
		// Two rows share a row of chroma; the other one near is above the
		// first and below the second.
		near, far := y/2, y/2-1+y&1*2
		interleave(us, cb.row(near), cb.row(far))
		interleave(vs, cr.row(near), cr.row(far))
		vp8Row(p.Pix[3*y*size.X:], m.Y[y*m.YStride:][:size.X], us, vs)
	}
	return p
}

// interleave doubles near's columns with weights 9, 3, 3 and 1 of the four
// samples around a pixel, rounded as libwebp does it: first the mean with the
// diagonal, then the mean of that and the nearest.
func interleave(out, near, far []uint8) {
	last := len(near) - 1
	edge := func(x int) uint8 { return uint8((3*int32(near[x]) + int32(far[x]) + 2) >> 2) }
	out[0], out[2*last+1] = edge(0), edge(last)
	for x := range last {
		a, b, c, d := int32(near[x]), int32(near[x+1]), int32(far[x]), int32(far[x+1])
		sum := a + b + c + d + 8
		out[2*x+1] = uint8((a + (sum+2*(b+c))>>3) >> 1)
		out[2*x+2] = uint8((b + (sum+2*(a+d))>>3) >> 1)
	}
}

// vp8Row writes a row of red, green, blue: factors of 14 fractional bits, eight
// of which are dropped from each product.
func vp8Row(out, ys, us, vs []uint8) {
	us, vs = us[:len(ys)], vs[:len(ys)]
	for x, y := range ys {
		l, u, v := int32(y)*19077>>8, int32(us[x]), int32(vs[x])
		o := out[3*x : 3*x+3 : 3*x+3]
		o[0] = clamp((l + v*26149>>8 - 14234) >> 6)
		o[1] = clamp((l - u*6419>>8 - v*13320>>8 + 8708) >> 6)
		o[2] = clamp((l + u*33050>>8 - 17685) >> 6)
	}
}
