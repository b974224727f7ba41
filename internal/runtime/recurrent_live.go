package runtime

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/conv"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// liveRecurrence is an LSTM or GRU with weights of 8 bits. What it reads is
// quantized as a whole, unless it is integers already, and so are the states of
// the batch at each step.
type liveRecurrence struct {
	recurrence
	live  []liveCell    // by direction
	given affine.Params // of what it reads, where that is integers
	wide  bool          // these have 16 bits
	lows  []part        // of their low bytes with the weights, by direction

	// Bytes of the scratch memory: of a slot of a product, of all slots, of the
	// integers of the data and of the states, and of everything.
	slot, slots, ints, states, total int
	floats                           int // numbers of the products of the data
}

// liveCell is what one direction multiplies with; low is data for low bytes.
type liveCell struct {
	data, low, state, hidden liveMatrix
}

// liveMatrix is a packed weight, and the number of its epilogue in a frame.
type liveMatrix struct {
	product *conv.Plan
	packed  []int8
	end     *gemm.LiveEnd
	at      int
}

// dispatchLiveLSTM runs a DynamicQuantizeLSTM on packed weights where it is an
// LSTM as most are, whose weights are int8 with zero points of 0, or uint8 with
// 128.
func (pl *plan) dispatchLiveLSTM(s *step, key *ir.Node, o *op.DynamicQuantizeLSTM) {
	x, w, r := &pl.values[s.in[0]], pl.constant(s, 1), pl.constant(s, 2)
	if w == nil || r == nil || x.typ != dtype.Float32 || len(x.shape) != 3 || s.given(4) || s.given(7) || s.given(3) && pl.constant(s, 3) == nil ||
		!usual(o.Activations, lstmFunctions) || o.Clip.Set || o.InputForget || o.CellClip.Set && !(o.CellClip.Value > 0) {
		return
	}
	q := &liveRecurrence{recurrence: recurrence{gates: 4, cellClip: o.CellClip.Value, backward: directionsOf[o.Direction], time: x.shape[0], batch: x.shape[1], cells: r.Shape()[1]}}
	features := x.shape[2]
	if q.time*q.batch*features*q.cells == 0 || w.Shape()[0] != len(q.backward) || !pl.centered(s, 1, 9) || !pl.centered(s, 2, 11) ||
		pl.constant(s, 8) == nil || pl.constant(s, 10) == nil {
		return
	}
	for i := range s.out {
		if !pl.place(s, i) {
			return
		}
	}
	rows := 4 * q.cells
	q.data = conv.NewPlan(matrixGeometry(q.time*q.batch, features, rows, false), conv.Uint8)
	q.state = conv.NewPlan(matrixGeometry(q.batch, q.cells, rows, false), conv.Uint8)
	scales := func(i, d int) []float32 {
		u := tensor.Data[float32](pl.constant(s, i))
		each := len(u) / len(q.backward)
		return u[d*each : (d+1)*each]
	}
	for d := range q.backward {
		q.live = append(q.live, liveCell{
			data:  pl.liveMatrix(key, q.data, fmt.Sprint("live", 1, d), w, d*features*rows, features*rows, scales(8, d)),
			state: pl.liveMatrix(key, q.state, fmt.Sprint("live", 2, d), r, d*q.cells*rows, q.cells*rows, scales(10, d)),
		})
	}
	q.plan(pl, s, features)
}

