package runtime

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/fused"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// batched is a stack of products of two activations, with the operators around
// it that only move elements.
type batched struct {
	m, k, n int
	heads   []head // q and k: where the operands begin
	a, b, y matrixAt
	product product
}

// batched matches a product of two activations that is in no attention.
func (u *fuser) batched(n *ir.Node) *group {
	if !multiplies(n) {
		return nil
	}
	shape, da, db := u.dims(n.Out[0]), u.dims(n.In[0]), u.dims(n.In[1])
	rank := len(shape)
	if rank < 2 || len(da) < 2 || len(db) < 2 {
		return nil
	}
	t := &batched{m: shape[rank-2], k: da[len(da)-1], n: shape[rank-1], product: product{node: n}}
	a, sa, ok1 := u.operand(n.In[0], shape[:rank-2])
	b, sb, ok2 := u.operand(n.In[1], shape[:rank-2])
	if !ok1 || !ok2 || t.m == 0 || t.k == 0 || t.n == 0 || !u.productOf(&t.product, t.k, t.n) {
		return nil
	}
	y := u.spotAfter(n.Out[0])
	t.a, t.b, t.y = matrixAt{sa[rank-2], sa[rank-1]}, matrixAt{sb[rank-2], sb[rank-1]}, matrixAt{y.strides[rank-2], y.strides[rank-1]}
	if !dense(t.k, t.a.column) || !dense(t.n, t.y.column) {
		return nil
	}
	oa, ob, oy := offsets(shape[:rank-2], sa), offsets(shape[:rank-2], sb), offsets(shape[:rank-2], y.strides)
	for i := range oa {
		t.heads = append(t.heads, head{q: oa[i], k: ob[i], y: oy[i]})
	}
	if len(t.heads) == 0 {
		return nil
	}
	gr := &group{nodes: []*ir.Node{n}, in: []*ir.Value{a.v, b.v}, out: []*ir.Value{y.v}}
	for _, sp := range []spot{a, b, y} {
		gr.nodes = append(gr.nodes, sp.nodes...)
	}
	gr.set = func(s *step) error {
		u.pl.setBatched(s, t)
		return nil
	}
	return gr
}

// operand returns where an operand of a stack of products lies, and its strides
// along the axes of the result, 0 where it repeats.
func (u *fuser) operand(v *ir.Value, lead []int) (spot, []int, bool) {
	d, rank := u.dims(v), len(lead)+2
	if len(d) < 2 || len(d) > rank {
		return spot{}, nil, false
	}
	skip := rank - len(d)
	if _, ok := eltwise.BroadcastStrides(d[:len(d)-2], lead); !ok {
		return spot{}, nil, false
	}
	sp := u.spotOf(v)
	strides := make([]int, rank)
	for i := range d {
		if i+2 >= len(d) || d[i] == lead[skip+i] {
			strides[skip+i] = sp.strides[i]
		}
	}
	return sp, strides, true
}

// dense reports whether so many elements lie side by side.
func dense(length, stride int) bool { return length == 1 || stride == 1 }

// productOf prepares a product of operands of k and n columns whose types have
// kernels.
func (u *fuser) productOf(p *product, k, n int) bool {
	q, ok := quantizedOf(p.node)
	if !ok {
		p.end, p.bf16 = gemm.NewFloatEnd(n, nil, false, 0, 0), u.pl.p.bf16
		return p.node.In[0].Type == dtype.Float32 && p.node.In[1].Type == dtype.Float32
	}
	left, ok1 := latticeOf(q.In[0])
	right, ok2 := latticeOf(q.In[1])
	if !ok1 || !ok2 || q.Clamp != nil {
		return false
	}
	f := gemm.Finish{Float: true}
	if q.Out[0].Present() {
		out, ok := latticeOf(q.Out[0])
		if !ok {
			return false
		}
		f.Float, f.Grid, p.out, p.grid = false, out.grid, out, out.fused()
	}
	e, err := u.pl.newFinish(&step{in: []int{0, 0}}, q, nil)
	if err != nil {
		return false
	}
	f.Multiplier = e.multipliers
	p.live, ok = gemm.NewLive(k, n, f, left.grid.ZeroPoint, right.grid.ZeroPoint, left.typ == dtype.Int8, right.typ == dtype.Int8)
	return ok
}

// packedLen is the length of the packed right side in bytes.
func (p *product) packedLen(k, n int) int {
	if p.live != nil {
		return p.live.PackedLen()
	}
	if p.bf16 {
		return (2*gemm.Plain(k, n, 1, 1).BF16Len() + 63) &^ 63
	}
	return (4*gemm.Plain(k, n, 1, 1).Floats() + 63) &^ 63
}

