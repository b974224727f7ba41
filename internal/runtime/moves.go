package runtime

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/lut"
	"github.com/octavo-ml/octavo/internal/kernels/transpose"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// signed returns bytes as integers with a sign.
func signed(b []byte) []int8 {
	return unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(b))), len(b))
}

// costMove is how many bytes move in the time of a multiply-add.
const costMove = 4

// dispatchTable runs elementwise operators between two 8-bit tensors by a table.
func (pl *plan) dispatchTable(s *step, q *op.Quantized) error {
	if pl.values[s.in[0]].shape == nil {
		return nil
	}
	table, ok, err := q.Table()
	if ok {
		pl.lookUp(s, table)
	}
	return err
}

// lookUp sets up the elements of a table for bytes.
func (pl *plan) lookUp(s *step, table *[256]byte) {
	n, _ := tensor.Count(pl.values[s.in[0]].shape)
	if pl.values[s.in[0]].shape == nil || !pl.place(s, 0) {
		return
	}
	pl.overwrite(s, 0)
	s.share(n, n/costMove, func(f *frame, s *step, _, lo, hi int) {
		lut.Apply(f.out(s).Bytes()[lo:hi], f.vals[s.in[0]].Bytes()[lo:hi], table)
	})
}

// dispatchGather copies the runs that indices name along an axis.
func (pl *plan) dispatchGather(s *step, o *op.Gather) {
	x, at, out := &pl.values[s.in[0]], &pl.values[s.in[1]], &pl.values[s.out[0]]
	shape := x.dims()
	if shape == nil || at.dims() == nil || out.shape == nil || x.typ == dtype.String || x.typ.Bits()%8 != 0 || at.typ != dtype.Int64 {
		return
	}
	axis := o.Axis
	if axis < 0 {
		axis += len(shape)
	}
	if axis < 0 || axis >= len(shape) || !pl.place(s, 0) {
		return
	}
	outer, _ := tensor.Count(shape[:axis])
	inner, _ := tensor.Count(shape[axis+1:])
	count, _ := tensor.Count(at.dims())
	size, run := shape[axis], x.typ.Size(inner)
	place := func(k int64) int { // in the axis
		if k < 0 {
			k += int64(size)
		}
		return int(k)
	}
	s.share(outer*count, outer*count*run/costMove, func(f *frame, s *step, _, lo, hi int) {
		dst, src, at := f.out(s).Bytes(), f.vals[s.in[0]].Bytes(), tensor.Data[int64](f.vals[s.in[1]])
		for i := lo; i < hi; i++ {
			copy(dst[i*run:(i+1)*run], src[(i/count*size+place(at[i%count]))*run:])
		}
	})
	// Indices must be checked in every run, and are few.
	s.run = func(f *frame, s *step) error {
		for _, k := range tensor.Data[int64](f.vals[s.in[1]]) {
			if k < -int64(size) || k >= int64(size) {
				return fmt.Errorf("index %d is outside an axis of %d", k, size)
			}
		}
		return nil
	}
}

// dispatchQuantizedConcat joins 8-bit tensors, each by the table that takes its
// grid to the result's.
func (pl *plan) dispatchQuantizedConcat(s *step, q *op.Quantized, o *op.Concat) error {
	tables := make([]*[256]byte, len(s.in))
	for i, in := range q.In {
		if in.Equal(q.Out[0]) && q.Clamp == nil {
			continue
		}
		one := &op.Quantized{Inner: &op.Concat{}, In: q.In[i : i+1], Out: q.Out, Clamp: q.Clamp, Round: q.Round, Fixed: q.Fixed}
		all := tensor.New(in.Type, 256)
		for v := range all.Bytes() {
			all.Bytes()[v] = byte(v)
		}
		out, err := one.Eval(op.Of(all))
		if err != nil {
			return err
		}
		res := out[0].Tensor.Bytes()
		tables[i] = lut.Build(func(b byte) byte { return res[b] })
	}
	pl.join(s, o.Axis, tables)
	return nil
}

