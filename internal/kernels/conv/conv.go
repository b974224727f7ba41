// Package conv convolves activations, channels first or last, float32 and
// 8-bit, in one, two or three spatial dimensions, with any stride, dilation,
// padding and group; transposed convolutions too.
//
// It is an implicit matrix product: for some output positions at a time the
// values under the kernel are gathered into a panel, k running over spatial
// taps outermost and the channels of the group inside, and multiplied with the
// packed weights by package gemm. Padding takes part as zeros, and so do the
// elements that a transposed convolution's stride inserts. Integers are
// gathered as bytes where a dot-product instruction multiplies them, else as
// exact floats and multiplied in stretches of k that float32 sums
// exactly. Depthwise convolutions run by package dwconv. All
// ways give the same bits. The package sees slices and must not know tensors or
// quantization parameters.
//
// Start at [Plan].
package conv

import (
	"github.com/octavo-ml/octavo/internal/kernels/dwconv"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
)

// Geometry describes a convolution. Spatial lists have one element for each of
// up to three spatial dimensions. For a transposed convolution Result is the
// larger side and Pad what is cut from its beginning.
type Geometry struct {
	Batch, In, Out int // samples; input and output channels
	Group          int
	Size, Kernel   []int // spatial size of the input, and of the kernel
	Stride, Dilate []int
	Pad            []int // before the first element of each dimension
	Result         []int // spatial size of the output
	Transposed     bool
	Last           bool // activations are [Batch, Size..., In], not [Batch, In, Size...]
}

// Plan is a geometry with what follows from it. It does not change: any number
// of goroutines may use it.
type Plan struct {
	g             Geometry
	taps          [][3]int // kernel positions, already dilated
	size, res     [3]int
	stride, pad   [3]int
	inPix, outPix int
	inCh, outCh   int // channels of one group
	k             int
	blocks        int // blocks of positions of one group of one sample
	packed        int // length of one group's packed weights
	depthwise     *dwconv.Plan
}

// positions is the number of output positions of a block.
const positions = gemm.NR

// NewPlan returns the plan of g, whose sizes must be positive (those of the
// result may be zero) and fit together.
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
	if len(p.taps) == 1 && p.stride == [3]int{1, 1, 1} && p.pad == [3]int{} && p.size == p.res {
		// Positions follow each other from row to row.
		p.size, p.res = [3]int{1, 1, p.inPix}, [3]int{1, 1, p.outPix}
	}
	p.inCh, p.outCh = g.In/g.Group, g.Out/g.Group
	p.k = len(p.taps) * p.inCh
	p.blocks = (p.outPix + positions - 1) / positions
	p.packed = gemm.PackedA(p.outCh, p.k)
	if g.Last {
		p.packed = gemm.PackedB(p.k, p.outCh)
	}
	// More filters fill the rows of a tile.
	if g.In == g.Group && p.outCh < gemm.MR && !g.Transposed {
		p.depthwise = dwconv.NewPlan(dwconv.Geometry{
			Batch: g.Batch, Channels: g.In, Filters: p.outCh,
			Size: p.size, Kernel: kernel, Stride: p.stride, Dilate: dilate, Pad: p.pad, Result: p.res, Last: g.Last,
		})
	}
	return p
}

// lift returns a list of up to three numbers as three, missing ones in front.
func lift(s []int, missing int) [3]int {
	out := [3]int{missing, missing, missing}
	copy(out[3-len(s):], s)
	return out
}

// WeightLen is the length of packed weights.
func (p *Plan) WeightLen() int {
	if p.depthwise != nil {
		return p.depthwise.WeightLen()
	}
	return p.g.Group * p.packed
}

// ScratchLen is the length of the scratch memory that Run and RunInt need.
func (p *Plan) ScratchLen() int {
	if p.depthwise != nil {
		return p.depthwise.ScratchLen()
	}
	return p.k * positions
}

// Blocks is the number of independent parts of the work.
func (p *Plan) Blocks() int {
	if p.depthwise != nil {
		return p.depthwise.Blocks()
	}
	return p.g.Batch * p.g.Group * p.blocks
}

// MACs is the number of multiply-adds of the whole convolution.
func (p *Plan) MACs() int { return p.g.Batch * p.g.Out * p.outPix * p.k }

