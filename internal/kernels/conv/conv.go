// Package conv convolves channels-first activations, float32 and 8-bit, in one,
// two or three spatial dimensions, with any stride, dilation, padding and
// group; transposed convolutions too.
//
// It is an implicit matrix product: for 16 output positions at a time the
// values under the kernel are gathered into a panel, k running over spatial
// taps outermost and the channels of the group inside, and multiplied with the
// packed weights by package gemm. Padding takes part as zeros. Integer inputs
// are gathered as exact floats and multiplied in stretches of k that float32
// sums exactly. The package sees slices. Start at [Plan].
package conv

import "github.com/octavo-ml/octavo/internal/kernels/gemm"

// Geometry describes a convolution. Spatial lists have one element for each
// spatial dimension. For a transposed convolution Out is the larger side and
// Pad what is cut from its beginning.
type Geometry struct {
	Batch, In, Out int // samples; input and output channels
	Group          int
	Size, Kernel   []int // spatial size of the input, and of the kernel
	Stride, Dilate []int
	Pad            []int // before the first element of each dimension
	Result         []int // spatial size of the output
	Transposed     bool
}

// Plan is a geometry with what follows from it.
type Plan struct {
	g             Geometry
	taps          [][3]int // kernel positions, already dilated
	size, res     [3]int
	stride, pad   [3]int
	inPix, outPix int
	inCh, outCh   int // channels of one group
	k             int
	blocks        int // panels of one group of one sample
	packed        int // length of one group's packed weights
}

// exactK is how many products of magnitudes up to 255·128 float32 sums
// exactly: 255·128·512 < 2²⁴.
const exactK = 512

// NewPlan returns the plan of g, whose sizes must be positive and fit
// together.
func NewPlan(g Geometry) *Plan {
	p := &Plan{g: g, size: lift(g.Size, 1), res: lift(g.Result, 1), stride: lift(g.Stride, 1), pad: lift(g.Pad, 0)}
	kernel, dilate := lift(g.Kernel, 1), lift(g.Dilate, 1)
	for z := range kernel[0] {
		for y := range kernel[1] {
			for x := range kernel[2] {
				p.taps = append(p.taps, [3]int{z * dilate[0], y * dilate[1], x * dilate[2]})
			}
		}
	}
	p.inPix = p.size[0] * p.size[1] * p.size[2]
	p.outPix = p.res[0] * p.res[1] * p.res[2]
	p.inCh, p.outCh = g.In/g.Group, g.Out/g.Group
	p.k = len(p.taps) * p.inCh
	p.blocks = (p.outPix + gemm.NR - 1) / gemm.NR
	p.packed = gemm.PackedA(p.outCh, p.k)
	return p
}

// lift returns a list of up to three numbers as three, missing ones in front.
func lift(s []int, missing int) [3]int {
	out := [3]int{missing, missing, missing}
	copy(out[3-len(s):], s)
	return out
}

// WeightLen is the length of packed weights.
func (p *Plan) WeightLen() int { return p.g.Group * p.packed }

// ScratchLen is the length of the scratch memory that Run and RunInt need.
func (p *Plan) ScratchLen() int { return p.k * gemm.NR }

// Blocks is the number of independent parts of the work.
func (p *Plan) Blocks() int { return p.g.Batch * p.g.Group * p.blocks }

// Pack packs weights given as [Out, In/Group, kernel...], or, transposed, as
// [In, Out/Group, kernel...]; at(i) returns element i.
func (p *Plan) Pack(dst []float32, at func(i int) float32) {
	taps := len(p.taps)
	for g := range p.g.Group {
		panel := dst[g*p.packed : (g+1)*p.packed]
		for m := 0; m < p.outCh; m += gemm.MR {
			rows := min(gemm.MR, p.outCh-m)
			for t := range taps {
				for c := range p.inCh {
					cell := panel[m*p.k+(t*p.inCh+c)*gemm.MR:]
					for r := range gemm.MR {
						switch {
						case r >= rows:
							cell[r] = 0
						case p.g.Transposed:
							cell[r] = at(((g*p.inCh+c)*p.outCh+m+r)*taps + t)
						default:
							cell[r] = at(((g*p.outCh+m+r)*p.inCh+c)*taps + t)
						}
					}
				}
			}
		}
	}
}

// block resolves part i into sample, group and first output position.
func (p *Plan) block(i int) (n, g, pos int) {
	pos = i % p.blocks * gemm.NR
	i /= p.blocks
	return i / p.g.Group, i % p.g.Group, pos
}

