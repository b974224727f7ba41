package runtime

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/fused"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// tailed is a product with a constant matrix and what follows it: a bias, a
// function of one element, the other side of a residual sum, a quantization.
// They run on blocks of results before these leave the nearest cache.
type tailed struct {
	node    *ir.Node // the product
	quant   *op.Quantized
	live    *rowProduct
	m, k, n int
	bounds  bounds
	turned  bool // the matrix is given transposed
	bias    []float32
	stages  []tailStage
	out     lattice // of bytes
	bytes   bool    // results, else floats
}

// tailStage is one of them: a function, or a sum with input index, if not 0.
type tailStage struct {
	loop  func(dst, x []float32)
	gelu  bool
	index int
}

// product matches a product and its tail.
func (u *fuser) product(n *ir.Node) *group {
	t := &tailed{node: n}
	var own []float32
	o := n.Op
	if q, ok := o.(*op.Quantized); ok {
		if q.Out[0].Present() {
			return nil
		}
		t.quant, o = q, q.Inner
	}
	if c, ok := o.(*clamped); ok {
		t.bounds, o = c.bounds, c.Op
	}
	switch o := o.(type) {
	case *op.Gemm:
		t.turned = o.TransB
		if t.quant == nil && !plainGemm(n, o) {
			return nil
		}
		if t.quant == nil && len(n.In) > 2 && n.In[2] != nil {
			own = tensor.Data[float32](n.In[2].Const)
		}
	case *op.MatMul:
	case *rowProduct:
		t.live, t.turned, own = o, o.turned, o.bias
	default:
		return nil
	}
	w, x := n.In[1], u.dims(n.In[0])
	if w == nil || w.Const == nil || w.Const.Rank() != 2 || len(x) < 2 || n.In[0].Const != nil {
		return nil
	}
	t.k, t.n = w.Const.Shape()[0], w.Const.Shape()[1]
	if t.turned {
		t.k, t.n = t.n, t.k
	}
	t.m, _ = tensor.Count(x[:len(x)-1])
	if t.quant == nil && t.live == nil && u.pl.p.bf16 && !paired(t.k) {
		return nil // as a convolution, which copies rows
	}
	if x[len(x)-1] != t.k || t.m == 0 || t.k == 0 || t.n == 0 || !u.productType(t, w) {
		return nil
	}
	gr := &group{nodes: []*ir.Node{n}, in: slices.Clone(n.In)}
	y, biased := n.Out[0], own != nil || t.bounds.on
	for {
		next, i := u.next(y)
		if next == nil || u.of[next] != nil || len(next.Out) != 1 || t.bytes {
			break
		}
		if l, ok := quantizes(next); ok && i == 0 {
			t.out, t.bytes = l, true
		} else if loop, ok := elementwise(next); ok && i == 0 {
			g, exact := next.Op.(*op.Gelu)
			t.stages = append(t.stages, tailStage{loop: loop, gelu: exact && g.Approximate != "tanh"})
		} else if _, ok := next.Op.(*op.Add); ok && y.Type == dtype.Float32 {
			other := next.In[1-i]
			switch {
			case other == y || u.dims(other) == nil:
				ok = false
			case other.Const != nil && len(t.stages) == 0 && !biased && other.Const.Len() == t.n && u.row(other, t.n):
				t.bias, biased = tensor.Data[float32](other.Const), true
			case other.Const == nil && slices.Equal(u.dims(other), u.dims(y)):
				t.stages = append(t.stages, tailStage{index: len(gr.in)})
				gr.in = append(gr.in, other)
			default:
				ok = false
			}
			if !ok {
				break
			}
		} else {
			break
		}
		gr.nodes, y = append(gr.nodes, next), next.Out[0]
	}
	if len(gr.nodes) == 1 {
		return nil
	}
	if own != nil {
		t.bias = own
	}
	gr.out = []*ir.Value{y}
	gr.set = func(s *step) error { return u.pl.setTailed(s, u.keys[n], t) }
	return gr
}

// row reports whether a value is one row of n elements.
func (u *fuser) row(v *ir.Value, n int) bool {
	d := u.dims(v)
	return len(d) > 0 && d[len(d)-1] == n
}

// productType reports whether the operands' types are those of a kernel.
func (u *fuser) productType(t *tailed, w *ir.Value) bool {
	x := t.node.In[0]
	if t.live != nil {
		return w.Type == dtype.Int8 && rowParams(u.dims(t.node.In[2]), t.m) && rowParams(u.dims(t.node.In[3]), t.m)
	}
	if t.quant == nil {
		return x.Type == dtype.Float32 && w.Type == dtype.Float32
	}
	axis := 1
	if t.turned {
		axis = 0
	}
	q := t.quant
	_, ok := latticeOf(q.In[0])
	return ok && w.Type == dtype.Int8 && q.In[1].Symmetric() && q.In[1].BlockSize == 0 && (q.In[1].IsPerTensor() || q.In[1].Axis == axis) &&
		(len(t.node.In) < 3 || t.node.In[2] == nil || t.node.In[2].Const != nil && t.node.In[2].Const.Len() == t.n && t.node.In[2].Type == dtype.Int32)
}

