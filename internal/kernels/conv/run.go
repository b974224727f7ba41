package conv

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/kernels/gemm"
)

// FloatEnds returns the epilogue of Run: bias, nil or one for each output
// channel, then with clamp min(max(x, lo), hi).
func (p *Plan) FloatEnds(bias []float32, clamp bool, lo, hi float32) (ends []*gemm.FloatEnd) {
	for g := range p.g.Group {
		var b []float32
		if bias != nil {
			b = bias[g*p.outCh : (g+1)*p.outCh]
		}
		ends = append(ends, gemm.NewFloatEnd(p.outCh, b, clamp, lo, hi))
	}
	return ends
}

// Filters is the number of output channels.
func (p *Plan) Filters() int { return p.g.Group * p.outCh }

// Sums sets dst to what the weights of each output channel add up to, from
// packed ones.
func (p *Plan) Sums(dst []int32, w []int8) { p.SumParts(dst, w, 0, p.Packs()) }

// SumParts is Sums for the channels of parts lo to hi of the weights alone.
func (p *Plan) SumParts(dst []int32, w []int8, lo, hi int) {
	for i := lo; i < hi; i++ {
		g, j := i/p.panels, i%p.panels
		own := dst[g*p.outCh : (g+1)*p.outCh]
		clear(own[j*gemm.Width : min((j+1)*gemm.Width, p.outCh)])
		p.matrix.SumPanel(own, w[g*p.matrix.Bytes():], j)
	}
}

// ByteEnds returns the epilogue of RunBytes for inputs with a zero point, f
// being that of all output channels, and sums those of Sums.
func (p *Plan) ByteEnds(f gemm.Finish, sums []int32, zero uint8) (ends []*gemm.ByteEnd) {
	for g := range p.g.Group {
		own, from, to := f, g*p.outCh, (g+1)*p.outCh
		if f.Bias != nil {
			own.Bias = f.Bias[from:to]
		}
		if f.Fixed != nil {
			own.Fixed = f.Fixed.Part(from, to)
		}
		if len(f.Multiplier) > 1 {
			own.Multiplier = f.Multiplier[from:to]
		}
		ends = append(ends, gemm.ByteEndOf(own, sums[from:to], zero^p.flip))
	}
	return ends
}

// LiveEnd returns the epilogues, of results in float32, for inputs whose zero
// point and scale each run finds, of a convolution with one group: float32(sum)
// times scale·unit. Units are one for all output channels or one for each.
func (p *Plan) LiveEnd(units []float32, w []int8) *gemm.LiveEnd {
	return gemm.NewLiveEnd(p.matrix, w, units)
}

// Unsigned returns the zero point of the uint8 that products see of inputs with
// the given one.
func (p *Plan) Unsigned(zero uint8) uint8 { return zero ^ p.flip }

// Run computes parts lo to hi of y from x with packed weights. Other, if not
// nil, lies as y does and is added after the bias; it may be y. Different
// goroutines may run different parts, each with its own scratch.
func (p *Plan) Run(y, other, x, w []float32, ends []*gemm.FloatEnd, lo, hi int, scratch []float32) {
	src, band, size := x, -1, p.matrix.FloatPanel()
	for i := lo; i < hi; i++ {
		b := p.part(i)
		if b.band != band {
			src, band = inputOf(p, x, scratch, b, 0), b.band
		}
		if p.across != nil && other == nil && gemm.HasAcross() {
			p.runAcross(y[p.to(b):], src, w, ends[0], b, scratch)
			continue
		}
		var add []float32
		if other != nil {
			add = other[p.to(b):]
		}
		gemm.Floats(y[p.to(b):], add, p.g.Out, src[b.group*p.inCh:], &p.rows, b.lines*b.run, w[b.group*p.matrix.Floats()+b.panel*size:], b.panel*gemm.Width, p.cols(b), ends[b.group])
	}
}

// RunBytes is Run for 8-bit inputs, whose padding is the zero point. y holds
// 8-bit or float32 results, as the epilogue says.
func (p *Plan) RunBytes(y, x []byte, zero uint8, w []int8, ends []*gemm.ByteEnd, lo, hi int, scratch []byte) {
	src, band, size := x, -1, p.matrix.BytePanel()
	for i := lo; i < hi; i++ {
		b := p.part(i)
		if b.band != band {
			src, band = inputOf(p, x, scratch, b, zero), b.band
		}
		e := ends[b.group]
		gemm.Bytes(y[p.to(b)*e.Size():], p.g.Out, src[b.group*p.inCh:], &p.rows, b.lines*b.run, w[b.group*p.matrix.Bytes()+b.panel*size:], b.panel*gemm.Width, p.cols(b), e)
	}
}

