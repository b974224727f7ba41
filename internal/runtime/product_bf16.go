package runtime

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/fused"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// shortBlock is how many rows products of two activations multiply at a time in
// bfloat16: two tiles twice.
const shortBlock = 64

// shortRows says how blocks of the rows of a left side lie that products of
// bfloat16 multiply.
type shortRows struct {
	rows   *gemm.Rows
	stride int  // of what is given
	copies bool // to rows of the depth that products take
}

// shortRowsOf returns it for m rows of k elements, stride apart, block at a time.
func shortRowsOf(block, m, stride, k int) *shortRows {
	depth := gemm.Paired(1, k)
	r := &shortRows{stride: stride, copies: depth != k}
	if r.copies {
		stride = depth
	}
	r.rows = gemm.Strided(block, stride, depth)
	r.rows.Prepare(m % block)
	return r
}

// of returns m rows of k elements as products take them; mem is scratch memory.
func (r *shortRows) of(a []uint16, m, k int, mem []byte) []uint16 {
	if !r.copies {
		return a
	}
	depth := r.rows.Depth
	left := shorts(mem, m*depth)
	for i := range m {
		copy(left[i*depth:], a[i*r.stride:][:k])
		clear(left[i*depth+k : (i+1)*depth])
	}
	return left
}

// multiplyShort multiplies m rows with n packed columns.
func multiplyShort[T float32 | uint16](c []T, ldc int, a []uint16, r *shortRows, m int, packed []byte, n int, e *gemm.FloatEnd) {
	right, depth := shorts(packed, len(packed)/2), r.rows.Depth
	for j := 0; j < n; j += gemm.Width {
		gemm.BF16(c[j:], nil, ldc, a, r.rows, m, right[j*depth:], j, min(gemm.Width, n-j), e)
	}
}

// multiplyShortTo is multiplyShort into a tensor, from element at on.
func multiplyShortTo(y *tensor.Tensor, at, ldy int, a []uint16, r *shortRows, m int, packed []byte, n int, e *gemm.FloatEnd) {
	if y.Type() == dtype.BFloat16 {
		multiplyShort(tensor.Data[uint16](y)[at:], ldy, a, r, m, packed, n, e)
	} else {
		multiplyShort(tensor.Data[float32](y)[at:], ldy, a, r, m, packed, n, e)
	}
}

// matricesBF16 sets up products of two activations, matrix by matrix.
func (pl *plan) matricesBF16(s *step, at []matrices, m, k, n int) {
	t := &batched{m: m, k: k, n: n, a: matrixAt{k, 1}, b: matrixAt{n, 1}, y: matrixAt{n, 1}}
	t.product.bf16, t.product.end = true, gemm.NewFloatEnd(n, nil, false, 0, 0)
	for i, h := range at {
		t.heads = append(t.heads, head{q: h.a * m * k, k: h.b * k * n, y: i * m * n})
	}
	pl.setBatched(s, t)
}

// roundAttention makes what an attention reads bfloat16, as far as it multiplies
// such, and its result where that may be.
func (pl *plan) roundAttention(s *step, a *attention) {
	if a.scores.bf16 {
		s.in[0], s.in[1] = pl.rounded(s.in[0], s.node), pl.rounded(s.in[1], s.node)
		a.scores.short = shortRowsOf(a.block, a.m, a.q.row, a.d)
	}
	if a.values.bf16 {
		s.in[2] = pl.rounded(s.in[2], s.node)
		depth := gemm.Paired(1, a.n)
		a.values.short = shortRowsOf(a.block, a.m, depth, depth)
		pl.mayShorten(s.out[0], -1)
	}
}

// mergeShort makes one stage of the last ones, where the values are multiplied in
// bfloat16: softmax, and before it a factor and a sum, which may be missing.
func (a *attention) mergeShort() {
	last := len(a.stages) - 1
	if !a.values.bf16 || a.stages[last].kind != stageSoftmax {
		return
	}
	a.short, a.stages = &fused.Probabilities{Times: 1}, a.stages[:last]
	if n := len(a.stages); n > 0 && a.stages[n-1].sum && a.stages[n-1].column == 1 {
		mask := a.stages[n-1]
		a.mask, a.stages = &mask, a.stages[:n-1]
	}
	if n := len(a.stages); n > 0 && a.stages[n-1].factor != 0 {
		a.short.Times, a.stages = a.stages[n-1].factor, a.stages[:n-1]
	}
}

// shortScores takes the tile's scores to bfloat16.
func (a *attention) shortScores(f *frame, s *step, t *tile) []uint16 {
	depth := a.values.short.rows.Depth
	y := shorts(t.bytes, t.rows*depth)
	if a.short == nil {
		for r := range t.rows {
			gemm.RoundBF16(y[r*depth:], t.floats[r*a.n:][:a.n])
			clear(y[r*depth+a.n : (r+1)*depth])
		}
		return y
	}
	p := *a.short
	p.X, p.Rows, p.Cols, p.Y, p.Step = t.floats, t.rows, a.n, y, depth
	if a.mask != nil {
		mask := tensor.Data[float32](f.vals[s.in[a.mask.index]])[a.mask.at[t.head]:]
		p.Add, p.AddStep = mask[t.from*a.mask.row:], a.mask.row
	}
	p.Run()
	return y
}
