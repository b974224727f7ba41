package affine

import (
	"runtime"
	"sync/atomic"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/histogram"
	"github.com/octavo-ml/octavo/internal/kernels/transpose"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// partElements is how many elements of a tensor are in hand at once where it
// is read by parts.
const partElements = 1 << 18

// eachPart calls fn for parts of t as float32, on all processors and in any
// order; lo is the index of the first element, and worker tells those apart
// that run at the same time.
func eachPart(t *tensor.Tensor, workers int, fn func(worker, lo int, x []float32)) error {
	t = t.ByParts()
	n := t.Len()
	var next atomic.Int64
	return tensor.Together(workers, func(w int) error {
		var r Reader
		for {
			lo := int(next.Add(1)-1) * partElements
			if lo >= n {
				return nil
			}
			hi := min(lo+partElements, n)
			x, err := r.Read(t, lo, hi)
			if err != nil {
				return err
			}
			fn(w, lo, x)
			t.ReleasePart(lo, hi)
		}
	})
}

// workersFor returns how many goroutines are worth it for so many elements.
func workersFor(n int) int {
	return max(1, min(runtime.GOMAXPROCS(0), n/partElements))
}

// Reader reads parts of tensors as float32.
type Reader struct {
	buf  []float32
	bits []uint16
}

// Read returns elements lo to hi of a float or Int32 tensor as float32: where
// they lie, or in memory that the next call uses again.
func (r *Reader) Read(t *tensor.Tensor, lo, hi int) ([]float32, error) {
	if cap(r.buf) < hi-lo {
		r.buf = make([]float32, hi-lo)
	}
	buf := r.buf[:hi-lo]
	switch t.Type() {
	case dtype.Float32:
		return tensor.Part(t, lo, hi, buf)
	case dtype.Float16, dtype.BFloat16:
		if cap(r.bits) < hi-lo {
			r.bits = make([]uint16, hi-lo)
		}
		b, err := tensor.Part(t, lo, hi, r.bits[:hi-lo])
		if err != nil {
			return nil, err
		}
		if t.Type() == dtype.Float16 {
			convert.DecodeF16(buf, b)
		} else {
			convert.DecodeBF16(buf, b)
		}
		return buf, nil
	}
	flat, err := t.Reshape(t.Len())
	if err != nil {
		return nil, err
	}
	return floats(flat.Slice(lo, hi))
}

// The tiles in which matrices whose columns have a scale each are turned, so
// that the loops over what shares a scale work on them.
const (
	tileRows = 128
	tileCols = 32
)

type tile [tileRows * tileCols]float32

// each turns the tiles of a matrix with n columns, and calls fn for each: its
// columns, of height elements, lie in t one behind the other, width of them,
// the first being column c. at is the index of the tile's first element.
func (t *tile) each(x []float32, n int, fn func(at, c, height, width int)) {
	rows := len(x) / n
	for r := 0; r < rows; r += tileRows {
		height := min(tileRows, rows-r)
		for c := 0; c < n; c += tileCols {
			width := min(tileCols, n-c)
			transpose.Matrix(bits(t[:width*height]), bits(x[r*n+c:]), height, width, height, n)
			fn(r*n+c, c, height, width)
		}
	}
}

// extend takes the elements of x into lo and hi.
func extend(lo, hi *float32, x []float32) {
	if e, finite := histogram.Bounds(x); finite {
		*lo, *hi = min(*lo, e.Min), max(*hi, e.Max)
		return
	}
	for _, v := range x {
		*lo, *hi = min(*lo, v), max(*hi, v)
	}
}
