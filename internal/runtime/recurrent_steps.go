package runtime

import (
	"github.com/octavo-ml/octavo/internal/kernels/conv"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
)

// stage is a product of the states of a step of time with weights, and what it
// is for: the gates of an LSTM, the first two of a GRU, or its third.
//
// Several threads share the cells, so that each multiplies the weights of its
// own cells, which its cache may hold, and goes on with their gates. Where they
// cannot, the gates come after the whole product.
type stage struct {
	product  *conv.Plan
	cost     int                                       // of the product, as a crew counts
	ready    func(f *frame, d, turn int)               // before it; nil: nothing
	weigh    func(f *frame, d, turn, lo, hi int)       // before it, for columns lo to hi; nil: nothing
	multiply func(f *frame, d, turn, slot, lo, hi int) // parts lo to hi of the product
	end      func(f *frame, d, turn, lo, hi int)       // what becomes of cells lo to hi
	known    step                                      // as which the crew knows it

	pieces int         // of the cells; at most 1: threads share the product alone
	cells  []sweepPart // of all pieces, by direction
	blocks []sweepPart // of the product alone, likewise
}

// together is how many parts of a product are computed in order, whatever the
// order of the rest.
const together = 4

// stage sets up what threads share of the stages. memory is where a frame keeps
// the states.
func (q *recurrence) stage(threads int, memory func(f *frame) recurrentMemory) {
	if q.batch == 1 {
		for i, st := range q.stages {
			q.rows[i] = gemm.NewRow(q.cells, st.product.Filters())
		}
	}
	ends := []func(f *frame, d, turn, lo, hi int){func(f *frame, d, turn, lo, hi int) {
		m := memory(f)
		q.gate(q.weights[d].sum, q.now(&m, d, turn), &m, turn, lo, hi)
	}}
	if q.gates == 3 {
		ends = []func(f *frame, d, turn, lo, hi int){func(f *frame, d, turn, lo, hi int) {
			m := memory(f)
			q.reset(&q.weights[d], q.now(&m, d, turn), &m, turn, lo, hi)
		}, func(f *frame, d, turn, lo, hi int) {
			m := memory(f)
			q.update(&q.weights[d], q.now(&m, d, turn), &m, turn, lo, hi)
		}}
	}
	for i, st := range q.stages {
		st.end = ends[i]
		st.cut(q.cells, len(q.backward), threads)
	}
}

// cut decides on the pieces.
func (st *stage) cut(cells, directions, threads int) {
	const each = 2 // pieces of a thread
	parts := st.product.Packs()
	size := (cells/gemm.Width + each*threads - 1) / (each * threads) * gemm.Width // of a piece
	if threads > 1 && cells%gemm.Width == 0 && parts == st.product.Blocks() {
		st.pieces = (cells + size - 1) / size
	}
	per := cells / gemm.Width // parts of a gate
	for d := range directions {
		st.cells = append(st.cells, func(f *frame, turn, slot, i int) {
			lo, hi := i*size, min((i+1)*size, cells)
			for g := range parts / per {
				at := there(g, parts/per, turn) * per
				if st.weigh != nil {
					st.weigh(f, d, turn, at*gemm.Width+lo, at*gemm.Width+hi)
				}
				st.multiply(f, d, turn, slot, at+lo/gemm.Width, at+hi/gemm.Width)
			}
			st.end(f, d, turn, lo, hi)
		})
		st.blocks = append(st.blocks, func(f *frame, turn, slot, i int) {
			st.multiply(f, d, turn, slot, i*together, min((i+1)*together, st.product.Blocks()))
		})
	}
}

// steps runs direction d through time, the products of the data being there.
func (q *recurrence) steps(f *frame, s *step, m *recurrentMemory, d int) {
	f.initial(m.h[0], s, 5, d)
	f.initial(m.c, s, 6, d)
	for turn := range q.time {
		for _, st := range q.stages {
			if st.ready != nil {
				st.ready(f, d, turn)
			}
			if st.pieces > 1 && f.crew.helped() {
				f.crew.sweep(f, &st.known, st.pieces, turn, st.cost, st.cells[d])
				continue
			}
			if st.weigh != nil {
				st.weigh(f, d, turn, 0, st.product.Filters())
			}
			f.crew.sweep(f, &st.known, (st.product.Blocks()+together-1)/together, turn, st.cost, st.blocks[d])
			st.end(f, d, turn, 0, q.cells)
		}
		f.final(s, 0, q.at(d, turn)*len(q.backward)+d, m.h[(turn+1)%2])
	}
	f.final(s, 1, d, m.h[q.time%2])
	f.final(s, 2, d, m.c)
}

// at is the time of a turn of direction d.
func (q *recurrence) at(d, turn int) int {
	if q.backward[d] {
		return q.time - 1 - turn
	}
	return turn
}