// scratchLen is the length of the scratch memory with which run computes m rows.
func (p *product) scratchLen(m, k, n int) int {
	if p.bf16 {
		return (2*m*gemm.Paired(1, k) + 63) &^ 63
	}
	if p.live == nil {
		return 0
	}
	return (4*m*n+63)&^63 + p.live.ScratchLen(m)
}

// pack packs the right side of a product.
func (p *product) pack(dst []byte, t *tensor.Tensor, at, k, n int, m matrixAt) {
	if p.live != nil {
		p.live.Pack(dst, t.Bytes()[at:], m.row, m.column)
		return
	}
	if p.bf16 {
		gemm.PackBF16Live(shorts(dst, len(dst)/2), tensor.Data[uint16](t)[at:], k, n, m.row, m.column)
		return
	}
	gemm.PackLive(floatsOf(dst), tensor.Data[float32](t)[at:], k, n, m.row, m.column)
}

// run multiplies up to fused.Rows rows, which lie at row[i] behind the beginning
// of a, with the packed right side, into y from element at on.
func (p *product) run(y *tensor.Tensor, at, ldy int, a []byte, row []int32, m int, packed []byte, k, n int, mem []byte) {
	l := p.live
	switch {
	case p.bf16:
		left := p.short.of(shorts(a, len(a)/2), m, k, mem)
		multiplyShortTo(y, at, ldy, left, p.short, m, packed, n, p.end)
	case l == nil:
		multiplyLive(tensor.Data[float32](y)[at:], ldy, floatsOf(a), row, m, floatsOf(packed), k, n, p.end)
	case l.Float():
		l.Run(y.Bytes()[4*at:], ldy, a, row, m, packed, mem)
	default:
		var off [fused.Rows]float32
		sums := floatsOf(mem[:4*m*n])
		l.Sums(sums, n, a, row, m, packed, mem[(4*m*n+63)&^63:], off[:])
		for j := 0; j < n; j += fused.Width {
			fused.Levels(y.Bytes()[at+j:], ldy, sums[j:], n, m, min(fused.Width, n-j), off[:], l.Multiplier(), p.grid)
		}
	}
}

// size is that of an element of the left side in bytes.
func (p *product) size() int {
	switch {
	case p.live != nil:
		return 1
	case p.bf16:
		return 2
	}
	return 4
}

// multiplyLive multiplies m rows of floats with packed columns.
func multiplyLive(c []float32, ldc int, a []float32, row []int32, m int, packed []float32, k, n int, e *gemm.FloatEnd) {
	r := gemm.Rows{Row: row, Tap: firstTap[:], Depth: k}
	for j := 0; j < n; j += gemm.Width {
		gemm.Floats(c[j:], nil, ldc, a, &r, m, packed[j*k:], j, min(gemm.Width, n-j), e)
	}
}

var firstTap [1]int32

// setBatched prepares the step. Its parts are blocks of rows; whoever begins with
// another matrix packs its right side.
func (pl *plan) setBatched(s *step, t *batched) {
	pl.place(s, 0)
	p, block, cost := &t.product, min(fused.Rows, t.m), len(t.heads)*t.m*t.k*t.n
	if p.bf16 {
		s.in[0], s.in[1] = pl.rounded(s.in[0], s.node), pl.rounded(s.in[1], s.node)
		block, cost = min(shortBlock, t.m), cost/bf16AtOnce
		p.short = shortRowsOf(block, t.m, t.a.row, t.k)
		pl.mayShorten(s.out[0], -1)
	}
	blocks := (t.m + block - 1) / block
	packed, size := p.packedLen(t.k, t.n), p.size()
	all := packed + p.scratchLen(block, t.k, t.n)
	pl.scratch = max(pl.scratch, all*pl.p.threads)
	rows := make([]int32, block)
	for i := range rows {
		rows[i] = int32(i * t.a.row)
	}
	s.share(len(t.heads)*blocks, cost, func(f *frame, s *step, slot, lo, hi int) {
		mem, last := f.bytes(slot, all), -1
		a := f.vals[s.in[0]].Bytes()
		for i := lo; i < hi; i++ {
			h, from := t.heads[i/blocks], i%blocks*block
			if at := h.k; i == lo || at != last {
				p.pack(mem[:packed], f.vals[s.in[1]], at, t.k, t.n, t.b)
				last = at
			}
			p.run(f.out(s), h.y+from*t.y.row, t.y.row, a[(h.q+from*t.a.row)*size:], rows, min(block, t.m-from), mem[:packed], t.k, t.n, mem[packed:])
		}
	})
	s.unit = blocks
}
