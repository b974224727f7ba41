package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// FixedLSTM is an LSTM on integers as TensorFlow Lite has it ("8x8->16":
// kernels/lstm_eval.cc, EvalInteger8x8_16, without projection and peepholes). A
// pass derives it from an LSTM between Q and DQ. Operands are the data, int8
// [time, batch, features] or, with BatchFirst, [batch, time, features]; weights,
// int8 [4·hidden, features], and recurrent ones, [4·hidden, hidden], gates in
// ONNX's order; a bias, int32 [4·hidden]; the last output, int8 [batch, hidden],
// and the cell's state, int16 of the same shape. Results are every output, the
// last one, and the state.
//
// Of the sums of each gate, the first taken with the bias:
//
//	g = int16(F(sw·sx/2⁻¹²)·Σ(qx−zx)·qw, + F(sr·sh/2⁻¹²)·Σ(qh−zh)·qr)
//	i, o, f = sigmoid(g), c = tanh(g)      3 integer bits in, 15 fractional ones out
//	m = int16(f·m/2¹⁵ + i·c/2^(30+CellBits−15)), limited to ±CellClip
//	h = int8(F(2⁻³⁰/sh)·o·tanh(m) + zh)
//
// sigmoid and tanh are gemmlowp's of int16.
type FixedLSTM struct {
	X, H affine.Params // of the data, and of the outputs
	// Data and State are the scales of the weights by gate.
	Data, State [4]float32
	// CellBits is the base-2 logarithm of the scale of the cell's state.
	CellBits   int
	CellClip   int16 // 0 for none
	BatchFirst bool
}

// Name returns "FixedLSTM".
func (*FixedLSTM) Name() string { return "FixedLSTM" }

// Infer returns the shapes of the outputs and of the states.
func (o *FixedLSTM) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 6, 6); err != nil {
		return nil, err
	}
	x, err := Merge(in[0].Shape, OfRank(3))
	if err != nil {
		return nil, err
	}
	r, err := Merge(in[2].Shape, OfRank(2))
	if err != nil {
		return nil, err
	}
	state, err := Merge(in[4].Shape, OfRank(2))
	if err != nil {
		return nil, err
	}
	return []Fact{TensorFact(dtype.Int8, Shape{x[0], x[1], r[1]}), TensorFact(dtype.Int8, state), TensorFact(dtype.Int16, state.Clone())}, nil
}

// Eval steps through the sequences.
func (o *FixedLSTM) Eval(in []Datum) ([]Datum, error) {
	shape := arg(in, 0).Shape()
	time, batch, features := shape[0], shape[1], shape[2]
	if o.BatchFirst {
		time, batch = batch, time
	}
	hidden := arg(in, 2).Shape()[1]
	for i, n := range []int{time * batch * features, 4 * hidden * features, 4 * hidden * hidden, 4 * hidden, batch * hidden, batch * hidden} {
		if t := arg(in, i); t == nil || t.Len() != n {
			return nil, fmt.Errorf("operand %d is %v, want %d elements", i, t, n)
		}
	}
	bias, err := Convert(arg(in, 3), dtype.Int32)
	if err != nil {
		return nil, err
	}
	c := newFixedCell(o, tensor.Data[int8](arg(in, 1)), tensor.Data[int8](arg(in, 2)), tensor.Data[int32](bias), features, hidden)
	y := tensor.New(dtype.Int8, shape[0], shape[1], hidden)
	h, m := arg(in, 4).Clone(), arg(in, 5).Clone()
	x, out := tensor.Data[int8](arg(in, 0)), tensor.Data[int8](y)
	hs, ms := tensor.Data[int8](h), tensor.Data[int16](m)
	for t := range time {
		for b := range batch {
			at := t*batch + b
			if o.BatchFirst {
				at = b*time + t
			}
			last := hs[b*hidden : (b+1)*hidden]
			c.step(x[at*features:(at+1)*features], last, ms[b*hidden:(b+1)*hidden])
			copy(out[at*hidden:], last)
		}
	}
	return Of(y, h, m), nil
}

// fixedCell is a FixedLSTM at work.
type fixedCell struct {
	*FixedLSTM
	features, hidden int
	data, state      []int8
	sums, turned     []int32 // what the zero points and the bias add
	ofData, ofState  [4]affine.Fixed
	output           affine.Fixed
	gates            []int32
}

