package runtime

import (
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
	x := &pl.values[s.in[0]]
	if x.shape == nil {
		return nil
	}
	table, ok, err := q.Table()
	if err != nil || !ok || !pl.place(s, 0) {
		return err
	}
	n, _ := tensor.Count(x.shape)
	pl.overwrite(s, 0)
	s.share(n, n/costMove, func(f *frame, s *step, _, lo, hi int) {
		lut.Apply(f.out(s).Bytes()[lo:hi], f.vals[s.in[0]].Bytes()[lo:hi], table)
	})
	return nil
}

// dispatchQuantizedConcat joins 8-bit tensors, each by the table that takes its
// grid to the result's.
func (pl *plan) dispatchQuantizedConcat(s *step, q *op.Quantized, o *op.Concat) error {
	tables := make([]*[256]byte, len(s.in))
	for i, in := range q.In {
		if in.Equal(q.Out[0]) && q.Clamp == nil {
			continue
		}
		one := &op.Quantized{Inner: &op.Concat{}, In: q.In[i : i+1], Out: q.Out, Clamp: q.Clamp, Round: q.Round}
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
	s.share(rows, rows*all/costMove, func(f *frame, s *step, _, lo, hi int) {
		dst, from := f.out(s).Bytes(), 0
		for i, n := range runs {
			src := f.vals[s.in[i]].Bytes()
			for r := lo; r < hi; r++ {
				to := dst[r*all+from:][:n]
				if tables != nil && tables[i] != nil {
					lut.Apply(to, src[r*n:(r+1)*n], tables[i])
				} else {
					copy(to, src[r*n:(r+1)*n])
				}
			}
			from += n
		}
	})
}

// swap is a permutation of axes as matrices that are transposed: their rows and
// columns are runs of elements that stay together, and they lie at strides
// along the other axes.
type swap struct {
	dims, src, dst []int // of the axes outside of the matrix, in elements
	rows, cols     int
	srcStep        int // from row to row
	dstStep        int // from column to column of the source
	run            int
}

// swapOf reduces a permutation of a shape.
func swapOf(shape, perm []int) swap {
	// Axes of one element go, and those that stay together become one.
	var dims, order []int
	place := make([]int, len(shape)) // of an axis among those that are left
	for i := range place {
		place[i] = -1
	}
	for i := 0; i < len(perm); i++ {
		if shape[perm[i]] == 1 {
			continue
		}
		order = append(order, perm[i])
	}
	kept := slices.Clone(order)
	slices.Sort(kept)
	for i, a := range kept {
		place[a] = i
		dims = append(dims, shape[a])
	}
	for i := range order {
		order[i] = place[order[i]]
	}
	for i := 0; i+1 < len(order); {
		a := order[i]
		if order[i+1] != a+1 {
			i++
			continue
		}
		dims[a] *= dims[a+1]
		dims = slices.Delete(dims, a+1, a+2)
		order = slices.Delete(order, i+1, i+2)
		for k := range order {
			if order[k] > a {
				order[k]--
			}
		}
	}
	s := swap{rows: 1, cols: 1, run: 1}
	strides := tensor.Strides(dims)
	result := make([]int, len(order)) // strides of the result, by axis of the source
	step := 1
	for i := len(order) - 1; i >= 0; i-- {
		result[order[i]] = step
		step *= dims[order[i]]
	}
	last := len(dims) - 1
	if last >= 0 && order[last] == last {
		s.run = dims[last]
		last--
	}
	// The matrix: the source's last axis, and the result's.
	skip := map[int]bool{}
	if last >= 0 {
		inner := order[last]
		s.cols, s.dstStep = dims[last], result[last]
		skip[last] = true
		if s.run == 1 {
			s.rows, s.srcStep = dims[inner], strides[inner]
			skip[inner] = true
		}
	}
	if s.run > 1 {
		// Runs are copied one by one: every other axis is outside.
		s.cols, s.dstStep = 1, 0
		skip = map[int]bool{len(dims) - 1: true}
	}
	for a, d := range dims {
		if !skip[a] {
			s.dims, s.src, s.dst = append(s.dims, d), append(s.src, strides[a]), append(s.dst, result[a])
		}
	}
	return s
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
		for i := lo; i < hi; i++ {
			src, dst := w.at(i / cut)
			if w.run > 1 {
				copy(to.Bytes()[dst*size:(dst+w.run)*size], from.Bytes()[src*size:])
				continue
			}
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
