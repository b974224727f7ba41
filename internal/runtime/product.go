package runtime

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/conv"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// plainGemm reports whether a Gemm is a product with a constant matrix and a
// constant row added.
func plainGemm(n *ir.Node, o *op.Gemm) bool {
	if o.Alpha != 1 || o.TransA || n.In[1].Const == nil || len(n.In[1].Shape) != 2 || n.In[0].Type != dtype.Float32 {
		return false
	}
	if len(n.In) < 3 || n.In[2] == nil {
		return true
	}
	c := n.In[2]
	columns := 1
	if o.TransB {
		columns = 0
	}
	return o.Beta == 1 && c.Const != nil && len(c.Shape) == 1 && c.Shape[0].Same(n.In[1].Shape[columns])
}

func (pl *plan) dispatchGemm(s *step, key *ir.Node, o *op.Gemm, b bounds) error {
	x := &pl.values[s.in[0]]
	if x.shape == nil || !plainGemm(s.node, o) {
		return nil
	}
	w := pl.values[s.in[1]].fixed
	k, n := w.Shape()[0], w.Shape()[1]
	if o.TransB {
		k, n = n, k
	}
	if x.shape[1] != k || k == 0 || n == 0 || x.shape[0] == 0 || !pl.place(s, 0) {
		return nil
	}
	var bias []float32
	if c := pl.constant(s, 2); c != nil {
		bias = tensor.Data[float32](c)
	}
	pl.convolve(s, key, pl.convPlan(matrixGeometry(x.shape[0], k, n, o.TransB), pl.floating()), bias, b, -1)
	return nil
}

// matrixGeometry is the convolution that a product of m rows with a k×n matrix
// is, or with the transpose of an n×k matrix.
func matrixGeometry(m, k, n int, transposed bool) conv.Geometry {
	one := []int{1}
	return conv.Geometry{
		Batch: 1, In: k, Out: n, Group: 1, Size: []int{m}, Result: []int{m},
		Kernel: one, Stride: one, Dilate: one, Pad: []int{0},
		// A transposed convolution's weight begins with the input channels.
		Transposed: !transposed,
	}
}

// dispatchMatMul runs products with a constant matrix as one product of all
// rows, and products of two activations matrix by matrix.
func (pl *plan) dispatchMatMul(s *step, key *ir.Node) error {
	a, b := &pl.values[s.in[0]], &pl.values[s.in[1]]
	if a.typ != dtype.Float32 || a.shape == nil && a.fixed == nil || len(a.dims()) < 2 || len(b.dims()) < 2 {
		return nil
	}
	as, bs := a.dims(), b.dims()
	m, k, n := as[len(as)-2], as[len(as)-1], bs[len(bs)-1]
	if bs[len(bs)-2] != k || m == 0 || k == 0 || n == 0 {
		return nil
	}
	if b.fixed != nil && len(bs) == 2 && a.fixed == nil {
		rows := m
		for _, d := range as[:len(as)-2] {
			rows *= d
		}
		if rows > 0 && pl.place(s, 0) {
			pl.convolve(s, key, pl.convPlan(matrixGeometry(rows, k, n, false), pl.floating()), nil, unclamped, -1)
		}
		return nil
	}
	out := pl.values[s.out[0]].shape
	if len(out) < 2 || !pl.place(s, 0) {
		return nil
	}
	at, ok := matricesOf(out, as, bs)
	if !ok {
		return nil
	}
	if pl.p.bf16 {
		pl.matricesBF16(s, at, m, k, n)
		return nil
	}
	b2 := gemm.Plain(k, n, n, 1)
	rows, end, size := gemm.RowsOf(m, k), gemm.NewFloatEnd(n, nil, false, 0, 0), b2.Floats()
	pl.scratch = max(pl.scratch, 4*size*pl.p.threads)
	s.share(len(at), len(at)*m*k*n, func(f *frame, s *step, slot, lo, hi int) {
		x, w, y := tensor.Data[float32](f.vals[s.in[0]]), tensor.Data[float32](f.vals[s.in[1]]), tensor.Data[float32](f.out(s))
		packed := f.floats(slot, size)
		for i := lo; i < hi; i++ {
			gemm.PackFloats(packed, w[at[i].b*k*n:], b2)
			for j := 0; j < n; j += gemm.Width {
				gemm.Floats(y[i*m*n+j:], nil, n, x[at[i].a*m*k:], rows, m, packed[j*k:], j, min(gemm.Width, n-j), end)
			}
		}
	})
	return nil
}