// elementwise returns the loop of a function of one float.
func elementwise(n *ir.Node) (func(dst, x []float32), bool) {
	if n.In[0] == nil || n.In[0].Type != dtype.Float32 {
		return nil, false
	}
	if b, ok := clampOf(n); ok {
		return func(dst, x []float32) { eltwise.ClampAll(dst, x, b.lo, b.hi) }, true
	}
	if len(n.In) != 1 {
		return nil, false
	}
	return op.UnaryLoop(n.Op)
}

// setTailed prepares the step. Its parts are blocks of rows times panels; all
// rows follow a panel while it is near.
func (pl *plan) setTailed(s *step, key *ir.Node, t *tailed) error {
	pl.place(s, 0)
	panels := (t.n + gemm.Width - 1) / gemm.Width
	block := min(fused.Rows, t.m)
	if t.quant == nil && t.live == nil && pl.p.bf16 && panels >= manyPanels*pl.p.threads {
		block = min(mostRows, t.m) // they read the weights once
	}
	blocks := (t.m + block - 1) / block
	r := &tailRun{tailed: t}
	size, err := r.prepare(pl, s, key, block)
	if err != nil {
		return err
	}
	wide := 4 * block * fused.Width
	all := (size+63)&^63 + wide
	pl.scratch = max(pl.scratch, all*pl.p.threads)
	s.share(blocks*panels, t.m*t.k*t.n, func(f *frame, s *step, slot, lo, hi int) {
		mem := f.bytes(slot, all)
		sums, mem := floatsOf(mem[:wide]), mem[wide:]
		for i := lo; i < hi; i++ {
			from, j := i%blocks*block, i/blocks*gemm.Width
			if r.direct {
				r.whole(f, s, from, j, min(block, t.m-from), min(gemm.Width, t.n-j))
				continue
			}
			b := fused.Block{Rows: min(block, t.m-from), Cols: min(gemm.Width, t.n-j), Step: t.n}
			b.X = sums[:b.Rows*b.Cols]
			r.multiply(f, s, &b, from, j, mem)
			for row := 0; row < b.Rows; row += fused.Rows {
				some := b
				some.Rows = min(fused.Rows, b.Rows-row)
				some.X = b.X[row*b.Cols : (row+some.Rows)*b.Cols]
				r.finish(f, s, &some, (from+row)*t.n+j)
			}
		}
	})
	s.unit = blocks // one thread reads a panel
	return nil
}

// mostRows is how many rows of bfloat16 follow a panel together, where each
// thread has manyPanels.
const mostRows, manyPanels = 256, 3

// tailRun is what setTailed prepares.
type tailRun struct {
	*tailed
	rows   *gemm.Rows
	late   []float32 // a bias that the product's kernel does not add
	floats []float32 // the packed matrix
	shorts []uint16  // the same of bfloat16
	bytes  []int8
	sums   []float32 // of the columns, and the unit of each, for rows with parameters of their own
	units  []float32
	end    *gemm.FloatEnd
	ends   *gemm.ByteEnd
	copies bool // the rows of bytes
	flip   uint8
	stride int // of rows, copied or not
	other  int // the input that is added first, if not 0
	gelu   bool
	after  []tailStage // what follows then
	direct bool        // the product's kernel does all
	grid   *fused.Grid
}

// prepare packs the matrix, and returns the length of the scratch memory that a
// block of rows needs.
func (r *tailRun) prepare(pl *plan, s *step, key *ir.Node, block int) (size int, err error) {
	if r.after = r.stages; len(r.after) == 1 && r.after[0].gelu {
		r.gelu, r.after = true, nil
	}
	if r.tailed.bytes {
		r.grid = r.out.fused()
	}
	if len(r.after) > 0 && r.after[0].index > 0 {
		r.other, r.after = r.after[0].index, r.after[1:]
	}
	w := pl.values[s.in[1]].fixed
	matrix := gemm.Plain(r.k, r.n, r.n, 1)
	if r.turned {
		matrix = gemm.Plain(r.k, r.n, 1, r.k)
	}
	r.stride = r.k
	integers := r.quant != nil || r.live != nil
	if !integers && pl.p.bf16 {
		r.prepareBF16(pl, s, key, block, matrix)
		return 0, nil
	}
	if !integers {
		r.floats = pl.packs(key).get(key, "rows", matrix.Floats(), func(dst []float32) {
			gemm.PackFloats(dst, tensor.Data[float32](w), matrix)
			w.Release()
		})
		r.direct = r.atOnce()
		r.rows, r.end = gemm.RowsOf(block, r.k), gemm.NewFloatEnd(r.n, r.bias, r.bounds.on, r.bounds.lo, r.bounds.hi)
		return 0, nil
	}
	r.late = r.bias
	packed := pl.packs(key).getBytes(key, "rows", matrix.Bytes(), func(dst []int8) {
		gemm.PackBytes(dst, tensor.Data[int8](w), matrix)
		w.Release()
	})
	if pl.values[s.in[0]].typ == dtype.Int8 {
		r.flip = 0x80
	}
	if r.copies = r.flip != 0 || r.k%gemm.Group != 0; r.copies {
		r.stride = gemm.Group * gemm.Groups(r.k)
		size = block * r.stride
	}
	r.rows, r.bytes = gemm.RowsOf(block, r.stride), packed
	r.rows.Depth = r.k
	sums := pl.packs(key).getSums(key, "rows", r.n, func(dst []int32) { matrix.Sums(dst, packed) })
	if r.live != nil {
		r.sums, r.units = make([]float32, r.n), make([]float32, r.n)
		for i, v := range sums[:r.n] {
			r.sums[i], r.units[i] = float32(v), r.live.units[i%len(r.live.units)]
		}
		r.ends = gemm.ByteEndOf(gemm.Finish{Float: true, Multiplier: []float32{1}}, sums, 128)
		return size, nil
	}
	e, err := pl.newFinish(s, r.quant, nil)
	if err != nil {
		return 0, err
	}
	r.ends = gemm.ByteEndOf(e.kernels(r.quant, r.n), sums, uint8(r.quant.In[0].Zero(0))^r.flip)
	return size, nil
}

