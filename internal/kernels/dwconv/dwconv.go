// Package dwconv convolves every channel with filters of its own (depthwise),
// float32 and 8-bit, in up to three spatial dimensions, with any kernel,
// stride, dilation, padding and number of filters a channel.
//
// Every float result is acc = +0; acc = fma(w[t], x[t], acc) over ascending
// taps, padding taking part as zeros, then bias and clamp: the same bits as a
// convolution by package conv. A channel is first laid out on its padded grid,
// split by stride into phases, so that each tap reads consecutive elements for
// consecutive outputs; outputs are computed on that grid, a few too many at the
// ends of rows, and the right ones copied. Integers are computed as floats
// that hold them exactly.
//
// Where channels lie side by side and have one filter each, [Last] needs none of
// that: it takes vectors of channels, and multiplies bytes as bytes.
//
// It sees slices and must not know tensors or quantization parameters. Start
// at [Plan], whose kernel is chain in variants.go, or at [Last], whose kernels
// are the methods compute; assembly is made by _asm.
package dwconv

//go:generate go -C _asm run . ..

// Geometry describes a depthwise convolution. Dimensions that do not exist
// come first and have size, kernel, stride, dilation and result 1, pad 0.
type Geometry struct {
	Batch, Channels int
	Filters         int // of each channel
	Size, Kernel    [3]int
	Stride, Dilate  [3]int
	Pad             [3]int // before the first element
	Result          [3]int
	Last            bool // activations are [Batch, Size..., Channels], not [Batch, Channels, Size...]
}

// Plan is a geometry with what follows from it. It does not change: any number
// of goroutines may use it.
type Plan struct {
	Geometry
	inPix, outPix int
	taps          int
	off           []int  // where on the grid each tap finds output 0's element
	phases        []int  // the phases that taps use, in order of their planes
	grid          [3]int // size of a phase's plane
	plane         int    // product of grid
	padded        int    // length of all planes, and of what tiles read behind
	cells         int    // grid cells from the first output to the last, in whole tiles
	lanes         int    // channels of a block
	blocks        int    // of a sample
}

const (
	// width is the number of grid cells that a tile computes.
	width = 64
	// lanesLast is the number of channels computed together where they lie side
	// by side: those of one cache line.
	lanesLast = 16
)

// NewPlan returns the plan of g, whose sizes must be positive (those of the
// result may be zero) and fit together.
func NewPlan(g Geometry) *Plan {
	p := &Plan{Geometry: g, inPix: product(g.Size), outPix: product(g.Result), taps: product(g.Kernel), lanes: 1}
	if g.Last {
		p.lanes = min(lanesLast, g.Channels)
	}
	p.blocks = (g.Channels + p.lanes - 1) / p.lanes
	for i := range p.grid {
		p.grid[i] = g.Result[i] + (g.Kernel[i]-1)*g.Dilate[i]/g.Stride[i]
	}
	p.plane = product(p.grid)
	planeOf := make(map[int]int)
	last := 0
	for z := range g.Kernel[0] {
		for y := range g.Kernel[1] {
			for x := range g.Kernel[2] {
				phase, at := 0, 0
				for i, k := range [3]int{z, y, x} {
					phase = phase*g.Stride[i] + k*g.Dilate[i]%g.Stride[i]
					at = at*p.grid[i] + k*g.Dilate[i]/g.Stride[i]
				}
				if _, ok := planeOf[phase]; !ok {
					planeOf[phase] = len(p.phases)
					p.phases = append(p.phases, phase)
				}
				at += planeOf[phase] * p.plane
				p.off = append(p.off, at)
				last = max(last, at)
			}
		}
	}
	end := ((g.Result[0]-1)*p.grid[1]+g.Result[1]-1)*p.grid[2] + g.Result[2]
	p.cells = max(0, end+width-1) / width * width
	if p.outPix == 0 {
		p.blocks = 0
	}
	p.padded = max(len(p.phases)*p.plane, last+p.cells)
	return p
}

func product(s [3]int) int { return s[0] * s[1] * s[2] }

// WeightLen is the length of packed weights, those of a filter in order of its
// taps: for float32 the same as [Channels*Filters, 1, kernel...].
func (p *Plan) WeightLen() int { return p.Channels * p.Filters * p.taps }

// ScratchLen is the length of the scratch memory that Run and RunInt need.
func (p *Plan) ScratchLen() int { return p.padded + p.lanes*p.Filters*p.cells }

// Blocks is the number of independent parts of the work.
func (p *Plan) Blocks() int { return p.Batch * p.blocks }

// Run computes parts lo to hi of y from x with weights w. With bias not nil,
// bias[m] is added to filter m; with clamp min(max(v, least), greatest) of Go
// follows. Different goroutines may run different parts, each with its own
// scratch.
func (p *Plan) Run(y, x, w, bias []float32, clamp bool, least, greatest float32, lo, hi int, scratch []float32) {
	padded, cells := p.split(scratch)
	f := identity
	if clamp {
		f.lo, f.hi = least, greatest
	}
	for i := lo; i < hi; i++ {
		n, c, lanes := p.block(i)
		for l := range lanes {
			lay(p, padded, x, n, c+l, 0)
			for j := range p.Filters {
				m := (c+l)*p.Filters + j
				if bias != nil {
					f.bias = bias[m]
				}
				p.filter(p.lane(cells, l*p.Filters+j), padded, w[m*p.taps:(m+1)*p.taps], 0, &f)
			}
		}
		p.collect(y, cells, n, c*p.Filters, lanes*p.Filters)
	}
}

