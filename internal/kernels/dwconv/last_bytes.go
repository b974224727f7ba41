package dwconv

import (
	"math"
	"slices"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/kernels/convert"
)

// ByteFinish is what follows the sums of RunBytes.
type ByteFinish struct {
	// params holds, block by block, the bias less the zero point's part and
	// the bits of the multipliers, in the order of the block's sums.
	params []int32
	grid   convert.Grid
	lo, hi float32 // clamp of float results
	zero   uint8   // what stands for padding
	flip   uint8   // what takes inputs to the uint8 that are multiplied
	far    bool    // some result may lie outside of int32 before it is clamped
	few    *few    // instead of params, of the channels that fill no lane
	signs  signs
	wide   *ByteFinish
	fixed  *fixed // instead of multipliers, else nil
}

// FinishBytes returns the epilogue of weights w, as PackBytes takes them, and
// inputs of type T with zero point zero. For 8-bit results it is
// convert.Requantize of the sum and bias, if not nil, on the grid; for float32
// it is min(max(float32(sum+bias)·multiplier, lo), hi), where lo and hi are
// Go's. There is one multiplier, or one a channel.
func FinishBytes[T uint8 | int8](p *Last, zero T, w []int8, bias []int32, multipliers []float32, grid convert.Grid, lo, hi float32) *ByteFinish {
	f := &ByteFinish{params: make([]int32, 2*packed(p.Channels)), grid: grid, lo: lo, hi: hi, zero: uint8(zero)}
	if lowest := ^T(0); lowest < 0 {
		f.flip = 0x80
	}
	taps, off := len(p.taps), int32(f.zero^f.flip)
	for c := range p.Channels {
		var sum, reach int32
		for _, v := range w[c*taps : (c+1)*taps] {
			sum += int32(v)
			reach += max(int32(v), -int32(v))
		}
		at, next := p.param(c)
		f.params[at] = -off * sum
		if bias != nil {
			f.params[at] += bias[c]
		}
		m := multipliers[min(c, len(multipliers)-1)]
		f.params[at+next] = int32(math.Float32bits(m))
		if most := float64(255*float64(reach)) + math.Abs(float64(f.params[at])); !(most*math.Abs(float64(m)) < 1<<31) {
			f.far = true
		}
	}
	f.few, f.signs = newFew(p, f, w), newSigns(p, f, w)
	if n := p.wide; n != nil {
		if bias != nil {
			bias = slices.Repeat(bias, n.outputs)
		}
		if len(multipliers) > 1 {
			multipliers = slices.Repeat(multipliers, n.outputs)
		}
		f.wide = FinishBytes(&n.Last, zero, slices.Repeat(w, n.outputs), bias, multipliers, grid, lo, hi)
	}
	return f
}

// natural reports whether the channels of c's block lie in order: a last block
// of one lane. Those of others lie as the interleaving of four taps within
// 16-byte lanes leaves them.
func (p *Last) natural(c int) bool {
	return p.Channels%side == lane && c/side == p.Channels/side
}

// slot returns the place of channel c among the sums of its block.
func (p *Last) slot(c int) int {
	if p.natural(c) {
		return c % lane
	}
	return c%lane/group*lane + c%side/lane*group + c%group
}

// param returns where the bias of channel c lies in the parameters, and how far
// its multiplier is on.
func (p *Last) param(c int) (at, next int) {
	next = side
	if p.natural(c) {
		next = lane
	}
	return c/side*2*side + p.slot(c), next
}

// weight returns where the weight of channel c and tap t lies.
func (p *Last) weight(c, t int) int {
	width := side
	if p.natural(c) {
		width = lane
	}
	return c/side*side*p.groups*group + (t/group*width+p.slot(c))*group + t%group
}

// WeightBytes is the length of the packed weights of RunBytes.
func (p *Last) WeightBytes() int {
	n := p.ownBytes()
	if p.wide != nil {
		n += p.wide.ownBytes()
	}
	if p.framed != nil {
		n += p.framed.columns * column
	}
	return n
}