// atOnce reports whether the kernel of floats does all. It limits after it adds,
// the product before.
func (r *tailRun) atOnce() bool {
	return !r.gelu && len(r.after) == 0 && !r.tailed.bytes && !r.bounds.on
}

// whole computes a block of the result by the product's kernel alone.
func (r *tailRun) whole(f *frame, s *step, from, j, rows, cols int) {
	if r.shorts != nil {
		r.wholeBF16(f, s, from, j, rows, cols)
		return
	}
	var other []float32
	at := from*r.n + j
	if r.other > 0 {
		other = tensor.Data[float32](f.vals[s.in[r.other]])[at:]
	}
	x, y := tensor.Data[float32](f.vals[s.in[0]]), tensor.Data[float32](f.out(s))
	gemm.Floats(y[at:], other, r.n, x[from*r.k:], r.rows, rows, r.floats[j*r.k:], j, cols, r.end)
}

// multiply computes a block of the product from a row and a column on.
func (r *tailRun) multiply(f *frame, s *step, b *fused.Block, from, j int, mem []byte) {
	x := f.vals[s.in[0]]
	if r.shorts != nil {
		gemm.BF16(b.X, nil, b.Cols, tensor.Data[uint16](x)[from*r.k:], r.rows, b.Rows, r.panel(j), j, b.Cols, r.end)
		return
	}
	if r.floats != nil {
		gemm.Floats(b.X, nil, b.Cols, tensor.Data[float32](x)[from*r.k:], r.rows, b.Rows, r.floats[j*r.k:], j, b.Cols, r.end)
		return
	}
	a := x.Bytes()[from*r.k:]
	if r.copies {
		for i := range b.Rows {
			gemm.Unsigned(mem[i*r.stride:][:r.k], a[i*r.k:], r.flip)
		}
		a = mem
	}
	gemm.Bytes(bytesOf(b.X), b.Cols, a, r.rows, b.Rows, r.bytes[j*gemm.Group*gemm.Groups(r.k):], j, b.Cols, r.ends)
	if r.live != nil {
		r.weigh(b, from, j, tensor.Data[float32](f.vals[s.in[2]]), tensor.Data[int8](f.vals[s.in[3]]))
	}
	if r.late != nil {
		b.Bias = r.late[j : j+b.Cols]
	}
}

// finish takes a block to the result, from index at on.
func (r *tailRun) finish(f *frame, s *step, b *fused.Block, at int) {
	if r.other > 0 {
		b.Other = tensor.Data[float32](f.vals[s.in[r.other]])[at:]
	}
	if len(r.after) > 0 {
		fused.Floats(b.X, b.Cols, b)
		b.Bias, b.Other = nil, nil
	}
	for _, st := range r.after {
		if st.index == 0 {
			st.loop(b.X, b.X)
			continue
		}
		other := tensor.Data[float32](f.vals[s.in[st.index]])[at:]
		for i := range b.Rows {
			line := b.X[i*b.Cols : (i+1)*b.Cols]
			eltwise.Add(line, line, other[i*r.n:][:b.Cols])
		}
	}
	y := f.out(s)
	switch {
	case y.Type() == dtype.BFloat16:
		r.finishBF16(tensor.Data[uint16](y)[at:], b)
	case r.gelu && !r.tailed.bytes:
		fused.GeluFloats(tensor.Data[float32](y)[at:], r.n, b)
	case r.gelu:
		fused.GeluBytes(y.Bytes()[at:], r.n, b, r.grid)
	case r.tailed.bytes:
		fused.Bytes(y.Bytes()[at:], r.n, b, r.grid)
	default:
		fused.Floats(tensor.Data[float32](y)[at:], r.n, b)
	}
}