// block resolves part i into sample, first channel and the number of channels.
func (p *Plan) block(i int) (n, c, lanes int) {
	n, c = i/p.blocks, i%p.blocks*p.lanes
	return n, c, min(p.lanes, p.Channels-c)
}

// split returns the two parts of the scratch memory. What tiles read behind the
// planes ends up in cells that nobody collects.
func (p *Plan) split(scratch []float32) (padded, cells []float32) {
	padded, cells = scratch[:p.padded], scratch[p.padded:p.ScratchLen()]
	clear(padded[len(p.phases)*p.plane:])
	return padded, cells
}

// lane returns the cells of one filter of a block.
func (p *Plan) lane(cells []float32, l int) []float32 { return cells[l*p.cells : (l+1)*p.cells] }

// limit bounds the work of one call of a variant, in taps times tiles:
// assembly cannot be interrupted.
const limit = 1 << 14

// filter computes all cells from taps first to first+len(w).
func (p *Plan) filter(cells, padded, w []float32, first int, f *finish) {
	off := p.off[first : first+len(w)]
	step := max(1, limit/len(w)) * width
	for at := 0; at < len(cells); at += step {
		chain(cells[at:min(at+step, len(cells))], padded[at:], off, w, f)
	}
}

// row returns the first cell of row i of the outputs.
func (p *Plan) row(i int) int {
	if i < p.Result[1] {
		return i * p.grid[2]
	}
	return (i/p.Result[1]*p.grid[1] + i%p.Result[1]) * p.grid[2]
}

// collect copies the results of lanes filters from m on out of the grid.
func (p *Plan) collect(y, cells []float32, n, m, lanes int) {
	width, all := p.Result[2], p.Channels*p.Filters
	for r := range p.Result[0] * p.Result[1] {
		at := p.row(r)
		if !p.Last {
			for l := range lanes {
				copy(y[(n*all+m+l)*p.outPix+r*width:][:width], cells[l*p.cells+at:])
			}
			continue
		}
		for q := range width {
			dst := y[(n*p.outPix+r*width+q)*all+m:][:lanes]
			for l := range dst {
				dst[l] = cells[l*p.cells+at+q]
			}
		}
	}
}

// lay writes a channel, less zero, onto the planes of the phases.
func lay[T float32 | uint8 | int8](p *Plan, dst []float32, x []T, n, c int, zero float32) {
	from, step := (n*p.Channels+c)*p.inPix, 1
	if p.Last {
		from, step = n*p.inPix*p.Channels+c, p.Channels
	}
	for i, phase := range p.phases {
		fx := phase % p.Stride[2]
		fy := phase / p.Stride[2] % p.Stride[1]
		fz := phase / p.Stride[2] / p.Stride[1]
		plane := dst[i*p.plane : (i+1)*p.plane]
		// Columns from first to end have an input.
		first := max(0, (p.Pad[2]-fx+p.Stride[2]-1)/p.Stride[2])
		end := min(p.grid[2], (p.Size[2]-1+p.Pad[2]-fx+p.Stride[2])/p.Stride[2])
		for z := range p.grid[0] {
			iz := z*p.Stride[0] + fz - p.Pad[0]
			for y := range p.grid[1] {
				iy := y*p.Stride[1] + fy - p.Pad[1]
				row := plane[(z*p.grid[1]+y)*p.grid[2]:][:p.grid[2]]
				if iz < 0 || iz >= p.Size[0] || iy < 0 || iy >= p.Size[1] || first >= end {
					clear(row)
					continue
				}
				at := (iz*p.Size[1]+iy)*p.Size[2] + first*p.Stride[2] + fx - p.Pad[2]
				clear(row[:first])
				spread(row[first:end], x[from+at*step:], p.Stride[2]*step, zero)
				clear(row[end:])
			}
		}
	}
}

// spread writes every step-th element of src, less zero, to dst.
func spread[T float32 | uint8 | int8](dst []float32, src []T, step int, zero float32) {
	switch step {
	case 1:
		if f, ok := any(src).([]float32); ok && zero == 0 {
			copy(dst, f)
			return
		}
		for i, v := range src[:len(dst)] {
			dst[i] = float32(v) - zero
		}
	case 2:
		if len(dst) == 0 {
			return
		}
		src = src[: 2*len(dst)-1 : 2*len(dst)-1]
		last := len(dst) - 1
		dst[last] = float32(src[2*last]) - zero
		for i := range dst[:last] {
			dst[i] = float32(src[2*i]) - zero
		}
	default:
		for i := range dst {
			dst[i] = float32(src[i*step]) - zero
		}
	}
}