// offsets finds, for tap t, which input element each of the positions from pos
// on reads: -1 for padding. run says that all 16 follow each other.
func (p *Plan) offsets(off *[gemm.NR]int, t, pos int) (run bool) {
	tap := p.taps[t]
	z, rest := pos/(p.res[1]*p.res[2]), pos%(p.res[1]*p.res[2])
	y, x := rest/p.res[2], rest%p.res[2]
	run = true
	for j := range off {
		off[j] = -1
		if pos+j < p.outPix {
			iz, iy, ix := p.source(0, z, tap), p.source(1, y, tap), p.source(2, x, tap)
			if iz >= 0 && iy >= 0 && ix >= 0 {
				off[j] = (iz*p.size[1]+iy)*p.size[2] + ix
			}
		}
		if off[j] < 0 || off[j] != off[0]+j {
			run = false
		}
		if x++; x == p.res[2] {
			x = 0
			if y++; y == p.res[1] {
				y = 0
				z++
			}
		}
	}
	return run
}

// source returns the input coordinate under output coordinate o, -1 if none.
func (p *Plan) source(axis, o int, tap [3]int) int {
	var i int
	if p.g.Transposed {
		i = o + p.pad[axis] - tap[axis]
		if i < 0 || i%p.stride[axis] != 0 {
			return -1
		}
		i /= p.stride[axis]
	} else {
		i = o*p.stride[axis] - p.pad[axis] + tap[axis]
	}
	if i < 0 || i >= p.size[axis] {
		return -1
	}
	return i
}

// gather fills a panel with the values of x under the kernel.
func gather[T float32 | uint8 | int8](p *Plan, dst []float32, x []T, pos int, zero float32) {
	var off [gemm.NR]int
	for t := range p.taps {
		run := p.offsets(&off, t, pos)
		for c := range p.inCh {
			ch := x[c*p.inPix : (c+1)*p.inPix]
			row := dst[(t*p.inCh+c)*gemm.NR:][:gemm.NR]
			if run {
				for j, v := range ch[off[0] : off[0]+gemm.NR] {
					row[j] = float32(v) - zero
				}
				continue
			}
			for j, o := range off {
				if o >= 0 {
					row[j] = float32(ch[o]) - zero
				} else {
					row[j] = 0
				}
			}
		}
	}
}

// Run computes parts lo to hi of y from x with packed weights. ep.Row is the
// bias of all output channels. Different goroutines may run different parts,
// each with its own scratch.
func (p *Plan) Run(y, x, w []float32, ep gemm.Epilogue, lo, hi int, scratch []float32) {
	var t gemm.Tile
	for i := lo; i < hi; i++ {
		n, g, pos := p.block(i)
		in := x[(n*p.g.In+g*p.inCh)*p.inPix:][:p.inCh*p.inPix]
		gather(p, scratch, in, pos, 0)
		panel := w[g*p.packed : (g+1)*p.packed]
		cols := min(gemm.NR, p.outPix-pos)
		for m := 0; m < p.outCh; m += gemm.MR {
			gemm.Multiply(&t, p.k, panel[m*p.k:m*p.k+gemm.MR*p.k], scratch[:p.k*gemm.NR])
			ch := g*p.outCh + m
			out := y[(n*p.g.Out+ch)*p.outPix+pos:]
			gemm.Store(out, p.outPix, &t, ch, 0, min(gemm.MR, p.outCh-m), cols, ep)
		}
	}
}

// RunInt is Run for 8-bit inputs with zero point zero and weights packed as
// exact floats: emit gets the int32 sums of up to 16 positions of one output
// channel, y index of the first given.
func RunInt[T uint8 | int8](p *Plan, x []T, zero int, w []float32, lo, hi int, scratch []float32, emit func(channel, at int, sums []int32)) {
	var t gemm.Tile
	var sums [gemm.MR * gemm.NR]int32
	for i := lo; i < hi; i++ {
		n, g, pos := p.block(i)
		in := x[(n*p.g.In+g*p.inCh)*p.inPix:][:p.inCh*p.inPix]
		gather(p, scratch, in, pos, float32(zero))
		panel := w[g*p.packed : (g+1)*p.packed]
		cols := min(gemm.NR, p.outPix-pos)
		for m := 0; m < p.outCh; m += gemm.MR {
			gemm.MultiplyInt(&sums, &t, p.k, exactK, panel[m*p.k:m*p.k+gemm.MR*p.k], scratch[:p.k*gemm.NR])
			for r := range min(gemm.MR, p.outCh-m) {
				ch := g*p.outCh + m + r
				emit(ch, (n*p.g.Out+ch)*p.outPix+pos, sums[r*gemm.NR:r*gemm.NR+cols])
			}
		}
	}
}
