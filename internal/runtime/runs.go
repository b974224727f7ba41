package runtime

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// run is n elements that are copied from src on to dst on, or filled where src
// is below 0.
type run struct{ dst, src, n int32 }

// mostRuns is how many runs a step may have whose runs are short: they take
// memory.
const mostRuns = 1 << 14

// mostMoved is how many elements a step may read or write: the list of where
// they come from is made in full once.
const mostMoved = 1 << 22

// dispatchRuns sets up an operator that copies elements of operand 0 to places
// that follow from the shapes and constants, and puts one number, operand fill,
// everywhere else. Which places these are, its reference meaning tells: it is
// asked to move the elements' own indices.
func (pl *plan) dispatchRuns(s *step, fill int) {
	x, out := &pl.values[s.in[0]], &pl.values[s.out[0]]
	if x.shape == nil || out.shape == nil || x.typ == dtype.String || x.typ.Bits()%8 != 0 {
		return
	}
	count, _ := tensor.Count(x.shape)
	all, _ := tensor.Count(out.shape)
	if count == 0 || all == 0 || max(count, all) > mostMoved {
		return
	}
	size := x.typ.Size(1)
	other := make([]byte, size)
	indices := make([]int32, count)
	for i := range indices {
		indices[i] = int32(i)
	}
	in := []op.Datum{{Tensor: tensor.FromSlice(indices, x.shape...)}}
	for i := range s.in[1:] {
		c := pl.constant(s, i+1)
		if c == nil && s.given(i+1) {
			return
		}
		if i+1 == fill && c != nil {
			copy(other, c.Bytes())
		}
		in = append(in, op.Datum{Tensor: c})
	}
	if fill > 0 {
		for len(in) <= fill {
			in = append(in, op.Datum{})
		}
		in[fill] = op.Datum{Tensor: tensor.Scalar[int32](-1)}
	}
	res, err := s.node.Op.(op.Evaluator).Eval(in)
	if err != nil {
		return // the run says what is wrong
	}
	runs := runsOf(tensor.Data[int32](res[0].Tensor))
	if len(runs) > mostRuns && len(runs) > all/8 || !pl.place(s, 0) {
		return
	}
	s.share(len(runs), all*size/costMove, func(f *frame, s *step, _, lo, hi int) {
		dst, src := f.out(s).Bytes(), f.vals[s.in[0]].Bytes()
		for _, r := range runs[lo:hi] {
			to := dst[int(r.dst)*size:][:int(r.n)*size]
			if r.src < 0 {
				repeat(to, other)
				continue
			}
			from := src[int(r.src)*size:][:len(to)]
			if len(to) == 4 {
				*(*[4]byte)(to) = [4]byte(from)
			} else {
				copy(to, from)
			}
		}
	})
}

// runsOf returns the runs of a list of sources.
func runsOf(from []int32) (runs []run) {
	for i, v := range from {
		if k := len(runs) - 1; k >= 0 {
			r := &runs[k]
			if v < 0 && r.src < 0 || v >= 0 && r.src >= 0 && v == r.src+r.n {
				r.n++
				continue
			}
		}
		runs = append(runs, run{int32(i), v, 1})
	}
	return runs
}

// repeat fills dst with copies of an element.
func repeat(dst, element []byte) {
	n := copy(dst, element)
	for n < len(dst) {
		n += copy(dst[n:], dst[:n])
	}
}
