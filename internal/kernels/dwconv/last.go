package dwconv

import (
	"math"
	"slices"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/exact"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
)

// Last is the plan of a convolution with activations channels last and one
// filter a channel. Vectors run over channels: the input is read where it lies,
// tap by tap, and padding from a row of zeros beside it. It does not change:
// any number of goroutines may use it.
type Last struct {
	Geometry
	taps   [][3]int  // kernel positions, already dilated
	groups int       // of taps
	table  int       // length of a list of taps
	runs   []stretch // of the outputs of a row
	parts  []int     // where the runs of each part of a row begin, and where they end
	wide   *wide     // nil where bytes do not gain by it
	framed *framed   // likewise, for results of bytes
	frames *framed   // likewise, for floats
	broad  *wide     // nil where floats do not
	places []int32   // of the sums of each four channels
}

// stretch is some outputs along the last axis that read the same taps in padding.
type stretch struct {
	first, count int
	// at is where each tap of output 0 lies, in elements from where the first
	// one is or would be; step is how far that of the next output is on, 0 for
	// padding. The lists end in zeros.
	at, step []int
}

const (
	// group is how many taps a dot product of bytes takes at once.
	group = 4
	// side is the number of channels of a block of packed bytes, lane that of
	// the smallest block, and of packed floats.
	side, lane = 64, 16
	// lineMACs bounds the multiply-adds of one call of a variant: assembly cannot
	// be interrupted.
	lineMACs = 2 << 20
)

// NewLast returns the plan of g, whose sizes must be positive (those of the
// result may be zero) and fit together.
func NewLast(g Geometry) *Last {
	const most = 128 // outputs of a part
	p := newLast(g, min(most, max(1, lineMACs/(g.Channels*product(g.Kernel)))))
	p.framed, p.frames = p.newFramed(1), p.newFramed(4)
	p.wide, p.broad = p.newWide(), p.newBroad()
	if p.framed != nil {
		p.framed.wide = p.wide
	}
	if p.frames != nil {
		p.frames.broad = p.broad
	}
	return p
}

// newLast returns the plan by itself, with parts of up to piece outputs.
func newLast(g Geometry, piece int) *Last {
	p := &Last{Geometry: g}
	for z := range g.Kernel[0] {
		for y := range g.Kernel[1] {
			for x := range g.Kernel[2] {
				p.taps = append(p.taps, [3]int{z * g.Dilate[0], y * g.Dilate[1], x * g.Dilate[2]})
			}
		}
	}
	p.groups = (len(p.taps) + group - 1) / group
	p.table = roundUp(len(p.taps), 2*group)
	reach := (g.Kernel[2] - 1) * g.Dilate[2]
	for x := 0; x < g.Result[2]; {
		if x == 0 || x-p.runs[p.parts[len(p.parts)-1]].first >= piece {
			p.parts = append(p.parts, len(p.runs))
		}
		r := stretch{first: x, count: 1}
		// Outputs from x to the last one whose taps are all there.
		if at := x*g.Stride[2] - g.Pad[2]; at >= 0 && at+reach < g.Size[2] {
			r.count = min(piece, g.Result[2]-x, (g.Size[2]-1-reach-at)/g.Stride[2]+1)
		}
		p.runs = append(p.runs, r)
		x += r.count
	}
	p.parts = append(p.parts, len(p.runs))
	p.places = p.newPlaces()
	for i := range p.runs {
		r := &p.runs[i]
		r.at, r.step = make([]int, p.table), make([]int, p.table)
		for t, tap := range p.taps {
			if x := r.first*g.Stride[2] - g.Pad[2] + tap[2]; x >= 0 && x < g.Size[2] {
				r.at[t] = ((tap[0]*g.Size[1]+tap[1])*g.Size[2] + tap[2]) * g.Channels
				r.step[t] = g.Stride[2] * g.Channels
			}
		}
	}
	return p
}

func roundUp(n, step int) int { return (n + step - 1) / step * step }

// Blocks is the number of independent parts of the work of Run.
func (p *Last) Blocks() int { return p.blocks(p.frames) }

// ByteBlocks is Blocks for RunBytes.
func (p *Last) ByteBlocks() int { return p.blocks(p.framed) }

// MACs is the number of multiply-adds of the whole convolution.
func (p *Last) MACs() int { return p.Batch * p.Channels * product(p.Result) * len(p.taps) }

// ScratchLen is the length in bytes of the scratch memory of Run and RunBytes.
func (p *Last) ScratchLen() int {
	copied := 0
	if p.framed != nil {
		copied = p.framed.length()
	}
	if p.frames != nil {
		copied = max(copied, 4*p.frames.length())
	}
	return p.ownScratch() + copied
}