// matrices are the operands of one of many products, as numbers of matrices.
type matrices struct{ a, b int }

// matricesOf returns which matrices of operands of shapes as and bs make each
// of out.
func matricesOf(out, as, bs []int) ([]matrices, bool) {
	batch := out[:len(out)-2]
	sa, aok := eltwise.BroadcastStrides(as[:len(as)-2], batch)
	sb, bok := eltwise.BroadcastStrides(bs[:len(bs)-2], batch)
	if !aok || !bok {
		return nil, false
	}
	count, _ := tensor.Count(batch)
	at := make([]matrices, count)
	for i := range at {
		for d, r := len(batch)-1, i; d >= 0; d-- {
			at[i].a += r % batch[d] * sa[d]
			at[i].b += r % batch[d] * sb[d]
			r /= batch[d]
		}
	}
	return at, true
}

// dispatchQuantizedMatMul runs products with a constant matrix as one of all
// rows, and others matrix by matrix.
func (pl *plan) dispatchQuantizedMatMul(s *step, key *ir.Node, q *op.Quantized, fixed *rescaled) error {
	a, b := &pl.values[s.in[0]], &pl.values[s.in[1]]
	if pl.symmetricWeight(s, q) && b.fixed.Rank() == 2 {
		return pl.dispatchQuantizedGemm(s, key, q, false, fixed)
	}
	as, bs, out := a.dims(), b.dims(), pl.values[s.out[0]].shape
	if len(as) < 2 || len(bs) < 2 || len(out) < 2 || !q.In[1].IsPerTensor() || byteless(a.typ) || byteless(b.typ) {
		return nil
	}
	m, k, n := as[len(as)-2], as[len(as)-1], bs[len(bs)-1]
	at, ok := matricesOf(out, as, bs)
	if !ok || bs[len(bs)-2] != k || m == 0 || k == 0 || n == 0 || !pl.place(s, 0) {
		return nil
	}
	e, err := pl.newFinish(s, q, fixed)
	if err != nil {
		return err
	}
	p := gemm.NewPair(m, k, n, e.kernels(q, n), int32(q.In[0].Zero(0)), int32(q.In[1].Zero(0)), a.typ == dtype.Int8, b.typ == dtype.Int8)
	size, each := p.ScratchLen(), m*n*max(1, e.typ.Size(1))
	pl.scratch = max(pl.scratch, size*pl.p.threads)
	s.share(len(at), len(at)*m*k*n/bytesAtOnce, func(f *frame, s *step, slot, lo, hi int) {
		x, w, y := f.vals[s.in[0]].Bytes(), f.vals[s.in[1]].Bytes(), f.out(s).Bytes()
		for i := lo; i < hi; i++ {
			p.Run(y[i*each:(i+1)*each], x[at[i].a*m*k:], w[at[i].b*k*n:], f.bytes(slot, size))
		}
	})
	return nil
}

// byteless reports whether a type is not one of whole bytes.
func byteless(t dtype.Type) bool { return t != dtype.Uint8 && t != dtype.Int8 }

// dispatchQuantizedGemm runs a product with a constant matrix, all leading axes
// of the activation being rows.
func (pl *plan) dispatchQuantizedGemm(s *step, key *ir.Node, q *op.Quantized, transB bool, fixed *rescaled) error {
	x := &pl.values[s.in[0]]
	if len(x.shape) < 2 || !pl.symmetricWeight(s, q) {
		return nil
	}
	w := pl.values[s.in[1]].fixed
	if w.Rank() != 2 {
		return nil
	}
	k, n, axis := w.Shape()[0], w.Shape()[1], 1
	if transB {
		k, n, axis = n, k, 0
	}
	m := 1
	for _, d := range x.shape[:len(x.shape)-1] {
		m *= d
	}
	if !q.In[1].IsPerTensor() && q.In[1].Axis != axis || x.shape[len(x.shape)-1] != k || m == 0 || k == 0 || n == 0 || !pl.place(s, 0) {
		return nil
	}
	if b := pl.constant(s, 2); b != nil && b.Len() != n {
		return nil
	}
	return pl.convolveBytes(s, key, pl.convPlan(matrixGeometry(m, k, n, transB), element(x.typ)), q, 1, 1, fixed)
}
