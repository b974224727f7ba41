package runtime

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/fused"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// setAttention prepares the step.
func (pl *plan) setAttention(s *step, a *attention) error {
	pl.place(s, 0)
	// As many queries as keep their scores near, in whole blocks of the kernels.
	const near, six = 64 << 10, 6
	a.block = max(six, min(48, near/(4*a.n)/six*six))
	if a.scores.bf16 && a.values.bf16 {
		a.block = shortBlock
	}
	a.block = min(a.block, a.m)
	round := func(n int) int { return (n + 63) &^ 63 }
	z := &a.size
	z.scores = round(4 * a.block * a.n)
	z.bytes = round(a.block * gemm.Group * gemm.Groups(a.n))
	if a.values.bf16 {
		z.bytes = round(2 * a.block * gemm.Paired(1, a.n))
	}
	z.keys, z.values = a.scores.packedLen(a.d, a.n), a.values.packedLen(a.n, a.dv)
	if l := a.scores.live; l != nil {
		z.work = l.ScratchLen(a.block)
	}
	pl.roundAttention(s, a)
	if a.scores.bf16 {
		z.work = a.scores.scratchLen(a.block, a.d, a.n)
	}
	if !a.values.bf16 {
		z.work = max(z.work, a.values.scratchLen(a.block, a.n, a.dv))
	}
	if a.mergeShort(); a.short == nil {
		a.merge()
	}
	if a.softmax != nil {
		z.powers = round(2 * 4 * a.n)
	}
	z.all = z.keys + z.values + z.scores + z.bytes + z.powers + z.work
	pl.scratch = max(pl.scratch, z.all*pl.p.threads)
	blocks := (a.m + a.block - 1) / a.block
	rows, line, full := make([]int32, a.block), make([]int32, a.block), make([]int32, a.block)
	for i := range rows {
		rows[i], line[i], full[i] = int32(i*a.q.row), int32(i*gemm.Group*gemm.Groups(a.n)), int32(i*a.n)
	}
	cost := len(a.heads) * a.m * a.n * (a.d + a.dv + costSoftmax)
	s.share(len(a.heads)*blocks, cost, func(f *frame, s *step, slot, lo, hi int) {
		mem, packed := f.bytes(slot, z.all), -1
		keys, mem := mem[:z.keys], mem[z.keys:]
		values, mem := mem[:z.values], mem[z.values:]
		t := tile{floats: floatsOf(mem[:z.scores])}
		mem = mem[z.scores:]
		t.bytes, mem = mem[:z.bytes], mem[z.bytes:]
		t.powers, t.work = floatsOf(mem[:z.powers]), mem[z.powers:]
		for i := lo; i < hi; i++ {
			h, from := a.heads[i/blocks], i%blocks*a.block
			if i/blocks != packed {
				packed = i / blocks
				a.scores.pack(keys, f.vals[s.in[1]], h.k, a.d, a.n, a.k)
				a.values.pack(values, f.vals[s.in[2]], h.v, a.n, a.dv, a.v)
			}
			t.rows, t.from, t.head = min(a.block, a.m-from), from, i/blocks
			a.multiplyQ(f.vals[s.in[0]], h.q+from*a.q.row, rows, keys, &t)
			a.rows(f, s, &t)
			if a.values.bf16 {
				multiplyShortTo(f.out(s), h.y+from*a.y.row, a.y.row, a.shortScores(f, s, &t), a.values.short, t.rows, values, a.dv, a.values.end)
				continue
			}
			a.multiplyV(f.out(s), h.y+from*a.y.row, line, full, values, &t)
		}
	})
	s.unit = blocks // the keys and values of a head are packed once
	return nil
}

// tile is the scores of some queries: floats in rows of n, or bytes in rows of
// whole groups.
type tile struct {
	floats           []float32
	bytes, work      []byte
	powers           []float32 // scratch memory of two rows
	off              [fused.Rows]float32
	rows, from, head int
}

// multiplyQ computes the scores of the tile's queries.
func (a *attention) multiplyQ(q *tensor.Tensor, at int, rows []int32, keys []byte, t *tile) {
	if l := a.scores.live; l != nil {
		if a.softmax != nil {
			l.Sums(t.floats, a.n, q.Bytes()[at:], rows, t.rows, keys, t.work, t.off[:])
		} else if l.Float() {
			l.Run(bytesOf(t.floats), a.n, q.Bytes()[at:], rows, t.rows, keys, t.work)
		} else {
			l.Run(t.bytes, gemm.Group*gemm.Groups(a.n), q.Bytes()[at:], rows, t.rows, keys, t.work)
		}
		return
	}
	if a.scores.bf16 {
		p := &a.scores
		left := p.short.of(tensor.Data[uint16](q)[at:], t.rows, a.d, t.work)
		multiplyShort(t.floats, a.n, left, p.short, t.rows, keys, a.n, p.end)
		return
	}
	multiplyLive(t.floats, a.n, tensor.Data[float32](q)[at:], rows, t.rows, floatsOf(keys), a.d, a.n, a.scores.end)
}

