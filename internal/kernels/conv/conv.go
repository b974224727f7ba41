// Package conv convolves activations that lie channels last, float32 and
// 8-bit, in one, two or three spatial dimensions, with any stride, dilation,
// padding and group; transposed convolutions too. A product with a matrix of
// weights is a convolution with a kernel of one element.
//
// It is a matrix product by package gemm: each output position is a row that
// finds its input where it lies, k running over spatial taps outermost and the
// channels of the group inside. Padding takes part as zeros, and so do the
// elements that a transposed convolution's stride inserts. Convolutions with
// one filter a channel are package dwconv's. The package sees slices and must
// not know tensors or scales.
//
// Start at [NewPlan] and [Plan.Run].
package conv

import "github.com/octavo-ml/octavo/internal/kernels/gemm"

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
	Parts          int // into how many threads want the work to be cut, if that pays
}

// Element is the type of a convolution's activations.
type Element uint8

// The types of activations. Weights of floats are of their type, of others int8.
const (
	Float32 Element = iota
	Uint8
	Int8
	BFloat16
)

// octets reports whether an element is a byte.
func (e Element) octets() bool { return e == Uint8 || e == Int8 }

// size is an element's in bytes.
func (e Element) size() int {
	switch e {
	case Float32:
		return 4
	case BFloat16:
		return 2
	}
	return 1
}

// Plan is a geometry with what follows from it. It does not change: any number
// of goroutines may use it.
//
// Its work is parts: a band of output positions, of lines or of a piece of a
// line, times a panel of output channels. Each position is a row of a matrix
// product that finds its input where it lies. Where there is padding, a band's
// input is copied first with the padding around it; a transposed convolution
// gathers it.
type Plan struct {
	g               Geometry
	size, res       [3]int
	kernel, dilate  [3]int
	stride, pad     [3]int
	inCh, outCh     int // channels of one group
	held            int // input channels of a group as products read them, zeros behind inCh
	matrix          gemm.Matrix
	group           int // of weights, the length of a group's
	flip            uint8
	copies          bool
	pitch           [3]int // between neighbours of the input, in place or copied
	rows            gemm.Rows
	lines, run      int // of output positions of a band
	bandsY, bandsX  int
	panels, scratch int
	across          *across // nil where vectors over filters do as well
}

// budget is how much input a band has, in bytes: what caches near a core hold
// beside a panel of weights.
const budget = 128 << 10

// leastPart is how many multiply-adds of floats, or four times as many of bytes,
// take a microsecond or two: less is not worth another thread's attention.
const leastPart = 1 << 16

// NewPlan returns the plan of g, whose sizes must be positive (those of the
// result may be zero) and fit together.
func NewPlan(g Geometry, e Element) *Plan {
	p := &Plan{
		g: g, size: lift(g.Size, 1), res: lift(g.Result, 1), kernel: lift(g.Kernel, 1), dilate: lift(g.Dilate, 1),
		stride: lift(g.Stride, 1), pad: lift(g.Pad, 0), inCh: g.In / g.Group, outCh: g.Out / g.Group,
	}
	taps := product(p.kernel)
	p.matrix = gemm.Matrix{
		Columns: p.outCh, Taps: taps, Steps: 1, Channels: p.inCh,
		Column: p.inCh * taps, Tap: 1, Channel: taps,
	}
	if g.Transposed {
		p.matrix.Column, p.matrix.Channel = taps, p.outCh*taps
	}
	p.group = p.inCh * p.outCh * taps
	if taps == 1 && p.stride == [3]int{1, 1, 1} && p.pad == [3]int{} && p.size == p.res {
		// Positions follow each other from row to row and sample to sample.
		n := g.Batch * product(p.size)
		p.g.Batch, p.size, p.res = 1, [3]int{1, 1, n}, [3]int{1, 1, n}
		p.g.Transposed = false
	}
	if e == Int8 {
		p.flip = 0x80
	}
	if g.Group == 1 && p.dilate[2] == 1 && !p.g.Transposed {
		// Neighbours under the kernel lie side by side: they are one tap.
		p.matrix.Taps, p.matrix.Steps = taps/p.kernel[2], p.kernel[2]
		p.matrix.Tap, p.matrix.Step = p.kernel[2], 1
	}
	if p.held = p.inCh; e == BFloat16 {
		p.held = gemm.Paired(p.matrix.Steps, p.inCh)
	}
	p.panels = (p.outCh + gemm.Width - 1) / gemm.Width
	p.copies = p.g.Transposed || p.padded() || p.flip != 0 || p.held != p.inCh || e.octets() && p.matrix.Depth()%gemm.Group != 0
	p.rows.Depth = p.matrix.Steps * p.held
	if product(p.res) == 0 {
		return p
	}
	p.cut(e.size())
	p.locate()
	if e != Float32 {
		p.rows.Prepare(p.lines * p.run)
		p.rows.Prepare((p.res[1] - (p.bandsY-1)*p.lines) * (p.res[2] - (p.bandsX-1)*p.run))
	}
	if e.octets() {
		p.scratch += gemm.Group - 1 // which products may read
	}
	if e == Float32 {
		p.across = p.newAcross()
	}
	return p
}

