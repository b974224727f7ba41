package runtime

import (
	"fmt"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/conv"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// recurrence is an LSTM or GRU as most models have it: constant weights, the
// default functions, no clipping, no peepholes, sequences of one length.
type recurrence struct {
	gates              int // 4: LSTM, 3: GRU
	linearBeforeReset  bool
	cellClip           float32 // 0: none
	backward           []bool  // by direction
	time, batch, cells int

	data, state, hidden *conv.Plan // products; hidden only of a GRU
	ends                [3][]*gemm.FloatEnd
	weights             []recurrentWeights
	products            []part // of the data with the weights, by direction
	stateProducts       []part // of the states, likewise
	hiddenProducts      []part // of a GRU
	ofState, ofHidden   step   // as which the crew knows these

	slots, total int // scratch memory: of all slots of a product, and with the rest
}

// directionsOf lists which directions of a recurrent operator run backwards.
var directionsOf = map[string][]bool{"forward": {false}, "reverse": {true}, "bidirectional": {false, true}}

// usual reports whether activations are the default ones.
func usual(given, defaults []string) bool {
	for i, name := range given {
		if !strings.EqualFold(name, defaults[i%len(defaults)]) {
			return false
		}
	}
	return true
}

// given reports whether operand i of a step is there.
func (s *step) given(i int) bool { return i < len(s.in) && s.in[i] >= 0 }

// recurrentWeights are those of one direction, packed, and its biases.
type recurrentWeights struct {
	data, state, hidden []float32
	wb, rb, sum         []float32
}

// biases takes those of direction d, zeros where b is nil.
func (ws *recurrentWeights) biases(b *tensor.Tensor, d, rows int) {
	ws.wb, ws.rb, ws.sum = make([]float32, rows), make([]float32, rows), make([]float32, rows)
	if b != nil {
		bs := tensor.Data[float32](b)[d*2*rows:]
		ws.wb, ws.rb = slices.Clone(bs[:rows]), slices.Clone(bs[rows:2*rows])
	}
	eltwise.Add(ws.sum, ws.wb, ws.rb)
}

// dispatchRecurrent runs an LSTM or GRU step by step on packed weights.
func (pl *plan) dispatchRecurrent(s *step, key *ir.Node, q *recurrence, direction string, odd bool) {
	x, w, r := &pl.values[s.in[0]], pl.constant(s, 1), pl.constant(s, 2)
	if odd || w == nil || r == nil || x.typ != dtype.Float32 || len(x.shape) != 3 || s.given(4) || s.given(7) || s.given(3) && pl.constant(s, 3) == nil {
		return
	}
	q.backward = directionsOf[direction]
	features := x.shape[2]
	q.time, q.batch, q.cells = x.shape[0], x.shape[1], r.Shape()[2]
	if q.time*q.batch*features*q.cells == 0 || w.Shape()[0] != len(q.backward) {
		return
	}
	for i := range s.out {
		if !pl.place(s, i) {
			return
		}
	}
	q.plan(pl, s, key, features)
	pl.scratch = max(pl.scratch, 4*q.total)
	s.share(q.data.Blocks(), q.data.MACs()+q.time*q.state.Cost(), nil) // for what run shares
	s.run = q.run
}

func (q *recurrence) plan(pl *plan, s *step, key *ir.Node, features int) {
	w, r := tensor.Data[float32](pl.constant(s, 1)), tensor.Data[float32](pl.constant(s, 2))
	n, rows := q.cells, q.gates*q.cells
	seen := rows // gates that see the state as it is
	if q.gates == 3 {
		seen = 2 * n
		q.hidden = conv.NewPlan(matrixGeometry(q.batch, n, n, true), conv.Float32)
	}
	q.data = conv.NewPlan(matrixGeometry(q.time*q.batch, features, rows, true), conv.Float32)
	q.state = conv.NewPlan(matrixGeometry(q.batch, n, seen, true), conv.Float32)
	for i, k := range []*conv.Plan{q.data, q.state, q.hidden} {
		if k != nil {
			q.slots = max(q.slots, k.ScratchLen())
			q.ends[i] = k.FloatEnds(nil, false, 0, 0)
		}
	}
	each := q.slots
	q.slots *= pl.p.threads
	q.total = q.slots + q.time*q.batch*rows + q.batch*(rows+4*n)
	for d := range q.backward {
		pack := func(name string, k *conv.Plan, src []float32) []float32 {
			return pl.packs(key).get(key, fmt.Sprint(name, d), k.WeightLen(), func(dst []float32) { k.Pack(dst, src) })
		}
		own := r[d*rows*n : (d+1)*rows*n]
		ws := recurrentWeights{data: pack("data", q.data, w[d*rows*features:(d+1)*rows*features]), state: pack("state", q.state, own[:seen*n])}
		if q.hidden != nil {
			ws.hidden = pack("hidden", q.hidden, own[seen*n:])
		}
		ws.biases(pl.constant(s, 3), d, rows)
		q.weights = append(q.weights, ws)
		q.products = append(q.products, func(f *frame, s *step, slot, lo, hi int) {
			all := f.floats(0, q.total)
			q.data.Run(all[q.slots:], nil, tensor.Data[float32](f.vals[s.in[0]]), ws.data, q.ends[0], lo, hi, all[slot*each:(slot+1)*each])
		})
		q.stateProducts = append(q.stateProducts, func(f *frame, _ *step, slot, lo, hi int) {
			all, m := f.floats(0, q.total), q.memory(f)
			q.state.Run(m.pre, nil, m.h, ws.state, q.ends[1], lo, hi, all[slot*each:(slot+1)*each])
		})
		q.hiddenProducts = append(q.hiddenProducts, func(f *frame, _ *step, slot, lo, hi int) {
			all, m := f.floats(0, q.total), q.memory(f)
			from := m.spare[:q.batch*n] // the states that are reset
			if q.linearBeforeReset {
				from = m.h
			}
			q.hidden.Run(m.pre[2*q.batch*n:], nil, from, ws.hidden, q.ends[2], lo, hi, all[slot*each:(slot+1)*each])
		})
	}
	for _, c := range []*tensor.Tensor{pl.constant(s, 1), pl.constant(s, 2)} {
		c.Release()
	}
}

// recurrentMemory is what a run keeps between the steps of time: the products of
// all data, what the gates get, the states and scratch memory.
type recurrentMemory struct{ xw, pre, h, c, spare []float32 }

func (q *recurrence) memory(f *frame) (m recurrentMemory) {
	size, rows := q.batch*q.cells, q.batch*q.gates*q.cells
	rest := f.floats(0, q.total)[q.slots:]
	m.xw, rest = rest[:q.time*rows], rest[q.time*rows:]
	m.pre, rest = rest[:rows], rest[rows:]
	m.h, m.c, m.spare = rest[:size], rest[size:2*size], rest[2*size:4*size]
	return m
}

func (q *recurrence) run(f *frame, s *step) error {
	m := q.memory(f)
	rows, dirs := len(m.pre), len(q.backward)
	for d, backward := range q.backward {
		f.crew.share(f, s, q.data.Blocks(), q.data.MACs(), q.products[d])
		f.initial(m.h, s, 5, d)
		f.initial(m.c, s, 6, d)
		for i := range q.time {
			t := i
			if backward {
				t = q.time - 1 - i
			}
			now := m.xw[t*rows : (t+1)*rows]
			f.crew.share(f, &q.ofState, q.state.Blocks(), q.state.Cost(), q.stateProducts[d])
			if q.gates == 4 {
				eltwise.Add(m.pre, now, m.pre)
				q.gate(q.weights[d].sum, m.pre, m.h, m.c, m.spare)
			} else {
				q.gru(f, d, now, &m)
			}
			f.final(s, 0, t*dirs+d, m.h)
		}
		f.final(s, 1, d, m.h)
		f.final(s, 2, d, m.c)
	}
	return nil
}

// initial copies part d of operand i of a step, zeros where it is absent.
func (f *frame) initial(dst []float32, s *step, i, d int) {
	clear(dst)
	if t := f.tensorAt(s.in, i); t != nil {
		copy(dst, tensor.Data[float32](t)[d*len(dst):])
	}
}

// final stores part d of output i of a step, if it is there.
func (f *frame) final(s *step, i, d int, v []float32) {
	if t := f.tensorAt(s.out, i); t != nil {
		copy(tensor.Data[float32](t)[d*len(v):], v)
	}
}

// gate computes the next states of an LSTM from what the gates get less their
// biases: the same operations as the reference, on rows.
func (q *recurrence) gate(sum, pre, h, c, spare []float32) {
	n := q.cells
	for b := range q.batch {
		p, m, tmp := pre[b*4*n:(b+1)*4*n], c[b*n:(b+1)*n], spare[:n]
		eltwise.Add(p, p, sum)
		eltwise.SigmoidAll(p[:3*n], p[:3*n])
		in, out, forget, cell := p[:n], p[n:2*n], p[2*n:3*n], p[3*n:]
		eltwise.TanhAll(cell, cell)
		eltwise.Mul(m, forget, m)
		eltwise.Mul(cell, in, cell)
		eltwise.Add(m, m, cell)
		if clip := q.cellClip; clip > 0 {
			for i, v := range m {
				m[i] = min(max(v, -clip), clip)
			}
		}
		eltwise.TanhAll(tmp, m)
		eltwise.Mul(h[b*n:(b+1)*n], out, tmp)
	}
}

// gru computes the next states of a GRU from the products now of the data, and
// those of the states.
func (q *recurrence) gru(f *frame, d int, now []float32, m *recurrentMemory) {
	w, gates, v := &q.weights[d], m.pre[:2*q.batch*q.cells], m.pre[2*q.batch*q.cells:]
	q.reset(w, now, gates, m.h, m.spare)
	f.crew.share(f, &q.ofHidden, q.hidden.Blocks(), q.hidden.Cost(), q.hiddenProducts[d])
	q.update(w, now, gates, v, m.h, m.spare)
}

// reset computes the first two gates of a GRU from the products with the states,
// and returns what the third one multiplies with its weights.
func (q *recurrence) reset(w *recurrentWeights, now, gates, h, spare []float32) []float32 {
	n := q.cells
	reset := spare[:q.batch*n]
	for b := range q.batch {
		zr := gates[b*2*n : (b+1)*2*n]
		eltwise.Add(zr, now[b*3*n:b*3*n+2*n], zr)
		eltwise.Add(zr, zr, w.sum[:2*n])
		eltwise.SigmoidAll(zr, zr)
		if !q.linearBeforeReset {
			eltwise.Mul(reset[b*n:(b+1)*n], h[b*n:(b+1)*n], zr[n:])
		}
	}
	if q.linearBeforeReset {
		return h
	}
	return reset
}

// update computes the next states from the gates and the product v of the third.
func (q *recurrence) update(w *recurrentWeights, now, gates, v, h, spare []float32) {
	n := q.cells
	keep := spare[q.batch*n : q.batch*n+n]
	for b := range q.batch {
		x, y, z, r, old := now[b*3*n+2*n:(b+1)*3*n], v[b*n:(b+1)*n], gates[b*2*n:b*2*n+n], gates[b*2*n+n:(b+1)*2*n], h[b*n:(b+1)*n]
		if q.linearBeforeReset {
			eltwise.Add(y, y, w.rb[2*n:])
			eltwise.Mul(y, r, y)
			eltwise.Add(y, x, y)
			eltwise.Add(y, y, w.wb[2*n:])
		} else {
			eltwise.Add(y, x, y)
			eltwise.Add(y, y, w.sum[2*n:])
		}
		eltwise.TanhAll(y, y)
		eltwise.Sub(keep, one, z)
		eltwise.Mul(y, keep, y)
		eltwise.Mul(old, z, old)
		eltwise.Add(old, y, old)
	}
}

var (
	one           = []float32{1}
	lstmFunctions = []string{"Sigmoid", "Tanh", "Tanh"}
	gruFunctions  = []string{"Sigmoid", "Tanh"}
)

// dispatchLSTM and dispatchGRU hand over what is usual.
func (pl *plan) dispatchLSTM(s *step, key *ir.Node, o *op.LSTM) {
	odd := !usual(o.Activations, lstmFunctions) || o.Clip.Set || o.InputForget || o.BatchFirst
	odd = odd || o.CellClip.Set && !(o.CellClip.Value > 0)
	pl.dispatchRecurrent(s, key, &recurrence{gates: 4, cellClip: o.CellClip.Value}, o.Direction, odd)
}

func (pl *plan) dispatchGRU(s *step, key *ir.Node, o *op.GRU) {
	q := &recurrence{gates: 3, linearBeforeReset: o.LinearBeforeReset}
	pl.dispatchRecurrent(s, key, q, o.Direction, !usual(o.Activations, gruFunctions) || o.Clip.Set || o.BatchFirst)
}
