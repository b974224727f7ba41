package runtime

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// piece is a box of a tensor as runs of bytes: where each begins.
type piece struct {
	from []int
	run  int
}

// maxRuns bounds the list of runs of a piece.
const maxRuns = 1 << 16

// pieceOf returns the box of the given sizes that begins at first of a tensor
// of the given shape, whose elements have size bytes; false where it is too
// scattered.
func pieceOf(shape, first, sizes []int, size int) (piece, bool) {
	p := piece{run: size}
	last := len(shape) - 1
	for last >= 0 && shape[last] == sizes[last] {
		p.run *= shape[last]
		last--
	}
	off := 0
	if last >= 0 {
		off = first[last] * p.run
		p.run *= sizes[last]
	}
	count, ok := tensor.Count(sizes[:max(last, 0)])
	if !ok || count > maxRuns {
		return p, false
	}
	strides := tensor.Strides(shape)
	for i := range count {
		at := off
		for d, r := last-1, i; d >= 0; d-- {
			at += (first[d] + r%sizes[d]) * strides[d] * size
			r /= sizes[d]
		}
		p.from = append(p.from, at)
	}
	return p, true
}

// copyTo copies runs lo to hi.
func (p *piece) copyTo(dst, src []byte, lo, hi int) {
	switch p.run {
	case 4:
		for i := lo; i < hi; i++ {
			*(*[4]byte)(dst[4*i:]) = [4]byte(src[p.from[i]:])
		}
	case 8:
		for i := lo; i < hi; i++ {
			*(*[8]byte)(dst[8*i:]) = [8]byte(src[p.from[i]:])
		}
	default:
		for i := lo; i < hi; i++ {
			copyRun(dst[i*p.run:(i+1)*p.run], src[p.from[i]:])
		}
	}
}

// copyRun is copy of a whole dst; runs of the lengths that are frequent go
// without a call.
func copyRun(dst, src []byte) {
	switch len(dst) {
	case 1:
		dst[0] = src[0]
	case 8:
		*(*[8]byte)(dst) = [8]byte(src)
	case 16:
		*(*[16]byte)(dst) = [16]byte(src)
	case 24:
		*(*[16]byte)(dst) = [16]byte(src)
		*(*[8]byte)(dst[16:]) = [8]byte(src[16:])
	case 32:
		*(*[16]byte)(dst) = [16]byte(src)
		*(*[16]byte)(dst[16:]) = [16]byte(src[16:])
	default:
		copy(dst, src[:len(dst)])
	}
}

// movable returns the shape of a step's first operand, and the bytes of its
// elements; false where it cannot be moved as bytes.
func (pl *plan) movable(s *step) (shape []int, size int, ok bool) {
	x := &pl.values[s.in[0]]
	if x.shape == nil || x.typ == dtype.String || x.typ.Bits()%8 != 0 {
		return nil, 0, false
	}
	return x.shape, x.typ.Bits() / 8, true
}

// dispatchSlice copies boxes whose bounds are constant and which leave nothing
// out inside.
func (pl *plan) dispatchSlice(s *step) {
	shape, size, ok := pl.movable(s)
	out := pl.values[s.out[0]].shape
	starts := pl.constant(s, 1)
	if !ok || starts == nil || len(out) != len(shape) {
		return
	}
	begin, _ := tensor.Ints(starts)
	list := func(i int, missing func(k int) int64) ([]int64, bool) {
		vals := make([]int64, len(begin))
		for k := range vals {
			vals[k] = missing(k)
		}
		if i >= len(s.in) || s.in[i] < 0 {
			return vals, true
		}
		c := pl.constant(s, i)
		if c == nil || c.Len() != len(begin) {
			return nil, false
		}
		vals, _ = tensor.Ints(c)
		return vals, true
	}
	axes, ok := list(3, func(k int) int64 { return int64(k) })
	steps, fits := list(4, func(int) int64 { return 1 })
	if !ok || !fits {
		return
	}
	first := make([]int, len(shape))
	for k, a := range axes {
		if a < 0 {
			a += int64(len(shape))
		}
		if steps[k] != 1 || a < 0 || a >= int64(len(shape)) {
			return
		}
		n := int64(shape[a])
		at := begin[k]
		if at < 0 {
			at = max(at, -n) + n
		}
		first[a] = int(min(at, n))
		if first[a]+out[a] > shape[a] {
			return
		}
	}
	p, ok := pieceOf(shape, first, out, size)
	if !ok || !pl.place(s, 0) {
		return
	}
	s.share(len(p.from), len(p.from)*p.run/costMove, func(f *frame, s *step, _, lo, hi int) {
		p.copyTo(f.out(s).Bytes(), f.vals[s.in[0]].Bytes(), lo, hi)
	})
}

// dispatchSplit copies the pieces of a tensor along an axis.
func (pl *plan) dispatchSplit(s *step, o *op.Split) {
	shape, size, ok := pl.movable(s)
	axis := o.Axis
	if axis < 0 {
		axis += len(shape)
	}
	if !ok || axis < 0 || axis >= len(shape) {
		return
	}
	first, pieces, all := make([]int, len(shape)), make([]piece, len(s.out)), 0
	for i, v := range s.out {
		if v < 0 || len(pl.values[v].shape) != len(shape) {
			return
		}
		out := pl.values[v].shape
		if first[axis]+out[axis] > shape[axis] {
			return
		}
		if pieces[i], ok = pieceOf(shape, first, out, size); !ok {
			return
		}
		first[axis] += out[axis]
		all += len(pieces[i].from) * pieces[i].run
	}
	for i := range s.out {
		pl.place(s, i)
	}
	s.share(len(s.out), all/costMove, func(f *frame, s *step, _, lo, hi int) {
		for i := lo; i < hi; i++ {
			pieces[i].copyTo(f.vals[s.out[i]].Bytes(), f.vals[s.in[0]].Bytes(), 0, len(pieces[i].from))
		}
	})
}
