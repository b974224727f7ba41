package tflite

import (
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Operators on shapes, and those that make tensors of them.
var shapers = []conversion{
	{"EXPAND_DIMS", "ExpandDimsOptions", 1, 2, 1, func(s *scope) {
		s.set(0, s.node(op.New[op.Unsqueeze](), s.in(0), s.list(s.one(1, "an axis"))))
	}},
	{"FILL", "FillOptions", 4, 2, 1, func(s *scope) { s.set(0, s.node(op.New[op.Expand](), s.in(1), s.lengths(0))) }},
	{"ONE_HOT", "OneHotOptions", 1, 4, 1, oneHot},
	{"RANGE", "RangeOptions", 2, 3, 1, func(s *scope) { s.set(0, s.node(op.New[op.Range](), s.in(0), s.in(1), s.in(2))) }},
	{"RANK", "RankOptions", 1, 1, 1, rank},
	{"RESHAPE", "ReshapeOptions", 1, 1, 1, reshape},
	{"SHAPE", "ShapeOptions", 1, 1, 1, func(s *scope) { s.store(0, s.node(op.New[op.ShapeOf](), s.raw(0))) }},
	{"SLICE", "SliceOptions", 7, 3, 1, slice},
	{"SQUEEZE", "SqueezeOptions", 2, 1, 1, squeeze},
	{"STRIDED_SLICE", "StridedSliceOptions", 8, 4, 1, stridedSlice},
	{"WHERE", "WhereOptions", 2, 1, 1, where},
	{"ZEROS_LIKE", "ZerosLikeOptions", 1, 1, 1, zerosLike},
}

// reshape has its shape in an input, in its options in older files, or nowhere:
// then the output has it.
func reshape(s *scope) {
	x := s.in(0)
	var to *ir.Value
	if s.has(1) {
		if to = s.lengths(1); len(to.Shape) != 1 {
			to = s.node(op.New[op.Reshape](), to, s.list(-1))
		}
	} else if shape := optionsOf[reshapeOptions](s.o).Shape; shape != nil {
		to = s.list(shape...)
	} else {
		to = s.list(s.sub.tensors[s.o.out[0]].shape...)
	}
	o := op.New[op.Reshape]()
	if n, ok := to.Fact.Numbers(); ok {
		o.AllowZero = slices.Contains(n, 0)
	}
	s.set(0, s.node(o, x, to))
}

func squeeze(s *scope) {
	x := s.in(0)
	dims := optionsOf[squeezeOptions](s.o).Dims
	if len(dims) == 0 {
		s.set(0, s.node(op.New[op.Squeeze](), x))
		return
	}
	s.set(0, s.node(op.New[op.Squeeze](), x, s.list(dims...)))
}

func rank(s *scope) {
	x := s.raw(0)
	if x.Shape == nil {
		s.unsupported("of a tensor without a known rank", "fix the shapes of the inputs")
		return
	}
	s.store(0, s.constant(tensor.Scalar(int32(len(x.Shape)))))
}

func zerosLike(s *scope) {
	x := s.in(0)
	s.set(0, s.node(op.New[op.Expand](), s.cast(s.scalar(0), x.Type), s.node(op.New[op.ShapeOf](), x)))
}

// where lists the places that are not zero, one a row.
func where(s *scope) {
	t := op.New[op.Transpose]()
	t.Perm = []int{1, 0}
	s.set(0, s.node(t, s.node(op.New[op.NonZero](), s.in(0))))
}

func oneHot(s *scope) {
	o := op.New[op.OneHot]()
	o.Axis = int(optionsOf[oneHotOptions](s.o).Axis)
	values := op.New[op.Concat]()
	flat := func(k int) *ir.Value { return s.node(op.New[op.Reshape](), s.in(k), s.list(1)) }
	s.set(0, s.node(o, s.raw(0), s.lengths(1), s.node(values, flat(3), flat(2))))
}

// slice has begins and sizes of all axes; a size of -1 reaches to the end.
func slice(s *scope) {
	x, begin, size := s.in(0), s.lengths(1), s.lengths(2)
	from, known := begin.Fact.Numbers()
	n, sized := size.Fact.Numbers()
	if known && sized && len(from) == len(n) {
		to := make([]int, len(n))
		for i := range n {
			if to[i] = from[i] + n[i]; n[i] < 0 {
				to[i] = math.MaxInt32
			}
		}
		s.set(0, s.node(op.New[op.Slice](), x, begin, s.list(to...)))
		return
	}
	end := s.node(op.New[op.Add](), begin, size)
	end = s.node(op.New[op.Where](), s.node(op.New[op.Less](), size, s.list(0)), s.list(math.MaxInt32), end)
	s.set(0, s.node(op.New[op.Slice](), x, begin, end))
}

// cut is what STRIDED_SLICE does to one axis of its data.
type cut struct {
	axis, at   int // at is the place in the lists
	step       int
	head, tail bool // from the first, to the last
	only       bool // one element, and the axis goes away
}

// stridedSlice is tf.strided_slice: bits of its masks stand for entries of the
// lists, which may be fewer than the axes.
func stridedSlice(s *scope) {
	p := optionsOf[stridedSliceOptions](s.o)
	x := s.in(0)
	steps := s.numbers(3, "strides")
	if s.err == nil && x.Shape == nil {
		s.fail("data without a known rank")
	}
	if s.err != nil {
		return
	}
	cuts, added := s.cuts(p, steps, len(x.Shape))
	from, to := s.lengths(1), s.lengths(2)
	if p.Offset {
		to = s.node(op.New[op.Add](), from, to)
	}
	if s.err != nil {
		return
	}
	var gone []int
	starts, ends := bounds{s: s, list: from}, bounds{s: s, list: to}
	var axes, strides []int
	for _, c := range cuts {
		if c.only {
			gone = append(gone, c.axis)
			if b, ok := starts.number(c.at); ok {
				starts.add(b)
				if b == -1 {
					b = math.MaxInt32 - 1
				}
				ends.add(b + 1)
				axes, strides = append(axes, c.axis), append(strides, 1)
				continue
			}
			g := op.New[op.Gather]()
			g.Axis = c.axis
			x = s.node(g, x, starts.part(c.at))
			continue
		}
		if c.head && c.tail && c.step == 1 {
			continue
		}
		axes, strides = append(axes, c.axis), append(strides, c.step)
		first, last := 0, math.MaxInt32
		if c.step < 0 {
			first, last = math.MaxInt32, math.MinInt32
		}
		starts.entry(c.at, c.head, first)
		ends.entry(c.at, c.tail, last)
	}
	if len(axes) > 0 {
		x = s.node(op.New[op.Slice](), x, starts.value(), ends.value(), s.list(axes...), s.list(strides...))
	}
	if len(gone) > 0 {
		x = s.node(op.New[op.Squeeze](), x, s.list(gone...))
	}
	if len(added) > 0 {
		x = s.node(op.New[op.Unsqueeze](), x, s.list(added...))
	}
	s.set(0, x)
}

// cuts returns what happens to each axis, and where axes of 1 are added to what
// comes out.
func (s *scope) cuts(p stridedSliceOptions, steps []int, rank int) (cuts []cut, added []int) {
	bit := func(mask int32, i int) bool { return i < 32 && mask>>i&1 != 0 }
	named := 0 // entries that name an axis
	for i := range steps {
		if !bit(p.EllipsisMask, i) && !bit(p.NewAxisMask, i) {
			named++
		}
	}
	if named > rank {
		s.fail("%d entries for data of rank %d", named, rank)
		return nil, nil
	}
	axis, place := 0, 0
	seen := false
	for i, step := range steps {
		switch {
		case bit(p.EllipsisMask, i):
			if seen {
				s.fail("two ellipses")
				return nil, nil
			}
			seen = true
			axis += rank - named
			place += rank - named
		case bit(p.NewAxisMask, i):
			added = append(added, place)
			place++
		default:
			if step == 0 {
				s.fail("a stride of 0")
				return nil, nil
			}
			c := cut{axis: axis, at: i, step: step, head: bit(p.BeginMask, i), tail: bit(p.EndMask, i), only: bit(p.ShrinkMask, i)}
			cuts = append(cuts, c)
			axis++
			if !c.only {
				place++
			}
		}
	}
	return cuts, added
}

// bounds makes the list of starts or ends for a Slice out of that of the file.
type bounds struct {
	s     *scope
	list  *ir.Value
	known []int
	parts []*ir.Value // where not all are known
}

// number returns entry i of the list, and false where it is computed.
func (b *bounds) number(i int) (int, bool) {
	d, ok := b.list.Fact.Ints()
	if !ok || i >= len(d) {
		return 0, false
	}
	return d[i].Int()
}

// part returns entry i of the list as a list.
func (b *bounds) part(i int) *ir.Value { return b.s.slice(b.list, 0, i, i+1, 1) }

// add appends a number.
func (b *bounds) add(n int) {
	b.known = append(b.known, n)
	b.parts = append(b.parts, nil)
}

// entry appends entry i, or the number open where the mask says so.
func (b *bounds) entry(i int, masked bool, open int) {
	if masked {
		b.add(open)
		return
	}
	if n, ok := b.number(i); ok {
		b.add(n)
		return
	}
	b.known = append(b.known, 0)
	b.parts = append(b.parts, b.part(i))
}

func (b *bounds) value() *ir.Value {
	var parts []*ir.Value
	computed := false
	for i, p := range b.parts {
		if p == nil {
			p = b.s.list(b.known[i])
		} else {
			computed = true
		}
		parts = append(parts, p)
	}
	if !computed {
		return b.s.list(b.known...)
	}
	return b.s.node(op.New[op.Concat](), parts...)
}
