package op

import (
	"fmt"
	"math"
	"strings"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// recurrent is what LSTM, GRU and RNN have in common. Inputs are the data
// [time, batch, features], weights [directions, gates·hidden, features],
// recurrent weights [directions, gates·hidden, hidden], a bias [directions,
// 2·gates·hidden], the lengths of the sequences and the initial states
// [directions, batch, hidden]; with batchFirst the batch axis leads.
type recurrent struct {
	gates, states int
	activations   []string // those of the operator, or nil
	fallback      []string // for one direction
	alpha, beta   []float32
	clip          Opt[float32]
	direction     string
	hidden        int // 0 where the weights tell
	batchFirst    bool
}

// activation is a function of one number.
type activation func(float32) float32

// activationTable lists the functions, with the defaults of the parameters
// that they take.
var activationTable = []struct {
	name        string
	alpha, beta Opt[float32]
	make        func(alpha, beta float32) activation
}{
	{"affine", Some[float32](1), Some[float32](0), func(a, b float32) activation {
		return func(x float32) float32 { return float32(a*x) + b }
	}},
	{"elu", Some[float32](1), Opt[float32]{}, func(a, _ float32) activation {
		return func(x float32) float32 { return eltwise.Elu(x, a) }
	}},
	{"hardsigmoid", Some[float32](0.2), Some[float32](0.5), func(a, b float32) activation {
		return func(x float32) float32 { return eltwise.HardSigmoid(x, a, b) }
	}},
	{"leakyrelu", Some[float32](0.01), Opt[float32]{}, func(a, _ float32) activation {
		return func(x float32) float32 { return eltwise.LeakyRelu(x, a) }
	}},
	{"relu", Opt[float32]{}, Opt[float32]{}, func(_, _ float32) activation {
		return func(x float32) float32 { return max(x, 0) }
	}},
	{"scaledtanh", Some[float32](1), Some[float32](1), func(a, b float32) activation {
		return func(x float32) float32 { return a * eltwise.Tanh(b*x) }
	}},
	{"sigmoid", Opt[float32]{}, Opt[float32]{}, func(_, _ float32) activation { return eltwise.Sigmoid }},
	{"softplus", Opt[float32]{}, Opt[float32]{}, func(_, _ float32) activation { return eltwise.Softplus }},
	{"softsign", Opt[float32]{}, Opt[float32]{}, func(_, _ float32) activation { return eltwise.Softsign }},
	{"tanh", Opt[float32]{}, Opt[float32]{}, func(_, _ float32) activation { return eltwise.Tanh }},
	{"thresholdedrelu", Some[float32](1), Opt[float32]{}, func(a, _ float32) activation {
		return func(x float32) float32 {
			if x > a {
				return x
			}
			return 0
		}
	}},
}

// recurrentFacts are those of every recurrent operator. The data are operand 0
// alone: initial states, biases and peepholes are added to what comes of the
// products.
func recurrentFacts() Facts {
	f := NoFacts()
	f.Data, f.Weight, f.WeightAxis, f.State = []int{0}, 1, 1, 2
	return f
}

// directions returns the number of directions and which of them run backwards.
func (r recurrent) directions() (n int, backward func(d int) bool, err error) {
	switch r.direction {
	case "forward":
		return 1, func(int) bool { return false }, nil
	case "reverse":
		return 1, func(int) bool { return true }, nil
	case "bidirectional":
		return 2, func(d int) bool { return d == 1 }, nil
	}
	return 0, nil, fmt.Errorf("direction %q", r.direction)
}

// functions returns the activations of each direction. Each takes the next
// alpha and beta of the lists, if it has such a parameter.
func (r recurrent) functions(dirs int) ([][]activation, error) {
	names, per := r.activations, len(r.fallback)
	if len(names) == 0 {
		for range dirs {
			names = append(names, r.fallback...)
		}
	}
	if len(names) < dirs*per {
		return nil, fmt.Errorf("activations %q, want %d for each of %d directions", names, per, dirs)
	}
	alpha, beta := r.alpha, r.beta
	take := func(list *[]float32, def Opt[float32]) float32 {
		if !def.Set || len(*list) == 0 {
			return def.Value
		}
		v := (*list)[0]
		*list = (*list)[1:]
		return v
	}
	out := make([][]activation, dirs)
	for i, name := range names[:dirs*per] {
		for _, row := range activationTable {
			if strings.EqualFold(row.name, name) {
				out[i/per] = append(out[i/per], row.make(take(&alpha, row.alpha), take(&beta, row.beta)))
			}
		}
		if len(out[i/per]) != i%per+1 {
			return nil, fmt.Errorf("activation %q is not known", name)
		}
	}
	return out, nil
}

// infer checks the inputs up to the initial states and returns the facts of
// all outputs: every state in time and the last of each kind.
func (r recurrent) infer(in []Fact, most int) ([]Fact, error) {
	if err := need(in, 3, most); err != nil {
		return nil, err
	}
	dirs, _, err := r.directions()
	if err != nil {
		return nil, err
	}
	if _, err := r.functions(dirs); err != nil {
		return nil, err
	}
	var floats []Fact
	for i, f := range in {
		if i != 4 {
			floats = append(floats, f)
		}
	}
	typ, err := wantFloats(floats...)
	if err != nil {
		return nil, err
	}
	if t := input(in, 4).Type; t != dtype.Invalid && t != dtype.Int32 {
		return nil, fmt.Errorf("sequence_lens of type %v, want int32", t)
	}
	if r.hidden < 0 || r.hidden > maxExtent {
		return nil, fmt.Errorf("hidden_size %d", r.hidden)
	}
	x, err := Merge(in[0].Shape, OfRank(3))
	if err != nil {
		return nil, err
	}
	time, batch := x[0], x[1]
	if r.batchFirst {
		time, batch = batch, time
	}
	d, hidden := Size(dirs), Unknown
	if s := in[2].Shape; len(s) == 3 {
		hidden = s[2]
	}
	if r.hidden > 0 {
		hidden = Size(r.hidden)
	}
	rows := hidden.Mul(Size(r.gates))
	state := Shape{d, batch, hidden}
	every := Shape{time, d, batch, hidden}
	if r.batchFirst {
		state, every = Shape{batch, d, hidden}, Shape{batch, time, d, hidden}
	}
	for i, want := range []Shape{nil, {d, rows, x[2]}, {d, rows, hidden}, {d, rows.Mul(Size(2))}, {batch}, state, state, {d, hidden.Mul(Size(3))}} {
		if f := input(in, i); f.Shape != nil && want != nil {
			if _, err := Merge(f.Shape, want); err != nil {
				return nil, fmt.Errorf("input %d: %w", i, err)
			}
		}
	}
	out := []Fact{TensorFact(typ, every)}
	for range r.states {
		out = append(out, TensorFact(typ, state.Clone()))
	}
	return out, nil
}

// cell is one direction of a recurrent operator at work.
type cell struct {
	batch, hidden int
	f             []activation
	// recur stores the products of states h [batch, hidden] with count rows of
	// recurrent weights from row on.
	recur    func(dst, h []float32, row, count int)
	wb, rb   []float32 // biases [gates·hidden], zeros where absent
	peephole []float32 // [3·hidden] or nil
	limit    float32
}

// clipped limits the argument of an activation.
func (c *cell) clipped(v float32) float32 { return min(max(v, -c.limit), c.limit) }

// products multiplies rows by the weights of a direction.
type products struct {
	hidden int
	// data stores the products of rows of data with the weights.
	data func(dst, x []float32, d, rows int)
	// state stores those of the states of the batch with count rows of the
	// recurrent weights from row on.
	state func(dst, h []float32, d, batch, row, count int)
}

// floatProducts multiplies by weights w [directions, gates·hidden, features] and
// r [directions, gates·hidden, hidden].
func floatProducts(w, r *tensor.Tensor) products {
	gh, features, hidden := w.Shape()[1], w.Shape()[2], r.Shape()[2]
	return products{hidden,
		func(dst, x []float32, d, rows int) {
			m := matrix[float32]{tensor.Data[float32](w)[d*gh*features:], features, 1}
			multiply(dst, gh, rows, gh, features, matrix[float32]{x, features, 1}, m.transposed())
		},
		func(dst, h []float32, d, batch, row, count int) {
			m := matrix[float32]{tensor.Data[float32](r)[(d*gh+row)*hidden:], hidden, 1}
			multiply(dst, count, batch, count, hidden, matrix[float32]{h, hidden, 1}, m.transposed())
		}}
}

// step computes the next states in place from the products of the data with the
// weights [batch, gates·hidden]. states[0] is the output.
type step func(c *cell, xw []float32, states [][]float32)

// eval runs the operator.
func (r recurrent) eval(o Op, in []Datum, advance step) ([]Datum, error) {
	return evalWide(o, in, 1+r.states, false, func(in []Datum, _ []Fact) ([]Datum, error) {
		return r.runAll(in, floatProducts(in[1].Tensor, in[2].Tensor), advance)
	})
}

// runAll runs every direction.
func (r recurrent) runAll(in []Datum, p products, advance step) ([]Datum, error) {
	dirs, backward, err := r.directions()
	if err != nil {
		return nil, err
	}
	fns, err := r.functions(dirs)
	if err != nil {
		return nil, err
	}
	x := in[0].Tensor
	if r.batchFirst {
		x = tensor.Permute(x, []int{1, 0, 2})
	}
	time, batch, hidden := x.Shape()[0], x.Shape()[1], p.hidden
	lens, err := lengths(arg(in, 4), time, batch)
	if err != nil {
		return nil, err
	}
	y, err := room(Fact{Shape: Known(time, dirs, batch, hidden)}, dtype.Float32)
	if err != nil {
		return nil, err
	}
	last := make([]*tensor.Tensor, r.states)
	for i := range last {
		if last[i], err = r.initial(arg(in, 5+i), dirs, batch, hidden); err != nil {
			return nil, err
		}
	}
	gh := r.gates * hidden
	for d := range dirs {
		c := &cell{batch: batch, hidden: hidden, f: fns[d], limit: float32(math.Inf(1)),
			wb: make([]float32, gh), rb: make([]float32, gh),
			recur: func(dst, h []float32, row, count int) { p.state(dst, h, d, batch, row, count) }}
		if b := arg(in, 3); b != nil {
			c.wb = tensor.Data[float32](b)[d*2*gh:][:gh]
			c.rb = tensor.Data[float32](b)[d*2*gh+gh:][:gh]
		}
		if p := arg(in, 7); p != nil {
			c.peephole = tensor.Data[float32](p)[d*3*hidden:]
		}
		if r.clip.Set {
			c.limit = r.clip.Value
		}
		states := make([][]float32, r.states)
		for i := range states {
			states[i] = tensor.Data[float32](last[i])[d*batch*hidden:][:batch*hidden]
		}
		xw := make([]float32, time*batch*gh)
		p.data(xw, tensor.Data[float32](x), d, time*batch)
		c.run(tensor.Data[float32](y), xw, states, lens, d, dirs, backward(d), advance)
	}
	if r.batchFirst {
		y = tensor.Permute(y, []int{2, 0, 1, 3})
		for i := range last {
			last[i] = tensor.Permute(last[i], []int{1, 0, 2})
		}
	}
	return Of(append([]*tensor.Tensor{y}, last...)...), nil
}

// initial returns a copy of an initial state [directions, batch, hidden], zeros
// where it is absent.
func (r recurrent) initial(t *tensor.Tensor, dirs, batch, hidden int) (*tensor.Tensor, error) {
	switch {
	case t == nil:
		return room(Fact{Shape: Known(dirs, batch, hidden)}, dtype.Float32)
	case r.batchFirst:
		return tensor.Permute(t, []int{1, 0, 2}), nil
	}
	return t.Clone(), nil
}

// lengths returns the length of each sequence, by default the whole time.
func lengths(t *tensor.Tensor, time, batch int) ([]int, error) {
	out := make([]int, batch)
	for i := range out {
		out[i] = time
		if t == nil {
			continue
		}
		if out[i] = int(tensor.Data[int32](t)[i]); out[i] < 0 || out[i] > time {
			return nil, fmt.Errorf("sequence_lens: %d is outside 0 to %d", out[i], time)
		}
	}
	return out, nil
}

// run steps through one direction. Sequences that have ended keep their state.
func (c *cell) run(y, xw []float32, states [][]float32, lens []int, d, dirs int, backward bool, advance step) {
	gh := len(c.wb)
	now := make([]float32, c.batch*gh)
	next := make([][]float32, len(states))
	for i := range next {
		next[i] = make([]float32, c.batch*c.hidden)
	}
	for s := range maxOf(lens) {
		at := func(b int) int {
			if backward {
				return lens[b] - 1 - s
			}
			return s
		}
		for b, n := range lens {
			if s < n {
				copy(now[b*gh:b*gh+gh], xw[(at(b)*c.batch+b)*gh:])
			}
		}
		for i := range next {
			copy(next[i], states[i])
		}
		advance(c, now, next)
		for b, n := range lens {
			if s >= n {
				continue
			}
			row := func(v []float32) []float32 { return v[b*c.hidden : (b+1)*c.hidden] }
			for i := range states {
				copy(row(states[i]), row(next[i]))
			}
			copy(y[((at(b)*dirs+d)*c.batch+b)*c.hidden:], row(states[0]))
		}
	}
}

func maxOf(v []int) int {
	m := 0
	for _, n := range v {
		m = max(m, n)
	}
	return m
}