func newFixedCell(o *FixedLSTM, data, state []int8, bias []int32, features, hidden int) *fixedCell {
	c := &fixedCell{FixedLSTM: o, features: features, hidden: hidden, data: data, state: state, gates: make([]int32, 4*hidden)}
	row := func(w []int8, n, i int) (s int32) {
		for _, q := range w[i*n : (i+1)*n] {
			s += int32(q)
		}
		return s
	}
	for i := range 4 * hidden {
		c.sums = append(c.sums, bias[i]-int32(o.X.Zero(0))*row(data, features, i))
		c.turned = append(c.turned, -int32(o.H.Zero(0))*row(state, hidden, i))
	}
	const unit = 1.0 / 4096
	for g := range 4 {
		c.ofData[g] = affine.FixedOf(float64(float32(o.Data[g]*o.X.Scale[0]) / unit))
		c.ofState[g] = affine.FixedOf(float64(float32(o.State[g]*o.H.Scale[0]) / unit))
	}
	c.output = affine.FixedOf(float64(float32(1.0 / 32768 / float64(o.H.Scale[0]) / 32768)))
	return c
}

// step advances the output h and the state m of one sequence.
func (c *fixedCell) step(x, h []int8, m []int16) {
	n := c.hidden
	for i := range c.gates {
		g := i / n
		a, b := c.sums[i], c.turned[i]
		for k, q := range c.data[i*c.features : (i+1)*c.features] {
			a += int32(x[k]) * int32(q)
		}
		for k, q := range c.state[i*n : (i+1)*n] {
			b += int32(h[k]) * int32(q)
		}
		v := short(int64(c.ofState[g].Of(b)) + int64(short(int64(c.ofData[g].Of(a)))))
		if g == 3 {
			c.gates[i] = tanh16(v, 3)
		} else {
			c.gates[i] = sigmoid16(v)
		}
	}
	zero := int32(c.H.Zero(0))
	for k := range n {
		in, out, forget, cell := c.gates[k], c.gates[n+k], c.gates[2*n+k], c.gates[3*n+k]
		kept := int32(int16(affine.RoundingShift(forget*int32(m[k]), 15)))
		added := int32(int16(affine.RoundingShift(in*cell, 30+c.CellBits)))
		v := short(int64(kept) + int64(added))
		if clip := int32(c.CellClip); clip > 0 {
			v = min(max(v, -clip), clip)
		}
		m[k] = int16(v)
		y := c.output.Of(out*tanh16(v, 15+c.CellBits)) + zero
		h[k] = int8(min(max(y, math.MinInt8), math.MaxInt8))
	}
}

// exp16 returns e^x with 15 fractional bits, for x ≤ 0 with the given integer
// bits: expOfNegative in 16 bits.
func exp16(x int32, integer int) int32 {
	if x == 0 {
		return math.MaxInt16
	}
	quarter := int32(1) << (13 - integer)
	rest := x&(quarter-1) - quarter
	multiple := rest - x
	y := exp16NearEighth(short(int64(rest) << integer))
	for i, power := range [...]int32{25520, 19875, 12055, 4435, 600, 11, 0} {
		if integer > i-2 && multiple&(quarter<<i) != 0 {
			y = highMul16(y, power) // e^(−2^(i−2))
		}
	}
	if integer > 5 && x < -(1<<(20-integer)) {
		return 0
	}
	return y
}

// exp16NearEighth is expNearEighth in 16 bits.
func exp16NearEighth(x int32) int32 {
	const eighth, third = 28918, 10923 // e^−⅛, ⅓
	x += 1 << 12
	x2 := highMul16(x, x)
	x3, x4 := highMul16(x2, x), highMul16(x2, x2)
	t := highMul16(affine.RoundingShift(x4, 2)+x3, third) + x2
	return short(int64(eighth + highMul16(eighth, x+affine.RoundingShift(t, 1))))
}

// newton16 returns 2/(1+x) with 13 fractional bits, for x in [0, 1] with 15.
func newton16(x int32) int32 {
	half := (x + math.MaxInt16 + 1) / 2
	y := 23130 + highMul16(half, -15420) // 48/17 − 32/17·half
	for range 3 {
		y = int32(int16(y + short(int64(highMul16(y, 1<<13-highMul16(half, y)))<<2)))
	}
	return y
}

// sigmoid16 is the sigmoid of x with 3 integer bits.
func sigmoid16(x int32) int32 {
	if x == 0 {
		return 1 << 14
	}
	y := short(int64(newton16(exp16(min(x, -x), 3))) << 1)
	if x < 0 {
		return math.MaxInt16 - y
	}
	return y
}

// tanh16 is tanh of x with the given integer bits.
func tanh16(x int32, integer int) int32 {
	if x == 0 {
		return 0
	}
	y := short(int64(newton16(exp16(min(x, -x), integer+1))-1<<13) << 2)
	if x < 0 {
		return -y
	}
	return y
}