// ownScratch is ScratchLen less the copied input, which follows.
func (p *Last) ownScratch() int { return 3*8*p.table + 8*roundUp(p.Channels, side) }

// reads is where the outputs of one run of one row read.
type reads struct {
	base     int // the element from which at counts; there may be none
	at, step []int
	live     []int    // room for the addresses that a variant follows
	own      [2][]int // room for lists other than the run's
}

// newReads takes the memory of reads off the scratch memory.
func (p *Last) newReads(scratch []byte) (reads, []byte) {
	list := func(i int) []int { return cast[int](scratch[8*i*p.table : 8*(i+1)*p.table]) }
	return reads{live: list(0), own: [2][]int{list(1), list(2)}}, scratch[3*8*p.table:]
}

// cast returns the memory of b as elements of another type.
func cast[T int | int32 | float32](b []byte) []T {
	var zero T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(zero)))
}

// line is a part of the work: some runs of a row.
type line struct {
	runs  []stretch
	out   int // index of the row's first output
	base  int // element of the row's first tap, were there no padding beside it
	z, y  int // of the first tap
	whole bool
}

func (p *Last) line(i int) line {
	parts := len(p.parts) - 1
	part, r := i%parts, i/parts
	y, z, n := r%p.Result[1], r/p.Result[1]%p.Result[0], r/p.Result[1]/p.Result[0]
	l := line{runs: p.runs[p.parts[part]:p.parts[part+1]], out: r * p.Result[2], z: z*p.Stride[0] - p.Pad[0], y: y*p.Stride[1] - p.Pad[1]}
	l.base = (((n*p.Size[0]+l.z)*p.Size[1]+l.y)*p.Size[2] - p.Pad[2]) * p.Channels
	last := p.taps[len(p.taps)-1]
	l.whole = l.z >= 0 && l.z+last[0] < p.Size[0] && l.y >= 0 && l.y+last[1] < p.Size[1]
	return l
}

// locate sets in to the reads of a run of l.
func (p *Last) locate(in *reads, l *line, r *stretch) {
	in.base, in.at, in.step = l.base+r.first*p.Stride[2]*p.Channels, r.at, r.step
	if l.whole {
		return
	}
	in.at, in.step = in.own[0], in.own[1]
	copy(in.at, r.at)
	copy(in.step, r.step)
	for t, tap := range p.taps {
		if uint(l.z+tap[0]) >= uint(p.Size[0]) || uint(l.y+tap[1]) >= uint(p.Size[1]) {
			in.at[t], in.step[t] = 0, 0
		}
	}
}

// check returns the parts of the input and of the results that the
// convolution reads and writes.
func check[T, U any](p *Last, y []U, x []T) ([]U, []T) {
	return y[:p.Batch*product(p.Result)*p.Channels], x[:p.Batch*product(p.Size)*p.Channels]
}

// FloatFinish is what follows the sums of Run.
type FloatFinish struct {
	bias   []float32 // of all blocks
	lo, hi float32
	plain  bool // one order of the operands of min and max suffices
	broad  *FloatFinish
}

// Finish returns the epilogue that adds bias, if not nil, and with clamp takes
// Go's min(max(v, lo), hi).
func (p *Last) Finish(bias []float32, clamp bool, lo, hi float32) *FloatFinish {
	f := &FloatFinish{bias: make([]float32, roundUp(p.Channels, lane)), lo: identity.lo, hi: identity.hi}
	for i := range f.bias {
		f.bias[i] = identity.bias
	}
	copy(f.bias, bias)
	if clamp {
		f.lo, f.hi = lo, hi
	}
	if f.lo == 0 && !math.Signbit(float64(f.lo)) {
		// Only with a bias of -0 a sum is -0, which the clamp makes +0. A bias
		// of +0 does so before, and the clamp sees no two zeros.
		for i, b := range f.bias {
			if b == 0 {
				f.bias[i] = 0
			}
		}
	}
	f.plain = f.lo == f.lo && f.hi == f.hi && !(f.hi == 0 && math.Signbit(float64(f.hi)))
	if n := p.broad; n != nil {
		if bias != nil {
			bias = slices.Repeat(bias, n.outputs)
		}
		f.broad = n.Finish(bias, clamp, lo, hi)
	}
	return f
}

// WeightLen is the length of the packed weights of Run.
func (p *Last) WeightLen() int {
	n := p.ownLen()
	if p.broad != nil {
		n += p.broad.ownLen()
	}
	return n
}

