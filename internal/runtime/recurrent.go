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
	cellClip           float32             // 0: none
	live               *op.DynamicQuantize // of the states, nil for none
	backward           []bool              // by direction
	time, batch, cells int

	data, state, hidden *conv.Plan   // products; hidden only of a GRU
	rows                [2]*gemm.Row // state and hidden of one state
	ends                [3][]*gemm.FloatEnd
	weights             []recurrentWeights
	products            []part   // of the data with the weights, by direction
	stages              []*stage // of a step of time

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
	q.total = q.slots + q.time*q.batch*rows + q.batch*(rows+statesKept*n)
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
	}
	q.stages = []*stage{{product: q.state, cost: q.state.Cost(), multiply: func(f *frame, d, turn, slot, lo, hi int) {
		all, m := f.floats(0, q.total), q.memory(f)
		h := m.h[turn%2]
		if q.live != nil {
			h = m.reset
		}
		if q.batch == 1 {
			q.rows[0].Floats(m.pre, q.now(&m, d, turn)[:seen], q.weights[d].sum[:seen], h, q.weights[d].state, lo, hi)
			return
		}
		q.state.Run(m.pre, nil, h, q.weights[d].state, q.ends[1], lo, hi, all[slot*each:(slot+1)*each])
	}}}
	if q.live != nil {
		q.stages[0].ready = func(f *frame, _, turn int) {
			m := q.memory(f)
			for from := 0; from < len(m.reset); from += n {
				q.live.FakeQuantize(m.reset[from:from+n], m.h[turn%2][from:from+n])
			}
		}
	}
	if q.hidden != nil {
		q.stages = append(q.stages, &stage{product: q.hidden, cost: q.hidden.Cost(), multiply: func(f *frame, d, turn, slot, lo, hi int) {
			all, m := f.floats(0, q.total), q.memory(f)
			if q.batch == 1 {
				q.rows[1].Floats(m.third(), nil, nil, q.third(&m, turn), q.weights[d].hidden, lo, hi)
				return
			}
			q.hidden.Run(m.third(), nil, q.third(&m, turn), q.weights[d].hidden, q.ends[2], lo, hi, all[slot*each:(slot+1)*each])
		}})
	}
	q.stage(pl.p.threads, q.memory)
	for _, c := range []*tensor.Tensor{pl.constant(s, 1), pl.constant(s, 2)} {
		c.Release()
	}
}

// recurrentMemory is what a run keeps between the steps of time: the products of
// all data, what the gates get, the states before and after a step in turns, and
// scratch memory.
type recurrentMemory struct {
	xw, pre        []float32
	h              [2][]float32
	c, reset, keep []float32 // of an LSTM reset are the states as the product reads them
}

// statesKept is how many numbers recurrentMemory has for each cell.
const statesKept = 5

// take takes what comes behind xw from memory.
func (m *recurrentMemory) take(rest []float32, size, rows int) {
	m.pre, rest = rest[:rows], rest[rows:]
	m.h[0], m.h[1], m.c = rest[:size], rest[size:2*size], rest[2*size:3*size]
	m.reset, m.keep = rest[3*size:4*size], rest[4*size:5*size]
}

func (q *recurrence) memory(f *frame) (m recurrentMemory) {
	all, rows := q.time*q.batch*q.gates*q.cells, q.batch*q.gates*q.cells
	rest := f.floats(0, q.total)[q.slots:]
	m.xw = rest[:all]
	m.take(rest[all:], q.batch*q.cells, rows)
	return m
}

// third is where the product for the third gate of a GRU lies.
func (m *recurrentMemory) third() []float32 { return m.pre[2*len(m.c):] }

// third returns what the third gate of a GRU multiplies with its weights.
func (q *recurrence) third(m *recurrentMemory, turn int) []float32 {
	if q.linearBeforeReset {
		return m.h[turn%2]
	}
	return m.reset
}

func (q *recurrence) run(f *frame, s *step) error {
	m := q.memory(f)
	for d := range q.backward {
		f.crew.share(f, s, q.data.Blocks(), q.data.MACs(), q.products[d])
		q.steps(f, s, &m, d)
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

var (
	one           = []float32{1}
	lstmFunctions = []string{"Sigmoid", "Tanh", "Tanh"}
	gruFunctions  = []string{"Sigmoid", "Tanh"}
)

// dispatchLSTM and dispatchGRU hand over what is usual.
func (pl *plan) dispatchLSTM(s *step, key *ir.Node, o *op.LSTM) {
	odd := !usual(o.Activations, lstmFunctions) || o.Clip.Set || o.InputForget || o.BatchFirst
	odd = odd || o.CellClip.Set && !(o.CellClip.Value > 0)
	pl.dispatchRecurrent(s, key, &recurrence{gates: 4, cellClip: o.CellClip.Value, live: o.Live()}, o.Direction, odd)
}

func (pl *plan) dispatchGRU(s *step, key *ir.Node, o *op.GRU) {
	q := &recurrence{gates: 3, linearBeforeReset: o.LinearBeforeReset}
	pl.dispatchRecurrent(s, key, q, o.Direction, !usual(o.Activations, gruFunctions) || o.Clip.Set || o.BatchFirst)
}
