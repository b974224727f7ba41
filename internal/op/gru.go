package op

import "slices"

// GRU is the gated recurrent unit of Cho et al. Gates are ordered update,
// reset, hidden. With LinearBeforeReset the reset gate acts on the product of
// state and recurrent weights, else on the state. Computed in float32: the
// products, then the biases.
type GRU struct {
	Alpha             []float32    `attr:"activation_alpha"`
	Beta              []float32    `attr:"activation_beta"`
	Activations       []string     `attr:"activations"`
	Clip              Opt[float32] `attr:"clip"`
	Direction         string       `attr:"direction,default=forward"`
	HiddenSize        int          `attr:"hidden_size"`
	BatchFirst        bool         `attr:"layout,default=0"`
	LinearBeforeReset bool         `attr:"linear_before_reset,default=0"`
}

// Name returns "GRU".
func (o *GRU) Name() string { return "GRU" }

func (o *GRU) recurrent() recurrent {
	return recurrent{3, 1, o.Activations, []string{"Sigmoid", "Tanh"}, o.Alpha, o.Beta, o.Clip, o.Direction, o.HiddenSize, o.BatchFirst}
}

// Infer returns all outputs and the last output.
func (o *GRU) Infer(in []Fact, _ int) ([]Fact, error) { return o.recurrent().infer(in, 6) }

// Quantization names the weights of the data and of the state.
func (*GRU) Quantization() Facts { return recurrentFacts() }

// Eval runs the cells.
func (o *GRU) Eval(in []Datum) ([]Datum, error) {
	return o.recurrent().eval(o, in, o.step)
}

func (o *GRU) step(c *cell, xw []float32, states [][]float32) {
	h := states[0]
	n, gh := c.hidden, 3*c.hidden
	zr, hr := make([]float32, c.batch*2*n), make([]float32, c.batch*n)
	c.recur(zr, h, 0, 2*n)
	f, g := c.f[0], c.f[1]
	for b := range c.batch {
		for k := range 2 * n {
			at := b*2*n + k
			zr[at] = f(c.clipped(xw[b*gh+k] + zr[at] + (c.wb[k] + c.rb[k])))
		}
	}
	reset := slices.Clone(h)
	if !o.LinearBeforeReset {
		for at := range reset {
			reset[at] *= zr[at/n*2*n+n+at%n]
		}
	}
	c.recur(hr, reset, 2*n, n)
	for b := range c.batch {
		for j := range n {
			at, k := b*n+j, 2*n+j
			x := xw[b*gh+k]
			var v float32
			if o.LinearBeforeReset {
				v = x + float32(zr[b*2*n+n+j]*(hr[at]+c.rb[k])) + c.wb[k]
			} else {
				v = x + hr[at] + (c.wb[k] + c.rb[k])
			}
			z := zr[b*2*n+j]
			h[at] = float32((1-z)*g(c.clipped(v))) + float32(z*h[at])
		}
	}
}