// ownLen is the length of the packed weights less those of p.broad, which
// follow.
func (p *Last) ownLen() int { return roundUp(p.Channels, lane) * len(p.taps) }

// Pack packs weights given as [Channels, 1, kernel...], of which at(i) returns
// element i: blocks of 16 channels, in each those of one tap side by side.
func (p *Last) Pack(dst []float32, at func(i int) float32) {
	clear(dst[:p.WeightLen()])
	for c := range p.Channels {
		for t := range p.taps {
			dst[(c/lane*len(p.taps)+t)*lane+c%lane] = at(c*len(p.taps) + t)
		}
	}
	if n := p.broad; n != nil {
		all := p.Channels * len(p.taps)
		n.Pack(dst[p.ownLen():], func(i int) float32 { return at(i % all) })
	}
}

// Run computes parts lo to hi of y from x with packed weights. Different
// goroutines may run different parts, each with its own scratch.
func (p *Last) Run(y, x, w []float32, f *FloatFinish, lo, hi int, scratch []byte) {
	y, x = check(p, y, x)
	p.run(x, w, f, lo, hi, scratch, func(at, _ int) []float32 { return y[at:] }, nil)
}

// RunBF16 is Run for results that are rounded to bfloat16; its scratch memory has
// room for LineLen floats more.
func (p *Last) RunBF16(y []uint16, x, w []float32, f *FloatFinish, lo, hi int, scratch []byte) {
	y, x = check(p, y, x)
	line := cast[float32](scratch[p.ScratchLen():][:4*p.LineLen()])
	p.run(x, w, f, lo, hi, scratch, func(int, int) []float32 { return line }, func(at, n int) { gemm.RoundBF16(y[at:], line[:n]) })
}

// LineLen is the number of results that are computed at once at most.
func (p *Last) LineLen() int { return p.Result[2] * p.Channels }

// run computes parts whose results, of which so many follow element at, are
// written where to says; done, if not nil, is called when they are.
func (p *Last) run(x, w []float32, f *FloatFinish, lo, hi int, scratch []byte, to func(at, n int) []float32, done func(at, n int)) {
	in, rest := p.newReads(scratch)
	n, broad := p.Channels, p.broad != nil
	if broad {
		n = p.broad.Channels
	}
	pad := cast[float32](rest)[:n]
	clear(pad)
	w = w[:p.WeightLen()]
	t := floatTask{p: p, x: x, pad: pad, w: w, f: f, in: in}
	var more floatTask
	if broad {
		more = t
		more.p, more.f, more.w = &p.broad.Last, f.broad, w[p.ownLen():]
	}
	if p.frames != nil {
		lo, hi = p.rows(lo, hi)
		t.framed(to, done, cast[float32](scratch[p.ownScratch():p.ScratchLen()]), lo, hi, &more)
		return
	}
	for i := lo; i < hi; i++ {
		l := p.line(i)
		for j := range l.runs {
			r := &l.runs[j]
			p.locate(&t.in, &l, r)
			at, all := (l.out+r.first)*p.Channels, r.count*p.Channels
			t.count, t.y = r.count, to(at, all)
			if t.one(&more); done != nil {
				done(at, all)
			}
		}
	}
}

// one computes a run, by the broad task more if there are outputs enough.
func (r *floatTask) one(more *floatTask) {
	if r.p.broad != nil && r.count >= r.p.broad.outputs {
		r.across(more)
	} else {
		r.compute()
	}
}

// floatTask is a run of outputs.
type floatTask struct {
	p         *Last
	y         []float32 // from the first output on
	x, pad, w []float32
	f         *FloatFinish
	in        reads
	count     int
	own       lastArgs
}

// generic is the twin that defines the bits, for the channels from one on.
func (r *floatTask) generic(from int) {
	channels, taps := r.p.Channels, len(r.p.taps)
	if from == channels {
		return
	}
	end := finish{lo: r.f.lo, hi: r.f.hi}
	for o := range r.count {
		dst := r.y[o*channels:][:channels]
		clear(dst[from:])
		for t := range taps {
			src := r.pad
			if s := r.in.step[t]; s != 0 {
				src = r.x[r.in.base+r.in.at[t]+o*s:]
			}
			for c := from; c < channels; c++ {
				w, v := r.w[(c/lane*taps+t)*lane+c%lane], src[c]
				if s := exact.Wide(w, v, dst[c]); !exact.Hard(s) {
					dst[c] = float32(s)
				} else {
					dst[c] = exact.FMA32(w, v, dst[c])
				}
			}
		}
		for c := from; c < channels; c++ {
			end.bias = r.f.bias[c]
			dst[c] = end.apply(dst[c])
		}
	}
}