// join sets up a Concat of values of one size of element, those with a table
// looked up in it.
func (pl *plan) join(s *step, axis int, tables []*[256]byte) {
	out := &pl.values[s.out[0]]
	if out.shape == nil || out.typ == dtype.String || out.typ.Bits()%8 != 0 {
		return
	}
	if axis < 0 {
		axis += len(out.shape)
	}
	rows, _ := tensor.Count(out.shape[:axis])
	runs := make([]int, len(s.in)) // bytes of a row
	for i, v := range s.in {
		if v < 0 || pl.values[v].dims() == nil || pl.values[v].typ.Bits() != out.typ.Bits() {
			return
		}
		n, _ := tensor.Count(pl.values[v].dims()[axis:])
		runs[i] = out.typ.Size(n)
	}
	if !pl.place(s, 0) {
		return
	}
	all := 0
	for _, n := range runs {
		all += n
	}
	if tables != nil {
		pl.scratch = max(pl.scratch, tileLen*pl.p.threads)
	}
	s.share(rows, rows*all/costMove, func(f *frame, s *step, slot, lo, hi int) {
		dst, from := f.out(s).Bytes(), 0
		for i, n := range runs {
			src, to := f.vals[s.in[i]].Bytes(), dst[from:]
			switch {
			case tables == nil || tables[i] == nil:
				joinRuns(to, src, n, all, lo, hi)
			case n > tileLen/4:
				for r := lo; r < hi; r++ {
					lut.Apply(to[r*all:][:n], src[r*n:(r+1)*n], tables[i])
				}
			default:
				// Short runs are looked up together, and then copied.
				tile := f.bytes(slot, tileLen)
				for r := lo; r < hi; {
					count := min(tileLen/max(n, 1), hi-r)
					lut.Apply(tile[:count*n], src[r*n:(r+count)*n], tables[i])
					joinRuns(to[r*all:], tile, n, all, 0, count)
					r += count
				}
			}
			from += n
		}
	})
}

// joinRuns copies runs lo to hi of n bytes of src to where they lie in rows of
// all bytes.
func joinRuns(dst, src []byte, n, all, lo, hi int) {
	switch n {
	case 4:
		for r := lo; r < hi; r++ {
			*(*[4]byte)(dst[r*all:]) = [4]byte(src[4*r:])
		}
	case 8:
		for r := lo; r < hi; r++ {
			*(*[8]byte)(dst[r*all:]) = [8]byte(src[8*r:])
		}
	default:
		for r := lo; r < hi; r++ {
			copyRun(dst[r*all:][:n], src[r*n:])
		}
	}
}

// swap is a permutation of axes as matrices that are transposed, or as runs of
// elements that stay together and are copied. The other axes lie at strides.
type swap struct {
	dims, src, dst []int // of the other axes, in elements
	rows, cols     int   // of the source's matrices
	srcStep        int   // from row to row
	dstStep        int   // from column to column
	run            int   // 1 where there are matrices
}

// swapOf reduces a permutation of a shape.
func swapOf(shape, perm []int) swap {
	dims, order := joinAxes(shape, perm)
	s := swap{rows: 1, cols: 1, run: 1}
	from, to := tensor.Strides(dims), make([]int, len(dims)) // of each axis
	step := 1
	for i := len(order) - 1; i >= 0; i-- {
		to[order[i]] = step
		step *= dims[order[i]]
	}
	last, inner := len(dims)-1, -1
	switch {
	case last < 0:
	case order[last] == last:
		s.run = dims[last]
	default:
		inner = order[last]
		s.cols, s.dstStep = dims[last], to[last]
		s.rows, s.srcStep = dims[inner], from[inner]
	}
	for a, d := range dims {
		if a != last && a != inner {
			s.dims, s.src, s.dst = append(s.dims, d), append(s.src, from[a]), append(s.dst, to[a])
		}
	}
	return s
}

