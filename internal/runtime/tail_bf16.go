package runtime

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/fused"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// prepareBF16 is prepare for a product in bfloat16.
func (r *tailRun) prepareBF16(pl *plan, s *step, key *ir.Node, block int, matrix gemm.Matrix) {
	w := pl.values[s.in[1]].fixed
	r.shorts = pl.packs(key).getBF16(key, "rows of bfloat16", matrix.BF16Len(), func(dst []uint16) {
		src := tensor.Data[float32](w)
		pl.inParts(matrix.Panels(), len(src), func(lo, hi int) {
			scratch := make([]float32, matrix.FloatPanel())
			for p := lo; p < hi; p++ {
				matrix.PackBF16Panel(dst, src, scratch, p)
			}
		})
		w.Release()
	})
	r.direct = r.atOnce()
	r.rows, r.end = gemm.RowsOf(block, r.k), gemm.NewFloatEnd(r.n, r.bias, r.bounds.on, r.bounds.lo, r.bounds.hi)
	s.in[0] = pl.rounded(s.in[0], s.node)
	switch {
	case r.tailed.bytes:
	case r.direct && r.other > 0:
		pl.mayShorten(s.out[0], s.in[r.other])
	default:
		pl.mayShorten(s.out[0], -1)
	}
}

// panel returns the packed panel that begins with column j; paired is true of k.
func (r *tailRun) panel(j int) []uint16 { return r.shorts[j*r.k:] }

// paired reports whether rows of k bfloat16 can be multiplied as they lie.
func paired(k int) bool { return gemm.Paired(1, k) == k }

// wholeBF16 is whole in bfloat16.
func (r *tailRun) wholeBF16(f *frame, s *step, from, j, rows, cols int) {
	x, y, at, other := tensor.Data[uint16](f.vals[s.in[0]]), f.out(s), from*r.n+j, r.other
	if other == 0 {
		other = -1
	}
	if y.Type() == dtype.BFloat16 {
		gemm.BF16(tensor.Data[uint16](y)[at:], behind(addend[uint16](f, s, other), at), r.n, x[from*r.k:], r.rows, rows, r.panel(j), j, cols, r.end)
		return
	}
	gemm.BF16(tensor.Data[float32](y)[at:], behind(addend[float32](f, s, other), at), r.n, x[from*r.k:], r.rows, rows, r.panel(j), j, cols, r.end)
}

// behind returns what follows the first elements of a list, nothing of none.
func behind[T any](s []T, n int) []T {
	if s == nil {
		return nil
	}
	return s[n:]
}

// finishBF16 ends a block of a product of floats whose result is bfloat16.
func (r *tailRun) finishBF16(y []uint16, b *fused.Block) {
	if r.gelu {
		eltwise.GeluAll(b.X, b.X)
	} else {
		fused.Floats(b.X, b.Cols, b)
	}
	for i := range b.Rows {
		gemm.RoundBF16(y[i*r.n:], b.X[i*b.Cols:(i+1)*b.Cols])
	}
}