// plan takes what dispatching leaves: biases, scratch memory.
func (q *liveRecurrence) plan(pl *plan, s *step, features int) {
	rows := q.gates * q.cells
	q.weights = make([]recurrentWeights, len(q.backward))
	for d := range q.backward {
		q.weights[d].biases(pl.constant(s, 3), d, rows)
		q.products = append(q.products, q.multiply(&q.live[d].data, 0))
		if q.wide {
			q.lows = append(q.lows, q.multiply(&q.live[d].low, 1))
		}
	}
	q.stages = []*stage{q.liveStage(0, q.state, func(d int) *liveMatrix { return &q.live[d].state })}
	if q.hidden != nil {
		q.stages = append(q.stages, q.liveStage(1, q.hidden, func(d int) *liveMatrix { return &q.live[d].hidden }))
	}
	q.stage(pl.p.threads, func(f *frame) recurrentMemory { return q.memory(f).recurrentMemory })
	pl.constant(s, 1).Release()
	pl.constant(s, 2).Release()
	round := func(n int) int { return (n + alignment - 1) &^ (alignment - 1) }
	for _, k := range []*conv.Plan{q.data, q.state, q.hidden} {
		if k != nil {
			q.slot = max(q.slot, round(k.ScratchLen()))
		}
	}
	q.slots = q.slot * pl.p.threads
	q.floats = q.time * q.batch * rows
	all := q.floats
	if q.wide {
		all *= 2
	}
	if !q.given.Present() || q.wide {
		q.ints = round(q.time * q.batch * features)
	}
	q.states = round(q.batch * q.cells)
	q.total = q.slots + q.halves()*q.ints + q.states + 4*(all+q.batch*(rows+statesKept*q.cells))
	pl.scratch = max(pl.scratch, q.total)
	s.share(q.data.Blocks(), (q.data.MACs()+q.time*q.state.Cost())/bytesAtOnce, nil) // for what run shares
	s.run = q.run
}

// centered reports whether the zero points in operand z of the weight in operand
// i are those that leave an int8 for each element.
func (pl *plan) centered(s *step, i, z int) bool {
	w, zeros := pl.constant(s, i), pl.constant(s, z)
	if zeros == nil || byteless(w.Type()) {
		return !s.given(z) && w.Type() == dtype.Int8
	}
	middle := int64(0)
	if w.Type() == dtype.Uint8 {
		middle = 128
	}
	list, _ := tensor.Ints(zeros)
	for _, v := range list {
		if v != middle {
			return false
		}
	}
	return true
}

// liveMatrix packs size elements of w from one on, whose scales are units.
func (pl *plan) liveMatrix(key *ir.Node, k *conv.Plan, name string, w *tensor.Tensor, from, size int, units []float32) liveMatrix {
	m := liveMatrix{product: k, at: len(pl.ends)}
	m.packed = pl.packs(key).getBytes(key, name, k.WeightBytes(), func(dst []int8) {
		own := w.Bytes()[from : from+size]
		if w.Type() == dtype.Uint8 {
			turned := make([]byte, len(own))
			gemm.Unsigned(turned, own, 0x80)
			own = turned
		}
		k.PackBytes(dst, signed(own))
	})
	m.end = k.LiveEnd(units, m.packed)
	pl.ends = append(pl.ends, m.end)
	return m
}

// quantize stores floats as uint8 with the range that they have, and makes the
// epilogue of a product with them.
func (m *liveMatrix) quantize(f *frame, to []byte, x []float32) {
	scale, zero := liveUint8.Params(bounds32(x))
	convert.Quantize(to, x, scale, convert.GridOf[uint8](int32(zero)))
	m.ready(f, scale, byte(zero))
}

var liveUint8 = op.New[op.DynamicQuantize]()

// ready makes the epilogue of a product with uint8 of such a grid.
func (m *liveMatrix) ready(f *frame, scale float32, zero byte) {
	f.ends[m.at].zero = zero
	m.weigh(f, scale, zero, 0, m.product.Filters())
}

// weigh makes the epilogue of columns lo to hi, which are multiples of 16 or all.
func (m *liveMatrix) weigh(f *frame, scale float32, zero byte, lo, hi int) {
	m.end.Set(f.ends[m.at].list[0], m.product.Unsigned(zero), scale, lo, hi)
}

// run computes parts lo to hi of the product with what was quantized.
func (m *liveMatrix) run(f *frame, y []float32, x []byte, lo, hi int, scratch []byte) {
	e := &f.ends[m.at]
	m.product.RunBytes(bytesOf(y), x, e.zero, m.packed, e.list[:], lo, hi, scratch)
}

// halves is of how many rows of bytes the data are.
func (q *liveRecurrence) halves() int {
	if q.wide {
		return 2
	}
	return 1
}

// multiply returns the product of half of the data's bytes with a weight.
func (q *liveRecurrence) multiply(m *liveMatrix, half int) part {
	return func(f *frame, s *step, slot, lo, hi int) {
		mem := f.bytes(0, q.total)
		ints, floats := mem[q.slots+half*q.ints:], floatsOf(mem[q.slots+q.halves()*q.ints+q.states:])
		if q.given.Present() && !q.wide {
			ints = f.vals[s.in[0]].Bytes()
		}
		m.run(f, floats[half*q.floats:], ints, lo, hi, mem[slot*q.slot:(slot+1)*q.slot])
	}
}