// ownBytes is the length of the packed weights less those of p.wide or by
// columns, which follow.
func (p *Last) ownBytes() int { return packed(p.Channels) * p.groups * group }

// packed is the number of channels that packing makes of n.
func packed(n int) int {
	if n%side == lane {
		return n
	}
	return roundUp(n, side)
}

// PackBytes packs weights given as [Channels, 1, kernel...]: blocks of 64
// channels, in each groups of four taps, which lie side by side.
func (p *Last) PackBytes(dst, w []int8) {
	clear(dst[:p.WeightBytes()])
	for c := range p.Channels {
		for t := range p.taps {
			dst[p.weight(c, t)] = w[c*len(p.taps)+t]
		}
	}
	if n := p.wide; n != nil {
		n.PackBytes(dst[p.ownBytes():], slices.Repeat(w, n.outputs))
	}
	if p.framed != nil {
		p.framed.packColumns(dst[p.ownBytes():], w)
	}
}

// RunBytes is Run for bytes, with ByteBlocks parts. The sums are exact, modulo
// 2³²; results of int32 are the sums and bias themselves.
func RunBytes[T uint8 | int8, U uint8 | int8 | float32 | int32](p *Last, y []U, x []T, w []int8, f *ByteFinish, lo, hi int, scratch []byte) {
	y, x = check(p, y, x)
	in, rest := p.newReads(scratch)
	sums := cast[int32](rest)[:roundUp(p.Channels, side)]
	pad := rest[4*roundUp(p.Channels, side):][:roundUp(p.Channels, side)]
	for i := range pad {
		pad[i] = f.zero
	}
	t := byteTask{p: p, x: bytesOf(x), pad: pad, w: w[:p.WeightBytes()], f: f, in: in, sums: sums}
	var kind U
	switch any(kind).(type) {
	case int8:
		t.signed = true
	case float32:
		t.float = true
	case int32:
		t.whole = true
	}
	var line []int32 // of sums that are rescaled run by run
	if f.fixed != nil {
		t.fixed = f.fixed.params != nil && rescales() && t.signed == (f.flip != 0)
		if t.whole = !t.fixed; t.whole {
			line = cast[int32](scratch[p.fixedFrom():p.FixedScratchLen()])
		}
	}
	t.small = p.Channels < lane && (f.far || !vectors(p.Channels))
	t.wide = p.wide != nil && !f.far && vectors(p.wide.Channels)
	var more byteTask
	if t.wide {
		more = t
		more.p, more.f, more.w = &p.wide.Last, f.wide, t.w[p.ownBytes():]
	}
	if p.framed != nil {
		lo, hi = p.rows(lo, hi)
		if !t.float && !t.whole && !f.far {
			t.framed(octets(y), scratch[p.ownScratch():], lo, hi, &more)
			return
		}
		parts := len(p.parts) - 1
		lo, hi = lo*parts, hi*parts
	}
	for i := lo; i < hi; i++ {
		l := p.line(i)
		for j := range l.runs {
			r := &l.runs[j]
			p.locate(&t.in, &l, r)
			t.count = r.count
			switch out := any(y[(l.out+r.first)*p.Channels:]).(type) {
			case []float32:
				t.floats = out
			case []int32:
				t.wholes = out
			case []uint8:
				t.y = out
			case []int8:
				t.y = bytesOf(out)
			}
			if line == nil {
				t.one(&more)
				continue
			}
			t.wholes = line
			t.one(&more)
			t.rescale(t.y, t.signed)
		}
	}
}

// one computes a run, by the wide task more if there are outputs enough.
func (r *byteTask) one(more *byteTask) {
	switch {
	case r.wide && r.count >= r.p.wide.outputs:
		r.across(more)
	case r.small:
		r.few()
	default:
		r.compute()
	}
}