// now is the product of the data of a turn.
func (q *recurrence) now(m *recurrentMemory, d, turn int) []float32 {
	rows := len(m.pre)
	return m.xw[q.at(d, turn)*rows:][:rows]
}

// gatesOf calls do for what lies together of cells lo to hi of the first gates
// rows of n cells each.
func gatesOf(gates, n, lo, hi int, do func(lo, hi int)) {
	if hi-lo == n {
		do(0, gates*n)
		return
	}
	for g := range gates {
		do(g*n+lo, g*n+hi)
	}
}

// addBoth adds to the product of the states that of the data, and the biases: of
// one state the product itself does.
func addBoth(p, now, sum []float32) {
	eltwise.Add(p, now, p)
	eltwise.Add(p, p, sum)
}

// gate computes cells lo to hi of the next states of an LSTM from the products
// now of the data and those of the states: the same operations as the reference,
// on rows.
func (q *recurrence) gate(sum, now []float32, m *recurrentMemory, turn, lo, hi int) {
	n := q.cells
	for b := range q.batch {
		p, x := m.pre[b*4*n:(b+1)*4*n], now[b*4*n:(b+1)*4*n]
		if q.batch > 1 {
			gatesOf(4, n, lo, hi, func(lo, hi int) { addBoth(p[lo:hi], x[lo:hi], sum[lo:hi]) })
		}
		gatesOf(3, n, lo, hi, func(lo, hi int) { eltwise.SigmoidAll(p[lo:hi], p[lo:hi]) })
		in, out, forget, cell := p[lo:hi], p[n+lo:n+hi], p[2*n+lo:2*n+hi], p[3*n+lo:3*n+hi]
		c, tmp := m.c[b*n+lo:b*n+hi], m.keep[b*n+lo:b*n+hi]
		eltwise.TanhAll(cell, cell)
		eltwise.Mul(c, forget, c)
		eltwise.Mul(cell, in, cell)
		eltwise.Add(c, c, cell)
		if clip := q.cellClip; clip > 0 {
			for i, v := range c {
				c[i] = min(max(v, -clip), clip)
			}
		}
		eltwise.TanhAll(tmp, c)
		eltwise.Mul(m.h[(turn+1)%2][b*n+lo:b*n+hi], out, tmp)
	}
}

// reset computes cells lo to hi of the first two gates of a GRU from the
// products with the states, and of what the third one multiplies with its
// weights.
func (q *recurrence) reset(w *recurrentWeights, now []float32, m *recurrentMemory, turn, lo, hi int) {
	n := q.cells
	for b := range q.batch {
		zr, x := m.pre[b*2*n:(b+1)*2*n], now[b*3*n:(b+1)*3*n]
		if q.batch > 1 {
			gatesOf(2, n, lo, hi, func(lo, hi int) { addBoth(zr[lo:hi], x[lo:hi], w.sum[lo:hi]) })
		}
		gatesOf(2, n, lo, hi, func(lo, hi int) { eltwise.SigmoidAll(zr[lo:hi], zr[lo:hi]) })
		if !q.linearBeforeReset {
			eltwise.Mul(m.reset[b*n+lo:b*n+hi], m.h[turn%2][b*n+lo:b*n+hi], zr[n+lo:n+hi])
		}
	}
}

// update computes cells lo to hi of the next states of a GRU from the gates and
// the product of the third.
func (q *recurrence) update(w *recurrentWeights, now []float32, m *recurrentMemory, turn, lo, hi int) {
	n, v := q.cells, m.third()
	for b := range q.batch {
		from, to := b*n+lo, b*n+hi
		x, y, keep := now[b*3*n+2*n+lo:b*3*n+2*n+hi], v[from:to], m.keep[from:to]
		z, r := m.pre[b*2*n+lo:b*2*n+hi], m.pre[b*2*n+n+lo:b*2*n+n+hi]
		rb, wb, sum := w.rb[2*n+lo:2*n+hi], w.wb[2*n+lo:2*n+hi], w.sum[2*n+lo:2*n+hi]
		if q.linearBeforeReset {
			eltwise.Add(y, y, rb)
			eltwise.Mul(y, r, y)
			eltwise.Add(y, x, y)
			eltwise.Add(y, y, wb)
		} else {
			eltwise.Add(y, x, y)
			eltwise.Add(y, y, sum)
		}
		old, next := m.h[turn%2][from:to], m.h[(turn+1)%2][from:to]
		eltwise.TanhAll(y, y)
		eltwise.Sub(keep, one, z)
		eltwise.Mul(y, keep, y)
		eltwise.Mul(next, z, old)
		eltwise.Add(next, next, y)
	}
}
