package picture

// plane is one component of a picture: samples at their own resolution,
// without the padding of the coded blocks.
type plane struct {
	pix           []uint8
	stride        int
	width, height int
}

func (p plane) row(y int) []uint8 {
	y = max(0, min(y, p.height-1))
	return p.pix[y*p.stride:][:p.width]
}

// upsampler makes full rows of a plane that holds one sample for each h by v
// pixels. Halved sides are interpolated with weights 3/4 and 1/4, as libjpeg's
// "fancy upsampling" does with its alternating roundings; other ratios repeat
// samples.
type upsampler struct {
	plane
	h, v int
	sums []int32 // a row of 3·near + far
	out  []uint8
}

func newUpsampler(p plane, h, v int) *upsampler {
	u := &upsampler{plane: p, h: h, v: v, out: make([]uint8, p.width*h)}
	if h == 2 && v == 2 {
		u.sums = make([]int32, p.width)
	}
	return u
}

// at returns row y of the picture, valid until the next call.
func (u *upsampler) at(y int) []uint8 {
	near := u.row(y / u.v)
	// libjpeg leaves planes of one or two columns out of its filters over columns.
	fancy := u.width > 2
	switch {
	case u.h == 1 && u.v == 1:
		return near
	case u.h == 2 && u.v == 1 && fancy:
		u.double(near)
	case u.h == 2 && u.v == 2 && fancy:
		u.quadruple(near, u.far(y))
	case u.h == 1 && u.v == 2:
		far, bias := u.far(y), 1+int32(y&1)
		for x, n := range near {
			u.out[x] = uint8((3*int32(n) + int32(far[x]) + bias) >> 2)
		}
	default:
		for x, n := range near {
			for i := range u.h {
				u.out[x*u.h+i] = n
			}
		}
	}
	return u.out
}

// far returns the second nearest row of samples to row y, where two rows share
// one.
func (u *upsampler) far(y int) []uint8 { return u.row(y/2 - 1 + y&1*2) }

func (u *upsampler) double(near []uint8) {
	last := len(near) - 1
	for x, n := range near {
		l, r := near[max(x-1, 0)], near[min(x+1, last)]
		u.out[2*x] = uint8((3*int32(n) + int32(l) + 1) >> 2)
		u.out[2*x+1] = uint8((3*int32(n) + int32(r) + 2) >> 2)
	}
}

func (u *upsampler) quadruple(near, far []uint8) {
	for x, n := range near {
		u.sums[x] = 3*int32(n) + int32(far[x])
	}
	last := len(near) - 1
	for x, s := range u.sums {
		l, r := u.sums[max(x-1, 0)], u.sums[min(x+1, last)]
		u.out[2*x] = uint8((3*s + l + 8) >> 4)
		u.out[2*x+1] = uint8((3*s + r + 7) >> 4)
	}
}