// Pack packs weights given as [Out, In/Group, kernel...], or, transposed, as
// [In, Out/Group, kernel...]; at(i) returns element i. For RunInt the elements
// are integers less their zero points.
func (p *Plan) Pack(dst []float32, at func(i int) float32) {
	if p.depthwise != nil {
		for i := range dst[:p.WeightLen()] {
			dst[i] = at(i)
		}
		return
	}
	taps, lanes := len(p.taps), gemm.MR
	if p.g.Last {
		lanes = gemm.NR
	}
	for g := range p.g.Group {
		panel := dst[g*p.packed : (g+1)*p.packed]
		for m := 0; m < p.outCh; m += lanes {
			for t := range taps {
				for c := range p.inCh {
					cell := panel[m*p.k+(t*p.inCh+c)*lanes:][:lanes]
					for r := range cell {
						switch {
						case m+r >= p.outCh:
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

// block resolves part i into sample, group, first output position and the
// number of positions.
func (p *Plan) block(i int) (n, g, pos, count int) {
	pos = i % p.blocks * positions
	i /= p.blocks
	return i / p.g.Group, i % p.g.Group, pos, min(positions, p.outPix-pos)
}

// Run computes parts lo to hi of y from x with packed weights. ep.Row is the
// bias of all output channels, ep.Col is not used. Different goroutines may
// run different parts, each with its own scratch.
func (p *Plan) Run(y, x, w []float32, ep gemm.Epilogue, lo, hi int, scratch []float32) {
	if p.depthwise != nil {
		p.depthwise.Run(y, x, w, ep.Row, ep.Clamp, ep.Lo, ep.Hi, lo, hi, scratch)
		return
	}
	ep.Col = nil
	if p.g.Last {
		ep.Row, ep.Col = nil, ep.Row
	}
	var t [gemm.Panels]gemm.Tile
	panel := scratch[:p.k*positions]
	for i := lo; i < hi; i++ {
		n, g, pos, count := p.block(i)
		weights := w[g*p.packed : (g+1)*p.packed]
		if p.g.Last {
			gatherLast(p, panel, x[n*p.inPix*p.g.In+g*p.inCh:], pos, 0)
			for m := 0; m < p.outCh; m += gemm.NR {
				panels := (count + gemm.MR - 1) / gemm.MR
				gemm.MultiplyPanels(&t, panels, p.k, panel, weights[m*p.k:])
				for q := range panels {
					r := q * gemm.MR
					out := y[(n*p.outPix+pos+r)*p.g.Out+g*p.outCh+m:]
					gemm.Store(out, p.g.Out, &t[q], 0, g*p.outCh+m, min(gemm.MR, count-r), min(gemm.NR, p.outCh-m), ep)
				}
			}
			continue
		}
		gather(p, panel, x[(n*p.g.In+g*p.inCh)*p.inPix:][:p.inCh*p.inPix], pos, 0)
		for m := 0; m < p.outCh; m += gemm.Panels * gemm.MR {
			panels := min(gemm.Panels, (p.outCh-m+gemm.MR-1)/gemm.MR)
			gemm.MultiplyPanels(&t, panels, p.k, weights[m*p.k:], panel)
			for q := range panels {
				ch := g*p.outCh + m + q*gemm.MR
				gemm.Store(y[(n*p.g.Out+ch)*p.outPix+pos:], p.outPix, &t[q], ch, 0, min(gemm.MR, p.outCh-m-q*gemm.MR), count, ep)
			}
		}
	}
}

// RunInt is Run for 8-bit inputs with zero point zero, and weights that are
// integers. It hands out int32 sums, modulo 2³², of consecutive elements of y,
// the first of which has the given index and belongs to the given channel:
// channels first all belong to it, channels last to it and those that follow.
// emit may change sums, and must not keep them.
func RunInt[T uint8 | int8](p *Plan, x []T, zero int, w []float32, lo, hi int, scratch []float32, emit func(channel, at int, sums []int32)) {
	if p.depthwise != nil {
		dwconv.RunInt(p.depthwise, x, zero, w, lo, hi, scratch, emit)
		return
	}
	var t gemm.Tile
	var sums [gemm.MR * gemm.NR]int32
	panel := scratch[:p.k*positions]
	for i := lo; i < hi; i++ {
		n, g, pos, count := p.block(i)
		weights := w[g*p.packed : (g+1)*p.packed]
		if p.g.Last {
			gatherLast(p, panel, x[n*p.inPix*p.g.In+g*p.inCh:], pos, float32(zero))
			for m := 0; m < p.outCh; m += gemm.NR {
				cols := min(gemm.NR, p.outCh-m)
				for r := 0; r < count; r += gemm.MR {
					gemm.MultiplyInt(&sums, &t, p.k, gemm.StepAny, panel[r*p.k:], weights[m*p.k:])
					for q := range min(gemm.MR, count-r) {
						ch := g*p.outCh + m
						emit(ch, (n*p.outPix+pos+r+q)*p.g.Out+ch, sums[q*gemm.NR:q*gemm.NR+cols])
					}
				}
			}
			continue
		}
		gather(p, panel, x[(n*p.g.In+g*p.inCh)*p.inPix:][:p.inCh*p.inPix], pos, float32(zero))
		for m := 0; m < p.outCh; m += gemm.MR {
			gemm.MultiplyInt(&sums, &t, p.k, gemm.StepAny, weights[m*p.k:], panel)
			for r := range min(gemm.MR, p.outCh-m) {
				ch := g*p.outCh + m + r
				emit(ch, (n*p.g.Out+ch)*p.outPix+pos, sums[r*gemm.NR:r*gemm.NR+count])
			}
		}
	}
}