// liveStage is stage i, the product of which has its left side quantized first.
// ofCell returns the weight of a direction.
func (q *liveRecurrence) liveStage(i int, product *conv.Plan, ofCell func(d int) *liveMatrix) *stage {
	st := &stage{
		product: product, cost: product.Cost() / bytesAtOnce,
		ready: func(f *frame, d, turn int) {
			m := q.memory(f)
			from := m.h[turn%2]
			if i > 0 {
				from = q.third(&m.recurrentMemory, turn)
			}
			e := &f.ends[ofCell(d).at]
			scale, zero := liveUint8.Params(bounds32(from))
			convert.Quantize(m.states[:len(from)], from, scale, convert.GridOf[uint8](int32(zero)))
			e.scale, e.zero = scale, byte(zero)
		},
		multiply: func(f *frame, d, turn, slot, lo, hi int) {
			w, m := ofCell(d), q.memory(f)
			to := m.pre[:q.batch*product.Filters()]
			if i > 0 {
				to = m.third()
			}
			if q.batch > 1 {
				w.run(f, to, m.states, lo, hi, f.bytes(0, q.total)[slot*q.slot:(slot+1)*q.slot])
				return
			}
			var now, sum []float32
			if i == 0 {
				now, sum = q.now(&m.recurrentMemory, d, turn)[:len(to)], q.weights[d].sum[:len(to)]
			}
			e := &f.ends[w.at]
			q.rows[i].Bytes(to, now, sum, m.states, w.packed, w.end, e.list[0], product.Unsigned(e.zero), e.scale, lo, hi)
		},
	}
	if q.batch > 1 {
		st.weigh = func(f *frame, d, _, lo, hi int) {
			w := ofCell(d)
			e := &f.ends[w.at]
			w.weigh(f, e.scale, e.zero, lo, hi)
		}
	}
	return st
}

// bytesApart stores the high and the low bytes of numbers of 16 bits; those of signed
// ones count from the least.
func bytesApart(high, low, x []byte, signed bool) {
	flip := byte(0)
	if signed {
		flip = 0x80
	}
	for i := range len(x) / 2 {
		low[i], high[i] = x[2*i], x[2*i+1]^flip
	}
}

// liveMemory is recurrentMemory with the products of low bytes, and the integers
// of the data and of the states.
type liveMemory struct {
	recurrentMemory
	low          []float32
	ints, states []byte
}

func (q *liveRecurrence) memory(f *frame) (m liveMemory) {
	size, rows := q.batch*q.cells, q.batch*q.gates*q.cells
	mem := f.bytes(0, q.total)[q.slots:]
	m.ints, mem = mem[:q.halves()*q.ints], mem[q.halves()*q.ints:]
	m.states = mem[:q.states]
	rest := floatsOf(mem[q.states:])
	m.xw, rest = rest[:q.floats], rest[q.floats:]
	if q.wide {
		m.low, rest = rest[:q.floats], rest[q.floats:]
	}
	m.take(rest, size, rows)
	return m
}

func (q *liveRecurrence) run(f *frame, s *step) error {
	m := q.memory(f)
	if q.wide {
		bytesApart(m.ints, m.ints[q.ints:], f.vals[s.in[0]].Bytes(), q.given.Type.IsSigned())
	}
	for d := range q.backward {
		w := &q.live[d]
		switch high, zero := zeroBytes(q.given); {
		case q.wide:
			w.data.ready(f, 256*q.given.Scale[0], high)
			w.low.ready(f, q.given.Scale[0], zero)
			f.crew.share(f, s, q.data.Blocks(), q.data.MACs()/bytesAtOnce, q.lows[d])
		case q.given.Present():
			w.data.ready(f, q.given.Scale[0], zero)
		default:
			x := tensor.Data[float32](f.vals[s.in[0]])
			w.data.quantize(f, m.ints[:len(x)], x)
		}
		f.crew.share(f, s, q.data.Blocks(), q.data.MACs()/bytesAtOnce, q.products[d])
		if q.wide {
			eltwise.Add(m.xw, m.xw, m.low)
		}
		q.steps(f, s, &m.recurrentMemory, d)
	}
	return nil
}
