package affine

import (
	"runtime"
	"sync/atomic"

	"github.com/octavo-ml/octavo/internal/kernels/transpose"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// EachBlock calls fn for each block of elements of t that scale k of p serves,
// p being per group, of several goroutines at once. t is read once, by parts.
// fn must not keep the slice.
func (p Params) EachBlock(t *tensor.Tensor, fn func(k int, block []float32)) error {
	t = t.ByParts()
	shape := t.Shape()
	dim, inner := shape[p.Axis], 1
	for _, d := range shape[p.Axis+1:] {
		inner *= d
	}
	total := t.Len()
	if total == 0 {
		return nil
	}
	// A stretch is the rows of a block: inner blocks, side by side.
	perDim := blocks(dim, p.BlockSize)
	stretches := total / (dim * inner) * perDim
	start := func(s int) int { return (s/perDim*dim + s%perDim*p.BlockSize) * inner }
	step := max(1, partElements/(p.BlockSize*inner))
	var next atomic.Int64
	workers := max(1, min(runtime.GOMAXPROCS(0), stretches/step))
	return tensor.Together(workers, func(int) error {
		s := scratches.Get().(*scratch)
		defer scratches.Put(s)
		for {
			first := int(next.Add(1)-1) * step
			if first >= stretches {
				return nil
			}
			last := min(first+step, stretches)
			lo, hi := start(first), start(last)
			x, err := s.Read(t, lo, hi)
			if err != nil {
				return err
			}
			for i := first; i < last; i++ {
				s.stretch(x[start(i)-lo:start(i+1)-lo], inner, i*inner, fn)
			}
			t.ReleasePart(lo, hi)
		}
	})
}

// stretch calls fn for the n columns of x, of which column j is block k+j.
func (s *scratch) stretch(x []float32, n, k int, fn func(k int, block []float32)) {
	rows := len(x) / n
	if n == 1 {
		fn(k, x)
		return
	}
	width := len(s.tile) / rows
	for c := 0; c < n && width > 0; c += width {
		w := min(width, n-c)
		transpose.Matrix(bits(s.tile[:w*rows]), bits(x[c:]), rows, w, rows, n)
		for j := range w {
			fn(k+c+j, s.tile[j*rows:(j+1)*rows])
		}
	}
	if width > 0 {
		return
	}
	column := make([]float32, rows)
	for c := range n {
		for r := range column {
			column[r] = x[r*n+c]
		}
		fn(k+c, column)
	}
}
