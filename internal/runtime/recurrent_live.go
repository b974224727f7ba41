package runtime

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/conv"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// liveRecurrence is an LSTM with weights of 8 bits. What it reads is quantized
// as a whole, and so are the states of the batch at each step.
type liveRecurrence struct {
	recurrence
	live []liveCell // by direction

	// Bytes of the scratch memory: of a slot of a product, of all slots, of the
	// integers of the data and of the states, and of everything.
	slot, slots, ints, states, total int
}

// liveCell is what one direction multiplies with.
type liveCell struct {
	data, state liveMatrix
	sum         []float32 // of the biases
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
		!usual(o.Activations, lstmFunctions) || o.Clip.Set || o.InputForget {
		return
	}
	q := &liveRecurrence{recurrence: recurrence{gates: 4, backward: directionsOf[o.Direction], time: x.shape[0], batch: x.shape[1], cells: r.Shape()[1]}}
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
	for d := range q.backward {
		c := liveCell{data: pl.liveMatrix(s, key, q.data, 1, 8, d, features*rows), state: pl.liveMatrix(s, key, q.state, 2, 10, d, q.cells*rows), sum: make([]float32, rows)}
		if b := pl.constant(s, 3); b != nil {
			bs := tensor.Data[float32](b)[d*2*rows:]
			eltwise.Add(c.sum, bs[:rows], bs[rows:2*rows])
		}
		q.live = append(q.live, c)
		q.products = append(q.products, q.multiply(d))
		q.stateProducts = append(q.stateProducts, q.multiplyState(d))
	}
	w.Release()
	r.Release()
	round := func(n int) int { return (n + alignment - 1) &^ (alignment - 1) }
	q.slot = round(max(q.data.ScratchLen(), q.state.ScratchLen()))
	q.slots = q.slot * pl.p.threads
	q.ints, q.states = round(q.time*q.batch*features), round(q.batch*q.cells)
	q.total = q.slots + q.ints + q.states + 4*(q.time*q.batch*rows+q.batch*(rows+3*q.cells))
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

// liveMatrix packs direction d, of size elements, of the weight in operand i,
// whose scales are operand units.
func (pl *plan) liveMatrix(s *step, key *ir.Node, k *conv.Plan, i, units, d, size int) liveMatrix {
	w, u := pl.constant(s, i), pl.constant(s, units)
	m := liveMatrix{product: k, at: len(pl.ends)}
	m.packed = pl.packs(key).getBytes(key, fmt.Sprint("live", i, d), k.WeightBytes(), func(dst []int8) {
		own := w.Bytes()[d*size : (d+1)*size]
		if w.Type() == dtype.Uint8 {
			turned := make([]byte, size)
			gemm.Unsigned(turned, own, 0x80)
			own = turned
		}
		k.PackBytes(dst, signed(own))
	})
	each := u.Len() / w.Shape()[0]
	m.end = k.LiveEnd(tensor.Data[float32](u)[d*each:(d+1)*each], m.packed)
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
	e := &f.ends[m.at]
	e.zero = zero
	m.end.Set(e.list[0], m.product.Unsigned(zero), scale)
}

// run computes parts lo to hi of the product with what was quantized.
func (m *liveMatrix) run(f *frame, y []float32, x []byte, lo, hi int, scratch []byte) {
	e := &f.ends[m.at]
	m.product.RunBytes(bytesOf(y), x, e.zero, m.packed, e.list[:], lo, hi, scratch)
}

// multiply returns the product of the data with the weights of direction d.
func (q *liveRecurrence) multiply(d int) part {
	return func(f *frame, _ *step, slot, lo, hi int) {
		mem := f.bytes(0, q.total)
		ints, floats := mem[q.slots:], floatsOf(mem[q.slots+q.ints+q.states:])
		q.live[d].data.run(f, floats, ints, lo, hi, mem[slot*q.slot:(slot+1)*q.slot])
	}
}

// multiplyState returns the product of the states likewise.
func (q *liveRecurrence) multiplyState(d int) part {
	return func(f *frame, _ *step, slot, lo, hi int) {
		m := q.memory(f)
		q.live[d].state.run(f, m.pre, m.states, lo, hi, f.bytes(0, q.total)[slot*q.slot:(slot+1)*q.slot])
	}
}

// liveMemory is recurrentMemory with the integers of the data and of the states.
type liveMemory struct {
	recurrentMemory
	ints, states []byte
}

func (q *liveRecurrence) memory(f *frame) (m liveMemory) {
	size, rows := q.batch*q.cells, q.batch*4*q.cells
	mem := f.bytes(0, q.total)[q.slots:]
	m.ints, mem = mem[:q.ints], mem[q.ints:]
	m.states = mem[:size]
	rest := floatsOf(mem[q.states:])
	m.xw, rest = rest[:q.time*rows], rest[q.time*rows:]
	m.pre, rest = rest[:rows], rest[rows:]
	m.h, m.c, m.spare = rest[:size], rest[size:2*size], rest[2*size:3*size]
	return m
}

func (q *liveRecurrence) run(f *frame, s *step) error {
	m := q.memory(f)
	x, rows, dirs := tensor.Data[float32](f.vals[s.in[0]]), len(m.pre), len(q.backward)
	for d, backward := range q.backward {
		w := &q.live[d]
		w.data.quantize(f, m.ints[:len(x)], x)
		f.crew.share(f, s, q.data.Blocks(), q.data.MACs()/bytesAtOnce, q.products[d])
		f.initial(m.h, s, 5, d)
		f.initial(m.c, s, 6, d)
		for i := range q.time {
			t := i
			if backward {
				t = q.time - 1 - i
			}
			w.state.quantize(f, m.states, m.h)
			f.crew.share(f, &q.ofState, q.state.Blocks(), q.state.Cost()/bytesAtOnce, q.stateProducts[d])
			eltwise.Add(m.pre, m.xw[t*rows:(t+1)*rows], m.pre)
			q.gate(w.sum, m.pre, m.h, m.c, m.spare)
			f.final(s, 0, t*dirs+d, m.h)
		}
		f.final(s, 1, d, m.h)
		f.final(s, 2, d, m.c)
	}
	return nil
}
