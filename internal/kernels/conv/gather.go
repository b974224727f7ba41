package conv

import "github.com/octavo-ml/octavo/internal/kernels/gemm"

// window finds the inputs of the output positions of one block, tap by tap.
type window struct {
	p     *Plan
	count int
	at    [positions][3]int // coordinates of the outputs
	oneY  bool              // all positions are there and lie in one row
	off   [positions]int    // input element of each position, -1 for padding
}

func (p *Plan) window(pos int) (w window) {
	w.p, w.count = p, min(positions, p.outPix-pos)
	z, rest := pos/(p.res[1]*p.res[2]), pos%(p.res[1]*p.res[2])
	y, x := rest/p.res[2], rest%p.res[2]
	w.oneY = x+positions <= p.res[2]
	for j := range w.count {
		w.at[j] = [3]int{z, y, x}
		if x++; x == p.res[2] {
			x = 0
			if y++; y == p.res[1] {
				y = 0
				z++
			}
		}
	}
	for j := w.count; j < positions; j++ {
		w.off[j] = -1
	}
	return w
}

// What the elements of a tap have in common.
const (
	scattered = iota // they lie at w.off
	regular          // they are off[0], off[0]+stride, …
	padding          // there is none
)

// tap fills w.off for a tap, only off[0] where the elements are regular.
func (w *window) tap(tap [3]int) int {
	p := w.p
	if w.oneY && !p.g.Transposed {
		first := w.at[0]
		iz := first[0]*p.stride[0] - p.pad[0] + tap[0]
		iy := first[1]*p.stride[1] - p.pad[1] + tap[1]
		ix := first[2]*p.stride[2] - p.pad[2] + tap[2]
		if iz < 0 || iz >= p.size[0] || iy < 0 || iy >= p.size[1] {
			return padding
		}
		row := (iz*p.size[1] + iy) * p.size[2]
		if ix >= 0 && ix+(positions-1)*p.stride[2] < p.size[2] {
			w.off[0] = row + ix
			return regular
		}
		for j := range w.off {
			w.off[j] = -1
			if ix >= 0 && ix < p.size[2] {
				w.off[j] = row + ix
			}
			ix += p.stride[2]
		}
		return scattered
	}
	kind := padding
	for j, at := range w.at[:w.count] {
		iz, iy, ix := p.source(0, at[0], tap), p.source(1, at[1], tap), p.source(2, at[2], tap)
		w.off[j] = -1
		if iz >= 0 && iy >= 0 && ix >= 0 {
			w.off[j] = (iz*p.size[1]+iy)*p.size[2] + ix
			kind = scattered
		}
	}
	return kind
}

// source returns the input coordinate under output coordinate o, -1 if none.
func (p *Plan) source(axis, o int, tap [3]int) int {
	i := o*p.stride[axis] - p.pad[axis] + tap[axis]
	if p.g.Transposed {
		i = o + p.pad[axis] - tap[axis]
		if i < 0 || p.stride[axis] > 1 && i%p.stride[axis] != 0 {
			return -1
		}
		i /= p.stride[axis]
	}
	if i < 0 || i >= p.size[axis] {
		return -1
	}
	return i
}

// gather fills a panel of B, k groups of NR positions, with the values of x
// under the kernel less zero; x begins at the first channel of the group.
func gather[T float32 | uint8 | int8](p *Plan, dst []float32, x []T, pos int, zero float32) {
	w := p.window(pos)
	for t, tap := range p.taps {
		rows := dst[t*p.inCh*positions : (t+1)*p.inCh*positions]
		switch kind := w.tap(tap); {
		case kind == padding:
			clear(rows)
		case kind == regular && p.stride[2] == 1:
			copyRuns(rows, x[w.off[0]:], p.inCh, p.inPix, zero)
		case kind == regular:
			for c := range p.inCh {
				ch := x[c*p.inPix+w.off[0]:][:(positions-1)*p.stride[2]+1]
				for j := range rows[c*positions:][:positions] {
					rows[c*positions+j] = float32(ch[j*p.stride[2]]) - zero
				}
			}
		default:
			for c := range p.inCh {
				ch, row := x[c*p.inPix:(c+1)*p.inPix], (*[positions]float32)(rows[c*positions:])
				for j, o := range w.off {
					row[j] = 0
					if o >= 0 {
						row[j] = float32(ch[o]) - zero
					}
				}
			}
		}
	}
}

// copyRuns copies n runs of elements, less zero, that lie step apart.
func copyRuns[T float32 | uint8 | int8](dst []float32, x []T, n, step int, zero float32) {
	if f, ok := any(x).([]float32); ok && zero == 0 {
		for c := range n {
			row, src := dst[c*positions:][:positions], f[c*step:][:positions]
			// In pieces that one register holds: the whole calls memmove.
			*(*[4]float32)(row) = *(*[4]float32)(src)
			*(*[4]float32)(row[4:]) = *(*[4]float32)(src[4:])
			*(*[4]float32)(row[8:]) = *(*[4]float32)(src[8:])
			*(*[4]float32)(row[12:]) = *(*[4]float32)(src[12:])
		}
		return
	}
	for c := range n {
		row := (*[positions]float32)(dst[c*positions:])
		for j, v := range (*[positions]T)(x[c*step:]) {
			row[j] = float32(v) - zero
		}
	}
}

// gatherLast fills panels of A, each k groups of MR positions, with the values
// of x under the kernel less zero; x begins at the first channel of the group
// of the first pixel.
func gatherLast[T float32 | uint8 | int8](p *Plan, dst []float32, x []T, pos int, zero float32) {
	w := p.window(pos)
	for t, tap := range p.taps {
		kind := w.tap(tap)
		if kind == regular {
			for j := range w.off {
				w.off[j] = w.off[0] + j*p.stride[2]
			}
		}
		for j, o := range w.off {
			lane := dst[j/gemm.MR*gemm.MR*p.k+t*p.inCh*gemm.MR+j%gemm.MR:]
			if kind == padding || o < 0 {
				for c := range p.inCh {
					lane[c*gemm.MR] = 0
				}
				continue
			}
			for c, v := range x[o*p.g.In : o*p.g.In+p.inCh] {
				lane[c*gemm.MR] = float32(v) - zero
			}
		}
	}
}
