package conv

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/kernels/transpose"
)

// across is how a convolution of floats with few filters runs with vectors over
// the positions of a line, where vectors over filters would be half empty. The
// input of a band is transposed to lines in which each channel's elements lie
// side by side: with a stride, those that it is a multiple of apart.
type across struct {
	rows   gemm.Across
	stride int // along a line
	pitch  int // of a channel in a transposed line
	line   int // length of a transposed line
	extent [3]int
	from   int // of the scratch memory that is not the copied input's
	span   int // room for the results of a line and filter, or of some lines
	flat   int // so many lines at once, found where the copy has them; 0: line by line
}

// worth says how many multiply-adds that are saved pay for an element that is
// transposed.
const worth = 48

// newAcross returns how the bands of p run across, nil where that does not pay.
func (p *Plan) newAcross() *across {
	spare := gemm.FewColumns - p.outCh
	span, stride := gemm.Span(p.run), p.stride[2]
	if spare <= 0 || p.g.Group > 1 || p.g.Transposed || spare*product(p.kernel) < worth*stride || 4*span*p.outCh > 3*gemm.FewColumns*p.run {
		return nil
	}
	a := &across{stride: stride, extent: p.extent(p.lines), from: p.scratch, span: span}
	if p.copies && p.inCh == 1 && stride == 1 && p.stride[1] == 1 {
		return p.flatten(a)
	}
	a.pitch = gemm.Span(span + (p.kernel[2]-1)*p.dilate[2]/stride)
	a.line = stride * p.inCh * a.pitch
	for z := range p.kernel[0] {
		for y := range p.kernel[1] {
			line := z*p.dilate[0]*a.extent[1] + y*p.dilate[1]
			for x := range p.kernel[2] {
				x *= p.dilate[2]
				at := line*a.line + x%stride*p.inCh*a.pitch + x/stride
				for c := range p.inCh {
					a.rows.At = append(a.rows.At, int32(at+c*a.pitch))
				}
			}
		}
	}
	p.scratch += a.extent[0]*a.extent[1]*a.line + p.outCh*span
	return a
}

// flatMemory is how many results are computed at once of lines that follow each
// other: as many as the nearest cache has room for.
const flatMemory = 4096

// flatten makes the lines of one channel one line: what the kernel sees between
// them is computed for nothing.
func (p *Plan) flatten(a *across) *across {
	a.flat = min(p.lines, max(1, flatMemory/(p.outCh*p.pitch[1])))
	a.span = gemm.Span((a.flat-1)*p.pitch[1] + p.run)
	for z := range p.kernel[0] {
		for y := range p.kernel[1] {
			for x := range p.kernel[2] {
				at := z*p.dilate[0]*p.pitch[0] + y*p.dilate[1]*p.pitch[1] + x*p.dilate[2]
				a.rows.At = append(a.rows.At, int32(at))
			}
		}
	}
	p.scratch += p.outCh * a.span // and more than the kernel reads behind the copy
	return a
}

// runFlat is runAcross for lines that are one.
func (p *Plan) runFlat(y, src, w []float32, e *gemm.FloatEnd, b part, scratch []float32) {
	a := p.across
	results := scratch[a.from:][:p.outCh*a.span]
	for i := 0; i < b.lines; i += a.flat {
		some := min(a.flat, b.lines-i)
		gemm.FloatsAcross(results, a.span, src[i*p.pitch[1]:], &a.rows, (some-1)*p.pitch[1]+b.run, w, p.outCh, e)
		for j := range some {
			p.interleave(y[(i+j)*p.res[2]*p.outCh:], results[j*p.pitch[1]:], b.run)
		}
	}
}

// runAcross computes a part whose input, from its first element on, is src.
func (p *Plan) runAcross(y, src, w []float32, e *gemm.FloatEnd, b part, scratch []float32) {
	a := p.across
	if a.flat > 0 {
		p.runFlat(y, src, w, e, b, scratch)
		return
	}
	extent, turned := p.extent(b.lines), scratch[a.from:]
	width := (b.run-1)*a.stride + (p.kernel[2]-1)*p.dilate[2] + 1
	for z := range extent[0] {
		for i := range extent[1] {
			a.turn(turned[(z*a.extent[1]+i)*a.line:], src[z*p.pitch[0]+i*p.pitch[1]:][:width*p.inCh], p.inCh)
		}
	}
	results := turned[a.extent[0]*a.extent[1]*a.line:][:p.outCh*a.span]
	for i := range b.lines {
		gemm.FloatsAcross(results, a.span, turned[i*p.stride[1]*a.line:], &a.rows, b.run, w, p.outCh, e)
		p.interleave(y[i*p.res[2]*p.outCh:], results, b.run)
	}
}

// interleave stores the results of a line, filter by filter, channels last.
func (p *Plan) interleave(y, results []float32, run int) {
	if p.outCh == 1 {
		copy(y[:run], results)
		return
	}
	transpose.Matrix(words(y), words(results), p.outCh, run, p.outCh, p.across.span)
}

// turn transposes a line of positions.
func (a *across) turn(dst, src []float32, channels int) {
	group := a.stride * channels
	if group == 1 {
		copy(dst, src)
		return
	}
	whole := len(src) / group
	transpose.Matrix(words(dst), words(src), whole, group, a.pitch, group)
	for i, v := range src[whole*group:] {
		dst[i*a.pitch+whole] = v
	}
}

func words(s []float32) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(s))), len(s))
}