// octets returns the memory of results.
func octets[T uint8 | int8 | float32 | int32](s []T) []uint8 {
	return unsafe.Slice((*uint8)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(*new(T))))
}

func bytesOf[T uint8 | int8](s []T) []uint8 {
	return unsafe.Slice((*uint8)(unsafe.Pointer(unsafe.SliceData(s))), len(s))
}

// byteTask is a run of outputs.
type byteTask struct {
	p            *Last
	y, x, pad    []uint8   // y from the first output on
	floats       []float32 // instead of y
	wholes       []int32   // likewise
	signed       bool      // the type of the results, with the next two
	float, whole bool
	fixed        bool // kernels rescale
	small, wide  bool // channels that fill no lane; whether there is a wide task
	w            []int8
	f            *ByteFinish
	in           reads
	count        int
	from         int // channels that are done, of whole blocks
	// Of several rows at once, 0 if it is one: their number, and how far they lie
	// apart in x and in y.
	rows, rowIn, rowOut int
	sums                []int32 // of one output, in the order of their blocks
	own                 lastArgs
}

// generic is the twin that defines the results, for the channels from one on.
func (r *byteTask) generic(from int) {
	if from == r.p.Channels {
		return
	}
	for o := range r.count {
		for c := from; c < r.p.Channels; c++ {
			at, _ := r.p.param(c)
			r.sums[r.place(c)] = r.f.params[at]
		}
		for t := range r.p.taps {
			src := r.pad
			if s := r.in.step[t]; s != 0 {
				src = r.x[r.in.base+r.in.at[t]+o*s:]
			}
			for c := from; c < r.p.Channels; c++ {
				r.sums[r.place(c)] += int32(src[c]^r.f.flip) * int32(r.w[r.p.weight(c, t)])
			}
		}
		r.finish(o, from, r.p.Channels)
	}
}

// finish takes the sums of output o to results, for some channels.
func (r *byteTask) finish(o, from, to int) {
	if r.whole {
		out := r.wholes[o*r.p.Channels:][:r.p.Channels]
		for c := from; c < to; {
			sums := r.sums[r.p.places[c/group]:][:group]
			if c%group == 0 && to-c >= group {
				*(*[group]int32)(out[c:]) = *(*[group]int32)(sums)
				c += group
				continue
			}
			out[c] = sums[c%group]
			c++
		}
		return
	}
	for c := from; c < to; {
		// Groups of channels lie side by side among sums and parameters.
		n := min(group-c%group, to-c)
		i, next := r.p.param(c)
		params, sums, at := r.f.params[i+next:][:n], r.sums[r.place(c):][:n], o*r.p.Channels+c
		c += n
		switch {
		case r.float:
			for k := range n {
				y := float32(sums[k]) * math.Float32frombits(uint32(params[k]))
				r.floats[at+k] = min(max(y, r.f.lo), r.f.hi)
			}
		case r.signed:
			for k := range n {
				r.y[at+k] = uint8(requantize[int8](sums[k], math.Float32frombits(uint32(params[k])), r.f.grid))
			}
		default:
			for k := range n {
				r.y[at+k] = requantize[uint8](sums[k], math.Float32frombits(uint32(params[k])), r.f.grid)
			}
		}
	}
}

// place returns where the sum of a channel lies.
func (r *byteTask) place(c int) int { return c/side*side + r.p.slot(c) }

// newPlaces returns where the sums of each four channels lie.
func (p *Last) newPlaces() []int32 {
	places := make([]int32, (p.Channels+group-1)/group)
	for i := range places {
		places[i] = int32(i*group/side*side + p.slot(i*group))
	}
	return places
}

func requantize[T uint8 | int8](sum int32, m float32, g convert.Grid) T {
	var out [1]T
	in := [1]int32{sum}
	convert.Requantize(out[:], in[:], m, g)
	return out[0]
}