// joinAxes leaves out axes of one element and makes those that stay together
// one: order says which of dims each axis of the result is.
func joinAxes(shape, perm []int) (dims, order []int) {
	type group struct{ first, next, n int } // of the source's axes, next being the one behind
	skip := func(a int) int {
		for a < len(shape) && shape[a] == 1 {
			a++
		}
		return a
	}
	var groups []group
	for _, a := range perm {
		k := len(groups) - 1
		switch {
		case shape[a] == 1:
		case k >= 0 && groups[k].next == a:
			groups[k].n *= shape[a]
			groups[k].next = skip(a + 1)
		default:
			groups = append(groups, group{a, skip(a + 1), shape[a]})
		}
	}
	sorted := slices.Clone(groups)
	slices.SortFunc(sorted, func(g, h group) int { return g.first - h.first })
	for _, g := range sorted {
		dims = append(dims, g.n)
	}
	for _, g := range groups {
		order = append(order, slices.Index(sorted, g))
	}
	return dims, order
}

// matrices returns the number of matrices, or of runs.
func (s *swap) matrices() int {
	n := 1
	for _, d := range s.dims {
		n *= d
	}
	return n
}

// at returns where matrix i lies.
func (s *swap) at(i int) (src, dst int) {
	for d := len(s.dims) - 1; d >= 0; d-- {
		k := i % s.dims[d]
		i /= s.dims[d]
		src, dst = src+k*s.src[d], dst+k*s.dst[d]
	}
	return src, dst
}

// copyRuns copies runs lo to hi of elements of size bytes.
func (s *swap) copyRuns(to, from []byte, size, lo, hi int) {
	last, n := len(s.dims)-1, s.run*size
	for lo < hi {
		src, dst := s.at(lo)
		count, stepSrc, stepDst := 1, 0, 0 // along the last axis
		if last >= 0 {
			count = min(hi-lo, s.dims[last]-lo%s.dims[last])
			stepSrc, stepDst = s.src[last]*size, s.dst[last]*size
		}
		src, dst = src*size, dst*size
		lo += count
		for range count {
			copyRun(to[dst:dst+n], from[src:])
			src, dst = src+stepSrc, dst+stepDst
		}
	}
}

// dispatchPermute moves axes of elements of 1 or 4 bytes, and of larger ones
// that stay together.
func (pl *plan) dispatchPermute(s *step, o *op.Transpose) {
	x, out := &pl.values[s.in[0]], &pl.values[s.out[0]]
	if x.shape == nil || out.shape == nil || x.typ == dtype.String {
		return
	}
	n, _ := tensor.Count(x.shape)
	perm := o.Perm
	if perm == nil {
		for i := range x.shape {
			perm = append(perm, len(x.shape)-1-i)
		}
	}
	if n == 0 || len(perm) != len(x.shape) || slices.Min(append([]int{0}, perm...)) < 0 {
		return
	}
	w, bits := swapOf(x.shape, perm), x.typ.Bits()
	if bits != 8 && bits != 32 || !pl.place(s, 0) {
		return
	}
	count, size := w.matrices(), bits/8
	// A single large matrix is cut along its rows.
	cut := 1
	if count == 1 && w.run == 1 {
		cut = max(1, min(16, w.rows/64))
	}
	s.share(count*cut, n*size/costMove, func(f *frame, s *step, _, lo, hi int) {
		to, from := f.out(s), f.vals[s.in[0]]
		if w.run > 1 {
			w.copyRuns(to.Bytes(), from.Bytes(), size, lo, hi)
			return
		}
		for i := lo; i < hi; i++ {
			src, dst := w.at(i / cut)
			first, end := i%cut*w.rows/cut, (i%cut+1)*w.rows/cut
			src, dst = src+first*w.srcStep, dst+first
			if size == 1 {
				transpose.Matrix(to.Bytes()[dst:], from.Bytes()[src:], end-first, w.cols, w.dstStep, w.srcStep)
			} else {
				transpose.Matrix(tensor.Data[uint32](to)[dst:], tensor.Data[uint32](from)[src:], end-first, w.cols, w.dstStep, w.srcStep)
			}
		}
	})
}
