package conv

import "github.com/octavo-ml/octavo/internal/kernels/gemm"

// Bytes reports whether the convolution can run by RunBytes: activations
// channels first, not depthwise, not transposed. A tap's channels are padded to
// whole groups there.
func (p *Plan) Bytes() bool { return !p.g.Last && p.depthwise == nil && !p.g.Transposed }

// groups is the number of groups of k of RunBytes.
func (p *Plan) groups() int { return len(p.taps) * gemm.Groups(p.inCh) }

// WeightBytes is the length of weights packed by PackBytes.
func (p *Plan) WeightBytes() int {
	return p.g.Group * gemm.PackedBytesA(p.outCh, p.groups()*gemm.Group)
}

// ScratchBytes is the length of the scratch memory that RunBytes needs.
func (p *Plan) ScratchBytes() int { return p.groups() * gemm.Group * positions }

// PackBytes packs weights given as [Out, In/Group, kernel...] for RunBytes.
func (p *Plan) PackBytes(dst, w []int8) {
	taps, padded := len(p.taps), gemm.Group*gemm.Groups(p.inCh)
	k := taps * padded
	size := gemm.PackedBytesA(p.outCh, k)
	rows := make([]int8, p.outCh*k)
	for g := range p.g.Group {
		clear(rows)
		for m := range p.outCh {
			for c := range p.inCh {
				for t := range taps {
					rows[m*k+t*padded+c] = w[((g*p.outCh+m)*p.inCh+c)*taps+t]
				}
			}
		}
		gemm.PackBytesA(dst[g*size:(g+1)*size], rows, p.outCh, k, k, 1)
	}
}

// RunBytes is RunInt by products of bytes, for weights of type int8. It hands
// out tiles of sums: rows channels from the given one on, of count elements
// each, the first of which has the index at in y, and those of the next channel
// OutPixels further on. They lack one thing: the caller takes off, for each
// channel, what its weights add up to times uint8(zero) ^ gemm.Flip[T]. emit
// may change sums, and must not keep them.
func RunBytes[T uint8 | int8](p *Plan, x []T, zero int, w []int8, lo, hi int, scratch []uint8, emit func(sums *[gemm.MR * gemm.NR]int32, channel, at, rows, count int)) {
	var sums [gemm.MR * gemm.NR]int32
	groups := p.groups()
	panel := scratch[:groups*gemm.Group*positions]
	size := len(w) / p.g.Group
	step := gemm.MR * gemm.Group * groups
	for i := lo; i < hi; i++ {
		n, g, pos, count := p.block(i)
		weights := w[g*size : (g+1)*size]
		gatherBytes(p, panel, x[(n*p.g.In+g*p.inCh)*p.inPix:][:p.inCh*p.inPix], pos, T(zero))
		for m := 0; m < p.outCh; m += gemm.MR {
			gemm.MultiplyBytes(&sums, groups, weights[m/gemm.MR*step:], panel)
			ch := g*p.outCh + m
			emit(&sums, ch, (n*p.g.Out+ch)*p.outPix+pos, min(gemm.MR, p.outCh-m), count)
		}
	}
}

// Depthwise reports whether package dwconv runs the convolution.
func (p *Plan) Depthwise() bool { return p.depthwise != nil }

// OutPixels is the number of elements of one channel of the result.
func (p *Plan) OutPixels() int { return p.outPix }

// gatherBytes fills a panel of B of bytes with the values of x under the
// kernel; padding is zero. x begins at the first channel of the group.
func gatherBytes[T uint8 | int8](p *Plan, dst []uint8, x []T, pos int, zero T) {
	const column = gemm.NR * gemm.Group
	flip := gemm.Flip[T]()
	w := p.window(pos)
	size := gemm.Groups(p.inCh) * column
	for t, tap := range p.taps {
		rows := dst[t*size : (t+1)*size]
		kind := w.tap(tap)
		switch {
		case kind == padding:
			fill(rows, uint8(zero)^flip)
			continue
		case kind == regular && p.stride[2] == 1:
			gemm.PackRun(rows, x[w.off[0]:], p.inCh, p.inPix)
			continue
		case kind == regular:
			for j := range w.off {
				w.off[j] = w.off[0] + j*p.stride[2]
			}
		}
		for c := 0; c < p.inCh; c += gemm.Group {
			ch, cells := x[c*p.inPix:], (*[column]uint8)(rows[c*positions:])
			inside := min(gemm.Group, p.inCh-c)
			for j, o := range w.off {
				cell := cells[j*gemm.Group:][:gemm.Group]
				switch {
				case o < 0:
					fill(cell, uint8(zero)^flip)
				case inside == gemm.Group:
					cell[0] = uint8(ch[o]) ^ flip
					cell[1] = uint8(ch[o+p.inPix]) ^ flip
					cell[2] = uint8(ch[o+2*p.inPix]) ^ flip
					cell[3] = uint8(ch[o+3*p.inPix]) ^ flip
				default:
					for r := range inside {
						cell[r] = uint8(ch[o+r*p.inPix]) ^ flip
					}
				}
			}
		}
	}
}

func fill(s []uint8, v uint8) {
	for i := range s {
		s[i] = v
	}
}