// lift returns a list of up to three numbers as three, missing ones in front.
func lift(s []int, missing int) [3]int {
	out := [3]int{missing, missing, missing}
	copy(out[3-len(s):], s)
	return out
}

func product(s [3]int) int { return s[0] * s[1] * s[2] }

// padded reports whether an output sees more than there is.
func (p *Plan) padded() bool {
	for i, n := range p.res {
		if p.pad[i] > 0 || (n-1)*p.stride[i]+(p.kernel[i]-1)*p.dilate[i] >= p.size[i] {
			return true
		}
	}
	return false
}

// cut chooses the bands: as much as the budget allows, but where there is work
// enough so many that several threads find some.
func (p *Plan) cut(size int) {
	input := p.g.In * size * p.stride[1] * p.stride[2]
	if p.g.Transposed {
		input = p.g.In * size * product(p.kernel)
	}
	rows := max(1, budget/input)
	plane := p.res[1] * p.res[2]
	planes := p.g.Batch * p.res[0] * p.g.Group * p.panels
	parts := min(p.g.Parts, (p.MACs()*size+leastPart)/(4*leastPart))
	if size > 2 {
		// Of bytes and bfloat16 the fewer bands the better: their weights are read
		// for many rows.
		parts = max(parts, min(16, p.MACs()>>21))
	}
	if bands := (parts + planes - 1) / planes; bands > 1 {
		rows = min(rows, (plane+bands-1)/bands)
	}
	least := 16
	if planes >= p.g.Parts {
		least *= min(p.panels, 4) // these are parts enough, and each band reads the weights anew
	}
	rows = max(rows, least)
	if p.res[2] <= rows {
		p.bandsX, p.run = 1, p.res[2]
		p.lines, p.bandsY = even(p.res[1], rows/p.res[2])
	} else {
		p.lines, p.bandsY = 1, p.res[1]
		p.run, p.bandsX = even(p.res[2], rows)
	}
}

// even cuts n into parts of at most most, all of nearly one size.
func even(n, most int) (size, parts int) {
	parts = (n + most - 1) / most
	size = (n + parts - 1) / parts
	return size, (n + size - 1) / size
}

// extent returns how much input so many lines of a band see.
func (p *Plan) extent(lines int) [3]int {
	return [3]int{
		(p.kernel[0]-1)*p.dilate[0] + 1,
		(lines-1)*p.stride[1] + (p.kernel[1]-1)*p.dilate[1] + 1,
		(p.run-1)*p.stride[2] + (p.kernel[2]-1)*p.dilate[2] + 1,
	}
}

// locate finds the rows and taps of a band.
func (p *Plan) locate() {
	in := p.pixel()
	if p.g.Transposed {
		for t := range product(p.kernel) {
			p.rows.Tap = append(p.rows.Tap, int32(t*in))
		}
		row := product(p.kernel) * in
		for i := range p.lines * p.run {
			p.rows.Row = append(p.rows.Row, int32(i*row))
		}
		p.scratch = p.lines * p.run * row
		return
	}
	grid := p.size
	if p.copies {
		grid = p.extent(p.lines)
		p.scratch = product(grid) * in
	}
	p.pitch = [3]int{grid[1] * grid[2] * in, grid[2] * in, in}
	steps := p.kernel[2]
	if p.matrix.Steps > 1 || steps == 1 {
		steps = 1
	}
	for z := range p.kernel[0] {
		for y := range p.kernel[1] {
			for x := range steps {
				p.rows.Tap = append(p.rows.Tap, int32(z*p.dilate[0]*p.pitch[0]+y*p.dilate[1]*p.pitch[1]+x*p.dilate[2]*p.pitch[2]))
			}
		}
	}
	for y := range p.lines {
		for x := range p.run {
			p.rows.Row = append(p.rows.Row, int32(y*p.stride[1]*p.pitch[1]+x*p.stride[2]*p.pitch[2]))
		}
	}
}