// inputOf returns the input of a part's band, from its first element on.
func inputOf[T float32 | uint8 | uint16](p *Plan, x, scratch []T, b part, zero T) []T {
	if p.g.Transposed {
		gatherBand(p, scratch, x, b, zero)
		return scratch
	}
	first := [3]int{b.z*p.stride[0] - p.pad[0], b.y*p.stride[1] - p.pad[1], b.x*p.stride[2] - p.pad[2]}
	if !p.copies {
		return x[(((b.n*p.size[0]+first[0])*p.size[1]+first[1])*p.size[2]+first[2])*p.g.In:]
	}
	ch := p.pixel()
	extent := p.extent(b.lines)
	// Columns from left to right of a line have an input.
	left := min(max(0, -first[2]), extent[2])
	right := max(left, min(extent[2], p.size[2]-first[2]))
	var known []T // padding that has been set
	for z := range extent[0] {
		iz := first[0] + z
		for y := range extent[1] {
			line, iy := scratch[z*p.pitch[0]+y*p.pitch[1]:][:extent[2]*ch], first[1]+y
			if iz < 0 || iz >= p.size[0] || iy < 0 || iy >= p.size[1] || left == right {
				known = again(p, line, known, zero)
				continue
			}
			from := (((b.n*p.size[0]+iz)*p.size[1]+iy)*p.size[2] + first[2] + left) * p.g.In
			known = again(p, line[:left*ch], known, zero)
			move(p, line[left*ch:right*ch], x[from:])
			known = again(p, line[right*ch:], known, zero)
		}
	}
	return scratch
}

// again is set, by a copy where padding is known. It returns the longest that is.
func again[T float32 | uint8 | uint16](p *Plan, dst, known []T, v T) []T {
	if len(dst) <= len(known) {
		copy(dst, known)
		return known
	}
	set(p, dst, v)
	return dst
}

// gatherBand gathers what a transposed convolution multiplies: for each output
// position and tap the channels of an input, or zeros.
func gatherBand[T float32 | uint8 | uint16](p *Plan, dst, x []T, b part, zero T) {
	ch := p.pixel()
	for i := range b.lines * b.run {
		out := [3]int{b.z, b.y + i/b.run, b.x + i%b.run}
		for z := range p.kernel[0] {
			iz := p.source(0, out[0], z)
			for y := range p.kernel[1] {
				iy := p.source(1, out[1], y)
				for t := range p.kernel[2] {
					ix := p.source(2, out[2], t)
					if iz < 0 || iy < 0 || ix < 0 {
						set(p, dst[:ch], zero)
					} else {
						move(p, dst[:ch], x[(((b.n*p.size[0]+iz)*p.size[1]+iy)*p.size[2]+ix)*p.g.In:])
					}
					dst = dst[ch:]
				}
			}
		}
	}
}

// source returns the input coordinate under output coordinate o of a
// transposed convolution, -1 if there is none.
func (p *Plan) source(axis, o, tap int) int {
	i := o + p.pad[axis] - tap*p.dilate[axis]
	if i < 0 || i%p.stride[axis] != 0 || i/p.stride[axis] >= p.size[axis] {
		return -1
	}
	return i / p.stride[axis]
}

// set fills dst with a value of the input's type.
func set[T float32 | uint8 | uint16](p *Plan, dst []T, v T) {
	if p.flip != 0 {
		v = T(uint8(v) ^ p.flip)
	}
	if len(dst) == 0 {
		return
	}
	dst[0] = v
	for n := 1; n < len(dst); n *= 2 {
		copy(dst[n:], dst[:n])
	}
}

// move fills dst, which is whole positions, from src. An int8 becomes the uint8
// that is 128 more, and behind channels of bfloat16 there may be zeros.
func move[T float32 | uint8 | uint16](p *Plan, dst, src []T) {
	if p.held != p.inCh {
		gemm.Spread(any(dst).([]uint16), any(src).([]uint16), p.held, p.inCh)
		return
	}
	if p.flip == 0 {
		copy(dst, src)
		return
	}
	gemm.Unsigned(octets(dst), octets(src[:len(dst)]), p.flip)
}

func octets[T float32 | uint8 | uint16](s []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(*new(T))))
}
