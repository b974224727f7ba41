package pass

import (
	"fmt"
	"strings"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// unrolledCell is one direction of an operator that is being unrolled. States are
// [batch, hidden], nil for zeros.
type unrolledCell struct {
	*unroller
	d         int
	functions []string
	data      []*ir.Value // products of the data with their weights, and biases: by gates that are used together
	weights   []*ir.Value // of the states [rows, hidden], in parts that are multiplied apart
	bias      *ir.Value   // of the states' products, nil for none
	reset     *ir.Value   // of the state's product that a GRU resets, nil for none
	peepholes []*ir.Value // of input, output and forget gate [hidden]; nil for none
	h, c      *ir.Value
}

// cell multiplies the data by the weights of direction d, and returns the cell
// before the first step.
func (u *unroller) cell(d int) *unrolledCell {
	u.base = fmt.Sprintf("%s/direction_%d", u.name, d)
	c := &unrolledCell{unroller: u, d: d, functions: u.functions[d*u.per:]}
	if v := u.in(5); v != nil {
		c.h = u.along(v, u.timeAxis(), d)
	}
	if v := u.in(6); v != nil && u.lstm != nil {
		c.c = u.along(v, u.timeAxis(), d)
	}
	rows := u.gates * u.hidden
	x := u.put(op.New[op.MatMul](), u.n.In[0], u.weight(1, d, 0, rows, true))
	data, state := c.biases()
	if data != nil {
		x = u.put(op.New[op.Add](), x, u.constant("bias", tensor.FromSlice(data, rows)))
	}
	if c.data = []*ir.Value{x}; u.gates == 3 {
		c.data = u.split(x, 2*u.hidden, u.hidden)
		if state != nil {
			all := append(make([]float32, 2*u.hidden), state...)
			c.bias, c.reset = u.constant("state_bias", tensor.FromSlice(all, rows)), u.constant("reset_bias", tensor.FromSlice(state, u.hidden))
		}
	}
	if u.gates == 3 && !u.linearBeforeReset {
		c.weights = []*ir.Value{u.weight(2, d, 0, 2*u.hidden, false), u.weight(2, d, 2*u.hidden, rows, false)}
	} else {
		c.weights = []*ir.Value{u.weight(2, d, 0, rows, false)}
	}
	if p := u.floats(7, d); p != nil && u.lstm != nil {
		for k := range 3 {
			c.peepholes = append(c.peepholes, u.constant("peephole", tensor.FromSlice(p[k*u.hidden:(k+1)*u.hidden], u.hidden)))
		}
	}
	return c
}

// biases returns what is added to the data's products, and what a GRU adds to
// the state's product before it resets it; nil for none.
func (c *unrolledCell) biases() (data, state []float32) {
	b := c.floats(3, c.d)
	if b == nil {
		return nil, nil
	}
	rows := c.gates * c.hidden
	data = make([]float32, rows)
	for i := range data {
		if data[i] = b[i]; c.gates == 3 && c.linearBeforeReset && i >= 2*c.hidden {
			state = append(state, b[rows+i])
			continue
		}
		data[i] += b[rows+i]
	}
	return data, state
}

// step moves the states on by the data of time t.
func (c *unrolledCell) step(t int) {
	c.base = fmt.Sprintf("%s/step_%d", c.name, t)
	if c.d > 0 {
		c.base += "_backward"
	}
	x := make([]*ir.Value, len(c.data))
	for i, v := range c.data {
		x[i] = c.along(v, c.timeAxis(), t)
	}
	switch c.gates {
	case 1:
		c.h = c.activate(0, c.plus(x[0], c.product(0, c.h)))
	case 3:
		c.gru(x[0], x[1])
	case 4:
		c.lstmStep(x[0])
	}
}

// gru computes h′ = n + z·(h−n).
func (c *unrolledCell) gru(gates, x *ir.Value) {
	var state *ir.Value
	if c.linearBeforeReset {
		if state = c.reset; c.h != nil {
			parts := c.split(c.product(0, c.h), 2*c.hidden, c.hidden)
			gates, state = c.plus(gates, parts[0]), parts[1]
		}
	} else {
		gates = c.plus(gates, c.product(0, c.h))
	}
	zr := c.split(c.activate(0, gates), c.hidden, c.hidden)
	z, r := zr[0], zr[1]
	switch {
	case c.linearBeforeReset && state != nil:
		x = c.plus(x, c.times(r, state))
	case !c.linearBeforeReset && c.h != nil:
		x = c.plus(x, c.product(1, c.times(r, c.h)))
	}
	n := c.activate(1, x)
	if c.h == nil {
		c.h = c.put(op.New[op.Sub](), n, c.times(z, n))
		return
	}
	c.h = c.plus(n, c.times(z, c.put(op.New[op.Sub](), c.h, n)))
}

// lstmStep computes c′ = f·c + i·g and h′ = o·tanh(c′).
func (c *unrolledCell) lstmStep(x *ir.Value) {
	x = c.plus(x, c.product(0, c.h))
	var i, o, f, g *ir.Value
	if c.peepholes == nil {
		parts := c.split(x, 3*c.hidden, c.hidden)
		gates := c.split(c.activate(0, parts[0]), c.hidden, c.hidden, c.hidden)
		i, o, f, g = gates[0], gates[1], gates[2], parts[1]
	} else {
		parts := c.split(x, c.hidden, c.hidden, c.hidden, c.hidden)
		i, o, f, g = c.activate(0, c.peep(parts[0], 0)), parts[1], c.activate(0, c.peep(parts[2], 2)), parts[3]
	}
	if c.lstm.InputForget {
		f = c.put(op.New[op.Sub](), c.constant("one", tensor.Scalar(float32(1))), i)
	}
	next := c.times(i, c.activate(1, g))
	if c.c != nil {
		next = c.plus(c.times(f, c.c), next)
	}
	if l := c.lstm.CellClip; l.Set {
		next = c.limited(next, l.Value)
	}
	if c.c = next; c.peepholes != nil {
		o = c.activate(0, c.peep(o, 1))
	}
	c.h = c.times(o, c.function(2, next))
}

// peep adds the cell's state to a gate by peephole k.
func (c *unrolledCell) peep(x *ir.Value, k int) *ir.Value {
	if c.c == nil {
		return x
	}
	return c.plus(x, c.times(c.c, c.peepholes[k]))
}

// product multiplies a state by part k of the weights; nil for zeros.
func (c *unrolledCell) product(k int, h *ir.Value) *ir.Value {
	if h == nil {
		return nil
	}
	if c.lstm != nil && c.lstm.Live() != nil {
		q := c.puts(3, c.lstm.Live(), h)
		d := op.New[op.DequantizeLinear]()
		d.Axis, d.BlockSize = -1, c.hidden
		h = c.put(d, q...)
	}
	in := []*ir.Value{h, c.weights[k]}
	if c.bias != nil {
		in = append(in, c.bias)
	}
	o := op.New[op.Gemm]()
	o.TransB = true
	return c.put(o, in...)
}

// plus adds y to x, nil for zeros.
func (c *unrolledCell) plus(x, y *ir.Value) *ir.Value {
	if y == nil {
		return x
	}
	return c.put(op.New[op.Add](), x, y)
}

func (c *unrolledCell) times(x, y *ir.Value) *ir.Value { return c.put(op.New[op.Mul](), x, y) }

// activate applies function k to what is limited first.
func (c *unrolledCell) activate(k int, x *ir.Value) *ir.Value {
	if c.clip.Set {
		x = c.limited(x, c.clip.Value)
	}
	return c.function(k, x)
}

func (c *unrolledCell) function(k int, x *ir.Value) *ir.Value {
	return c.put(activationOf(c.functions[k]), x)
}

// limited keeps x within ±most.
func (u *unroller) limited(x *ir.Value, most float32) *ir.Value {
	return u.put(op.New[op.Clip](), x, u.constant("least", tensor.Scalar(-most)), u.constant("most", tensor.Scalar(most)))
}

// split cuts the last axis into parts of some sizes.
func (u *unroller) split(x *ir.Value, sizes ...int) []*ir.Value {
	o := op.New[op.Split]()
	o.Axis = -1
	return u.puts(len(sizes), o, x, u.constant("sizes", list(sizes)))
}

// activationOf returns the operator of a function that cells may have, nil for
// one that is not written.
func activationOf(name string) op.Op {
	switch strings.ToLower(name) {
	case "sigmoid":
		return op.New[op.Sigmoid]()
	case "tanh":
		return op.New[op.Tanh]()
	case "relu":
		return op.New[op.Relu]()
	}
	return nil
}