// pixel is the number of elements of a position as products read them.
func (p *Plan) pixel() int { return p.g.Group * p.held }

// Blocks is the number of independent parts of the work.
func (p *Plan) Blocks() int {
	if product(p.res) == 0 {
		return 0
	}
	return p.g.Batch * p.res[0] * p.bandsY * p.bandsX * p.g.Group * p.panels
}

// MACs is the number of multiply-adds of the whole convolution.
func (p *Plan) MACs() int {
	return p.g.Batch * product(p.res) * p.g.Out * p.inCh * product(p.kernel)
}

// Cost is MACs, counted as more where so few positions share the weights that
// reading those takes longer.
func (p *Plan) Cost() int {
	const few = 4
	return p.MACs() * max(1, few/max(1, p.g.Batch*product(p.res)))
}

// ScratchLen is the number of elements of the scratch memory that Run, RunBytes
// and RunBF16 need.
func (p *Plan) ScratchLen() int { return p.scratch }

// WeightLen is the length of weights packed by Pack.
func (p *Plan) WeightLen() int { return p.g.Group * p.matrix.Floats() }

// WeightBytes is the length of weights packed by PackBytes.
func (p *Plan) WeightBytes() int { return p.g.Group * p.matrix.Bytes() }

// Pack packs weights given as [Out, In/Group, kernel...], or, transposed, as
// [In, Out/Group, kernel...]. What it makes depends on nothing but these sizes,
// the group and the dilation.
func (p *Plan) Pack(dst, w []float32) { p.PackParts(dst, w, 0, p.Packs()) }

// PackBytes is Pack for int8.
func (p *Plan) PackBytes(dst, w []int8) { p.PackByteParts(dst, w, 0, p.Packs()) }

// Packs is the number of parts that weights can be packed in, by different
// goroutines.
func (p *Plan) Packs() int { return p.g.Group * p.panels }

// PackParts is Pack for parts lo to hi alone.
func (p *Plan) PackParts(dst, w []float32, lo, hi int) {
	for i := lo; i < hi; i++ {
		g := i / p.panels
		p.matrix.PackFloatPanel(dst[g*p.matrix.Floats():], w[g*p.group:(g+1)*p.group], i%p.panels)
	}
}

// PackByteParts is PackParts for int8.
func (p *Plan) PackByteParts(dst, w []int8, lo, hi int) {
	for i := lo; i < hi; i++ {
		g := i / p.panels
		p.matrix.PackBytePanel(dst[g*p.matrix.Bytes():], w[g*p.group:(g+1)*p.group], i%p.panels)
	}
}

// part is a part of the work.
type part struct {
	n, z, y, x   int // where its band begins
	band         int
	lines, run   int
	group, panel int
}

func (p *Plan) part(i int) (b part) {
	if i < p.panels { // of the first band, without divisions
		return part{panel: i, lines: min(p.lines, p.res[1]), run: min(p.run, p.res[2])}
	}
	b.panel, i = i%p.panels, i/p.panels
	b.group, i = i%p.g.Group, i/p.g.Group
	b.band = i
	b.x, i = i%p.bandsX*p.run, i/p.bandsX
	b.y, i = i%p.bandsY*p.lines, i/p.bandsY
	b.z, b.n = i%p.res[0], i/p.res[0]
	b.lines, b.run = min(p.lines, p.res[1]-b.y), min(p.run, p.res[2]-b.x)
	return b
}

// to returns the index of the first output of a part.
func (p *Plan) to(b part) int {
	pixel := ((b.n*p.res[0]+b.z)*p.res[1]+b.y)*p.res[2] + b.x
	return pixel*p.g.Out + b.group*p.outCh + b.panel*gemm.Width
}

// cols returns the number of channels of a part.
func (p *Plan) cols(b part) int { return min(gemm.Width, p.outCh-b.panel*gemm.Width) }