// multiplyV multiplies what became of the scores with the values.
func (a *attention) multiplyV(y *tensor.Tensor, at int, line, full []int32, values []byte, t *tile) {
	left, row := t.bytes, line
	if a.values.live == nil {
		left, row = bytesOf(t.floats), full
	}
	a.values.run(y, at, a.y.row, left, row, t.rows, values, a.n, a.dv, t.work)
}

// run takes the tile through one operator.
func (st *scoreStage) run(f *frame, s *step, a *attention, t *tile) {
	x, n, step := t.floats[:t.rows*a.n], a.n, gemm.Group*gemm.Groups(a.n)
	switch st.kind {
	case stageSoftmax:
		softmaxRows(x, n)
	case stageEach:
		st.each(x, x)
	case stageFill:
		which := tensor.Data[bool](f.vals[s.in[st.index]])[st.at[t.head]:]
		for r := range t.rows {
			if which[(t.from+r)*st.row] {
				for i := range n {
					x[r*n+i] = st.fill
				}
			}
		}
	case stageQuantize:
		for r := range t.rows {
			st.lattice.store(t.bytes[r*step:][:n], x[r*n:(r+1)*n])
		}
	case stageDequantize:
		for r := range t.rows {
			st.lattice.load(x[r*n:(r+1)*n], t.bytes[r*step:][:n])
		}
	default:
		b := tensor.Data[float32](f.vals[s.in[st.index]])[st.at[t.head]:]
		if st.row == 0 && st.column == 0 {
			st.loop(x, x, b[:1])
			return
		}
		for r := range t.rows {
			from := (t.from + r) * st.row
			st.loop(x[r*n:(r+1)*n], x[r*n:(r+1)*n], b[from:from+1+st.column*(n-1)])
		}
	}
}

// softmaxRows is reduce.Softmax of rows of n. Exponentials are computed for all
// rows together, as vectors have some elements left at the end.
func softmaxRows(x []float32, n int) {
	for i := 0; i < len(x); i += n {
		row := x[i : i+n]
		most := [1]float32{reduce.Max(row)}
		eltwise.Sub(row, row, most[:])
	}
	eltwise.ExpAll(x, x, 0)
	for i := 0; i < len(x); i += n {
		row := x[i : i+n]
		sum := [1]float32{reduce.SumF32(row)}
		eltwise.Div(row, row, sum[:])
	}
}

// merge makes one stage of a factor, a sum, softmax and a quantization, of which
// the first two may be missing.
func (a *attention) merge() {
	p := &fused.Softmax{By: 1, Times: 1}
	if l := a.scores.live; l != nil {
		if !l.Float() {
			return
		}
		p.By = l.Multiplier()
	}
	rest := a.stages
	if len(rest) > 0 && rest[0].factor != 0 {
		p.Times, rest = rest[0].factor, rest[1:]
	}
	if len(rest) > 0 && rest[0].sum && rest[0].column == 1 {
		a.mask, rest = &rest[0], rest[1:]
	}
	if len(rest) != 2 || rest[0].kind != stageSoftmax || rest[1].kind != stageQuantize {
		a.mask = nil
		return
	}
	p.Grid, a.softmax = rest[1].lattice.fused(), p
}

// rows takes the tile from scores to what the values are multiplied with.
func (a *attention) rows(f *frame, s *step, t *tile) {
	if a.softmax == nil {
		for i := range a.stages {
			a.stages[i].run(f, s, a, t)
		}
		return
	}
	scores := fused.Scores{
		X: t.floats, Rows: t.rows, Cols: a.n, Off: t.off[:],
		Y: t.bytes, Step: gemm.Group * gemm.Groups(a.n), Scratch: t.powers,
	}
	if a.mask != nil {
		mask := tensor.Data[float32](f.vals[s.in[a.mask.index]])[a.mask.at[t.head]:]
		scores.Add, scores.AddStep = mask[t.from*a.mask.row:], a.mask.row
	}
	a.softmax.Run(&scores)
}

// floatsOf returns bytes as floats; bytesOf the other way round.
func floatsOf(b []byte) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4)
}

func bytesOf(f []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(f))), 4*len(f))
}
