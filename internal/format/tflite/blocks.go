package tflite

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// maxScattered bounds the places that an update of a slice lists.
const maxScattered = 1 << 16

// blocks reads the blocks of SPACE_TO_BATCH_ND and its inverse, and the pairs
// of amounts of each blocked axis.
func (s *scope) blocks(what string) (block, pairs []int) {
	block, pairs = s.numbers(1, "blocks"), s.numbers(2, what)
	x := s.raw(0)
	if s.err == nil && (len(block) < 1 || len(pairs) != 2*len(block) || len(x.Shape) < 1+len(block)) {
		s.fail("%d blocks and %d %s for data of shape %v", len(block), len(pairs), what, x.Shape)
	}
	for _, b := range block {
		if b < 1 && s.err == nil {
			s.fail("blocks %v", block)
		}
	}
	return block, pairs
}

// spaceToBatch pads the data and takes each place of a block into a batch of
// its own.
func spaceToBatch(s *scope) {
	block, pads := s.blocks("paddings")
	if s.err != nil {
		return
	}
	x := s.in(0)
	n, m := len(x.Shape), len(block)
	before, after := make([]int, n), make([]int, n)
	for i := range block {
		before[1+i], after[1+i] = pads[2*i], pads[2*i+1]
	}
	x = s.node(op.New[op.Pad](), x, s.list(append(before, after...)...))
	size := s.sizes(x, "data", sequence(1, n)...)
	for i, b := range block {
		if s.err == nil && size[i]%b != 0 {
			s.fail("blocks %v for padded data of shape %v", block, x.Shape)
		}
	}
	if s.err != nil {
		return
	}
	split, perm, out := []int{-1}, []int{}, []int{-1}
	for i, b := range block {
		split = append(split, size[i]/b, b)
		out = append(out, size[i]/b)
		perm = append(perm, 2+2*i)
	}
	perm = append(perm, 0)
	for i := range block {
		perm = append(perm, 1+2*i)
	}
	split, out = append(split, size[m:]...), append(out, size[m:]...)
	s.set(0, s.rearranged(x, split, append(perm, sequence(1+2*m, len(split))...), out))
}

// batchToSpace is the inverse, with the borders cropped.
func batchToSpace(s *scope) {
	block, crops := s.blocks("crops")
	if s.err != nil {
		return
	}
	x := s.in(0)
	n, m := len(x.Shape), len(block)
	size := s.sizes(x, "data", sequence(1, n)...)
	if s.err != nil {
		return
	}
	split, perm, out := slices.Clone(block), []int{m}, []int{-1}
	split = append(append(split, -1), size...)
	for i, b := range block {
		perm = append(perm, m+1+i, i)
		out = append(out, size[i]*b)
	}
	out = append(out, size[m:]...)
	x = s.rearranged(x, split, append(perm, sequence(1+2*m, len(split))...), out)
	for i := range block {
		if lo, hi := crops[2*i], crops[2*i+1]; lo != 0 || hi != 0 {
			x = s.slice(x, 1+i, lo, out[1+i]-hi, 1)
		}
	}
	s.set(0, x)
}

// rearranged splits the axes of x, permutes them and joins them.
func (s *scope) rearranged(x *ir.Value, split, perm, out []int) *ir.Value {
	t := op.New[op.Transpose]()
	t.Perm = perm
	x = s.node(t, s.node(op.New[op.Reshape](), x, s.list(split...)))
	return s.node(op.New[op.Reshape](), x, s.list(out...))
}

// sequence returns from, from+1, … below to.
func sequence(from, to int) []int {
	var out []int
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

// scatterND adds updates to zeros.
func scatterND(s *scope) {
	x := s.in(1)
	zeros := op.New[op.ConstantOfShape]()
	if x.Type.Bits() < 8 {
		s.fail("updates of type %v", x.Type)
		return
	}
	zeros.Value = tensor.New(x.Type, 1)
	o := op.New[op.ScatterND]()
	if x.Type != dtype.Bool {
		o.Reduction = "add"
	}
	s.set(0, s.node(o, s.node(zeros, s.lengths(2)), s.lengths(0), x))
}

// dynamicUpdateSlice writes a smaller tensor into a larger one, from a place
// that is computed; it is moved so that it lies inside.
func dynamicUpdateSlice(s *scope) {
	x, u, at := s.in(0), s.in(1), s.lengths(2)
	n := len(x.Shape)
	whole, part := s.sizes(x, "data", sequence(0, n)...), s.sizes(u, "the update", sequence(0, n)...)
	if s.err == nil && (len(u.Shape) != n || n == 0) {
		s.fail("data of shape %v and an update of shape %v", x.Shape, u.Shape)
	}
	if s.err != nil {
		return
	}
	last := n // axes from here on are replaced as a whole
	for last > 1 && whole[last-1] == part[last-1] {
		last--
	}
	room, count := make([]int, last), 1
	for i := range room {
		if room[i] = whole[i] - part[i]; room[i] < 0 {
			s.fail("data of shape %v and an update of shape %v", x.Shape, u.Shape)
			return
		}
		if count *= max(part[i], 1); count*last > maxScattered {
			s.unsupported("of an update this large", "update along the first axes")
			return
		}
	}
	grid := make([]int, 0, count*last)
	for k := range count {
		place := make([]int, last)
		for i := last - 1; i >= 0; i-- {
			place[i] = k % max(part[i], 1)
			k /= max(part[i], 1)
		}
		grid = append(grid, place...)
	}
	if last < n {
		at = s.slice(at, 0, 0, last, 1)
	}
	at = s.node(op.New[op.Min](), s.node(op.New[op.Max](), at, s.list(0)), s.list(room...))
	shape := append(slices.Clone(part[:last]), last)
	places := s.node(op.New[op.Add](), s.node(op.New[op.Reshape](), s.list(grid...), s.list(shape...)), at)
	s.set(0, s.node(op.New[op.ScatterND](), x, places, u))
}
